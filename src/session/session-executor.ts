import {
  type AbortableQueryOptions,
  type CompiledQuery,
  type DialectAdapter,
  type KyselyPlugin,
  NoopQueryExecutor,
  type QueryExecutor,
  type QueryId,
  type QueryResult,
  type RootOperationNode,
  WithSchemaPlugin,
} from "kysely";
import type { BindKey } from "../bind-key.ts";
import type { CompiledStatement } from "../engine/statement/compile-statement.ts";
import { rememberQuery } from "../engine/statement/compiled-queries.ts";
import { UnsupportedError } from "../errors/configuration.ts";
import type { RoutedStatement, StatementRunner } from "./statement-runner.ts";

/** What Kysely's builders ask of a dialect. A family that lacks one of these refuses the statement when it is compiled. */
const ADAPTER = { supportsReturning: true, supportsCreateIfNotExists: true } as DialectAdapter;

/** Runs what Kysely's builders build on a session: each statement on the engine of its tables. */
export class SessionExecutor implements QueryExecutor {
  readonly #runner: StatementRunner;
  readonly #bindKey: BindKey | undefined;
  readonly #routed = new WeakMap<CompiledQuery, RoutedStatement>();

  /** @param bindKey the one bind that all statements belong to; absent where their tables tell */
  constructor(runner: StatementRunner, bindKey?: BindKey) {
    this.#runner = runner;
    this.#bindKey = bindKey;
  }

  get adapter(): DialectAdapter {
    return ADAPTER;
  }

  get plugins(): readonly KyselyPlugin[] {
    return [];
  }

  transformQuery<T extends RootOperationNode>(node: T): T {
    return node;
  }

  compileQuery<R>(node: RootOperationNode, queryId: QueryId): CompiledQuery<R> {
    const routed = this.#runner.prepare<R>(node, this.#bindKey, queryId);
    const { query } = routed.compiled;
    this.#routed.set(query, routed as RoutedStatement);
    rememberQuery(queryId, routed.engine, routed.compiled as CompiledStatement);
    return query;
  }

  executeQuery<R>(query: CompiledQuery<R>, options?: AbortableQueryOptions): Promise<QueryResult<R>> {
    if (options?.inflightQueryAbortStrategy === "kill session") {
      const message =
        'Cannot use the abort strategy "kill session" on a session: other statements need its connection. An abort ends the ' +
        "statement on the server in any case. Leave the strategy out, or use `engine.kysely`.";
      return Promise.reject(new UnsupportedError(message));
    }
    return this.#runner.run(this.#routedOf(query), options?.signal === undefined ? {} : { signal: options.signal });
  }

  stream<R>(
    query: CompiledQuery<R>,
    chunkSize: number,
    options?: { readonly signal?: AbortSignal },
  ): AsyncIterableIterator<QueryResult<R>> {
    return this.#runner.stream(
      this.#routedOf(query),
      chunkSize,
      options?.signal === undefined ? {} : { signal: options.signal },
    );
  }

  async provideConnection<T>(): Promise<T> {
    throw new UnsupportedError(
      "A session does not expose its connection, so Kysely cannot begin transactions, stream controlled connections or migrate " +
        "on it. Use `session.transaction()`, `session.begin()` or `session.beginNested()`; or `engine.kysely` outside of the session.",
    );
  }

  withConnectionProvider(): QueryExecutor {
    return this;
  }

  withPlugin(plugin: KyselyPlugin): QueryExecutor {
    return new TreeExecutor([plugin]);
  }

  withPlugins(plugins: readonly KyselyPlugin[]): QueryExecutor {
    return new TreeExecutor(plugins);
  }

  withPluginAtFront(plugin: KyselyPlugin): QueryExecutor {
    return new TreeExecutor([plugin]);
  }

  withoutPlugins(): QueryExecutor {
    return this;
  }

  #routedOf<R>(query: CompiledQuery<R>): RoutedStatement<R> {
    // Every query that comes here was compiled above, for the same type of rows.
    return (this.#routed.get(query) ?? this.#runner.prepareAny(query, this.#bindKey)) as RoutedStatement<R>;
  }
}

/**
 * Builds trees with plugins, as Kysely itself does for the query of a view, and runs nothing: plugins hide from a session
 * which tables a statement names.
 */
class TreeExecutor extends NoopQueryExecutor {
  override get adapter(): DialectAdapter {
    return ADAPTER;
  }

  override compileQuery(): never {
    if (this.plugins.some((plugin) => plugin instanceof WithSchemaPlugin)) {
      throw new UnsupportedError(
        "Cannot use withSchema() on a session: it hides from the session which tables a statement names. Define tables with their " +
          '`schema`, name them as "schema.table", or use `engine.kysely.withSchema()`.',
      );
    }
    throw new UnsupportedError(
      "Cannot run this statement on a session: it has Kysely plugins, which hide from the session which tables a statement " +
        "names. Use `engine.kysely` for statements with plugins.",
    );
  }

  override withPlugin(plugin: KyselyPlugin): TreeExecutor {
    return new TreeExecutor([...this.plugins, plugin]);
  }

  override withPlugins(plugins: readonly KyselyPlugin[]): TreeExecutor {
    return new TreeExecutor([...this.plugins, ...plugins]);
  }

  override withPluginAtFront(plugin: KyselyPlugin): TreeExecutor {
    return new TreeExecutor([plugin, ...this.plugins]);
  }
}
