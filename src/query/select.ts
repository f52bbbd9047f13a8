import {
  type CallbackSelection,
  type ComparisonOperatorExpression,
  type Expression,
  type ExpressionOrFactory,
  type JoinCallbackExpression,
  type JoinReferenceExpression,
  NOOP_QUERY_EXECUTOR,
  type OperandValueExpressionOrList,
  type OrderByExpression,
  type OrderByModifiers,
  QueryCreator,
  type ReferenceExpression,
  type SelectCallback,
  type SelectExpression,
  type Selection,
  type SelectQueryNode,
  type SqlBool,
} from "kysely";
import type { BindKey } from "../bind-key.ts";
import { UnsupportedError } from "../errors/configuration.ts";
import { InvalidValueError } from "../errors/value.ts";
import { mapperOfClassInUse } from "../model/class-in-use.ts";
import type { AnyModel } from "../model/model-types.ts";
import { modelsAsTables } from "../model/models-as-tables.ts";
import type { Columns } from "../schema/column.ts";
import { AliasedModel } from "./aliased-model.ts";
import { type ChangesOrFactory, deleteNode, updateNode } from "./bulk-statements.ts";
import { isEqualities, withEqualities } from "./equalities.ts";
import { RunnableSelect } from "./runnable-select.ts";
import { type AnyBuilder, SelectDraft } from "./select-draft.ts";
import { bindOf, type NamedModel, rootSelection, type SelectParts, statementOf } from "./select-parts.ts";
import type { ReadOptions, SelectRunner, SelectStatement } from "./select-runner.ts";
import type {
  AnyAlias,
  Equalities,
  Joinable,
  OrderNames,
  ReadModel,
  SelectOf,
  Together,
  WithOptionalTable,
  WithTable,
} from "./select-types.ts";

/** How rows are locked when they are read. */
type Lock = "forUpdate" | "forShare" | "forNoKeyUpdate" | "forKeyShare";

/**
 * A statement that reads entities, or rows. Immutable: every method returns a new one, so it can be kept and refined at
 * will.
 *
 * @typeParam DB the tables in it, as Kysely's types want them
 * @typeParam TB their names
 * @typeParam E what its rows become: entities, unless columns were selected
 * @typeParam K the bind key of all tables
 * @typeParam C the columns of the model
 *
 * @see SQLAlchemy: `select(Model)`
 */
