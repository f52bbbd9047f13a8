import { inspect } from "node:util";
import {
  type AliasableExpression,
  type AliasedExpression,
  AliasedExpressionWrapper,
  type Expression,
  type ExtractTypeFromReferenceExpression,
  type SelectQueryNode,
  type StringReference,
} from "kysely";
import { type Awaitable, promised } from "../../awaitable.ts";
import type { BindKey } from "../../bind-key.ts";
import { UnsupportedError } from "../../errors/configuration.ts";
import { MultipleResultsError, NoResultError, NotFoundError, SessionError } from "../../errors/session.ts";
import { NO_OPTIONS, requireKnownOptions } from "../../known-options.ts";
import { KEYSET_OPTIONS, type KeysetOptions, type KeysetPage, readKeyset } from "../keyset/keyset.ts";
import { knownSelect, valuesByPosition } from "./known-selects.ts";
import { itemsOf, PAGE_OPTIONS, Page, type PageOptions, type PageReader, pageNumbers } from "./pagination.ts";
import { conditionByKeys } from "./relation-filter.ts";
import { countNode, existsNode, limited, pageNode } from "./row-counts.ts";
import { applied, SelectDraft } from "./select-draft.ts";
import { bindOf, type SelectParts, statementOf, withDraft } from "./select-parts.ts";
import { type CompiledSelect, READ_OPTIONS, type ReadOptions, type SelectRunner } from "./select-runner.ts";

/** The text of an error for a missing row. */
export interface NotFoundOptions extends ReadOptions {
  /** What to tell the one who asked. */
  readonly description?: string | undefined;
}

export const NOT_FOUND_OPTIONS: readonly (keyof NotFoundOptions)[] = [...READ_OPTIONS, "description"];
const STREAM_OPTIONS: readonly string[] = [...READ_OPTIONS, "chunkSize"];

/**
 * A select that is complete: what can be asked of its rows.
 *
 * @typeParam DB the tables in it, as Kysely's types want them
 * @typeParam TB their names
 * @typeParam E what its rows become
 */
export abstract class RunnableSelect<DB, TB extends keyof DB, E> implements AliasableExpression<E> {
  /** @internal what the select is made of */
  protected readonly parts: SelectParts;

  /** @internal use `select(Model)`, `db.select(Model)` or `session.select(Model)` */
  constructor(parts: SelectParts) {
    this.parts = parts;
  }

  /**
   * What all rows become: entities, unless columns were selected.
   *
   * @see SQLAlchemy: `session.scalars(…).all()`
   */
  all(options: ReadOptions = NO_OPTIONS): Promise<E[]> {
    return promised(() => {
      requireKnownOptions(options, READ_OPTIONS, "all()");
      return this.#read("all", unchanged, options);
    });
  }

  /**
   * Returns the first row's result, or null.
   *
   * @see SQLAlchemy: `session.scalars(…).first()`
   */
  async first(options: ReadOptions = NO_OPTIONS): Promise<E | null> {
    requireKnownOptions(options, READ_OPTIONS, "first()");
    return this.#first(options);
  }

  /**
   * The same as {@link first}, but a missing row is a 404 error for the client.
   *
   * @param options `description`: what to tell the one who asked
   * @throws {NotFoundError} if there is no row
   *
   * @see Flask-SQLAlchemy: `db.first_or_404`
   */
  async firstOr404(options: NotFoundOptions = NO_OPTIONS): Promise<E> {
    requireKnownOptions(options, NOT_FOUND_OPTIONS, "firstOr404()");
    const item = await this.#first(options);
    if (item === null) throw this.#notFound(options);
    return item;
  }

  /**
   * Returns the result of the one row.
   *
   * @throws {NoResultError} if there is no row
   * @throws {MultipleResultsError} if there are several
   *
   * @see SQLAlchemy: `session.scalars(…).one()`
   */
  async one(options: ReadOptions = NO_OPTIONS): Promise<E> {
    requireKnownOptions(options, READ_OPTIONS, "one()");
    const item = await this.oneOrNull(options);
    if (item !== null) return item;
    throw new NoResultError(`Expected one row of ${this.#label}, but found none.`, bindOf(this.parts));
  }

  /**
   * Returns the result of the one row, or null.
   *
   * @throws {MultipleResultsError} if there are several
   *
   * @see SQLAlchemy: `session.scalars(…).one_or_none()`
   */
  async oneOrNull(options: ReadOptions = NO_OPTIONS): Promise<E | null> {
    requireKnownOptions(options, READ_OPTIONS, "oneOrNull()");
    const [item = null, second] = await this.#read("one", (node) => limited(node, 2), options);
    if (second === undefined) return item;
    throw new MultipleResultsError(`Expected one row of ${this.#label}, but found several.`, bindOf(this.parts));
  }

