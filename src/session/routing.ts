import type { OperationNode } from "kysely";
import { type BindKey, bindLabel } from "../bind-key.ts";
import type { Engine } from "../engine/engine.ts";
import { AmbiguousTableError, type BoundTableName, CrossBindError, UnboundExecutionError } from "../errors/routing.ts";
import { UnknownTableError } from "../errors/schema.ts";
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

/** Where the engines of an application are found. */
export interface EngineDirectory {
  readonly metadatas: Metadatas;
  /** The engine of a bind key, if one is configured. */
  find(bindKey: BindKey): Engine | undefined;
}

/**
 * The engine of a bind key.
 *
 * @throws {UnboundExecutionError} if none is configured
 */
export function engineOf(engines: EngineDirectory, bindKey: BindKey): Engine {
  const engine = engines.find(bindKey);
  if (engine !== undefined) return engine;
  throw new UnboundExecutionError(
    bindKey === null
      ? "There is no default engine: 'databaseUri' is not configured. Configure it, or give the model, table or statement a bind key."
      : `Bind key '${bindKey}' is not in 'binds' config.`,
    { bindKey },
  );
}

/**
 * The engine of a model's or table's bind.
 *
 * @throws {OtherMultibindError} if the table was defined with another `Multibind` object
 * @throws {UnboundExecutionError} if no engine is configured for its bind
 */
export function engineOfTable(engines: EngineDirectory, table: AnyTable): Engine {
  requireOwner(table, engines.metadatas);
  return engineOf(engines, table.bindKey);
}

/** The tree of a statement. */
export function treeOf(statement: Statement): OperationNode {
  return "toOperationNode" in statement ? statement.toOperationNode() : statement.query;
}

/**
 * Finds the one engine for what is to be done: by the bind keys of all models and tables in it.
 *
 * @throws {CrossBindError} if they are of two binds, or not of the bind that was named
 * @throws {UnboundExecutionError} if no engine is configured for the bind, or nothing tells the bind and there is no default
 */
export function route(engines: EngineDirectory, target: BindTarget): Engine {
  requireKnownOptions(target, TARGET, "getBind()");
  const { model, table, statement, bindKey } = target;
  const tables = [
    ...(model === undefined ? [] : [tableNamed(mapperOfClass(model).table)]),
    ...(table === undefined ? [] : [tableNamed(requireTable(table))]),
    ...(statement === undefined ? [] : tablesOfStatement(treeOf(statement)).tables),
  ];
  return routeTables(engines, tables, bindKey);
}

/**
 * Finds the one engine of a statement's tables.
 *
 * @throws {CrossBindError | UnboundExecutionError} as {@link route}
 */
export function routeTables(
  engines: EngineDirectory,
  tables: readonly NamedTable[],
  explicit: BindKey | undefined,
): Engine {
  let found: BindKey | undefined;
  for (const named of tables) {
    if (named.table !== undefined) requireOwner(named.table, engines.metadatas);
    const bindKey = named.table === undefined ? bindOfName(engines, named.name, explicit) : named.table.bindKey;
    if (found !== undefined && found !== bindKey) throw new CrossBindError(boundNames(engines, tables, explicit));
    found = bindKey;
  }
  if (found === undefined) return engineOf(engines, explicit ?? null);
  if (explicit !== undefined && explicit !== found)
    throw new CrossBindError(boundNames(engines, tables, explicit), explicit);
  return engineOf(engines, found);
}

/** The bind of a table that only a string names. Never the default by guess. */
function bindOfName({ metadatas }: EngineDirectory, name: string, explicit: BindKey | undefined): BindKey {
  const candidates = metadatas.named(name);
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

function boundNames(
  engines: EngineDirectory,
  tables: readonly NamedTable[],
  explicit: BindKey | undefined,
): BoundTableName[] {
  const names = tables.map(({ table, name }) => ({
    table: name,
    bindKey: table === undefined ? bindOfName(engines, name, explicit) : table.bindKey,
  }));
  return names.filter(
    (one, index) => names.findIndex((other) => other.table === one.table && other.bindKey === one.bindKey) === index,
  );
}

function tableNamed(table: AnyTable): NamedTable {
  return { table, name: table.fullName };
}

function requireTable(table: unknown): AnyTable {
  if (table instanceof Table) return table as unknown as AnyTable;
  return mapperOfClass(table).table;
}