export class Select<DB, TB extends keyof DB, E, K extends BindKey, C> extends RunnableSelect<DB, TB, E> {
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
    if (given.length === 1 && isEqualities(first))
      return new Select({ ...this.parts, draft: withEqualities(this.parts, first) });
    const [column, operator, value] = given;
    if (isOwnColumn(this.parts, column) && SelectDraft.isPlain(operator, value)) {
      return new Select({ ...this.parts, draft: this.parts.draft.where(column, operator as string, value) });
    }
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
    return this.#join("innerJoin", given, false) as never;
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
    return this.#join("leftJoin", given, false) as never;
  }

  /**
   * Joins a model of the same bind and reads its entities too: each row becomes a list of entities, in the order in
   * which they were asked for.
   *
   * @example
   * for (const [user, login] of await db.select(User).with(Login, "login.userId", "user.id").all()) …
   *
   * @see SQLAlchemy: `select(User, Login).join(…)`
   */
  with<E2, C2 extends Columns, N extends string>(
    model: ReadModel<E2, C2, N, K>,
    left: JoinReferenceExpression<WithTable<DB, N, C2>, TB, N>,
    right: JoinReferenceExpression<WithTable<DB, N, C2>, TB, N>,
  ): Select<WithTable<DB, N, C2>, TB | N, Together<E, E2>, K, C>;
  with<E2, C2 extends Columns, N extends string>(
    model: ReadModel<E2, C2, N, K>,
    on: JoinCallbackExpression<WithTable<DB, N, C2>, TB, N>,
  ): Select<WithTable<DB, N, C2>, TB | N, Together<E, E2>, K, C>;
  with(...given: readonly unknown[]): never {
    return this.#join("innerJoin", given, true) as never;
  }

  /**
   * The same as {@link with}, with null where a row has no such entity.
   *
   * @see SQLAlchemy: `select(User, Login).outerjoin(…)`
   */
  withOptional<E2, C2 extends Columns, N extends string>(
    model: ReadModel<E2, C2, N, K>,
    left: JoinReferenceExpression<WithTable<DB, N, C2>, TB, N>,
    right: JoinReferenceExpression<WithTable<DB, N, C2>, TB, N>,
  ): Select<WithOptionalTable<DB, N, C2>, TB | N, Together<E, E2 | null>, K, C>;
  withOptional<E2, C2 extends Columns, N extends string>(
    model: ReadModel<E2, C2, N, K>,
    on: JoinCallbackExpression<WithTable<DB, N, C2>, TB, N>,
  ): Select<WithOptionalTable<DB, N, C2>, TB | N, Together<E, E2 | null>, K, C>;
  withOptional(...given: readonly unknown[]): never {
    return this.#join("leftJoin", given, true) as never;
  }

  /**
   * Reads rows instead of entities: columns, and expressions with a name. Values of columns are converted as in entities.
   *
   * @example
   * select(User).innerJoin(Login, "login.userId", "user.id").select(["user.name", "login.at as lastSeen"])
   * select(User).select((eb) => ["role", eb.fn.countAll<number>().as("users")]).groupBy("role")
   *
   * @see SQLAlchemy: `select(User.name, Login.at)`, `Select.with_only_columns`
   */
  select<SE extends SelectExpression<DB, TB>>(selections: readonly SE[]): Select<DB, TB, Selection<DB, TB, SE>, K, C>;
  select<CB extends SelectCallback<DB, TB>>(selections: CB): Select<DB, TB, CallbackSelection<DB, TB, CB>, K, C>;
  select<SE extends SelectExpression<DB, TB>>(selection: SE): Select<DB, TB, Selection<DB, TB, SE>, K, C>;
  select(selection: unknown): never {
    const { builder } = this.parts.draft;
    return new Select({
      ...this.parts,
      draft: SelectDraft.of(apply(builder.clearSelect(), "select", [selection])),
      readsRows: true,
    }) as never;
  }

  /** Makes one row of all that are equal in these columns or expressions. @see SQLAlchemy: `Select.group_by` */
  groupBy<GE extends ReferenceExpression<DB, TB>>(by: GE | readonly GE[]): Select<DB, TB, E, K, C> {
    return this.#with((builder) => apply(builder, "groupBy", [by]));
  }

  /** Keeps groups that fulfil a condition. @see SQLAlchemy: `Select.having` */
  having<RE extends ReferenceExpression<DB, TB>>(
    column: RE,
    operator: ComparisonOperatorExpression,
    value: OperandValueExpressionOrList<DB, TB, RE>,
  ): Select<DB, TB, E, K, C>;
  having<X extends ExpressionOrFactory<DB, TB, SqlBool>>(condition: X): Select<DB, TB, E, K, C>;
  having(...given: readonly unknown[]): Select<DB, TB, E, K, C> {
    return this.#with((builder) => apply(builder, "having", given));
  }

  /**
   * Orders by a column or expression; a further one decides among rows that are equal in those before.
   *
   * @example
   * select(User).orderBy("name").orderBy("id", "desc")
   */
  orderBy<OE extends OrderByExpression<DB, TB, OrderNames<E>>>(
    expression: OE,
    direction?: OrderByModifiers,
  ): Select<DB, TB, E, K, C> {
    if (isOwnColumn(this.parts, expression) && isDirection(direction)) {
      return new Select({ ...this.parts, draft: this.parts.draft.orderBy(expression, direction) });
    }
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
    return new Select({ ...this.parts, draft: this.parts.draft.limit(countOfRows(rows, "limit")) });
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

  /**
   * Locks the rows against changes of their keys by others and against deletion, on PostgreSQL. Where single rows cannot
   * be locked, the transaction has the database to itself.
   *
   * @throws {UnsupportedError} on MySQL and MariaDB
   */
  forNoKeyUpdate(): Select<DB, TB, E, K, C> {
    return this.#lock("forNoKeyUpdate");
  }

  /** Locks the keys of the rows against changes by others, as {@link forNoKeyUpdate}. */
  forKeyShare(): Select<DB, TB, E, K, C> {
    return this.#lock("forKeyShare");
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
   * Updates all rows that the select finds, in one statement, and says how many they were. `onUpdate` of columns applies,
   * and a version column counts on. Entities that are loaded are stale from then on: they keep their values until the
   * next query that returns their rows.
   *
   * @param values what columns are set to, or a function that makes it of an expression builder
   * @throws {UnsupportedError} if the select says more than conditions, or the rows are spread over joined tables
   * @throws {InvalidValueError} if a value does not fit its column
   *
   * @example
   * await db.select(User).where("seenAt", "<", lastYear).update({ role: "sleeper" });
   * await db.select(Account).where({ id: 1 }).update((eb) => ({ visits: eb("visits", "+", 1) }));
   *
   * @see SQLAlchemy: `update(User).where(…).values(…)`
   */
  async update(values: ChangesOrFactory<DB, TB, C>, options: ReadOptions = {}): Promise<number> {
    return this.runner.write(updateNode(this.parts, values), options);
  }

  /**
   * Deletes all rows that the select finds, in one statement, and says how many they were. Entities of such rows are
   * stale from then on: the next `get` of one gives null and lets go of it.
   *
   * @throws {UnsupportedError} as {@link update}
   *
   * @example
   * await db.select(Login).where("at", "<", lastYear).delete();
   *
   * @see SQLAlchemy: `delete(User).where(…)`
   */
  async delete(options: ReadOptions = {}): Promise<number> {
    return this.runner.write(deleteNode(this.parts), options);
  }

  /** @internal the statement as it is sent, and what its rows become */
  get statement(): SelectStatement {
    return statementOf(this.parts);
  }

  /** @internal the same statement, run by this session */
  on(runner: SelectRunner): Select<DB, TB, E, K, C> {
    return new Select({ ...this.parts, runner });
  }

  #with(change: (builder: AnyBuilder) => AnyBuilder): Select<DB, TB, E, K, C> {
    return new Select({ ...this.parts, draft: SelectDraft.of(change(this.parts.draft.builder)) });
  }

  #join(method: "innerJoin" | "leftJoin", [table, ...on]: readonly unknown[], isRead: boolean): unknown {
    const { parts } = this;
    if (isRead && parts.readsRows) {
      throw new UnsupportedError(
        "A select of rows reads no entities beside them. Call `with` before `select([…])`, or join with `innerJoin` and select the columns.",
        bindOf(parts),
      );
    }
    const joined = namedModel(table);
    const before = (parts.draft.builder.toOperationNode() as SelectQueryNode).joins?.length ?? 0;
    return new Select({
      ...parts,
      draft: SelectDraft.of(apply(parts.draft.builder, method, [table, ...on])),
      joined: joined === undefined ? parts.joined : [...parts.joined, { ...joined, join: before, isRead }],
    });
  }

  #lock(kind: Lock): Select<DB, TB, E, K, C> {
    const { isJoined, mapper } = rootSelection(this.parts);
    if (isJoined) {
      throw new UnsupportedError(
        `Rows of ${mapper.label} are spread over joined tables, of which databases do not lock the same. Lock them one by one with \`get(…, { lock: true })\`.`,
        bindOf(this.parts),
      );
    }
    return this.#with((builder) => builder[kind]());
  }
}

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
export function select<M extends AnyModel | AnyAlias>(model: M): SelectOf<M> {
  const root = namedModel(model) ?? { mapper: mapperOfClassInUse(model), alias: undefined };
  const draft = SelectDraft.begin(() => {
    const { source } = rootSelection({ root });
    const from: Expression<unknown> = { expressionType: undefined, toOperationNode: () => source };
    const creator = new QueryCreator<Record<string, never>>({ executor: NOOP_QUERY_EXECUTOR });
    // Kysely takes anything with a node for a table; what the columns are is said by the type that is returned.
    return modelsAsTables(creator.selectFrom(from as never)) as unknown as AnyBuilder;
  });
  const parts: SelectParts = { root, joined: [], draft, readsRows: false, runner: undefined };
  return new Select(parts) as unknown as SelectOf<M>;
}

