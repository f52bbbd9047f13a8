import {
  AndNode,
  type ComparisonOperatorExpression,
  type Expression,
  type ExpressionOrFactory,
  type JoinCallbackExpression,
  type JoinReferenceExpression,
  NOOP_QUERY_EXECUTOR,
  type OperandValueExpressionOrList,
  type OrderByExpression,
  type OrderByModifiers,
  ParensNode,
  QueryCreator,
  type ReferenceExpression,
  type SelectQueryBuilder,
  type SelectQueryNode,
  type SqlBool,
  WhereNode,
} from "kysely";
import type { BindKey } from "../bind-key.ts";
import { UnsupportedError } from "../errors/configuration.ts";
import { MultipleResultsError, NoResultError, SessionError } from "../errors/session.ts";
import { InvalidValueError } from "../errors/value.ts";
import { mapperOfClassInUse } from "../model/class-in-use.ts";
import type { AnyModel, ModelStatics } from "../model/model-types.ts";
import { modelsAsTables } from "../model/models-as-tables.ts";
import type { Columns } from "../schema/column.ts";
import type { KyselyRow, Row } from "../schema/row.ts";
import type { Table } from "../schema/table.ts";
import { type EntitySelection, entitySelection } from "./entity-selection.ts";
import { bounded, countNode, existsNode, limited } from "./row-counts.ts";
import type { SelectRunner } from "./select-runner.ts";

/** What a statement may be joined to: a model or table of the same bind. */
export type Joinable<C extends Columns, N extends string, K extends BindKey> =
  | ModelStatics<Columns, N, K, C>
  | Table<C, N, K>;

/** The tables of a statement with one more. */
export type WithTable<DB, N extends string, C extends Columns> = DB & { [P in N]: KyselyRow<C> };

/** The tables of a statement with one more whose columns may all be null, for outer joins. */
export type WithOptionalTable<DB, N extends string, C extends Columns> = DB & {
  [P in N]: { [Q in keyof C]: Row<C>[Q] | null };
};

/** Values that columns are to equal; null means that the column is null, a list that it is one of these. */
export type Equalities<C> = { readonly [P in keyof C]?: Row<C>[P] | readonly Row<C>[P][] | null };

/** How entities are locked when they are read. */
type Lock = "forUpdate" | "forShare" | "forNoKeyUpdate" | "forKeyShare";

// biome-ignore lint/suspicious/noExplicitAny: inside, the builder's types would say nothing that the methods below do not
type AnyBuilder = SelectQueryBuilder<any, any, any>;

interface SelectState {
  readonly selection: EntitySelection;
  readonly builder: AnyBuilder;
  readonly runner: SelectRunner | undefined;
}

/**
 * A statement that reads entities. Immutable: every method returns a new one, so it can be kept and refined at will.
 *
 * @typeParam DB the tables in it, as Kysely's types want them
 * @typeParam TB their names
 * @typeParam E the entities
 * @typeParam K the bind key of all of them
 * @typeParam C the columns of the model
 *
 * @see SQLAlchemy: `select(Model)`
 */
export class Select<DB, TB extends keyof DB, E, K extends BindKey, C> {
  readonly #state: SelectState;

  /** @internal use `select(Model)`, `db.select(Model)` or `session.select(Model)` */
  constructor(state: SelectState) {
    this.#state = state;
  }

  /**
   * Keeps rows that fulfil a condition; several conditions all have to hold.
   *
   * @example
   * select(User).where("name", "like", "a%")
   * select(User).where((eb) => eb.or([eb("admin", "=", true), eb("id", "<", 10)]))
   * select(User).where({ name: "ada", bio: null })
   *
   * @see SQLAlchemy: `Select.where`, `Select.filter_by`
   */
  where<RE extends ReferenceExpression<DB, TB>>(
    column: RE,
    operator: ComparisonOperatorExpression,
    value: OperandValueExpressionOrList<DB, TB, RE>,
  ): Select<DB, TB, E, K, C>;
  where<X extends ExpressionOrFactory<DB, TB, SqlBool>>(condition: X): Select<DB, TB, E, K, C>;
  where(equalities: Equalities<C>): Select<DB, TB, E, K, C>;
  where(...given: readonly unknown[]): Select<DB, TB, E, K, C> {
    const [first] = given;
    if (given.length === 1 && isPlainObject(first)) return this.#whereEqual(first);
    return this.#with((builder) => apply(builder, "where", given));
  }

