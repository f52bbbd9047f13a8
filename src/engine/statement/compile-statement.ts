import { type QueryId, QueryNode, type RootOperationNode } from "kysely";
import type { Metadata } from "../../schema/metadata.ts";
import type { EngineQuery } from "../driver.ts";
import type { CompileTarget } from "./compile-target.ts";
import { countsChanges } from "./counts-changes.ts";
import { translateQuery } from "./queries.ts";
import type { Outputs } from "./relation.ts";
import { Resolver, type TablesByName } from "./resolver.ts";
import { rowReader } from "./row-reader.ts";
import { Scope } from "./scope.ts";
import { isStar } from "./selections.ts";
import { Translator } from "./translator.ts";

/** The SQL that an engine sends for a statement, and the conversion of the rows that come back. */
export interface CompiledStatement<R = unknown> {
  readonly query: EngineQuery<R>;
  /**
   * Converts rows as the driver read them, in place; absent where nothing needs converting.
   *
   * @throws {PrecisionError | InvalidValueError} if a stored value cannot be given back without loss
   */
  readonly readRows?: ((rows: readonly unknown[]) => void) | undefined;
}

/**
 * Makes what an engine sends of a statement that was built without one: values are converted, columns get their names
 * in the database, defaults are added.
 *
 * @param node the statement's tree; tables in it are table objects, or names that `metadata` may know
 * @param rebuilt the tables whose nodes plugins may have built anew
 * @throws {InvalidValueError} if a value does not fit its column
 * @throws {UnsupportedError} if the database cannot do what the statement asks
 *
 * @see SQLAlchemy: `ClauseElement.compile` with the processors of bind parameters and result rows
 */
export function compileStatement<R = unknown>(
  engine: CompileTarget,
  node: RootOperationNode,
  metadata: Metadata | undefined,
  queryId?: QueryId,
  rebuilt?: TablesByName,
): CompiledStatement<R> {
  return compile(new Translator(engine, new Resolver(engine, metadata, rebuilt)), node, queryId);
}

/**
 * The same for a statement that is run many times: among its parameters are placeholders, to be `filled` for each run.
 *
 * @see SQLAlchemy: `bindparam`, and the cache of compiled statements
 */
export function compileTemplate<R = unknown>(
  engine: CompileTarget,
  node: RootOperationNode,
  metadata: Metadata | undefined,
): CompiledStatement<R> {
  return compile(new Translator(engine, new Resolver(engine, metadata), true), node, undefined);
}

function compile<R>(
  translator: Translator,
  node: RootOperationNode,
  queryId: QueryId | undefined,
): CompiledStatement<R> {
  const { resolver } = translator;
  if (!QueryNode.is(node)) {
    const tree = translator.translate(node, new Scope());
    return { query: compiled<R>(translator, tree, queryId, {}) };
  }
  const scope = resolver.open(node, new Scope());
  const tree = translateQuery(translator, node, scope);
  const prepare = (translator.isTemplate || !translator.hasLongList) && !sendsStar(tree);
  if (!givesRows(node)) return { query: compiled<R>(translator, tree, queryId, { prepare, plainNumbers: true }) };
  // A plan, or what `output` lists, are no rows that anything is known of.
  if (("explain" in node && node.explain !== undefined) || "output" in node)
    return { query: compiled<R>(translator, tree, queryId, { prepare: false }) };
  const outputs = resolver.outputs(node, scope);
  const query = compiled<R>(translator, tree, queryId, { prepare, plainNumbers: allowPlainNumbers(outputs) });
  const readRows = rowReader(outputs);
  return readRows === undefined ? { query } : { query, readRows };
}

function compiled<R>(
  { engine, needs, isTemplate }: Translator,
  tree: RootOperationNode,
  queryId: QueryId | undefined,
  { prepare, plainNumbers }: { readonly prepare?: boolean; readonly plainNumbers?: boolean },
): EngineQuery<R> {
  // What rows the statement gives, its builder's types say.
  const query = engine.compileQuery(tree, queryId) as EngineQuery<R>;
  // Statements of the session's own have no id, and look at no number of changed rows.
  const isCounted = (queryId !== undefined || isTemplate) && countsChanges(tree, query.sql);
  return {
    ...query,
    ...(isCounted ? { countsChanges: true } : undefined),
    ...(prepare === true ? { prepare } : undefined),
    ...(plainNumbers === true ? { plainNumbers } : undefined),
    ...(needs === undefined ? undefined : { needs }),
  };
}

function givesRows(node: QueryNode): boolean {
  return node.kind === "SelectQueryNode" || node.returning !== undefined || node.output !== undefined;
}

/** Whether the columns of the result depend on what columns the tables have just then. */
function sendsStar(node: QueryNode): boolean {
  const selections = node.kind === "SelectQueryNode" ? node.selections : node.returning?.selections;
  return selections?.some(isStar) === true;
}

/** Whether every integer in the rows belongs to a column that refuses one which a number cannot hold. */
function allowPlainNumbers({ columns, isComplete }: Outputs): boolean {
  return (
    isComplete &&
    columns.every(({ name, converter }) => {
      if (name === undefined || converter === undefined) return false;
      const { kind, declared } = converter.column.definition.type;
      // SQLite keeps numbers of any length in a numeric column that was declared elsewhere.
      return kind !== "bigint" && kind !== "native" && !(kind === "numeric" && declared !== undefined);
    })
  );
}
