import {
  type ConnectionProvider,
  DefaultQueryExecutor,
  type DialectAdapter,
  type KyselyPlugin,
  type OperationNode,
  type QueryId,
  type RootOperationNode,
  type TableNode,
} from "kysely";
import type { Metadata } from "../schema/metadata.ts";
import { type AnyTable, tableOfNode } from "../schema/table.ts";
import { requireSameBind, visitNodes } from "./same-bind.ts";
import { type CompiledStatement, compileStatement } from "./statement/compile-statement.ts";
import type { CompileTarget } from "./statement/compile-target.ts";
import { rememberQuery } from "./statement/compiled-queries.ts";
import type { TablesByName } from "./statement/resolver.ts";
import { TurnProvider } from "./waiting/turn-provider.ts";

/** The engine of statements that Kysely builds. */
export interface ExecutingEngine extends CompileTarget {
  readonly adapter: DialectAdapter;
  /** @throws {UnsupportedError} if the statement may write and the engine is read-only */
  requireWritable(writes: boolean): void;
}

/** What all executors of an engine have in common. */
export interface ExecutorParts {
  readonly engine: ExecutingEngine;
  readonly metadata: () => Metadata | undefined;
}

/** The tables of statements that plugins have transformed, by their trees. */
const transformed = new WeakMap<OperationNode, TablesByName>();

/**
 * Kysely's executor on an engine. The application's plugins build trees anew, and table objects are lost by that: which
 * tables a statement has is checked and noted before.
 */
export class EngineExecutor extends DefaultQueryExecutor {
  readonly #parts: ExecutorParts;
  readonly #connections: ConnectionProvider;

  constructor(parts: ExecutorParts, connections: ConnectionProvider, plugins: readonly KyselyPlugin[] = []) {
    super({ compileQuery: (node, queryId) => compiled(parts, node, queryId) }, parts.engine.adapter, connections, [
      ...plugins,
    ]);
    this.#parts = parts;
    this.#connections = connections;
  }

  override transformQuery<T extends RootOperationNode>(node: T, queryId: QueryId): T {
    if (this.plugins.length === 0) return node;
    const { engine, metadata } = this.#parts;
    requireSameBind(node, engine.bindKey, metadata()?.owner);
    const tables = tablesIn(node, metadata());
    const result = super.transformQuery(node, queryId);
    transformed.set(result, tables);
    return result;
  }

  override withPlugins(plugins: readonly KyselyPlugin[]): EngineExecutor {
    return this.#with([...this.plugins, ...plugins]);
  }

  override withPlugin(plugin: KyselyPlugin): EngineExecutor {
    return this.#with([...this.plugins, plugin]);
  }

  override withPluginAtFront(plugin: KyselyPlugin): EngineExecutor {
    return this.#with([plugin, ...this.plugins]);
  }

  override withoutPlugins(): EngineExecutor {
    return this.#with([]);
  }

  override withConnectionProvider(connections: ConnectionProvider): EngineExecutor {
    return new EngineExecutor(this.#parts, new TurnProvider(connections), this.plugins);
  }

  #with(plugins: readonly KyselyPlugin[]): EngineExecutor {
    return new EngineExecutor(this.#parts, this.#connections, plugins);
  }
}

function compiled({ engine, metadata }: ExecutorParts, node: RootOperationNode, queryId: QueryId) {
  requireSameBind(node, engine.bindKey, metadata()?.owner);
  engine.requireWritable(node.kind !== "SelectQueryNode" && node.kind !== "RawNode");
  // What rows the statement gives, its builder's types say.
  const statement = compileStatement<never>(engine, node, metadata(), queryId, transformed.get(node));
  rememberQuery(queryId, engine, statement as CompiledStatement);
  return statement.query;
}

/** The tables that a statement names, also in parts that plugins have transformed before. */
function tablesIn(node: OperationNode, metadata: Metadata | undefined): TablesByName {
  const tables = new Map<string, AnyTable>();
  visitNodes(node, (part) => {
    for (const [name, table] of transformed.get(part) ?? []) tables.set(name, table);
    if (part.kind !== "TableNode") return;
    const { table: named } = part as TableNode;
    const { name } = named.identifier;
    const table =
      tableOfNode(part as TableNode) ?? (named.schema === undefined ? metadata?.tables.get(name) : undefined);
    if (table !== undefined) tables.set(name, table);
  });
  return tables;
}
