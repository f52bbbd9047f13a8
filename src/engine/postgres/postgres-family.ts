import { PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from "kysely";
import type { Family } from "../family.ts";
import { postgresCodec } from "./postgres-codecs.ts";
import { postgresColumnType } from "./postgres-column-types.ts";
import { postgresColumnwise } from "./postgres-columnwise.ts";
import { postgresDdl } from "./postgres-ddl.ts";
import { postgresDialects } from "./postgres-dialects.ts";
import { PostgresDriver } from "./postgres-driver.ts";
import { postgresDurability } from "./postgres-durability.ts";
import { hidePostgresValues, postgresErrorKind, postgresMissingName, postgresViolation } from "./postgres-errors.ts";
import { advancePostgresGenerator } from "./postgres-generators.ts";
import { postgresIdentity } from "./postgres-identity.ts";
import { postgresJson } from "./postgres-json.ts";
import { postgresKeyLists } from "./postgres-key-lists.ts";
import { postgresLacks, postgresWords } from "./postgres-lacks.ts";
import { postgresLockTimeout } from "./postgres-lock-timeout.ts";
import { postgresNames } from "./postgres-names.ts";
import { checkPostgresOptions } from "./postgres-options.ts";
import { postgresParameter } from "./postgres-parameters.ts";
import { reflectPostgres } from "./postgres-reflection.ts";
import { postgresTransactionText } from "./postgres-transaction-text.ts";
import { postgresTwoPhase } from "./postgres-two-phase.ts";
import { checkPostgresUrl } from "./postgres-url.ts";

/** PostgreSQL. */
export const postgres: Family = Object.freeze({
  name: "postgres",
  label: "PostgreSQL",
  driverPackage: "pg",
  driverMember: "Client",
  checkUrl: checkPostgresUrl,
  checkOptions: checkPostgresOptions,
  defaults: { networkTimeout: 30_000 },
  createDriver: (config) => new PostgresDriver(config),
  createCompiler: () => new PostgresQueryCompiler(),
  createAdapter: () => new PostgresAdapter(),
  createIntrospector: (db) => new PostgresIntrospector(db),
  dialects: postgresDialects,
  names: postgresNames,
  codec: postgresCodec,
  rowsAsJson: postgresJson,
  parameter: postgresParameter,
  systemColumns: new Set(["ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"]),
  supportsReturning: () => true,
  storesKeysAsGiven: false,
  returnsJoinedTables: true,
  supportsDefaultKeyword: true,
  lacks: postgresLacks,
  words: postgresWords,
  errorKind: postgresErrorKind,
  violation: postgresViolation,
  missingName: postgresMissingName,
  hideValues: hidePostgresValues,
  nullsComeFirst: false,
  locksRows: true,
  locksKeys: true,
  bulk: { by: "column", statements: postgresColumnwise },
  keyLists: postgresKeyLists,
  mostParameters: 65_535,
  transactionalDdl: true,
  transactionText: postgresTransactionText,
  columnType: postgresColumnType,
  ddl: postgresDdl,
  advanceGenerator: advancePostgresGenerator,
  reflect: reflectPostgres,
  identity: postgresIdentity,
  twoPhase: postgresTwoPhase,
  durability: postgresDurability,
  lockTimeout: postgresLockTimeout,
  shortLockWait: { within: "set local lock_timeout to '1s'" },
} satisfies Family);
