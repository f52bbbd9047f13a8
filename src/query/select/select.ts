import {
  type CallbackSelection,
  type ComparisonOperatorExpression,
  type Expression,
  type ExpressionOrFactory,
  type JoinCallbackExpression,
  type JoinReferenceExpression,
  NOOP_QUERY_EXECUTOR,
  type OperandValueExpressionOrList,
  QueryCreator,
  type RawBuilder,
  type ReferenceExpression,
  type SelectCallback,
  type SelectExpression,
  type Selection,
  type SelectQueryNode,
  type SqlBool,
} from "kysely";
import type { BindKey } from "../../bind-key.ts";
import { requireJoinCondition } from "../../engine/statement/join-condition.ts";
import { UnsupportedError } from "../../errors/configuration.ts";
import { NO_OPTIONS, requireKnownOptions } from "../../known-options.ts";
import { AliasedModel } from "../../model/aliased-model.ts";
import type { Mapper } from "../../model/mapper.ts";
import type { AnyModel } from "../../model/model-types.ts";
import { modelsAsTables } from "../../model/models-as-tables.ts";
import type { IncludeOf, OnlyRelations, RelatedTo, RelationNames } from "../../model/relations/relation-types.ts";
import { resolveMapper } from "../../model/resolve-mapper.ts";
import type { Columns } from "../../schema/column.ts";
import { markCopy } from "../../schema/package-copy.ts";
import { ArrangedSelect } from "./arranged-select.ts";
import { bulkUpdate, type ChangesOrFactory, deleteNode } from "./bulk-statements.ts";
import { isEqualities, withEqualities } from "./equalities.ts";
import { includeTree, mergedTrees } from "./include.ts";
import { type AcrossOptions, condition, type FilterSelect, relationFilter } from "./relation-filter.ts";
import { type AnyBuilder, applied, SelectDraft } from "./select-draft.ts";
import {
  bindOf,
  isOwnColumn,
  type NamedModel,
  rootSelection,
  type SelectParts,
  statementOf,
  withDraft,
  withRunner,
} from "./select-parts.ts";
import { READ_OPTIONS, type ReadOptions, type SelectRunner, type SelectStatement } from "./select-runner.ts";
import type {
  Across,
  AnyAlias,
  Equalities,
  FirstOf,
  Joinable,
  ReadModel,
  SelectIn,
  SelectOf,
  Together,
  WithIncluded,
  WithOptionalTable,
  WithTable,
} from "./select-types.ts";

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
export class Select<DB, TB extends keyof DB, E, K extends BindKey, C> extends ArrangedSelect<DB, TB, E> {
  /** For types only: what the rows become, and the bind. */
  declare readonly $statement: { readonly entity: E; readonly bindKey: K };

  /**
   * Takes the model's rows from SQL text instead of its table. The text is a select that gives all columns of the table,
   * under their names in the database; conditions, joins, order and all else apply to what it gives. It runs on the
   * model's bind.
   *
   * @throws {UnsupportedError} if the model's rows are spread over joined tables
   *
   * @example
   * db.select(Post).fromSql(sql`select * from post tablesample system (${percent})`).where("published", "=", true)
   *
   * @see SQLAlchemy: `Select.from_statement`
   */
  fromSql(text: RawBuilder<unknown>): Select<DB, TB, E, K, C> {
    const { isJoined, mapper } = rootSelection(this.parts);
    if (isJoined) {
      throw new UnsupportedError(
        `Rows of ${mapper.label} are spread over joined tables, which no text gives as they are.`,
        bindOf(this.parts),
      );
    }
    return this.rebuilt({ ...this.parts, text: text.toOperationNode() });
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
    if (given.length === 1 && isEqualities(first))
      return new Select(withDraft(this.parts, withEqualities(this.parts, first)));
    const [column, operator, value] = given;
    if (isOwnColumn(this.parts, column) && SelectDraft.isPlain(operator, value)) {
      return new Select(withDraft(this.parts, this.parts.draft.where(column, operator as string, value)));
    }
    return this.refined((builder) => applied(builder, "where", given));
  }

