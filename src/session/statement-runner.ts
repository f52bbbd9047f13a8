import { type CompiledQuery, createQueryId, type QueryId, type QueryResult, type RootOperationNode } from "kysely";
import type { BindKey } from "../bind-key.ts";
import type { Connection } from "../engine/connection.ts";
import { type AcquireOptions, type EngineQuery, type Use, withParameters } from "../engine/driver.ts";
import type { Engine } from "../engine/engine.ts";
import type { Owner } from "../engine/pool/owner.ts";
import { type CompiledStatement, compileStatement, compileTemplate } from "../engine/statement/compile-statement.ts";
import type { CompileTarget } from "../engine/statement/compile-target.ts";
import { knownQuery } from "../engine/statement/compiled-queries.ts";
import { countsChanges } from "../engine/statement/counts-changes.ts";
import { parameter } from "../engine/statement/parameters.ts";
import { filled, type GivenValues } from "../engine/statement/placeholders.ts";
import { effectOf, type TransactionEffect } from "../engine/transaction-text.ts";
import { implicitCommit, refuseCommand } from "../engine/within-transaction.ts";
import { UnsupportedError } from "../errors/configuration.ts";
import { SessionError, StreamInTransactionError } from "../errors/session.ts";
import type { Template } from "../query/prepared/template.ts";
import { withoutRowLocks } from "../query/row-locks.ts";
import { tablesOfStatement } from "../query/statement-tables.ts";
import type { AnyTable } from "../schema/table.ts";
import { isAutoflushOff } from "./autoflush-scope.ts";
import type { UnitOfWork } from "./entities/unit-of-work.ts";
import type { AutoflushNeed, FlushCoordinator } from "./flush-coordinator.ts";
import { type Router, type Statement, treeOf } from "./router.ts";
import type { SessionLock } from "./session-lock.ts";
import type { Transactions } from "./transaction/transactions.ts";

/** How a statement is run. */
export interface RunOptions {
  /** `false`: what is pending is not flushed before. */
  readonly autoflush?: boolean | undefined;
  /** Of SQL text: that it only reads, so that it needs no transaction. */
  readonly readOnly?: boolean | undefined;
  /** Ends the wait for a connection, and the statement where the database can. */
  readonly signal?: AbortSignal | undefined;
}

/** A statement that has found its engine. */
export interface RoutedStatement<R = unknown> {
  readonly engine: Engine;
  readonly compiled: CompiledStatement<R>;
  /** Whether it writes or locks. */
  readonly writes: boolean;
  readonly isRaw: boolean;
  /** Whether it begins or ends transactions. */
  readonly effect: TransactionEffect;
  /** The tables in it, as far as they are known. */
  readonly tables: ReadonlySet<AnyTable>;
}

/** A runner's view of its session. */
export interface StatementHost {
  readonly session: object;
  readonly router: Router;
  readonly owner: Owner;
  readonly lock: SessionLock;
  readonly transactions: Transactions;
  readonly work: UnitOfWork;
  /** @throws {SessionClosedError} if the session was closed */
  requireOpen(): void;
  /** @throws {ConcurrentTransactionError} in code of a `transaction(fn)` that has ended */
  requireLive(): void;
}

/** The templates of each application, which know their engine and its SQL. */
const applications = new WeakMap<Router, WeakMap<Template, RoutedStatement>>();

/** The streams of a session that has none. */
const NO_STREAMS = new Set<AsyncIterator<unknown>>();

/** Runs the statements of a session: each on the engine of its tables, in the session's transaction where it has one. */
export class StatementRunner {
  readonly #host: StatementHost;
  readonly #flow: FlushCoordinator;
  #streams = NO_STREAMS;
  readonly #running = new Set<Connection>();
  /** Ends waits for connections and the begin of transactions when the session ends. */
  #ending: AbortController | undefined;

  constructor(host: StatementHost, flow: FlushCoordinator) {
    this.#host = host;
    this.#flow = flow;
  }

