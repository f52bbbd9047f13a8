import type { OperationNode } from "kysely";
import { type BindKey, bindLabel } from "../bind-key.ts";
import type { Engine } from "../engine/engine.ts";
import {
  AmbiguousTableError,
  type BoundTableName,
  CrossBindError,
  UnboundExecutionError,
  type UnboundKey,
  unboundMessage,
} from "../errors/routing.ts";
import { UnknownTableError } from "../errors/schema.ts";
import { InvalidStatementError } from "../errors/statement.ts";
import { requireKnownOptions } from "../known-options.ts";
import { mapperOfClass } from "../model/mapper.ts";
import type { AnyModel } from "../model/model-types.ts";
import { type NamedTable, tablesOfStatement } from "../query/statement-tables.ts";
import type { Metadatas } from "../schema/metadatas.ts";
import { type AnyTable, Table } from "../schema/table.ts";
import { requireOwner } from "../schema/table-owner.ts";

/** Anything with a statement's tree: a builder of Kysely's, a `select(Model)`, `sql`, or a compiled query. */
export type Statement = { toOperationNode(): OperationNode } | { readonly query: OperationNode };

/** What `session.getBind` is asked about. */
export interface BindTarget<K extends BindKey = BindKey> {
  /** A model, by whose table is routed. */
  readonly model?: AnyModel | undefined;
  /** A table. */
  readonly table?: AnyTable | undefined;
  /** A statement, by all tables in it. */
  readonly statement?: Statement | undefined;
  /** The bind of a statement without tables; of others it must agree with theirs. */
  readonly bindKey?: K | undefined;
}

const TARGET: readonly (keyof BindTarget)[] = ["model", "table", "statement", "bindKey"];

/** The engines of an application by bind key. */
export interface EngineSource {
  find(bindKey: BindKey): Engine | undefined;
  keys(): Iterable<BindKey>;
}

/** The tree of a statement. @throws {InvalidStatementError} if it is something else, such as text */
export function treeOf(statement: Statement): OperationNode {
  if (typeof statement !== "object" || statement === null || !("toOperationNode" in statement || "query" in statement))
    throw new InvalidStatementError(
      "Expected a statement made by a builder, `sql` or `compile()`, but got something else. Write SQL text as sql`select …`.",
    );
  return "toOperationNode" in statement ? statement.toOperationNode() : statement.query;
}

/**
 * The one way from a model, a table, a statement or a bind key to an engine of an application. Everything that runs a
 * statement asks it each time, and keeps no engine for the next one.
 *
 * @see Flask-SQLAlchemy: `Session.get_bind`
 */
export class Router {
  /** The tables of all binds. */
  readonly metadatas: Metadatas;
  readonly #engines: EngineSource;

  constructor(metadatas: Metadatas, engines: EngineSource) {
    this.metadatas = metadatas;
    this.#engines = engines;
  }

  /** Returns the engine of a bind key; undefined if none is configured. */
  find(bindKey: BindKey): Engine | undefined {
    return this.#engines.find(bindKey);
  }

  /**
   * Returns the engine of a bind key.
   *
   * @throws {UnboundExecutionError} if none is configured
   */
  forKey(bindKey: BindKey): Engine {
    const engine = this.#engines.find(bindKey);
    if (engine !== undefined) return engine;
    throw this.#unbound([this.#unboundKey(bindKey)]);
  }

  /**
   * Returns the engine of a model's or table's bind.
   *
   * @throws {OtherMultibindError} if the table was defined with another `Multibind` object
   * @throws {UnboundExecutionError} if no engine is configured for its bind
   */
  forTable(table: AnyTable): Engine {
    requireOwner(table, this.metadatas);
    return this.forKey(table.bindKey);
  }