  /** Keeps rows in which two columns compare as said. */
  whereRef<L extends ReferenceExpression<DB, TB>, R extends ReferenceExpression<DB, TB>>(
    left: L,
    operator: ComparisonOperatorExpression,
    right: R,
  ): Select<DB, TB, E, K, C> {
    return this.refined((builder) => applied(builder, "whereRef", [left, operator, right]));
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
   * for (const [user, login] of await db.select(User).joinAndSelect(Login, "login.userId", "user.id").all()) print(user.name, login.at);
   *
   * @see SQLAlchemy: `select(User, Login).join(…)`
   */
  joinAndSelect<E2, C2 extends Columns, N extends string>(
    model: ReadModel<E2, C2, N, K>,
    left: JoinReferenceExpression<WithTable<DB, N, C2>, TB, N>,
    right: JoinReferenceExpression<WithTable<DB, N, C2>, TB, N>,
  ): Select<WithTable<DB, N, C2>, TB | N, Together<E, E2>, K, C>;
  joinAndSelect<E2, C2 extends Columns, N extends string>(
    model: ReadModel<E2, C2, N, K>,
    on: JoinCallbackExpression<WithTable<DB, N, C2>, TB, N>,
  ): Select<WithTable<DB, N, C2>, TB | N, Together<E, E2>, K, C>;
  joinAndSelect(...given: readonly unknown[]): never {
    return this.#join("innerJoin", given, true) as never;
  }

  /**
   * The same as {@link joinAndSelect}, with null where a row has no such entity.
   *
   * @see SQLAlchemy: `select(User, Login).outerjoin(…)`
   */
  leftJoinAndSelect<E2, C2 extends Columns, N extends string>(
    model: ReadModel<E2, C2, N, K>,
    left: JoinReferenceExpression<WithTable<DB, N, C2>, TB, N>,
    right: JoinReferenceExpression<WithTable<DB, N, C2>, TB, N>,
  ): Select<WithOptionalTable<DB, N, C2>, TB | N, Together<E, E2 | null>, K, C>;
  leftJoinAndSelect<E2, C2 extends Columns, N extends string>(
    model: ReadModel<E2, C2, N, K>,
    on: JoinCallbackExpression<WithTable<DB, N, C2>, TB, N>,
  ): Select<WithOptionalTable<DB, N, C2>, TB | N, Together<E, E2 | null>, K, C>;
  leftJoinAndSelect(...given: readonly unknown[]): never {
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
    if (this.parts.include !== undefined) {
      throw new UnsupportedError(
        "A select of rows loads no relations: leave `include` out, or read entities.",
        bindOf(this.parts),
      );
    }
    const { builder } = this.parts.draft;
    return new Select({
      ...this.parts,
      draft: SelectDraft.of(applied(builder.clearSelect(), "select", [selection])),
      readsRows: true,
    }) as never;
  }

  /**
   * Updates all rows that the select finds, in one statement, and returns their number. `onUpdate` of columns applies, and
   * a version column counts on. Loaded entities of these rows show the values that were given; what the database works out
   * (expressions, `onUpdate`, versions) they show after the next query that returns their rows.
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
  async update(values: ChangesOrFactory<DB, TB, C>, options: ReadOptions = NO_OPTIONS): Promise<number> {
    requireKnownOptions(options, READ_OPTIONS, "update()");
    return this.runner.write(bulkUpdate(this.parts, values), options);
  }

  /**
   * Deletes all rows that the select finds, in one statement, and says how many they were. Entities of such rows are
   * stale from then on: the next `get` of a deleted one returns null and removes it from the session.
   *
   * @throws {UnsupportedError} as {@link update}
   *
   * @example
   * await db.select(Login).where("at", "<", lastYear).delete();
   *
   * @see SQLAlchemy: `delete(User).where(…)`
   */
  async delete(options: ReadOptions = NO_OPTIONS): Promise<number> {
    requireKnownOptions(options, READ_OPTIONS, "delete()");
    return this.runner.write({ node: deleteNode(this.parts) }, options);
  }

  /**
   * Loads relations of the entities too, in further statements: one for each relation, whatever the number of entities, on
   * whatever bind. Relations within relations are named within; several calls add up.
   *
   * @param include relations by name, each `true` or an object of further ones
   * @throws {InvalidOptionError} if a name is no relation, when the select is run
   *
   * @example
   * const users = await db.select(User).include({ posts: { comments: true }, profile: true }).orderBy("id").limit(20).all();
   * for (const user of users) print(user.name, user.posts.length, user.profile?.bio);
   *
   * @see SQLAlchemy: `selectinload`
   */
  include<const I extends IncludeOf<FirstOf<E>>>(
    include: I & OnlyRelations<I, FirstOf<E>>,
  ): Select<DB, TB, WithIncluded<E, I>, K, C> {
    const { parts } = this;
    if (parts.readsRows) {
      throw new UnsupportedError(
        "A select of rows has no entities to load relations of. Leave `select([…])` out, or join and select columns.",
        bindOf(parts),
      );
    }
    const tree = includeTree(include);
    return new Select({ ...parts, include: parts.include === undefined ? tree : mergedTrees(parts.include, tree) });
  }

  /**
   * Keeps the entities that a relation leads somewhere from: to any row, or to one that a statement finds. Within a bind this
   * is part of the statement; across binds the keys are read first, by a statement of its own, and `maxKeys` bounds them.
   *
   * @param relation the relation's name
   * @param given a select of the relation's model, and `{ maxKeys }` where that is of another bind
   * @throws {CrossBindFilterError} if more keys match than `maxKeys`, when the select is run
   * @throws {RelationError} if there is no such relation
   *
   * @example
   * db.select(Post).whereHas("comments", select(Comment).where("text", "like", "%?"), { maxKeys: 5000 })
   *
   * @see SQLAlchemy: `User.posts.any(…)`, `Post.author.has(…)`
   */
  whereHas<P extends RelationNames<FirstOf<E>> & string>(relation: P, options?: AcrossOptions): Select<DB, TB, E, K, C>;
  whereHas<P extends RelationNames<FirstOf<E>> & string, K2 extends BindKey>(
    relation: P,
    statement: SelectIn<RelatedTo<FirstOf<E>, P>, K2>,
    ...across: Across<K, K2>
  ): Select<DB, TB, E, K, C>;
  whereHas(...given: readonly unknown[]): Select<DB, TB, E, K, C> {
    return this.#filtered(given, false);
  }

  /**
   * Keeps the entities that a relation leads nowhere from; the opposite of {@link whereHas}.
   *
   * @example
   * db.select(Post).whereHasNot("comments", { maxKeys: 5000 })
   *
   * @see SQLAlchemy: `~User.posts.any(…)`
   */
  whereHasNot<P extends RelationNames<FirstOf<E>> & string>(
    relation: P,
    options?: AcrossOptions,
  ): Select<DB, TB, E, K, C>;
  whereHasNot<P extends RelationNames<FirstOf<E>> & string, K2 extends BindKey>(
    relation: P,
    statement: SelectIn<RelatedTo<FirstOf<E>, P>, K2>,
    ...across: Across<K, K2>
  ): Select<DB, TB, E, K, C>;
  whereHasNot(...given: readonly unknown[]): Select<DB, TB, E, K, C> {
    return this.#filtered(given, true);
  }

  /** @internal the statement as it is sent, and what its rows become */
  get statement(): SelectStatement {
    return statementOf(this.parts);
  }

  /** @internal the same statement, run by this session */
  on(runner: SelectRunner): Select<DB, TB, E, K, C> {
    return new Select(withRunner(this.parts, runner));
  }

  /** @internal */
  protected override rebuilt(parts: SelectParts): this {
    // No class is made of this one.
    return new Select(parts) as unknown as this;
  }

  #filtered(given: readonly unknown[], isNegated: boolean): Select<DB, TB, E, K, C> {
    const { parts } = this;
    const { mapper, alias = mapper.table.tableName } = parts.root;
    // A select has all that the filter uses.
    const begin = (target: Mapper) => select(target.entityClass as never) as unknown as FilterSelect;
    const filter = relationFilter(mapper, given, isNegated, begin);
    if (filter.maxKeys !== undefined) return new Select({ ...parts, filters: [...parts.filters, filter] });
    return this.refined((builder) => applied(builder, "where", [condition(filter, alias)]));
  }

