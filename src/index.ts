/// <reference types="node" preserve="true" />
/**
 * One session over many databases.
 *
 * @module
 */
export { sql } from "kysely";
export type { BindKey, BindKeys } from "./bind-key.ts";
export type {
  Application,
  ApplicationTransactionOptions,
  ContextOptions,
  DisposeOptions,
} from "./context/application.ts";
export type { BindChoice, DropChoice } from "./context/bind-selection.ts";
export type { BindValue, Configuration } from "./context/configuration.ts";
export type { Context } from "./context/context.ts";
export type { Engines } from "./context/engines.ts";
export type { BindHealth, PingOptions } from "./context/health.ts";
export type { OnUncommitted } from "./context/uncommitted-work.ts";
export type { PoolStatus } from "./engine/driver.ts";
export type { Engine } from "./engine/engine.ts";
export {
  DatabaseUrl,
  type DatabaseUrlParts,
  type FamilyName,
  type HostAddress,
} from "./engine/options/database-url.ts";
export type { Duration } from "./engine/options/duration.ts";
export type { EngineOptions } from "./engine/options/engine-options.ts";
export type { PasswordSource, ResolvedEngineOptions } from "./engine/options/resolved-options.ts";
export type {
  EchoListener,
  FinishedStatementEvent,
  StatementEvent,
  StatementListener,
} from "./engine/recording/echo.ts";
export type { RecordedQuery } from "./engine/recording/recorded-query.ts";
export { defineDecimalFunctions } from "./engine/sqlite/decimal-functions.ts";
export { jsonArrayFrom, jsonObjectFrom } from "./engine/statement/nested-rows.ts";
export { number, typed } from "./engine/statement/typed.ts";
export * from "./errors/configuration.ts";
export * from "./errors/context.ts";
export * from "./errors/database.ts";
export * from "./errors/ddl.ts";
export { MultibindError } from "./errors/multibind-error.ts";
export * from "./errors/relation.ts";
export * from "./errors/routing.ts";
export * from "./errors/schema.ts";
export * from "./errors/session.ts";
export * from "./errors/statement.ts";
export { type ColumnOwner, UnknownColumnError, type UnknownColumnPlace } from "./errors/unknown-column.ts";
export * from "./errors/value.ts";
export { alias } from "./model/alias.ts";
export type { AliasedModel } from "./model/aliased-model.ts";
export { Entity, type EntityState, stateOf } from "./model/entity.ts";
export type { AnyModel, ModelClass, ModelOptions, PrimaryKeyOf } from "./model/model-types.ts";
export type {
  Loaded,
  LoadedMany,
  LoadedReadOnlyMany,
  Plain,
  ReadOnlyMany,
  ToMany,
  ToOne,
} from "./model/relations/relation-types.ts";
export { Multibind, type MultibindOptions } from "./multibind.ts";
export type { KeysetOptions, KeysetPage } from "./query/keyset/keyset.ts";
export type { KyselyForm } from "./query/kysely-form.ts";
export type { Params } from "./query/prepared/parameters.ts";
export type { PreparedRows } from "./query/prepared/prepared-rows.ts";
export type { PreparedSelect } from "./query/prepared/prepared-select.ts";
export type { Page, PageOptions, PageWidths } from "./query/select/pagination.ts";
export type { NotFoundOptions } from "./query/select/runnable-select.ts";
export { type Select, select } from "./query/select/select.ts";
export type { CompiledSelect, ReadOptions } from "./query/select/select-runner.ts";
export { isLoaded, toPlain } from "./query/to-plain.ts";
export type {
  AnyColumn,
  Column,
  Columns,
} from "./schema/column.ts";
export {
  type CheckConstraint,
  type Constraint,
  check,
  type ForeignKeyConstraint,
  foreignKey,
  type Index,
  index,
  type UniqueConstraint,
  unique,
} from "./schema/constraint.ts";
export type { ForeignKey } from "./schema/foreign-key.ts";
export type { Metadata } from "./schema/metadata.ts";
export type { Metadatas } from "./schema/metadatas.ts";
export type { NamingConvention } from "./schema/naming-convention.ts";
export type { ReferenceOptions, ReferentialAction } from "./schema/reference-options.ts";
export type { KyselyRow, NewRow, Row } from "./schema/row.ts";
export type { AnyTable, Table, TableOptions } from "./schema/table.ts";
export type { TableColumn } from "./schema/table-column.ts";
export { binary } from "./schema/types/binary.ts";
export { boolean } from "./schema/types/boolean.ts";
export { enumeration } from "./schema/types/enumeration.ts";
export { float } from "./schema/types/float.ts";
export { bigint, integer, smallint } from "./schema/types/integer.ts";
export { json } from "./schema/types/json.ts";
export { native } from "./schema/types/native.ts";
export { numeric } from "./schema/types/numeric.ts";
export { char, type TextOptions, text, varchar } from "./schema/types/string.ts";
export { date, time, timestamp } from "./schema/types/temporal.ts";
export { uuid } from "./schema/types/uuid.ts";
export { keyOf } from "./session/flush/key-reference.ts";
export type { GetOptions } from "./session/reading/entity-reader.ts";
export type { LoadOptions } from "./session/relations/load.ts";
export type { NPlusOne } from "./session/relations/relation-settings.ts";
export type { BindTarget, Statement } from "./session/router.ts";
export type { Session, SessionOptions } from "./session/session.ts";
export type { ModelChange, SessionEvent, SessionEventMap } from "./session/session-events.ts";
export type { RunOptions } from "./session/statement-runner.ts";
export type { BeginOptions } from "./session/transaction/begin-options.ts";
export type { CommitPolicy } from "./session/transaction/commit-policy.ts";
export type { NestedTransaction } from "./session/transaction/nested-transaction.ts";
export type { InDoubt, Recovery, RecoveryOptions } from "./session/transaction/recovery.ts";
export type { TransactionOptions } from "./session/transaction/transaction-function.ts";
// By this the other types of that entry are part of every program, so that its declarations can name them.
export type { Prepared } from "./types.ts";
