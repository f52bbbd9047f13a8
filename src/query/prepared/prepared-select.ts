import type { SelectQueryNode } from "kysely";
import { type Awaitable, promised } from "../../awaitable.ts";
import type { GivenValues } from "../../engine/statement/placeholders.ts";
import { MultipleResultsError, NoResultError } from "../../errors/session.ts";
import type { Mapper } from "../../model/mapper.ts";
import { isOutdated } from "../select/entity-selection.ts";
import { countNode, existsNode, limited } from "../select/row-counts.ts";
import type { SelectResult, SelectStatement } from "../select/select-runner.ts";
import type { Given } from "./parameters.ts";
import type { PreparedRunner, PreparedRunnerSource } from "./prepared-runner.ts";
import { Template } from "./template.ts";

/** Changes the tree of a statement for a terminal method. */
const TERMINALS = {
  all: (node: SelectQueryNode) => node,
  first: (node: SelectQueryNode) => limited(node, 1),
  one: (node: SelectQueryNode) => limited(node, 2),
  count: countNode,
  exists: (node: SelectQueryNode) => limited(existsNode(node), 1),
};

/** A select of entities as it was built, with the names of its parameters. */
export interface BuiltSelect {
  readonly statement: SelectStatement;
  readonly names: ReadonlySet<string>;
}

/** The statements that terminals send. They are built again only if a class was added that rows can be of. */
export class SelectTemplates {
  readonly #build: () => BuiltSelect;
  #built: BuiltSelect;
  #templates: { [T in keyof typeof TERMINALS]?: Template } = {};

  constructor(built: BuiltSelect, build: () => BuiltSelect) {
    this.#built = built;
    this.#build = build;
  }

  get mapper(): Mapper {
    return this.#built.statement.models[0]!.mapper;
  }

  get result(): SelectResult {
    return this.#built.statement.result;
  }

  for(terminal: keyof typeof TERMINALS): Template {
    if (this.#built.statement.models.some(isOutdated)) {
      this.#built = this.#build();
      this.#templates = {};
    }
    this.#templates[terminal] ??= new Template(TERMINALS[terminal](this.#built.statement.node), this.#built.names);
    return this.#templates[terminal];
  }
}

/**
 * A select of entities that is built and compiled once, and run many times with other values.
 *
 * @typeParam E the entities
 * @typeParam P the parameters
 */
export class PreparedSelect<E, P extends object> {
  readonly #templates: SelectTemplates;
  readonly #runner: () => PreparedRunner;

  /** @internal use `db.prepare` */
  constructor(templates: SelectTemplates, runner: () => PreparedRunner) {
    this.#templates = templates;
    this.#runner = runner;
  }

  /** The same statement, run by a session of yours instead of the context's. */
  on(session: PreparedRunnerSource): PreparedSelect<E, P> {
    return new PreparedSelect(this.#templates, () => session.preparedRunner);
  }

  /**
   * The entities of all rows.
   *
   * @throws {InvalidValueError} before anything is sent, if a value is missing, unknown or does not fit its column
   *
   * @see SQLAlchemy: `session.scalars(statement, parameters).all()`
   */
  all(...given: Given<P>): Promise<E[]> {
    return promised(() => this.#items("all", given));
  }

  /** The entity of the first row, or null. @see SQLAlchemy: `session.scalars(…).first()` */
  async first(...given: Given<P>): Promise<E | null> {
    return (await this.#items("first", given))[0] ?? null;
  }

  /**
   * The entity of the one row.
   *
   * @throws {NoResultError} if it returns no row
   * @throws {MultipleResultsError} if there are several
   *
   * @see SQLAlchemy: `session.scalars(…).one()`
   */
  async one(...given: Given<P>): Promise<E> {
    const entity = await this.oneOrNull(...given);
    if (entity !== null) return entity;
    const { label, table } = this.#templates.mapper;
    throw new NoResultError(`Expected one row of ${label}, but found none.`, { bindKey: table.bindKey });
  }

  /**
   * The entity of the one row, or null.
   *
   * @throws {MultipleResultsError} if there are several
   *
   * @see SQLAlchemy: `session.scalars(…).one_or_none()`
   */
  async oneOrNull(...given: Given<P>): Promise<E | null> {
    const [entity = null, second] = await this.#items("one", given);
    if (second === undefined) return entity;
    const { label, table } = this.#templates.mapper;
    throw new MultipleResultsError(`Expected one row of ${label}, but found several.`, {
      bindKey: table.bindKey,
    });
  }

  /** How many rows there are. */
  async count(...given: Given<P>): Promise<number> {
    const [row] = await this.#rows("count", given);
    return Number((row as { readonly count?: unknown } | undefined)?.count);
  }

  /** Whether there is any row. */
  async exists(...given: Given<P>): Promise<boolean> {
    return (await this.#rows("exists", given)).length > 0;
  }

  #items(terminal: "all" | "first" | "one", given: Given<P>): Awaitable<E[]> {
    const template = this.#templates.for(terminal);
    // The statement reads what E says.
    return this.#runner().read(template, this.#templates.result, valuesOf(given)) as Awaitable<E[]>;
  }

  async #rows(terminal: "count" | "exists", given: Given<P>): Promise<readonly unknown[]> {
    const { rows } = await this.#runner().rows(this.#templates.for(terminal), valuesOf(given));
    return rows;
  }
}

/** The values to run a statement with. Defaults to none. */
export function valuesOf([values = {}]: readonly [values?: object]): GivenValues {
  return values as GivenValues;
}