  /** Keeps rows in which two columns compare as said. */
  whereRef<L extends ReferenceExpression<DB, TB>, R extends ReferenceExpression<DB, TB>>(
    left: L,
    operator: ComparisonOperatorExpression,
    right: R,
  ): Select<DB, TB, E, K, C> {
    return this.#with((builder) => apply(builder, "whereRef", [left, operator, right]));
  }

  /**
   * Joins a model or table of the same bind, for conditions and order; the result is still entities of the first model.
   * One of another bind does not compile, and is refused before anything is sent.
   *
   * @see SQLAlchemy: `Select.join`
   */
  innerJoin<C2 extends Columns, N extends string>(
    table: Joinable<C2, N, K>,
    left: JoinReferenceExpression<WithTable<DB, N, C2>, TB, N>,
    right: JoinReferenceExpression<WithTable<DB, N, C2>, TB, N>,
  ): Select<WithTable<DB, N, C2>, TB | N, E, K, C>;
  innerJoin<C2 extends Columns, N extends string>(
    table: Joinable<C2, N, K>,
    on: JoinCallbackExpression<WithTable<DB, N, C2>, TB, N>,
  ): Select<WithTable<DB, N, C2>, TB | N, E, K, C>;
  innerJoin(...given: readonly unknown[]): never {
    return this.#with((builder) => apply(builder, "innerJoin", given)) as never;
  }

  /**
   * Joins a model or table of the same bind whose rows may be missing.
   *
   * @see SQLAlchemy: `Select.outerjoin`
   */
  leftJoin<C2 extends Columns, N extends string>(
    table: Joinable<C2, N, K>,
    left: JoinReferenceExpression<WithTable<DB, N, C2>, TB, N>,
    right: JoinReferenceExpression<WithTable<DB, N, C2>, TB, N>,
  ): Select<WithOptionalTable<DB, N, C2>, TB | N, E, K, C>;
  leftJoin<C2 extends Columns, N extends string>(
    table: Joinable<C2, N, K>,
    on: JoinCallbackExpression<WithTable<DB, N, C2>, TB, N>,
  ): Select<WithOptionalTable<DB, N, C2>, TB | N, E, K, C>;
  leftJoin(...given: readonly unknown[]): never {
    return this.#with((builder) => apply(builder, "leftJoin", given)) as never;
  }