  /**
   * The same as {@link one}, but a missing row, or several rows, are a 404 error for the client.
   *
   * @param options `description`: what to tell the one who asked
   * @throws {NotFoundError} if there is no row, or if there are several
   *
   * @see Flask-SQLAlchemy: `db.one_or_404`
   */
  async oneOr404(options: NotFoundOptions = NO_OPTIONS): Promise<E> {
    requireKnownOptions(options, NOT_FOUND_OPTIONS, "oneOr404()");
    const [item, second] = await this.#read("one", (node) => limited(node, 2), options);
    if (item === undefined || second !== undefined) throw this.#notFound(options);
    return item;
  }

  /**
   * The values of one column, of all rows.
   *
   * @example
   * const names = await db.select(User).orderBy("id").pluck("name");
   *
   * @see SQLAlchemy: `session.scalars(select(User.name)).all()`
   */
  async pluck<RE extends StringReference<DB, TB>>(
    column: RE,
    options: ReadOptions = NO_OPTIONS,
  ): Promise<ExtractTypeFromReferenceExpression<DB, TB, RE>[]> {
    requireKnownOptions(options, READ_OPTIONS, "pluck()");
    if (this.#readsKeys) return (await this.#withKeys(options)).pluck(column, options);
    const draft = SelectDraft.of(this.parts.draft.builder.clearSelect().select([column]));
    const rows = await this.runner.read(statementOf({ ...this.parts, draft, readsRows: true }), options);
    // Each row has that column's value, and nothing else.
    return rows.map((row) => Object.values(row as object)[0]);
  }

  /** How many rows there are, within `limit` and `offset`. */
  async count(options: ReadOptions = NO_OPTIONS): Promise<number> {
    requireKnownOptions(options, READ_OPTIONS, "count()");
    return this.#count(options);
  }

  /** Whether there is any row. */
  async exists(options: ReadOptions = NO_OPTIONS): Promise<boolean> {
    requireKnownOptions(options, READ_OPTIONS, "exists()");
    return (await this.#rows((node) => limited(existsNode(node), 1), options)).length > 0;
  }

  /**
   * One page of the rows, and where it stands among all pages. The page takes the place of the select's own `limit` and
   * `offset`, which are only counted by. Give the select an order, or pages overlap.
   *
   * @param options numbers may be text, as they come with a request
   * @throws {NotFoundError} for a page that is not there, unless `notFound: false`
   *
   * @example
   * const page = await db.select(User).orderBy("name").orderBy("id").paginate({ page: query.page, perPage: 10 });
   * for (const number of page.iterPages()) print(number ?? "…");
   *
   * @see Flask-SQLAlchemy: `db.paginate`
   */
  async paginate(options: PageOptions = NO_OPTIONS): Promise<Page<E>> {
    requireKnownOptions(options, PAGE_OPTIONS, "paginate()");
    if (this.#readsKeys) return (await this.#withKeys(options)).paginate(options);
    const asked = pageNumbers(options);
    const read: PageReader<E> = ({ page, perPage }) =>
      this.#read(undefined, (node) => pageNode(node, perPage, (page - 1) * perPage), options);
    const items = await itemsOf(asked, read, options.notFound ?? true);
    return new Page(asked, items, options.count === false ? null : await this.#count(options), read);
  }

  /**
   * The rows behind a place, or before it: pages that stay right while rows come and go, and that cost the same however
   * far one has read. The place is told by the columns of the select's order and by the primary keys of its tables, which
   * are added to the order; a cursor is text that holds their values. Null has its place too.
   *
   * Where there are many rows, the order should be that of an index.
   *
   * @throws {InvalidCursorError} if a cursor does not come from a select of this order
   * @throws {UnsupportedError} if the order is by more than columns, or the select has a limit or groups
   *
   * @example
   * const page = await db.select(Post).orderBy("createdAt", "desc").keyset({ after: query.after, perPage: 10 });
   * const link = page.next === null ? null : `?after=${page.next}`;
   */
  async keyset(options: KeysetOptions = NO_OPTIONS): Promise<KeysetPage<E>> {
    requireKnownOptions(options, KEYSET_OPTIONS, "keyset()");
    if (this.#readsKeys) return (await this.#withKeys(options)).keyset(options);
    // The statement reads what E says.
    return (await readKeyset(this.parts, this.runner, options)) as KeysetPage<E>;
  }

  /**
   * Returns the rows' results one after the other, as the database returns them. Clean entities are not kept by the session,
   * so memory does not grow. Leaving the loop ends the statement and gives the connection back.
   *
   * @param options `chunkSize`: the number of rows to read at once, 100 by default
   */
  stream(options: ReadOptions & { readonly chunkSize?: number } = NO_OPTIONS): AsyncIterableIterator<E> {
    requireKnownOptions(options, STREAM_OPTIONS, "stream()");
    if (this.parts.include !== undefined) {
      throw new UnsupportedError(
        "A stream loads no relations. Read pages with `keyset()`, which does, or call `session.load` with some entities at a time.",
        bindOf(this.parts),
      );
    }
    // The statement reads what E says.
    return this.runner.stream(statementOf(this.parts), options.chunkSize ?? 100, options) as AsyncIterableIterator<E>;
  }

  /**
   * What would be sent: the SQL, the values of its parameters, and to which bind.
   *
   * @param options `bindKey`: the bind that the statement has to belong to
   * @throws {CrossBindError} if it belongs to another
   *
   * @see SQLAlchemy: `str(statement.compile(engine))`
   */
  compile(options: { readonly bindKey?: BindKey } = NO_OPTIONS): CompiledSelect {
    requireKnownOptions(options, ["bindKey"], "compile()");
    return this.runner.compile(statementOf(this.parts).node, options.bindKey);
  }

  /**
   * The SQL and the values of its parameters as one text, for a look.
   *
   * @example
   * console.log(db.select(User).where({ id: 1 }).toSQL());
   * // select "id", "name" from "user" where "user"."id" = $1 -- [1]
   */
  toSQL(): string {
    const { sql, parameters } = this.compile();
    return parameters.length === 0
      ? sql
      : `${sql} -- ${inspect(parameters, { breakLength: Number.POSITIVE_INFINITY })}`;
  }

  /** The select under a name, to be a source of rows or a value in other statements. */
  as<A extends string>(alias: A): AliasedExpression<E, A>;
  as<A extends string>(alias: Expression<unknown>): AliasedExpression<E, A>;
  as(alias: string | Expression<unknown>): AliasedExpression<E, string> {
    // Both overloads of the wrapper take what the overloads here do.
    return new AliasedExpressionWrapper<E, string>(this, alias as string);
  }

  /** Part of Kysely's expression: for types only. */
  get expressionType(): E | undefined {
    return undefined;
  }

  /** Part of Kysely's expression: a select of one column is a value too. */
  get isSelectQueryBuilder(): true {
    return true;
  }

  /** The statement's tree, which makes it a part of other statements. */
  toOperationNode(): SelectQueryNode {
    return statementOf(this.parts).node;
  }

  /** @internal the select that is made of other parts */
  protected abstract rebuilt(parts: SelectParts): this;

  /** @internal the runner of the select */
  protected get runner(): SelectRunner {
    const { runner } = this.parts;
    if (runner !== undefined) return runner;
    throw new SessionError(
      `This select of ${this.#label} belongs to no session. Run it with \`session.select(statement)\` or \`db.select(statement)\`.`,
      bindOf(this.parts),
    );
  }

  /** Whether keys of other binds have to be read before the statement. */
  get #readsKeys(): boolean {
    return this.parts.filters.length > 0;
  }

  /** The same select with the keys that were read now. */
  async #withKeys({ signal, autoflush }: ReadOptions): Promise<this> {
    const { runner } = this;
    const { mapper, alias = mapper.table.tableName } = this.parts.root;
    const reading = this.parts.filters.map((filter) => conditionByKeys(filter, alias, runner, { signal, autoflush }));
    const conditions = await Promise.all(reading);
    const builder = conditions.reduce((all, one) => applied(all, "where", [one]), this.parts.draft.builder);
    return this.rebuilt({ ...withDraft(this.parts, SelectDraft.of(builder)), filters: [] });
  }

  get #label(): string {
    return this.parts.root.mapper.label;
  }

  #notFound({ description }: NotFoundOptions): NotFoundError {
    return new NotFoundError(`There is no such ${this.parts.root.mapper.name}.`, {
      ...bindOf(this.parts),
      description,
    });
  }

  async #first(options: ReadOptions): Promise<E | null> {
    return (await this.#read("first", (node) => limited(node, 1), options))[0] ?? null;
  }

  async #count(options: ReadOptions): Promise<number> {
    const [row] = await this.#rows(countNode, options);
    return Number(row?.["count"]);
  }

