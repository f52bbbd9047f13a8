import { MysqlAdapter, MysqlIntrospector, MysqlQueryCompiler, RawNode } from "kysely";
import type { Family } from "../family.ts";
import { requirePrepared } from "../options/always-prepared.ts";
import { mysqlBulkUpdate } from "./mysql-bulk-update.ts";
import { mysqlCodec } from "./mysql-codecs.ts";
import { mysqlColumnType } from "./mysql-column-types.ts";
import { mysqlDdl } from "./mysql-ddl.ts";
import { mysqlDialects } from "./mysql-dialects.ts";
import { MysqlDriver } from "./mysql-driver.ts";
import {
  hideMysqlValues,
  mysqlErrorKind,
  mysqlErrorMessage,
  mysqlMissingName,
  mysqlViolation,
} from "./mysql-errors.ts";
import { mysqlIdentity } from "./mysql-identity.ts";
import { mysqlJson } from "./mysql-json.ts";
import { mysqlKeyLists } from "./mysql-key-lists.ts";
import { mariadbLacks, mysqlItselfLacks, mysqlLacks, mysqlWords } from "./mysql-lacks.ts";
import { mysqlLockTimeout } from "./mysql-lock-timeout.ts";
import { mysqlNames } from "./mysql-names.ts";
import { mysqlParameter } from "./mysql-parameters.ts";
import { reflectMysql } from "./mysql-reflection.ts";
import { mysqlTransactionText } from "./mysql-transaction-text.ts";
import { mysqlTwoPhase } from "./mysql-two-phase.ts";

/** MySQL and MariaDB. */
export const mysql: Family = Object.freeze({
  name: "mysql",
  label: "MySQL",
  driverPackage: "mariadb",
  driverMember: "createConnection",
  checkOptions: ({ preparedStatements }, where) =>
    requirePrepared(preparedStatements, where, "its poolers keep the prepared statements of each client apart"),
  // Servers close connections that were idle for eight hours.
  defaults: { poolRecycle: 7_200_000, networkTimeout: 30_000 },
  locate: (url) => ({
    url: url.query["charset"] === undefined ? url.with({ query: { charset: "utf8mb4", ...url.query } }) : url,
  }),
  createDriver: (config) => new MysqlDriver(config),
  createCompiler: () => new MysqlQueryCompiler(),
  createAdapter: () => new MysqlAdapter(),
  createIntrospector: (db) => new MysqlIntrospector(db),
  dialects: mysqlDialects,
  names: mysqlNames,
  codec: mysqlCodec,
  rowsAsJson: mysqlJson,
  parameter: mysqlParameter,
  // MariaDB's answer: MySQL itself refuses what it does not have.
  systemColumns: new Set(["_rowid"]),
  supportsReturning: (kind) => kind !== "update",
  storesKeysAsGiven: false,
  returnsJoinedTables: false,
  supportsDefaultKeyword: true,
  lacks: mysqlLacks,
  lacksInPart: new Set([...mariadbLacks, ...mysqlItselfLacks]),
  words: mysqlWords,
  // MariaDB has no `for share`, and MySQL knows its older words too.
  shareLock: RawNode.createWithSql("lock in share mode"),
  // Decimals are compared with a list of texts as floating-point numbers.
  listedType: ({ kind, precision, scale }) => (kind === "numeric" ? `decimal(${precision}, ${scale})` : undefined),
  withBehindInsert: true,
  // Without digits it is of whole seconds.
  now: RawNode.createWithSql("current_timestamp(3)"),
  nullSafeEquality: "<=>",
  errorKind: mysqlErrorKind,
  violation: mysqlViolation,
  missingName: mysqlMissingName,
  hideValues: hideMysqlValues,
  errorMessage: mysqlErrorMessage,
  nullsComeFirst: true,
  locksRows: true,
  locksKeys: false,
  bulk: { by: "row", mostRows: 500, restOneByOne: false, update: mysqlBulkUpdate },
  keyLists: mysqlKeyLists,
  mostParameters: 65_535,
  transactionalDdl: false,
  transactionText: mysqlTransactionText,
  columnType: mysqlColumnType,
  ddl: mysqlDdl,
  reflect: reflectMysql,
  identity: mysqlIdentity,
  twoPhase: mysqlTwoPhase,
  lockTimeout: mysqlLockTimeout,
  // In whole seconds.
  shortLockWait: {
    before: "set innodb_lock_wait_timeout = 1",
    after: "set innodb_lock_wait_timeout = default",
  },
} satisfies Family);
