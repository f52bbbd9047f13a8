import type {
  CompiledQuery,
  DialectAdapter,
  KyselyPlugin,
  QueryExecutor,
  QueryId,
  QueryResult,
  RootOperationNode,
} from "kysely";
import type { BindKey } from "../bind-key.ts";
import { SessionError } from "../errors/session.ts";
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
    return query;
  }

  executeQuery<R>(query: CompiledQuery<R>, options?: { readonly signal?: AbortSignal }): Promise<QueryResult<R>> {
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
    throw new SessionError(
      "The session lends no connection and lets nobody else begin a transaction on it: use `session.begin`, `session.beginNested` or `session.transaction`.",
    );
  }

  withConnectionProvider(): QueryExecutor {
    return this;
  }

  withPlugin(): QueryExecutor {
    return this.#noPlugins();
  }

  withPlugins(): QueryExecutor {
    return this.#noPlugins();
  }

  withPluginAtFront(): QueryExecutor {
    return this.#noPlugins();
  }

  withoutPlugins(): QueryExecutor {
    return this;
  }

  #routedOf<R>(query: CompiledQuery<R>): RoutedStatement<R> {
    // Every query that comes here was compiled above, for the same type of rows.
    return (this.#routed.get(query) ?? this.#runner.prepare(query.query, this.#bindKey)) as RoutedStatement<R>;
  }

  #noPlugins(): never {
    throw new SessionError(
      "Statements of a session take no Kysely plugins: they would hide from it which tables a statement names.",
    );
  }
}
