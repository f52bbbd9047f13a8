import {
  createQueryId,
  InsertQueryBuilder,
  InsertQueryNode,
  type InsertResult,
  MergeQueryBuilder,
  MergeQueryNode,
  type MergeResult,
  QueryCreator,
  type QueryExecutor,
} from "kysely";
import type { BindKey } from "../bind-key.ts";
import { UnknownTableError } from "../errors/schema.ts";
import type { ModelStatics } from "../model/model-types.ts";
import { modelsAsTables, tableOfModel } from "../model/models-as-tables.ts";
import type { Columns } from "../schema/column.ts";
import type { KyselyRow } from "../schema/row.ts";
import { type AnyTable, Table } from "../schema/table.ts";

/** Kysely's types before any table is named. */
export type NoTables = Record<never, never>;

/** A model or a table, as statements that write take it. */
export type Target<C extends Columns, N extends string> = ModelStatics<Columns, N, BindKey, C> | Table<C, N, BindKey>;

/**
 * Kysely's own builders, begun without a database: each statement runs on the engine of the tables in it. A model may
 * stand wherever Kysely takes a table, also inside callbacks.
 */
export interface KyselyForm {
  /** Kysely's `selectFrom`. @see SQLAlchemy: `select(table.c…)` */
  readonly selectFrom: QueryCreator<NoTables>["selectFrom"];
  /** Kysely's `updateTable`. @see SQLAlchemy: `update` */
  readonly updateTable: QueryCreator<NoTables>["updateTable"];
  /** Kysely's `deleteFrom`. @see SQLAlchemy: `delete` */
  readonly deleteFrom: QueryCreator<NoTables>["deleteFrom"];
  /** Kysely's `with`. @see SQLAlchemy: `cte` */
  readonly with: QueryCreator<NoTables>["with"];
  /** Kysely's `withRecursive`. @see SQLAlchemy: `cte(recursive=True)` */
  readonly withRecursive: QueryCreator<NoTables>["withRecursive"];
  /** Kysely's `insertInto`. @see SQLAlchemy: `insert` */
  insertInto<C extends Columns, N extends string>(
    into: Target<C, N>,
  ): InsertQueryBuilder<{ [P in N]: KyselyRow<C> }, N, InsertResult>;
  /** Kysely's `replaceInto`, for MySQL, MariaDB and SQLite. */
  replaceInto<C extends Columns, N extends string>(
    into: Target<C, N>,
  ): InsertQueryBuilder<{ [P in N]: KyselyRow<C> }, N, InsertResult>;
  /** Kysely's `mergeInto`, for PostgreSQL. */
  mergeInto<C extends Columns, N extends string>(
    into: Target<C, N>,
  ): MergeQueryBuilder<{ [P in N]: KyselyRow<C> }, N, MergeResult>;
}

/** The builders whose statements `executor` runs. */
export function kyselyForm(executor: QueryExecutor): KyselyForm {
  const creator = modelsAsTables(new QueryCreator<NoTables>({ executor }));
  const insert = <C extends Columns, N extends string>(into: Target<C, N>, replace: boolean) =>
    modelsAsTables(
      new InsertQueryBuilder<{ [P in N]: KyselyRow<C> }, N, InsertResult>({
        queryId: createQueryId(),
        executor,
        queryNode: InsertQueryNode.create(tableOf(into).node, undefined, replace),
      }),
    );
  return {
    selectFrom: creator.selectFrom,
    updateTable: creator.updateTable,
    deleteFrom: creator.deleteFrom,
    with: creator.with,
    withRecursive: creator.withRecursive,
    insertInto: (into) => insert(into, false),
    replaceInto: (into) => insert(into, true),
    mergeInto: <C extends Columns, N extends string>(into: Target<C, N>) =>
      modelsAsTables(
        new MergeQueryBuilder<{ [P in N]: KyselyRow<C> }, N, MergeResult>({
          queryId: createQueryId(),
          executor,
          queryNode: MergeQueryNode.create(tableOf(into).node),
        }),
      ),
  };
}

function tableOf(target: unknown): AnyTable {
  const table = tableOfModel(target);
  if (table instanceof Table) return table as unknown as AnyTable;
  throw new UnknownTableError("The target of an insert or merge is a model or a table.");
}
