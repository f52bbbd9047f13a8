import { CompiledQuery, type DatabaseConnection, type QueryResult, type TransactionSettings } from "kysely";
import { bindLabel } from "../bind-key.ts";
import { OperationalError } from "../errors/database.ts";
import { pinHiddenClass, UNUSED } from "../hidden-class.ts";
import {
  type AnsweredResult,
  type EngineDriver,
  type EngineQuery,
  type PhysicalConnection,
  withParameters,
} from "./driver.ts";
import type { Engine } from "./engine.ts";
import { requireStatementName } from "./names/statement-names.ts";
import type { Owner } from "./pool/owner.ts";
import { recorded } from "./recording/recorded-query.ts";
import { knownQuery } from "./statement/compiled-queries.ts";
import { countsChanges } from "./statement/counts-changes.ts";
import { effectOf } from "./transaction-text.ts";
import type { Ending } from "./two-phase/two-phase.ts";
import { afterAbort } from "./waiting/after-abort.ts";
import { givenUp, isGivenUp } from "./waiting/given-up.ts";
import { Aborted, Interruption, PATIENCE } from "./waiting/interruption.ts";
import type { LockWatch } from "./waiting/lock-watch.ts";
import { forgetTransaction, mayWaitForItself, noteTransaction, watchSelfWait } from "./waiting/self-wait.ts";
import { startWatchdog } from "./waiting/watchdog.ts";
import { withTimeout } from "./waiting/with-timeout.ts";
import { endedTransaction, executeWithin } from "./within-transaction.ts";

/** The statements that end a transaction which was begun to be prepared, where they are not the ordinary ones. */
type BranchEnds = Readonly<Record<Ending, readonly string[]>>;

/**
 * A connection of an engine while it is borrowed: every statement goes through here, so that listeners see it and
 * its errors name the bind.
 *
 * @see SQLAlchemy: `Connection`
 */
export class Connection implements DatabaseConnection {
  readonly engine: Engine;
  readonly #driver: EngineDriver;
  readonly #raw: DatabaseConnection & Partial<PhysicalConnection>;
  readonly #owner: Owner | undefined;
  #inTransaction = false;
  /** Whether SQL has ended that transaction. */
  #isOver = false;
  /** Whether the end or beginning of a transaction was sent and failed, so that its state is unknown. */
  #unclear = false;
  #branch: BranchEnds | undefined;
  #isEnding = false;
  /** The bound of waits for locks, in milliseconds, while there is one. */
  #lockTimeout: number | undefined;
  #interruption: Interruption | undefined;

  constructor(engine: Engine, driver: EngineDriver, raw: DatabaseConnection, owner?: Owner) {
    this.engine = engine;
    this.#driver = driver;
    this.#raw = raw;
    this.#owner = owner;
  }

  /** The connection as Kysely and the driver know it. */
  get raw(): DatabaseConnection {
    return this.#raw;
  }

  /** Whether it leads to a server, as far as is known. */
  get isRemote(): boolean {
    return this.#raw.address !== undefined;
  }

  /** Whether it is known to be lost. Only multibind's own drivers know. */
  get isLost(): boolean {
    return this.#raw.isBroken === true;
  }

  /** Whether a transaction was begun here and not ended. */
  get inTransaction(): boolean {
    return this.#inTransaction;
  }

  /** Whether the transaction that was begun here is over, as the server says: SQL text has ended it, or the database. */
  get hasEnded(): boolean {
    return this.#inTransaction && (this.#isOver || this.#raw.inTransaction === false);
  }