  #join(method: "innerJoin" | "leftJoin", [table, ...on]: readonly unknown[], isRead: boolean): unknown {
    const { parts } = this;
    if (isRead && parts.readsRows) {
      throw new UnsupportedError(
        "A select of rows reads no entities beside them. Call `joinAndSelect` before `select([…])`, or join with `innerJoin` and select the columns.",
        bindOf(parts),
      );
    }
    const joined = namedModel(table);
    const before = (parts.draft.builder.toOperationNode() as SelectQueryNode).joins?.length ?? 0;
    const builder = applied(parts.draft.builder, method, [table, ...on]);
    // A child's rows are told by a condition of their own, which is not a condition of the join.
    requireJoinCondition((builder.toOperationNode() as SelectQueryNode).joins![before]!);
    return new Select({
      ...parts,
      draft: SelectDraft.of(builder),
      joined: joined === undefined ? parts.joined : [...parts.joined, { ...joined, join: before, isRead }],
    });
  }
}

markCopy(Select.prototype);

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
  let known = begun.get(model);
  if (known === undefined) {
    known = new Select(partsOf(model));
    begun.set(model, known);
  }
  // The return type says what the rows become.
  return known as unknown as SelectOf<M>;
}

/** Selects are immutable, so those without any step are made once for a model. */
const begun = new WeakMap<object, Select<never, never, unknown, BindKey, unknown>>();

function partsOf(model: AnyModel | AnyAlias): SelectParts {
  const root = namedModel(model) ?? { mapper: resolveMapper(model), alias: undefined };
  const draft = SelectDraft.begin(() => {
    const { source } = rootSelection({ root });
    const from: Expression<unknown> = { expressionType: undefined, toOperationNode: () => source };
    const creator = new QueryCreator<Record<string, never>>({ executor: NOOP_QUERY_EXECUTOR });
    // Kysely takes anything with a node for a table; what the columns are is said by the type that is returned.
    return modelsAsTables(creator.selectFrom(from as never)) as unknown as AnyBuilder;
  });
  return {
    root,
    joined: [],
    text: undefined,
    draft,
    readsRows: false,
    include: undefined,
    filters: [],
    runner: undefined,
  };
}

/** The model that is named, unless it is a table. */
function namedModel(given: unknown): NamedModel | undefined {
  if (given instanceof AliasedModel) return { mapper: given.mapper, alias: given.alias };
  return typeof given === "function" ? { mapper: resolveMapper(given), alias: undefined } : undefined;
}