  /**
   * Orders by a column or expression; a further one decides among rows that are equal in those before.
   *
   * @example
   * select(User).orderBy("name").orderBy("id", "desc")
   */
  orderBy<OE extends OrderByExpression<DB, TB, Record<never, never>>>(
    expression: OE,
    direction?: OrderByModifiers,
  ): Select<DB, TB, E, K, C> {
    return this.#with((builder) =>
      apply(builder, "orderBy", direction === undefined ? [expression] : [expression, direction]),
    );
  }

  /**
   * Reads at most so many rows.
   *
   * @throws {InvalidValueError} if that is not an integer from 0 up
   */
  limit(rows: number): Select<DB, TB, E, K, C> {
    return this.#with((builder) => builder.limit(countOfRows(rows, "limit")));
  }

  /**
   * Leaves out the first rows.
   *
   * @throws {InvalidValueError} if that is not an integer from 0 up
   */
  offset(rows: number): Select<DB, TB, E, K, C> {
    return this.#with((builder) => builder.offset(countOfRows(rows, "offset")));
  }

  /** Reads each row once, where a join would repeat it. */
  distinct(): Select<DB, TB, E, K, C> {
    return this.#with((builder) => builder.distinct());
  }

  /**
   * Locks the rows until the transaction ends, which this begins.
   *
   * @throws {UnsupportedError} if the model's rows are spread over joined tables
   *
   * @see SQLAlchemy: `Select.with_for_update`
   */
  forUpdate(): Select<DB, TB, E, K, C> {
    return this.#lock("forUpdate");
  }

  /** Locks the rows against changes by others until the transaction ends, which this begins. */
  forShare(): Select<DB, TB, E, K, C> {
    return this.#lock("forShare");
  }

  /** Passes over rows that others have locked. Follows `forUpdate` or `forShare`. */
  skipLocked(): Select<DB, TB, E, K, C> {
    return this.#with((builder) => builder.skipLocked());
  }

  /** Fails at once if others have locked a row. Follows `forUpdate` or `forShare`. */
  noWait(): Select<DB, TB, E, K, C> {
    return this.#with((builder) => builder.noWait());
  }

  /**
   * The entities of all rows.
   *
   * @see SQLAlchemy: `session.scalars(…).all()`
   */
  async all(): Promise<E[]> {
    const { selection } = this.#state;
    // The selection is of the model whose instances E is.
    return (await this.#runner.entities(this.#entityNode(), selection)) as E[];
  }

  /**
   * The entity of the first row, or null.
   *
   * @see SQLAlchemy: `session.scalars(…).first()`
   */
  async first(): Promise<E | null> {
    return (await this.#atMost(1))[0] ?? null;
  }

  /**
   * The entity of the one row.
   *
   * @throws {NoResultError} if there is none
   * @throws {MultipleResultsError} if there are several
   *
   * @see SQLAlchemy: `session.scalars(…).one()`
   */
  async one(): Promise<E> {
    const entity = await this.oneOrNull();
    if (entity === null)
      throw new NoResultError(
        `There is no row of ${this.#state.selection.mapper.label} where one was to be.`,
        this.#where,
      );
    return entity;
  }

  /**
   * The entity of the one row, or null.
   *
   * @throws {MultipleResultsError} if there are several
   *
   * @see SQLAlchemy: `session.scalars(…).one_or_none()`
   */
  async oneOrNull(): Promise<E | null> {
    const [entity = null, second] = await this.#atMost(2);
    if (second !== undefined) {
      throw new MultipleResultsError(
        `There are several rows of ${this.#state.selection.mapper.label} where one was to be.`,
        this.#where,
      );
    }
    return entity;
  }

  /** How many rows there are, within `limit` and `offset`. */
  async count(): Promise<number> {
    const [row] = await this.#runner.rows(countNode(this.#entityNode()));
    return Number(row?.["count"]);
  }

  /** Whether there is any row. */
  async exists(): Promise<boolean> {
    const rows = await this.#runner.rows(limited(existsNode(this.#entityNode()), 1));
    return rows.length > 0;
  }

  /**
   * The entities one after the other, as the database gives them. Clean entities are not kept by the session, so memory
   * does not grow. Leaving the loop ends the statement and gives the connection back.
   *
   * @param options `chunkSize`: how many rows are read at once, 100 unless given
   */
  stream(options: { readonly chunkSize?: number } = {}): AsyncIterableIterator<E> {
    const { selection } = this.#state;
    return this.#runner.streamEntities(
      this.#entityNode(),
      selection,
      options.chunkSize ?? 100,
    ) as AsyncIterableIterator<E>;
  }

  /** The statement's tree, which makes it a part of other statements. */
  toOperationNode(): SelectQueryNode {
    return this.#entityNode();
  }

  /** Part of Kysely's expression: for types only. */
  get expressionType(): Row<C> | undefined {
    return undefined;
  }

  /** @internal what its entities are made from */
  get selection(): EntitySelection {
    return this.#state.selection;
  }

  /** @internal the same statement, run by this session */
  on(runner: SelectRunner): Select<DB, TB, E, K, C> {
    return new Select({ ...this.#state, runner });
  }

  get #runner(): SelectRunner {
    const { runner, selection } = this.#state;
    if (runner !== undefined) return runner;
    throw new SessionError(
      `This select of ${selection.mapper.label} belongs to no session. Run it with \`session.select(statement)\` or \`db.select(statement)\`.`,
      this.#where,
    );
  }

  get #where(): { readonly bindKey: BindKey } {
    return { bindKey: this.#state.selection.mapper.table.bindKey };
  }

  #with(change: (builder: AnyBuilder) => AnyBuilder): Select<DB, TB, E, K, C> {
    return new Select({ ...this.#state, builder: change(this.#state.builder) });
  }

  #lock(kind: Lock): Select<DB, TB, E, K, C> {
    const { isJoined, mapper } = this.#state.selection;
    if (isJoined) {
      throw new UnsupportedError(
        `Rows of ${mapper.label} are spread over joined tables, of which databases do not lock the same. Lock them one by one with \`get(…, { lock: true })\`.`,
        this.#where,
      );
    }
    return this.#with((builder) => builder[kind]());
  }

  #whereEqual(equalities: Readonly<Record<string, unknown>>): Select<DB, TB, E, K, C> {
    const { alias, mapper } = this.#state.selection;
    return this.#with((builder) => {
      let result = builder;
      for (const [name, value] of Object.entries(equalities)) {
        if (value === undefined || !mapper.properties.some((property) => property.name === name)) {
          throw new InvalidValueError(
            value === undefined
              ? `where({ ${name}: undefined }) could mean anything; leave "${name}" out, or give null.`
              : `${mapper.label} has no column "${name}".`,
            { ...this.#where, table: alias, column: name },
          );
        }
        const isList =
          Array.isArray(value) &&
          mapper.properties.find((property) => property.name === name)!.column.definition.type.kind !== "json";
        result = result.where(`${alias}.${name}`, value === null ? "is" : isList ? "in" : "=", value);
      }
      return result;
    });
  }

  async #atMost(rows: number): Promise<E[]> {
    return (await this.#runner.entities(limited(this.#entityNode(), rows), this.#state.selection)) as E[];
  }

  #entityNode(): SelectQueryNode {
    const { builder, selection } = this.#state;
    const { condition, selections } = selection;
    const node = { ...bounded(builder.toOperationNode()), selections };
    if (condition === undefined) return node;
    const where = node.where === undefined ? condition : AndNode.create(ParensNode.create(node.where.where), condition);
    return { ...node, where: WhereNode.create(where) };
  }
}