  /**
   * Returns the one engine of a statement's tables.
   *
   * @param explicit the bind key that was given beside the statement
   * @throws {CrossBindError | UnboundExecutionError} as {@link route}
   */
  forTables(tables: readonly NamedTable[], explicit: BindKey | undefined): Engine {
    return this.forKey(this.#bindOf(tables, explicit));
  }

  /**
   * Returns the one engine for all that is named: by the bind keys of all models and tables in it.
   *
   * @throws {CrossBindError} if they are of two binds, or not of the bind that was named
   * @throws {UnboundExecutionError} if no engine is configured for the bind, or nothing tells the bind and there is no default
   */
  route(target: BindTarget): Engine {
    requireKnownOptions(target, TARGET, "getBind()");
    const { model, table, statement, bindKey } = target;
    const tables = [
      ...(model === undefined ? [] : [tableNamed(mapperOfClass(model).table)]),
      ...(table === undefined ? [] : [tableNamed(requireTable(table))]),
      ...(statement === undefined ? [] : tablesOfStatement(treeOf(statement)).tables),
    ];
    return this.forTables(tables, bindKey);
  }

  /** Returns the bind keys that tables have and no engine. */
  unboundKeys(): readonly UnboundKey[] {
    return [...this.metadatas]
      .filter(([bindKey, { tables }]) => tables.size > 0 && this.#engines.find(bindKey) === undefined)
      .map(([bindKey]) => this.#unboundKey(bindKey));
  }

  /**
   * Checks that every table has an engine.
   *
   * @throws {UnboundExecutionError}
   */
  check(): void {
    const missing = this.unboundKeys();
    if (missing.length > 0) throw this.#unbound(missing);
  }

  /** Returns the message of {@link check}; undefined where it does not throw. */
  get problem(): string | undefined {
    const missing = this.unboundKeys();
    return missing.length === 0 ? undefined : unboundMessage(missing, [...this.#engines.keys()]);
  }

  #unboundKey(bindKey: BindKey): UnboundKey {
    const tables = this.metadatas.has(bindKey) ? [...this.metadatas.get(bindKey).tables.keys()] : [];
    return { bindKey, tables };
  }

  #unbound(missing: readonly UnboundKey[]): UnboundExecutionError {
    const [{ bindKey }, ...others] = missing as [UnboundKey, ...UnboundKey[]];
    const message = unboundMessage(missing, [...this.#engines.keys()]);
    return new UnboundExecutionError(message, others.length === 0 ? { bindKey } : {});
  }

  #bindOf(tables: readonly NamedTable[], explicit: BindKey | undefined): BindKey {
    let found: BindKey | undefined;
    for (const named of tables) {
      if (named.table !== undefined) requireOwner(named.table, this.metadatas);
      const bindKey = named.table === undefined ? this.#bindOfName(named.name, explicit) : named.table.bindKey;
      if (found !== undefined && found !== bindKey) throw new CrossBindError(this.#boundNames(tables, explicit));
      found = bindKey;
    }
    if (found === undefined) return explicit ?? null;
    if (explicit === undefined || explicit === found) return found;
    throw new CrossBindError(this.#boundNames(tables, explicit), explicit);
  }

  /** The bind of a table that only a string names. Never the default by guess. */
  #bindOfName(name: string, explicit: BindKey | undefined): BindKey {
    const candidates = this.metadatas.named(name);
    const [only, ...others] = candidates;
    if (only === undefined) {
      if (explicit !== undefined) return explicit;
      throw new UnknownTableError(
        `The statement names a table "${name}", which no metadata has. Define or reflect it, or say where to run: { bindKey: … }.`,
      );
    }
    if (others.length === 0) return only.bindKey;
    if (explicit !== undefined && candidates.some(({ bindKey }) => bindKey === explicit)) return explicit;
    throw new AmbiguousTableError(
      `The statement names a table "${name}", which is in ${candidates.map(({ bindKey }) => bindLabel(bindKey)).join(" and ")}. ` +
        "Use the table object instead of its name, or say where to run: { bindKey: … }.",
    );
  }

  #boundNames(tables: readonly NamedTable[], explicit: BindKey | undefined): BoundTableName[] {
    const names = tables.map(({ table, name }) => ({
      table: name,
      bindKey: table === undefined ? this.#bindOfName(name, explicit) : table.bindKey,
    }));
    return names.filter(
      (one, index) => names.findIndex((other) => other.table === one.table && other.bindKey === one.bindKey) === index,
    );
  }
}

function tableNamed(table: AnyTable): NamedTable {
  return { table, name: table.fullName };
}

function requireTable(table: unknown): AnyTable {
  if (table instanceof Table) return table as unknown as AnyTable;
  return mapperOfClass(table).table;
}