/** The model that is named, unless it is a table. */
function namedModel(given: unknown): NamedModel | undefined {
  if (given instanceof AliasedModel) return { mapper: given.mapper, alias: given.alias };
  return typeof given === "function" ? { mapper: mapperOfClassInUse(given), alias: undefined } : undefined;
}

/** Whether a text names a column of the first model, perhaps with the model's name in front. */
function isOwnColumn({ root: { mapper, alias = mapper.table.tableName } }: SelectParts, text: unknown): text is string {
  if (typeof text !== "string") return false;
  const name = text.startsWith(`${alias}.`) ? text.slice(alias.length + 1) : text;
  return mapper.propertyNames.has(name);
}

function isDirection(direction: unknown): direction is "asc" | "desc" | undefined {
  return direction === undefined || direction === "asc" || direction === "desc";
}

function apply(
  builder: AnyBuilder,
  method: "where" | "whereRef" | "having" | "innerJoin" | "leftJoin" | "orderBy" | "select" | "groupBy",
  given: readonly unknown[],
): AnyBuilder {
  // The overloads of Select have checked what is handed on.
  return (builder[method] as (...values: readonly unknown[]) => AnyBuilder)(...given);
}

function countOfRows(rows: number, name: string): number {
  if (Number.isSafeInteger(rows) && rows >= 0) return rows;
  throw new InvalidValueError(`${name} takes an integer from 0 up.`);
}