/** A select of a model, as `select(Model)` types it. */
export type SelectOf<M> =
  M extends ModelStatics<infer C, infer N, infer K, infer _T>
    ? Select<{ [P in N]: KyselyRow<C> }, N, InstanceType<Extract<M, abstract new (...values: never) => unknown>>, K, C>
    : never;

/**
 * A statement that reads entities of a model, bound to no session: keep it, refine it, and run it with
 * `session.select(statement)`.
 *
 * @example
 * const admins = select(User).where("admin", "=", true);
 * await db.select(admins).orderBy("name").all();
 *
 * @throws {UnmappedClassError} if it is not a model
 *
 * @see SQLAlchemy: `select(Model)`
 */
export function select<M extends AnyModel>(model: M): SelectOf<M> {
  const selection = entitySelection(mapperOfClassInUse(model));
  const source: Expression<unknown> = { expressionType: undefined, toOperationNode: () => selection.source };
  const creator = new QueryCreator<Record<string, never>>({ executor: NOOP_QUERY_EXECUTOR });
  // Kysely takes anything with a node for a table; what the columns are is said by the type that is returned.
  const builder = modelsAsTables(creator.selectFrom(source as never)) as unknown as AnyBuilder;
  return new Select({ selection, builder, runner: undefined }) as unknown as SelectOf<M>;
}

function apply(
  builder: AnyBuilder,
  method: "where" | "whereRef" | "innerJoin" | "leftJoin" | "orderBy",
  given: readonly unknown[],
): AnyBuilder {
  // The overloads of Select have checked what is handed on.
  return (builder[method] as (...values: readonly unknown[]) => AnyBuilder)(...given);
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === "object" &&
    value !== null &&
    Object.getPrototypeOf(value) === Object.prototype &&
    !("toOperationNode" in value)
  );
}

function countOfRows(rows: number, name: string): number {
  if (Number.isSafeInteger(rows) && rows >= 0) return rows;
  throw new InvalidValueError(`${name} takes an integer from 0 up.`);
}