  /**
   * Finds the engine of a statement and compiles it for that.
   *
   * @throws {CrossBindError | UnboundExecutionError | InvalidValueError} before anything is sent
   */
  prepare<R>(node: RootOperationNode, bindKey?: BindKey, queryId?: QueryId): RoutedStatement<R> {
    return this.#prepare(node, bindKey, (engine, bound, metadata) =>
      compileStatement<R>(engine, bound, metadata, queryId),
    );
  }

  /**
   * The same for a statement in any form. A compiled query of SQL text keeps its parameters beside its tree, and is sent as it
   * is, like one that an engine of this application has compiled; of others the tree is compiled for the engine of its tables.
   *
   * @throws {UnsupportedError} if the query was compiled for an engine that is not this application's
   */
  prepareAny<R>(statement: Statement, bindKey?: BindKey): RoutedStatement<R> {
    // Whatever has a tree here is a whole statement.
    const node = treeOf(statement) as RootOperationNode;
    if (!isCompiled(statement)) return this.prepare<R>(node, bindKey, createQueryId());
    const known = knownQuery(statement.queryId);
    if (known !== undefined) {
      const { compiled } = known;
      const engine = requireOwnEngine(known.engine, this.#host.router);
      return this.#prepare<R>(node, bindKey ?? engine.bindKey, () => compiled as CompiledStatement<R>);
    }
    if (node.kind !== "RawNode" || node.parameters.length > 0) return this.prepare<R>(node, bindKey, createQueryId());
    return this.#prepare<R>(node, bindKey, (engine) => ({
      query: {
        ...(statement as CompiledQuery<R>),
        parameters: statement.parameters.map((value) => parameter(engine, value, undefined)),
        countsChanges: countsChanges(node, statement.sql),
      },
    }));
  }

  /** The same for a template, which each application routes and compiles once, with its parameters filled. */
  fill<R>(template: Template, given: GivenValues): RoutedStatement<R> {
    const { router, requireOpen } = this.#host;
    requireOpen();
    let known = applications.get(router);
    if (known === undefined) {
      known = new WeakMap();
      applications.set(router, known);
    }
    let routed = known.get(template);
    // The router is asked each time: what was compiled for an engine is run on no other.
    if (routed === undefined || router.find(routed.engine.bindKey) !== routed.engine) {
      routed = this.#prepare(template.node, undefined, compileTemplate);
      known.set(template, routed);
    }
    const { engine, writes, isRaw, effect, tables, compiled } = routed;
    const query = withParameters(compiled.query, filled(compiled.query.parameters, given));
    // The author of the template knows the rows that the statement returns.
    return {
      engine,
      compiled: { query, readRows: compiled.readRows },
      writes,
      isRaw,
      effect,
      tables,
    } as RoutedStatement<R>;
  }

  #prepare<R>(
    node: RootOperationNode,
    bindKey: BindKey | undefined,
    compile: (...given: Parameters<typeof compileTemplate<R>>) => CompiledStatement<R>,
  ): RoutedStatement<R> {
    const { router, requireOpen } = this.#host;
    requireOpen();
    const { tables, writes, isRaw } = tablesOfStatement(node);
    const { metadatas } = router;
    const engine = router.forTables(tables, bindKey);
    const metadata = metadatas.has(engine.bindKey) ? metadatas.get(engine.bindKey) : undefined;
    engine.requireWritable(writes);
    const known = tables.map(({ table, name }) => table ?? metadata?.tables.get(name));
    const compiled = compile(engine, withoutRowLocks(node, engine), metadata);
    const effect = effectOf(compiled.query, engine.family);
    refuseCommand(engine, effect);
    return {
      engine,
      compiled,
      writes,
      isRaw,
      effect,
      tables: new Set(known.filter((table) => table !== undefined)),
    };
  }

  /** Whether a statement that only reads can run at once on an engine: nothing has to happen before it. */
  canReadNow(engine: Engine, options: RunOptions): boolean {
    const { lock, transactions } = this.#host;
    return (
      lock.isFree &&
      !transactions.isExplicit &&
      !transactions.isOpenOn(engine) &&
      !engine.readsInTransaction &&
      this.#pendingBefore(engine, options) === "nothing"
    );
  }

  /** Runs such a statement without a promise; `undefined` where the database is not in this process. */
  readNow<R>(engine: Engine, query: EngineQuery<R>, { signal }: RunOptions): QueryResult<R> | undefined {
    const { owner, transactions, requireLive } = this.#host;
    requireLive();
    signal?.throwIfAborted();
    transactions.requireUsable();
    return engine.readNow(query, owner);
  }

  /** The same for any statement; `undefined` where it cannot run at once. Values are not converted. */
  runNow<R>(statement: RoutedStatement<R>, options: RunOptions): QueryResult<R> | undefined {
    const { engine, compiled, writes, isRaw } = statement;
    if (writes || (isRaw && options.readOnly !== true) || !this.canReadNow(engine, options)) return undefined;
    return this.readNow(engine, compiled.query, options);
  }

  /**
   * Runs a statement, after what is pending on its bind.
   *
   * @param take is given the result before anything else runs on the bind
   */
  async run<R>(
    statement: RoutedStatement<R>,
    options: RunOptions = {},
    take?: (result: QueryResult<R>) => void,
  ): Promise<QueryResult<R>> {
    const { engine } = statement;
    const { lock, requireLive } = this.#host;
    requireLive();
    const ticket = this.#pendingBefore(engine, options) === "nothing" ? lock.tryTake(engine) : undefined;
    if (ticket === undefined) {
      return this.#inTurn(engine, options, async () => taken(statement, await this.#execute(statement, options), take));
    }
    try {
      this.#host.requireOpen();
      return taken(statement, await this.#execute(statement, options), take);
    } finally {
      lock.leave(engine, ticket);
    }
  }

  /**
   * Runs two statements of one bind, with nothing of the session's between them.
   *
   * @param takeFirst is given the result of the first
   * @param take is given that of the second before anything else runs on the bind
   */
  async runAfter<R1, R2>(
    first: RoutedStatement<R1>,
    takeFirst: (result: QueryResult<R1>) => void,
    second: RoutedStatement<R2>,
    options: RunOptions,
    take: (result: QueryResult<R2>) => void,
  ): Promise<QueryResult<R2>> {
    this.#host.requireLive();
    return this.#inTurn(first.engine, options, async () => {
      taken(first, await this.#execute(first, options), takeFirst);
      return taken(second, await this.#execute(second, options), take);
    });
  }

  /**
   * Runs a statement and gives its rows in portions. It has a connection of its own.
   *
   * @throws {StreamInTransactionError} if a transaction is open on the bind
   */
  async *stream<R>(
    statement: RoutedStatement<R>,
    chunkSize: number,
    options: RunOptions = {},
  ): AsyncIterableIterator<QueryResult<R>> {
    this.#host.requireLive();
    const rows = this.#streamed(statement, chunkSize, options);
    if (this.#streams === NO_STREAMS) this.#streams = new Set();
    this.#streams.add(rows);
    try {
      for (let next = await rows.next(); next.done !== true; next = await rows.next()) yield next.value;
      // A stream that was cut off must not look as if it had come to its end.
      if (!this.#streams.has(rows)) throw new SessionError("The session was closed or reset while it streamed rows.");
    } finally {
      this.#streams.delete(rows);
      await rows.return?.();
    }
  }

  /** Whether statements run just now, or rows are streamed. */
  get isRunning(): boolean {
    return this.#running.size > 0 || this.#streams.size > 0;
  }

  /**
   * Ends the statements that run now, on their servers too, and the transactions that are being begun for them; they fail
   * with `reason`. A running flush goes on.
   */
  interrupt(reason: unknown): void {
    this.#ending?.abort(reason);
    for (const connection of this.#running) connection.interrupt(reason);
  }

  /** Ends every stream, so that its connection is given back. */
  async endStreams(): Promise<void> {
    const streams = [...this.#streams];
    this.#streams.clear();
    await Promise.allSettled(streams.map((rows) => rows.return?.()));
  }

  async *#streamed<R>(
    statement: RoutedStatement<R>,
    chunkSize: number,
    options: RunOptions,
  ): AsyncIterableIterator<QueryResult<R>> {
    const { compiled } = statement;
    const connection = await this.#inTurn(statement.engine, options, () => this.#connectToStream(statement, options));
    this.#running.add(connection);
    try {
      await connection.begin({ accessMode: "read only" }, this.#untilEnded(statement.engine, this.#signalFor(options)));
      for await (const portion of connection.stream(compiled.query, chunkSize, this.#signalFor(options))) {
        compiled.readRows?.(portion.rows);
        yield portion;
      }
      await connection.commit();
    } finally {
      this.#running.delete(connection);
      // A statement that is cut off may cost its connection; it has only read.
      await connection.release().catch(() => {});
    }
  }

  async #connectToStream(statement: RoutedStatement, options: RunOptions): Promise<Connection> {
    const { engine } = statement;
    const { owner, transactions } = this.#host;
    transactions.requireUsable();
    const reads = options.readOnly === true || (statement.isRaw && (await onlyReads(statement)));
    if (transactions.isOpenOn(engine) || this.#needsTransaction(statement, reads)) {
      throw new StreamInTransactionError(engine.bindKey);
    }
    const signal = this.#untilEnded(engine, this.#signalFor(options));
    return engine.connect({ use: "read", owner, signal });
  }

  /** Runs something when it is the statement's turn on its bind, with nothing pending there. */
  async #inTurn<T>(engine: Engine, options: RunOptions, run: () => Promise<T>): Promise<T> {
    const { lock, requireOpen } = this.#host;
    const signal = this.#signalFor(options);
    for (;;) {
      const atItsTurn = async () => {
        requireOpen();
        signal?.throwIfAborted();
        const pending = this.#pendingBefore(engine, options);
        if (pending === "elsewhere") return undefined;
        if (pending === "here") {
          await this.#flow.flush(engine.bindKey);
          requireOpen();
        }
        return { value: await run() };
      };
      const turn = await lock.runOnBind(engine, atItsTurn, signal);
      if (turn !== undefined) return turn.value;
      // Rows of other binds are not written within this bind's turn.
      await lock.runExclusive(async () => {
        if (this.#pendingBefore(engine, options) !== "nothing") await this.#flow.flush(engine.bindKey);
      });
    }
  }

  #pendingBefore({ bindKey }: Engine, { autoflush }: RunOptions): AutoflushNeed {
    const { work, lock, session } = this.#host;
    if (autoflush === false || work.isEmptyOn(bindKey)) return "nothing";
    return isAutoflushOff(session) || lock.isInside ? "nothing" : this.#flow.pendingOn(bindKey);
  }

  async #execute<R>(statement: RoutedStatement<R>, options: RunOptions): Promise<QueryResult<R>> {
    const { engine, compiled, writes, isRaw, effect } = statement;
    const { transactions, work } = this.#host;
    const signal = this.#signalFor(options);
    signal?.throwIfAborted();
    transactions.requireUsable();
    if (effect === "commits") {
      // Beside a transaction that only the session has begun, it leaves that as it is.
      if (transactions.isExplicit) throw implicitCommit(engine);
      const result = await this.#executeAlone(statement, "write", signal);
      work.expireTables(statement.tables);
      return result;
    }
    const reads =
      options.readOnly === true || (isRaw && engine.family.tellsReads === true && (await onlyReads(statement)));
    const mayWrite = writes || (isRaw && !reads && !transactions.onlyReads);
    if (mayWrite) {
      const [bind] = await transactions.joinToWrite([engine], {
        signal: this.#untilEnded(engine, signal),
        isSetting: isRaw && isSetting(compiled.query),
      });
      const result = await this.#runOn(bind!.connection, () => bind!.execute(compiled.query, signal, effect));
      work.expireTables(statement.tables);
      return result;
    }
    if (transactions.isOpenOn(engine) || this.#needsTransaction(statement, reads)) {
      const bind = await transactions.join(engine, { signal: this.#untilEnded(engine, signal) });
      return this.#runOn(bind.connection, () => bind.execute(compiled.query, signal, effect));
    }
    return this.#executeAlone(statement, "read", signal);
  }

  /** Executes a statement outside of the session's transaction. */
  async #executeAlone<R>(
    { engine, compiled }: RoutedStatement<R>,
    use: Use,
    signal: AbortSignal | undefined,
  ): Promise<QueryResult<R>> {
    const wanted: AcquireOptions = { use, owner: this.#host.owner, signal };
    const connection =
      engine.connectNow(wanted) ?? (await engine.connect({ ...wanted, signal: this.#untilEnded(engine, signal) }));
    this.#running.add(connection);
    try {
      return await connection.execute(compiled.query, signal);
    } finally {
      this.#running.delete(connection);
      if (!connection.releaseNow()) await connection.release();
    }
  }

  /** Runs a statement that ends with the session. */
  async #runOn<T>(connection: Connection, run: () => Promise<T>): Promise<T> {
    this.#running.add(connection);
    try {
      return await run();
    } finally {
      this.#running.delete(connection);
    }
  }

  /** The same for what has to happen before a statement runs, which the end of the session ends too. */
  #untilEnded(engine: Engine, signal: AbortSignal | undefined): AbortSignal | undefined {
    if (this.#host.transactions.isOpenOn(engine)) return signal;
    this.#ending ??= new AbortController();
    return signal === undefined ? this.#ending.signal : AbortSignal.any([signal, this.#ending.signal]);
  }

  /** What ends a statement: its own signal, and that of the session's work. */
  #signalFor({ signal }: RunOptions): AbortSignal | undefined {
    const { owner } = this.#host;
    if (signal === undefined || owner.signal === undefined) return signal ?? owner.signal;
    return AbortSignal.any([signal, owner.signal]);
  }

  /** Whether a statement belongs into a transaction, though none is open on its bind. */
  #needsTransaction({ engine, writes, isRaw }: RoutedStatement, reads: boolean): boolean {
    if (writes || this.#host.transactions.isExplicit) return true;
    return (isRaw && !reads) || engine.readsInTransaction;
  }
}

/** Whether SQL text only changes a setting; "set statement" of MariaDB runs a statement with settings of its own. */
function isSetting({ sql }: CompiledQuery): boolean {
  return /^\s*set\s(?!\s*statement\s)[^;]*;?\s*$/i.test(sql);
}

function isCompiled(statement: Statement): statement is CompiledQuery {
  return "query" in statement && "sql" in statement && "parameters" in statement && "queryId" in statement;
}

function requireOwnEngine(engine: CompileTarget, router: Router): Engine {
  const own = router.find(engine.bindKey);
  if (own === engine) return own;
  throw new UnsupportedError(
    `Cannot run a query that was compiled for ${engine}: it belongs to another application. Compile it with this application's engine.`,
    { bindKey: engine.bindKey },
  );
}

/** Whether the database says that SQL text only reads. */
function onlyReads({ engine, compiled }: RoutedStatement): Promise<boolean> {
  return engine.onlyReads(compiled.query.sql);
}

/** A result with converted values, in the form that the caller gets. */
function taken<R>(
  { compiled }: RoutedStatement<R>,
  result: QueryResult<R>,
  take: ((result: QueryResult<R>) => void) | undefined,
): QueryResult<R> {
  compiled.readRows?.(result.rows);
  take?.(result);
  return result;
}
