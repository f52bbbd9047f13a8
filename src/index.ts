/// <reference types="node" preserve="true" />
/**
 * One session over many databases.
 *
 * @module
 */
export { sql } from "kysely";
export type { BindKey, BindKeys } from "./bind-key.ts";
export { Application, type ContextOptions } from "./context/application.ts";
export type { BindChoice } from "./context/chosen-binds.ts";
export type { BindValue, Configuration } from "./context/configuration.ts";
export { Context } from "./context/context.ts";
export { Engines } from "./context/engines.ts";
export type { OnUncommitted } from "./context/uncommitted-work.ts";
export type { PoolStatus } from "./engine/driver.ts";
export { Engine } from "./engine/engine.ts";
export {
  DatabaseUrl,
  type DatabaseUrlParts,
  type FamilyName,
  type HostAddress,
} from "./engine/options/database-url.ts";
export type { Duration } from "./engine/options/duration.ts";
export type { EngineOptions } from "./engine/options/engine-options.ts";
export type { ResolvedEngineOptions } from "./engine/options/resolved-options.ts";
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
export * from "./errors/routing.ts";
export * from "./errors/schema.ts";
export * from "./errors/session.ts";
export * from "./errors/statement.ts";
export * from "./errors/value.ts";
export { Entity, type EntityState, stateOf } from "./model/entity.ts";
export type { AbstractExtend, Child, PlainExtend, PolymorphicExtend } from "./model/extend-types.ts";
export type {
  AbstractClass,
  AnyModel,
  ExtendOf,
  ModelClass,
  ModelKey,
  ModelOptions,
  ModelStatics,
  OwnStatics,
} from "./model/model-types.ts";
export { Multibind, type MultibindOptions } from "./multibind.ts";
export { type KeysetOptions, KeysetPage } from "./query/keyset/keyset.ts";
export type { Given, ParameterExpression, Params, UnknownParameters } from "./query/prepared/parameters.ts";
export type { Preparable, Prepared } from "./query/prepared/prepare.ts";
export type { PreparedRows } from "./query/prepared/prepared-rows.ts";
export type { PreparedSelect } from "./query/prepared/prepared-select.ts";
export { AliasedModel, type AliasOf, alias } from "./query/select/aliased-model.ts";
export { Page, type PageOptions, type PageWidths } from "./query/select/pagination.ts";
export type { NotFoundOptions } from "./query/select/runnable-select.ts";
export { Select, select } from "./query/select/select.ts";
export type { SelectOf, WithOptionalTable, WithTable } from "./query/select/select-types.ts";
export {
  type AnyColumn,
  Column,
  type Columns,
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
export { Metadata } from "./schema/metadata.ts";
export { Metadatas } from "./schema/metadatas.ts";
export type { NamingConvention } from "./schema/naming-convention.ts";
export type { ReferenceOptions, ReferentialAction } from "./schema/reference-options.ts";
export type { KeyOf, KyselyRow, NewRow, Row } from "./schema/row.ts";
export { type AnyTable, Table, type TableOptions } from "./schema/table.ts";
export { TableColumn } from "./schema/table-column.ts";
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
export type { BindTarget, Statement } from "./session/router.ts";
export { Session, type SessionOptions } from "./session/session.ts";
export type { RunOptions } from "./session/statement-runner.ts";
export type { BeginOptions } from "./session/transaction/begin-options.ts";
export type { CommitPolicy } from "./session/transaction/commit-policy.ts";
export { NestedTransaction } from "./session/transaction/nested-transaction.ts";
export type { InDoubt, Recovery, RecoveryOptions } from "./session/transaction/recovery.ts";
