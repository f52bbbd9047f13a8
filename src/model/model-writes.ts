import {
  createQueryId,
  InsertQueryBuilder,
  InsertQueryNode,
  type InsertResult,
  MergeQueryBuilder,
  MergeQueryNode,
  type MergeResult,
  type QueryExecutor,
  type WithNode,
} from "kysely";
import type { BindKey } from "../bind-key.ts";
import { UnknownTableError } from "../errors/schema.ts";
import type { Columns } from "../schema/column.ts";
import { requireThisCopy } from "../schema/package-copy.ts";
import type { KyselyRow } from "../schema/row.ts";
import { type AnyTable, Table } from "../schema/table.ts";
import { MAPPER } from "./entity.ts";
import type { Mapper } from "./mapper.ts";
import type { ModelStatics } from "./model-types.ts";

/** A model or a table, as statements that write take it. */
export type Target<C extends Columns, N extends string> = ModelStatics<Columns, N, BindKey, C> | Table<C, N, BindKey>;

/** The tables of a statement with the one that it writes. */
type WithTarget<DB, N extends string, C extends Columns> = DB & { [P in N]: KyselyRow<C> };

/**
 * The statements of Kysely's that name the table which they write: Kysely itself takes only strings there.
 *
 * @typeParam DB the tables that are there besides
 */
export interface ModelWrites<DB> {
  /** Kysely's `insertInto` on a model or table. @see SQLAlchemy: `insert` */
  insertInto<C extends Columns, N extends string>(
    into: Target<C, N>,
  ): InsertQueryBuilder<WithTarget<DB, N, C>, N, InsertResult>;
  /** Kysely's `replaceInto` on a model or table, for MySQL, MariaDB and SQLite. */
  replaceInto<C extends Columns, N extends string>(
    into: Target<C, N>,
  ): InsertQueryBuilder<WithTarget<DB, N, C>, N, InsertResult>;
  /** Kysely's `mergeInto` on a model or table, for PostgreSQL. */
  mergeInto<C extends Columns, N extends string>(
    into: Target<C, N>,
  ): MergeQueryBuilder<WithTarget<DB, N, C>, N, MergeResult>;
}

/** The builders whose statements `executor` runs, with common table expressions in front. */
export function modelWrites<DB>(executor: QueryExecutor, withNode?: WithNode): ModelWrites<DB> {
  const insert = <C extends Columns, N extends string>(into: Target<C, N>, replace: boolean) =>
    new InsertQueryBuilder<WithTarget<DB, N, C>, N, InsertResult>({
      queryId: createQueryId(),
      executor,
      queryNode: InsertQueryNode.create(requireTarget(into).node, withNode, replace),
    });
  return {
    insertInto: (into) => insert(into, false),
    replaceInto: (into) => insert(into, true),
    mergeInto: <C extends Columns, N extends string>(into: Target<C, N>) =>
      new MergeQueryBuilder<WithTarget<DB, N, C>, N, MergeResult>({
        queryId: createQueryId(),
        executor,
        queryNode: MergeQueryNode.create(requireTarget(into).node, withNode),
      }),
  };
}

/** The table of a model's class; anything else is given back as it is. */
export function tableOfModel(value: unknown): unknown {
  const mapper = typeof value === "function" ? (value as { readonly [MAPPER]?: Mapper })[MAPPER] : undefined;
  if (mapper !== undefined) return mapper.table satisfies AnyTable;
  if (typeof value === "function") requireThisCopy(value, `the model ${value.name}`);
  return value;
}

function requireTarget(target: unknown): AnyTable {
  const table = tableOfModel(target);
  if (table instanceof Table) return table as unknown as AnyTable;
  requireThisCopy(table, "the target of an insert or merge");
  throw new UnknownTableError("The target of an insert or merge is a model or a table.");
}
