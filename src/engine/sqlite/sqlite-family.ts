import { RawNode, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from "kysely";
import type { Family } from "../family.ts";
import { decimalArithmetic } from "./decimal-arithmetic.ts";
import { isNodeSqlite, NODE_SQLITE } from "./node-sqlite.ts";
import { sqliteBulkUpdate } from "./sqlite-bulk-update.ts";
import { sqliteCodec } from "./sqlite-codecs.ts";
import { sqliteColumnType } from "./sqlite-column-types.ts";
import { sqliteDdl } from "./sqlite-ddl.ts";
import { sqliteDialects } from "./sqlite-dialects.ts";
import { SqliteDriver } from "./sqlite-driver.ts";
import { sqliteErrorKind, sqliteMissingName, sqliteViolation } from "./sqlite-errors.ts";
import { locateSqlite, sqliteFile } from "./sqlite-file.ts";
import { sqliteIdentity } from "./sqlite-identity.ts";
import { SQLITE_NOW, sqliteInstants } from "./sqlite-instants.ts";
import { sqliteJson } from "./sqlite-json.ts";
import { sqliteKeyLists } from "./sqlite-key-lists.ts";
import { sqliteLacks, sqliteWords } from "./sqlite-lacks.ts";
import { sqliteLike } from "./sqlite-like.ts";
import { sqliteNames } from "./sqlite-names.ts";
import { sqliteNumbering } from "./sqlite-numbering.ts";
import { checkSqliteOptions } from "./sqlite-options.ts";
import { sqliteParameter } from "./sqlite-parameters.ts";
import { placeOf } from "./sqlite-place.ts";
import { reflectSqlite } from "./sqlite-reflection.ts";
import { sqliteTransactionText } from "./sqlite-transaction-text.ts";

/** SQLite. */
export const sqlite: Family = Object.freeze({
  name: "sqlite",
  label: "SQLite",
  driverPackage: "better-sqlite3",
  builtIn: { name: NODE_SQLITE, is: isNodeSqlite },
  checkUrl: sqliteFile,
  checkOptions: checkSqliteOptions,
  defaults: {},
  locate: locateSqlite,
  whyFleeting: (url) => {
    const { path, readOnly } = sqliteFile(url);
    if (path === undefined) return "is a database in memory";
    return readOnly ? "is opened for reading only" : undefined;
  },
  createDriver: (config) => new SqliteDriver(config),
  place: (url, bindKey) => {
    const { path } = sqliteFile(url);
    return path === undefined ? undefined : placeOf(path, bindKey);
  },
  createCompiler: () => new SqliteQueryCompiler(),
  createAdapter: () => new SqliteAdapter(),
  createIntrospector: (db) => new SqliteIntrospector(db),
  dialects: sqliteDialects,
  names: sqliteNames,
  codec: sqliteCodec,
  rowsAsJson: sqliteJson,
  parameter: sqliteParameter,
  systemColumns: new Set(["rowid", "oid", "_rowid_"]),
  supportsReturning: () => true,
  storesKeysAsGiven: true,
  returnsJoinedTables: false,
  supportsDefaultKeyword: false,
  lacks: sqliteLacks,
  words: sqliteWords,
  decimals: decimalArithmetic,
  now: RawNode.createWithSql(SQLITE_NOW),
  instants: sqliteInstants,
  patterns: sqliteLike,
  plansByParameters: true,
  errorKind: sqliteErrorKind,
  violation: sqliteViolation,
  missingName: sqliteMissingName,
  nullsComeFirst: true,
  locksRows: false,
  locksKeys: false,
  bulk: { by: "row", mostRows: 50, restOneByOne: true, update: sqliteBulkUpdate, numbering: sqliteNumbering },
  keyLists: sqliteKeyLists,
  mostParameters: 32_766,
  transactionalDdl: true,
  transactionText: sqliteTransactionText,
  onlyRollsBack: true,
  tellsReads: true,
  columnType: sqliteColumnType,
  ddl: sqliteDdl,
  reflect: reflectSqlite,
  identity: sqliteIdentity,
  // In the mode WAL, a lesser setting leaves the last commits to the operating system. It cannot be set in a transaction.
  durability: { before: "pragma synchronous = full" },
} satisfies Family);