  /** The same connection, in its transaction, for the statements of another engine on the same database. */
  sharedBy(engine: Engine): Connection {
    const shared = new Connection(engine, this.#driver, this.#raw, this.#owner);
    shared.#inTransaction = true;
    return shared;
  }

  /** Whether a statement runs on it just now. */
  get isBusy(): boolean {
    return this.#raw.isBusy === true;
  }

  /** The number under which its server knows it. */
  get serverProcess(): number | undefined {
    return this.#raw.serverProcess;
  }

  /** Opens a watch over what this connection's statements wait for on the server. */
  watchLocks(): Promise<LockWatch> {
    return this.#raw.watchLocks!();
  }

  /** Notes that SQL has ended the transaction, though perhaps begun another. */
  markEnded(): void {
    this.#isOver = true;
  }

  /**
   * Runs a statement.
   *
   * @param signal ends it, on the server too where the database supports that. Defaults to the signal of the owner
   * @throws the signal's reason, when it is aborted
   */
  execute<R>(query: EngineQuery<R>, signal = this.#owner?.signal): Promise<QueryResult<R>> {
    const refusal = this.engine.refusalOf(query);
    if (refusal !== undefined) return Promise.reject(refusal);
    // Fast path: no listener, no signal, no timeout, no lock of one's own in the way.
    if (signal === undefined && this.#isUnwatched && !this.#mayWaitForItself) return this.#executed(query);
    return this.#run(query, () => this.#raw.executeQuery<R>(query), signal);
  }

  /**
   * Runs a statement at once.
   *
   * @returns `undefined` where anything has to be waited for, or a listener must see it
   */
  executeNow<R>(query: EngineQuery<R>): QueryResult<R> | undefined {
    if (!this.#canRunNow) return undefined;
    const refusal = this.engine.refusalOf(query);
    if (refusal !== undefined) throw refusal;
    return this.#now(query.sql, () => this.#raw.executeNow!(query));
  }

  /** How many bytes the values of a statement may take here. */
  async mostBytes(): Promise<number> {
    return (await this.#raw.mostBytes?.()) ?? Number.POSITIVE_INFINITY;
  }

  /** Runs a statement once for each set of parameters, in their order. */
  executeMany<R>(query: EngineQuery<R>, parameterSets: readonly (readonly unknown[])[]): Promise<QueryResult<R>[]> {
    const raw = this.#raw;
    const run = async () => {
      if (raw.executeMany !== undefined) return raw.executeMany(query, parameterSets);
      const results: QueryResult<R>[] = [];
      for (const parameters of parameterSets)
        results.push(await raw.executeQuery<R>(withParameters(query, parameters)));
      return results;
    };
    return this.#run({ sql: query.sql, parameters: parameterSets }, run, this.#owner?.signal);
  }

  /**
   * Runs a statement and gives its rows in portions of `chunkSize`. Leaving the loop ends the statement, and on some
   * databases the connection with it.
   *
   * @param signal ends it, as in {@link execute}
   */
  async *stream<R>(
    query: EngineQuery<R>,
    chunkSize: number,
    signal = this.#owner?.signal,
  ): AsyncIterableIterator<QueryResult<R>> {
    const refusal = this.engine.refusalOf(query);
    if (refusal !== undefined) throw refusal;
    const options = signal === undefined ? undefined : { signal };
    const rows = this.#raw.streamQuery<R>(query, chunkSize, options)[Symbol.asyncIterator]();
    // The first portion tells whether the statement is accepted at all.
    let portion = await this.#run(query, () => rows.next(), signal);
    try {
      while (portion.done !== true) {
        yield portion.value;
        portion = await this.#watched(() => rows.next(), signal);
      }
    } catch (error) {
      throw await this.errorOf(error, query.sql);
    } finally {
      await rows.return?.();
      // The server may still be sending rows that no caller asks for.
      if (signal?.aborted === true && this.isBusy) {
        this.interrupt(signal.reason);
        await this.#interruptionOver();
      }
    }
  }

  /** The same as {@link execute}, under Kysely's name, for statements of the application. */
  async executeQuery<R>(query: EngineQuery, options?: { readonly signal?: AbortSignal }): Promise<QueryResult<R>> {
    const isCounted = query.countsChanges === true || countsChanges(query.query, query.sql);
    const typed = (isCounted ? { ...query, countsChanges: true } : query) as EngineQuery<R>;
    try {
      const result = this.#inTransaction
        ? await executeWithin(this, typed, effectOf(query, this.engine.family), options?.signal)
        : await this.execute(typed, options?.signal);
      knownQuery(query.queryId)?.compiled.readRows?.(result.rows);
      return result;
    } catch (error) {
      // Kysely has thrown the signal's reason already, and would print whatever comes now.
      if (options?.signal?.aborted === true) return { rows: [] };
      throw error;
    }
  }

  /** Ends the statement that runs just now, if one does; it fails with `reason`. The end of a transaction is left to happen. */
  interrupt(reason: unknown): void {
    if (this.#isEnding || this.#raw.isBusy === false) return;
    this.#interruption ??= new Interruption(this.#raw, reason);
  }

  /** Kysely's name for ending the statement that runs, on the server too; a signal has done so already. */
  get cancelQuery(): NonNullable<DatabaseConnection["cancelQuery"]> {
    const raw = this.#raw;
    if (raw.cancel !== undefined) return async () => this.interrupt(undefined);
    // Kysely looks whether it is there; a dialect may not have it.
    return raw.cancelQuery?.bind(raw) as NonNullable<DatabaseConnection["cancelQuery"]>;
  }

  /** Kysely's name for ending the statement that runs, and the connection to its server with it. */
  get killSession(): NonNullable<DatabaseConnection["killSession"]> {
    const raw = this.#raw;
    if (raw.cancel !== undefined && raw.killSession === undefined) {
      return async () => {
        if (this.isRemote && this.isBusy) raw.destroy?.();
      };
    }
    // As above.
    return raw.killSession?.bind(raw) as NonNullable<DatabaseConnection["killSession"]>;
  }

  /**
   * The same as {@link stream}, under Kysely's name: in a transaction of its own if none is open, since not every
   * database streams without one. Rows that a write gives back come in one portion.
   */
  async *streamQuery<R>(
    query: EngineQuery,
    chunkSize: number,
    options?: { readonly signal?: AbortSignal },
  ): AsyncIterableIterator<QueryResult<R>> {
    const signal = options?.signal;
    try {
      if (query.query.kind !== "SelectQueryNode" && query.query.kind !== "RawNode") {
        yield await this.executeQuery<R>(query, options);
      } else if (this.#inTransaction) {
        yield* this.#readStream({ ...(query as EngineQuery<R>), keepConnection: true }, chunkSize, signal);
      } else {
        await this.begin({ accessMode: "read only" }, signal);
        try {
          yield* this.#readStream(query as EngineQuery<R>, chunkSize, signal);
        } finally {
          // It has only read, so either end will do; and if the connection is lost, that is the end.
          await this.rollback().catch(() => {});
        }
      }
    } catch (error) {
      // As in `executeQuery`.
      if (signal?.aborted !== true) throw error;
    }
  }

  /** The same as {@link stream}, with the rows converted. */
  async *#readStream<R>(
    query: EngineQuery<R>,
    chunkSize: number,
    signal: AbortSignal | undefined,
  ): AsyncIterableIterator<QueryResult<R>> {
    const readRows = knownQuery(query.queryId)?.compiled.readRows;
    for await (const portion of this.stream(query, chunkSize, signal)) {
      readRows?.(portion.rows);
      yield portion;
    }
  }

  /**
   * Begins a transaction, with the engine's isolation level where the settings name none.
   *
   * @param signal ends the wait, if the database does not allow a transaction to begin yet
   * @throws {UnsupportedError} if it is to write and the bind is read-only
   */
  async begin(settings: TransactionSettings = {}, signal = this.#owner?.signal): Promise<void> {
    const { accessMode } = settings;
    this.engine.requireWritable(accessMode === "read write");
    const begin = async () => {
      this.#unclear = true;
      await this.#driver.beginTransaction(this.#raw, settings);
      this.#unclear = false;
      // Also if it was aborted meanwhile, so that it is rolled back.
      this.#hasBegun();
    };
    const sql = `begin${accessMode === undefined ? "" : ` ${accessMode}`}`;
    await this.engine.observe({ sql, parameters: [] }, () => this.#watched(begin, signal), this);
  }

  /** Begins a transaction at once. Returns whether that is done; if not, {@link begin} does it. */
  beginNow(settings: TransactionSettings): boolean {
    this.engine.requireWritable(settings.accessMode === "read write");
    if (!this.#canRunNow || this.#driver.beginNow === undefined) return false;
    const isDone = this.#now("begin", () => this.#driver.beginNow!(this.#raw, settings));
    if (isDone) this.#hasBegun();
    return isDone;
  }

  /** Begins a transaction that can be prepared under an id. */
  async beginBranch(gid: string, settings: TransactionSettings = {}): Promise<void> {
    const branch = this.engine.twoPhase?.branch;
    if (branch === undefined) return this.begin(settings);
    this.#unclear = true;
    for (const sql of branch.begin(gid, settings)) await this.#send(sql);
    this.#unclear = false;
    this.#hasBegun();
    this.#branch = { commit: branch.commit(gid), rollback: branch.rollback(gid) };
  }

  #hasBegun(): void {
    this.#inTransaction = true;
    this.#isOver = false;
    if (this.#owner !== undefined && this.#raw.watchLocks !== undefined) noteTransaction(this.#owner, this);
  }

  /**
   * Commits.
   *
   * @param signal ends the wait for the answer, a while after it was aborted; the connection is given up then
   * @throws {EndedTransactionError} if SQL has ended the transaction before
   */
  async commit(signal?: AbortSignal): Promise<void> {
    if (this.hasEnded) {
      this.#inTransaction = false;
      throw endedTransaction(this);
    }
    const stop = afterAbort(signal, (reason) => this.giveUp(reason));
    try {
      if (this.#branch === undefined) await this.#end("commit", () => this.#driver.commitTransaction(this.#raw));
      else for (const sql of this.#branch.commit) await this.#send(sql);
    } catch (error) {
      this.#forgetRefused();
      throw error;
    } finally {
      stop();
    }
    this.#inTransaction = false;
    this.#branch = undefined;
  }

  /** Commits at once. Returns whether that is done; if not, {@link commit} does it. */
  commitNow(): boolean {
    if (!this.#canRunNow || this.#driver.commitNow === undefined || this.#branch !== undefined || this.hasEnded)
      return false;
    try {
      if (!this.#now("commit", () => this.#driver.commitNow!(this.#raw))) return false;
    } catch (error) {
      this.#forgetRefused();
      throw error;
    }
    this.#inTransaction = false;
    return true;
  }

  /** A transaction that the server refuses to commit or to prepare may be rolled back by that. */
  #forgetRefused(): void {
    if (this.#raw.inTransaction === false) this.#inTransaction = false;
  }

  async rollback(): Promise<void> {
    const statements = this.#branch?.rollback;
    this.#inTransaction = false;
    this.#branch = undefined;
    this.#unclear = true;
    if (statements === undefined) await this.#endInTime("rollback", () => this.#driver.rollbackTransaction(this.#raw));
    else await this.#rollbackBranch(statements);
    this.#unclear = false;
  }

  /** The last statement tells whether it succeeded: what comes before may have happened already. */
  async #rollbackBranch(statements: readonly string[]): Promise<void> {
    for (const sql of statements.slice(0, -1)) await this.#sendInTime(sql).catch(() => {});
    await this.#sendInTime(statements.at(-1)!);
  }

  /**
   * Prepares the transaction: from now on the server keeps it under the id, whatever becomes of the connection.
   *
   * @param signal as in {@link commit}
   * @throws {OperationalError} if it had failed before, and so was rolled back instead
   */
  async prepare(gid: string, signal?: AbortSignal): Promise<void> {
    const twoPhase = this.engine.twoPhase!;
    let answer: AnsweredResult = { rows: [] };
    const stop = afterAbort(signal, (reason) => this.giveUp(reason));
    try {
      for (const sql of twoPhase.prepare(gid)) answer = await this.#send(sql);
    } catch (error) {
      this.#forgetRefused();
      throw error;
    } finally {
      stop();
    }
    this.#inTransaction = false;
    this.#branch = undefined;
    if (twoPhase.isPrepared?.(answer.command) === false) {
      const { bindKey } = this.engine;
      throw new OperationalError(
        `The transaction on ${bindLabel(bindKey)} had failed before, so the server rolled it back instead of preparing it.`,
        { bindKey },
      );
    }
    this.#unclear = twoPhase.holdsConnection;
  }

  /** Ends a prepared transaction: of this connection or, if the server detaches it, of another. */
  async endPrepared(gid: string, ending: Ending): Promise<void> {
    await this.#sendInTime(this.engine.twoPhase!.end(gid, ending));
    this.#unclear = false;
  }

  /**
   * Bounds waits for locks until the connection is given back, where the database has them.
   *
   * @param timeout in milliseconds
   */
  async boundLockWaits(timeout: number): Promise<void> {
    const { lockTimeout } = this.engine.family;
    if (lockTimeout === undefined) return;
    const query = CompiledQuery.raw(lockTimeout.bound(timeout));
    const send = () => this.#watched(() => this.#raw.executeQuery(query), this.#owner?.signal);
    await this.engine.observe(query, send, this);
    this.#lockTimeout = timeout;
  }

  async #restoreLockWaits(): Promise<void> {
    const { restore } = this.engine.family.lockTimeout!;
    this.#lockTimeout = undefined;
    if (restore === undefined || this.#raw.isBroken === true) return;
    await this.#sendInTime(restore).catch(() => {
      this.#unclear = true;
    });
  }

  async savepoint(name: string): Promise<void> {
    requireStatementName(name, this.engine);
    return this.#end(`savepoint ${name}`, () => this.#driver.savepoint!(this.#raw, name, this.engine.compileQuery));
  }

  rollbackToSavepoint(name: string): Promise<void> {
    return this.#endInTime(`rollback to savepoint ${name}`, () =>
      this.#driver.rollbackToSavepoint!(this.#raw, name, this.engine.compileQuery),
    );
  }

  releaseSavepoint(name: string): Promise<void> {
    return this.#end(`release savepoint ${name}`, () =>
      this.#driver.releaseSavepoint!(this.#raw, name, this.engine.compileQuery),
    );
  }

  /** Closes the connection at once, whatever runs on it, for a reason that its errors have as their cause. */
  giveUp(reason: unknown): void {
    this.#raw.destroy?.(givenUp("The work was aborted and the server did not answer", reason));
  }

  /** Gives the connection back at once. Returns whether that is done; if not, {@link release} does it. */
  releaseNow(): boolean {
    if (this.#owner?.transactions !== undefined) forgetTransaction(this.#owner, this);
    const isPlain = !this.#inTransaction && !this.#unclear && this.#interruption === undefined;
    return isPlain && this.#lockTimeout === undefined && this.#driver.releaseNow?.(this.#raw) === true;
  }

  /** Gives the connection back, rolling back what was not committed. If that fails, the connection is closed instead. */
  async release(): Promise<void> {
    if (this.#owner?.transactions !== undefined) forgetTransaction(this.#owner, this);
    if (this.#inTransaction) await this.rollback().catch(() => {});
    if (this.#interruption !== undefined) await this.#interruptionOver();
    if (this.#lockTimeout !== undefined) await this.#restoreLockWaits();
    await this.#driver.releaseConnection(this.#raw, { discard: this.#unclear });
  }

  /** @internal what a statement that failed throws */
  async errorOf(cause: unknown, sql: string): Promise<unknown> {
    const interruption = await this.#interruptionOver();
    if (cause instanceof Aborted) return cause.reason;
    return interruption === undefined ? this.engine.databaseError(cause, sql, this.#lockTimeout) : interruption.reason;
  }

  async #interruptionOver(): Promise<Interruption | undefined> {
    const interruption = this.#interruption;
    this.#interruption = undefined;
    await interruption?.over();
    return interruption;
  }

  #run<T>(
    query: { readonly sql: string; readonly parameters: readonly unknown[] },
    run: () => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    // Listeners see only statements that are sent.
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    const isPlain = signal === undefined && this.engine.statementTimeout === undefined && !this.#mayWaitForItself;
    const record = this.#owner?.record;
    const watched = isPlain ? run : () => this.#watched(run, signal);
    if (record === undefined) return this.engine.observe(query, watched, this);
    return recorded(record, { ...query, bindKey: this.engine.bindKey }, () =>
      this.engine.observe(query, watched, this),
    );
  }

  /** Whether a transaction of its own surroundings is open, for whose locks a statement may wait. */
  get #mayWaitForItself(): boolean {
    return this.#owner !== undefined && this.#raw.watchLocks !== undefined && mayWaitForItself(this.#owner, this);
  }

  /** Whether no listener sees statements, and the engine limits their time. */
  get #isUnwatched(): boolean {
    return this.engine.statementTimeout === undefined && this.#owner?.record === undefined && !this.engine.isObserved;
  }

  /** Whether statements need not be waited for, and neither a listener nor a limit of time has a say in them. */
  get #canRunNow(): boolean {
    const isSettled = this.#interruption === undefined && this.#owner?.signal?.aborted !== true;
    return this.#raw.executeNow !== undefined && isSettled && this.#isUnwatched;
  }

  #now<T>(sql: string, run: () => T): T {
    try {
      return run();
    } catch (error) {
      throw this.engine.databaseError(error, sql, this.#lockTimeout);
    }
  }

  async #executed<R>(query: EngineQuery<R>): Promise<QueryResult<R>> {
    try {
      return await this.#raw.executeQuery<R>(query);
    } catch (error) {
      throw await this.errorOf(error, query.sql);
    }
  }

  /** Runs something that a signal may end, and the silence of a server that should have ended it by itself. */
  async #watched<T>(run: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const isAborted = () => signal?.aborted === true;
    if (isAborted()) throw new Aborted(signal?.reason);
    const { statementTimeout } = this.engine;
    const abort = () => this.interrupt(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    const unwatched = this.#mayWaitForItself
      ? watchSelfWait(this.#owner!, this, (error) => this.interrupt(error))
      : undefined;
    const heard =
      statementTimeout === undefined ? undefined : startWatchdog(statementTimeout, () => this.#raw.destroy?.());
    try {
      const result = await run();
      if (!isAborted()) return result;
    } catch (error) {
      if (!isAborted()) throw error;
    } finally {
      heard?.();
      unwatched?.();
      signal?.removeEventListener("abort", abort);
    }
    throw new Aborted(signal?.reason);
  }

  #send(sql: string): Promise<AnsweredResult> {
    return this.#end(sql, () => this.#raw.executeQuery(CompiledQuery.raw(sql)));
  }

  #sendInTime(sql: string): Promise<AnsweredResult> {
    return this.#endInTime(sql, () => this.#raw.executeQuery(CompiledQuery.raw(sql)));
  }

  /** Sends what loses nothing if the server does not answer: then it undoes by itself what is not committed. */
  #endInTime<T>(sql: string, run: () => Promise<T>): Promise<T> {
    return this.#end(sql, () =>
      withTimeout(run(), this.engine.options.poolTimeout || PATIENCE).catch((error: unknown) => {
        if (isGivenUp(error)) this.#raw.destroy?.();
        throw error;
      }),
    );
  }

  async #end<T>(sql: string, run: () => Promise<T>): Promise<T> {
    if (this.#interruption !== undefined) await this.#interruptionOver();
    this.#isEnding = true;
    try {
      return await this.engine.observe({ sql, parameters: [] }, () => this.#watched(run, undefined), this);
    } finally {
      this.#isEnding = false;
    }
  }
}

pinHiddenClass(new Connection(UNUSED, UNUSED, UNUSED));