  /** @param terminal what `change` makes of every select, if that is always the same */
  #read(
    terminal: string | undefined,
    change: (node: SelectQueryNode) => SelectQueryNode,
    options: ReadOptions,
  ): Awaitable<E[]> {
    if (this.#readsKeys) return this.#withKeys(options).then((select) => select.#read(terminal, change, options));
    const { runner } = this;
    const known = terminal === undefined ? undefined : knownSelect(this.parts, terminal, change);
    // The statement reads what E says.
    if (known !== undefined) return runner.readTemplate(known, valuesByPosition(this.parts), options) as Awaitable<E[]>;
    const { node, result } = statementOf(this.parts);
    return runner.read({ node: change(node), result }, options) as Awaitable<E[]>;
  }

  async #rows(
    change: (node: SelectQueryNode) => SelectQueryNode,
    options: ReadOptions,
  ): Promise<Record<string, unknown>[]> {
    if (this.#readsKeys) return (await this.#withKeys(options)).#rows(change, options);
    const { node } = statementOf(this.parts);
    const rows = await this.runner.read({ node: change(node), result: { kind: "rows" } }, options);
    // Whatever is read as rows has columns by their names.
    return rows as Record<string, unknown>[];
  }
}

function unchanged(node: SelectQueryNode): SelectQueryNode {
  return node;
}
