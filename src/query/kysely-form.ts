import {
  type CommonTableExpression,
  type CommonTableExpressionNode,
  type Compilable,
  type Expression,
  NOOP_QUERY_EXECUTOR,
  QueryCreator,
  type QueryCreatorWithCommonTableExpression,
  type QueryExecutor,
  type RecursiveCommonTableExpression,
  WithNode,
} from "kysely";
import { type ModelWrites, modelWrites } from "../model/model-writes.ts";
import { modelsAsTables } from "../model/models-as-tables.ts";

/** Kysely's types before any table is named. */
export type NoTables = Record<never, never>;

/** The parts of a common table expression. */
type Rows = Expression<unknown> | Compilable;

declare const someCreator: QueryCreator<NoTables>;

/** A name, or Kysely's callback for `materialized`, whose type Kysely does not export. */
type NameOf<N extends string> = Parameters<typeof someCreator.with<N, CommonTableExpression<NoTables, N>>>[0];

type TablesOf<Q> = Q extends QueryCreator<infer DB> ? DB : never;

/** The tables of a statement with a common table expression. */
type WithRows<DB, N extends string, E> = TablesOf<
  QueryCreatorWithCommonTableExpression<DB, N, E extends (...given: never) => infer R ? R : E>
>;

/** The tables of a recursive expression: those around, and itself. */
type WithItself<DB, N extends string> = TablesOf<Parameters<RecursiveCommonTableExpression<DB, N>>[0]>;

/**
 * Kysely's own builders, begun without a database: each statement runs on the engine of the tables in it. A model may
 * stand wherever Kysely takes a table, also inside callbacks.
 *
 * @typeParam DB the common table expressions so far
 */
export interface KyselyForm<DB = NoTables> extends ModelWrites<DB> {
  /** Kysely's `selectFrom`. @see SQLAlchemy: `select(table.c…)` */
  readonly selectFrom: QueryCreator<DB>["selectFrom"];
  /** Kysely's `selectNoFrom`: values of no table, on the default engine or that of the tables in subqueries. */
  readonly selectNoFrom: QueryCreator<DB>["selectNoFrom"];
  /** Kysely's `updateTable`. @see SQLAlchemy: `update` */
  readonly updateTable: QueryCreator<DB>["updateTable"];
  /** Kysely's `deleteFrom`. @see SQLAlchemy: `delete` */
  readonly deleteFrom: QueryCreator<DB>["deleteFrom"];
  /** Kysely's `with`. @see SQLAlchemy: `cte` */
  with<N extends string, E extends Rows | ((qb: KyselyForm<DB>) => Rows)>(
    name: NameOf<N>,
    expression: E,
  ): KyselyForm<WithRows<DB, N, E>>;
  /** Kysely's `withRecursive`, also after a plain `with`. @see SQLAlchemy: `cte(recursive=True)` */
  withRecursive<N extends string, E extends (qb: KyselyForm<WithItself<DB, N>>) => Rows>(
    name: NameOf<N>,
    expression: E,
  ): KyselyForm<WithRows<DB, N, E>>;
}

/** The builders whose statements `executor` runs. */
export function kyselyForm(executor: QueryExecutor): KyselyForm {
  return formWith(executor, undefined);
}

function formWith<DB>(executor: QueryExecutor, withNode: WithNode | undefined): KyselyForm<DB> {
  const creator = modelsAsTables(new QueryCreator<DB>(withNode === undefined ? { executor } : { executor, withNode }));
  const writes = modelWrites<DB>(executor, withNode);
  const extended = (name: NameOf<string>, expression: unknown, recursive: boolean) => {
    const own = expressionOf(name, expression);
    const { expressions, recursive: before = false } = withNode ?? { expressions: [] };
    return formWith(
      executor,
      Object.freeze({
        ...WithNode.create(own, { recursive: recursive || before }),
        expressions: [...expressions, own],
      }),
    );
  };
  return {
    selectFrom: creator.selectFrom,
    selectNoFrom: creator.selectNoFrom,
    updateTable: creator.updateTable,
    deleteFrom: creator.deleteFrom,
    insertInto: (into) => modelsAsTables(writes.insertInto(into)),
    replaceInto: (into) => modelsAsTables(writes.replaceInto(into)),
    mergeInto: (into) => modelsAsTables(writes.mergeInto(into)),
    // What tables the statement has from here on, the interface says in types.
    with: (name, expression) => extended(name, expression, false) as never,
    withRecursive: (name, expression) => extended(name, expression, true) as never,
  };
}

/** The node of a common table expression, as Kysely makes it of what `with` takes. */
function expressionOf(name: NameOf<string>, expression: unknown): CommonTableExpressionNode {
  const inside = formWith<NoTables>(NOOP_QUERY_EXECUTOR, undefined);
  const build = typeof expression === "function" ? () => expression(inside) : expression;
  const creator = modelsAsTables(new QueryCreator<NoTables>({ executor: NOOP_QUERY_EXECUTOR }));
  // The overloads of the interface have checked what is handed on.
  const { with: node } = creator
    .with(name, build as never)
    .selectNoFrom([])
    .toOperationNode();
  return node!.expressions[0]!;
}
