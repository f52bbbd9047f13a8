import { CompiledQuery, type QueryResult, type TransactionSettings } from "kysely";
import { bindLabel } from "../../bind-key.ts";
import type { Connection } from "../../engine/connection.ts";
import type { AcquireOptions, EngineQuery } from "../../engine/driver.ts";
import type { Engine } from "../../engine/engine.ts";
import type { Owner } from "../../engine/pool/owner.ts";
import type { TransactionEffect } from "../../engine/transaction-text.ts";
import { endPrepared } from "../../engine/two-phase/end-prepared.ts";
import { requirePreparable } from "../../engine/two-phase/preparable.ts";
import type { Ending } from "../../engine/two-phase/two-phase.ts";
import { endedTransaction, executeWithin } from "../../engine/within-transaction.ts";
import { DatabaseConnectionError, DatabaseError } from "../../errors/database.ts";
import { EndedTransactionError, FailedTransactionError } from "../../errors/session.ts";
import { pinHiddenClass, UNUSED } from "../../hidden-class.ts";
import type { FlushTarget } from "./flush-target.ts";
import { UndoLog } from "./undo-log.ts";
import { wayOut } from "./way-out.ts";

interface Level {
  readonly savepoint: string | undefined;
  readonly undo: UndoLog;
}

/** How a bind takes part in a commit over several. */
export interface Part {
  /** The id under which it may be prepared; absent where it is not to be. */
  readonly gid?: string | undefined;
  /** What to run before the transaction begins. */
  readonly before?: string | undefined;
  /** Ends the wait for a connection. */
  readonly signal?: AbortSignal | undefined;
  /** The transaction of another bind on the same database, in which this one takes part. */
  readonly within?: BindTransaction | undefined;
}

/**
 * A session's work on one bind: nothing until it writes, then one transaction on one connection, with a savepoint for
 * each nested transaction that the bind takes part in.
 */
export class BindTransaction implements FlushTarget {
  readonly engine: Engine;
  readonly #owner: Owner;
  readonly #levels: Level[] = [];
  #connection: Connection | undefined;
  /** The transaction of another bind on the same database, which begins and ends for this one too. */
  #within: BindTransaction | undefined;
  /** Those that take part in this one. */
  readonly #parts = new Set<BindTransaction>();
  #joining: Promise<void> = Promise.resolve();
  #failure: unknown;
  /** Set once SQL has ended the transaction. */
  #ended: EndedTransactionError | undefined;
  #wrote = false;
  #gid: string | undefined;
  #preparing: "not" | "failed" | "perhaps" = "not";
  #isCommitSent = false;
  /** The number of levels that there were when waits for locks were bounded. */
  #boundAt: number | undefined;

  constructor(engine: Engine, owner: Owner) {
    this.engine = engine;
    this.#owner = owner;
  }

  /** Whether a transaction is open here. */
  get isOpen(): boolean {
    return this.#connection !== undefined;
  }

  /** The transaction that begins and ends for this bind: its own, or that of another bind on the same database. */
  get leader(): BindTransaction {
    return this.#within ?? this;
  }

  /** Whether the database refused to prepare it. */
  get failedToPrepare(): boolean {
    return this.#preparing === "failed";
  }

  /** Whether it is prepared, or may be: the connection was lost while it was. */
  get mayBePrepared(): boolean {
    return this.#preparing === "perhaps";
  }

  /** Whether SQL has ended the transaction, so that only the database knows what became of it. */
  get hasEnded(): boolean {
    const { family } = this.engine;
    return this.#ended !== undefined || (this.#connection?.hasEnded === true && family.onlyRollsBack !== true);
  }

  /** Whether anything in it may have changed the database. */
  get wrote(): boolean {
    return this.#wrote;
  }

  /**
   * The connection of the transaction.
   *
   * @throws {FailedTransactionError} if none is open: it was rolled back while a caller was about to use it
   */
  get connection(): Connection {
    if (this.#connection !== undefined) return this.#connection;
    throw new FailedTransactionError(
      `The transaction on ${bindLabel(this.engine.bindKey)} was rolled back meanwhile. Call ` +
        "`rollback()` and begin anew.",
      { bindKey: this.engine.bindKey },
    );
  }

  /** Changes to entities in the innermost level. */
  get undo(): UndoLog {
    return this.#levels.at(-1)!.undo;
  }

  /** Changes to entities in all levels. */
  get wholeUndo(): UndoLog {
    return together(this.#levels);
  }

  /**
   * Begins the transaction, and a savepoint for each nested transaction that the bind has not yet taken part in.
   *
   * @param depth the number of levels to reach
   * @throws {FailedTransactionError} if a statement failed here and nothing was rolled back since
   */
  join(depth: number, settings: TransactionSettings = {}, part: Part = {}): Promise<void> {
    // Two statements that a listener runs side by side must not both begin.
    const joined = this.#joining.then(() => this.#join(depth, settings, part));
    this.#joining = joined.catch(() => {});
    return joined;
  }

  async #join(depth: number, settings: TransactionSettings, part: Part): Promise<void> {
    this.requireUsable();
    if (part.within !== undefined || this.#within !== undefined) return this.#takePart(depth, settings, part.within);
    if (this.#connection === undefined) {
      const use = settings.accessMode === "read only" ? "read" : "write";
      const wanted: AcquireOptions = { use, owner: this.#owner, signal: part.signal };
      const connection = this.engine.connectNow(wanted) ?? (await this.engine.connect(wanted));
      try {
        await begin(connection, settings, part);
      } catch (error) {
        await connection.release();
        throw error;
      }
      this.#hold(connection, part.gid);
    }
    while (this.#levels.length < depth) {
      const savepoint = `multibind_${this.#levels.length}`;
      await this.connection.savepoint(savepoint);
      this.#levels.push({ savepoint, undo: new UndoLog() });
    }
  }

  /** The same at once. Returns whether that is done; if not, {@link join} does it. */
  joinNow(depth: number, settings: TransactionSettings = {}): boolean {
    this.requireUsable();
    if (this.#within !== undefined) return false;
    if (this.#connection !== undefined) return this.#levels.length >= depth;
    const use = settings.accessMode === "read only" ? "read" : "write";
    const connection = depth > 1 ? undefined : this.engine.connectNow({ use, owner: this.#owner });
    if (connection === undefined) return false;
    let isBegun = false;
    try {
      isBegun = connection.beginNow(settings);
    } finally {
      if (!isBegun) connection.releaseNow();
    }
    if (isBegun) this.#hold(connection, undefined);
    return isBegun;
  }

  #hold(connection: Connection, gid: string | undefined): void {
    this.#connection = connection;
    this.#gid = gid;
    this.#levels.push({ savepoint: undefined, undo: new UndoLog() });
  }

  /** Takes part in the transaction of another bind, which has the savepoints. */
  async #takePart(depth: number, settings: TransactionSettings, within?: BindTransaction): Promise<void> {
    this.#within ??= within!;
    await this.#within.join(depth, settings);
    this.#within.#parts.add(this);
    this.#connection ??= this.#within.connection.sharedBy(this.engine);
    while (this.#levels.length < depth) this.#levels.push({ savepoint: undefined, undo: new UndoLog() });
  }

  /** Runs a statement in the transaction. After an error nothing more runs until it is rolled back. */
  async execute<R>(
    query: EngineQuery<R>,
    signal?: AbortSignal,
    effect: TransactionEffect = "none",
  ): Promise<QueryResult<R>> {
    this.requireUsable();
    try {
      return await executeWithin(this.connection, query, effect, signal);
    } catch (error) {
      if (signal?.aborted === true) this.leader.#failure ??= error;
      else this.fail(error);
      throw error;
    }
  }

  /** @throws {UnsupportedError} if it must be prepared, and the server does not allow that */
  async requirePreparable(): Promise<void> {
    if (this.#gid !== undefined) await requirePreparable(this.connection);
  }

  /** Whether a bound for waits for locks is wanted here and not set. */
  get hasUnboundLockWaits(): boolean {
    const { lockTimeout } = this.engine.options;
    return this.#boundAt === undefined && lockTimeout !== undefined && this.isOpen && this.isUsable;
  }

  /** Bounds waits for locks, as long as the transaction lasts. */
  async boundLockWaits(): Promise<void> {
    this.#boundAt = this.#levels.length;
    await this.connection.boundLockWaits(this.engine.options.lockTimeout!);
  }

  /** Notes that the transaction has written, or may have. */
  markWritten(): void {
    this.#wrote = true;
    this.leader.#wrote = true;
  }

  /** Notes an error of the database: what comes after it would not be what was meant. */
  fail(error: unknown): void {
    if (error instanceof EndedTransactionError) this.#ended = error;
    // What fails on one bind of a database fails the transaction that they share.
    if (error === this.#ended || error instanceof DatabaseError) this.leader.#failure ??= error;
  }

  /** Whether no statement failed here that was not rolled back since. */
  get isUsable(): boolean {
    return this.leader.#failure === undefined;
  }

  /** @throws {FailedTransactionError} if a statement failed here and nothing was rolled back since */
  requireUsable(): void {
    const failure = this.leader.#failure;
    if (failure === undefined) return;
    const message = failure instanceof Error ? failure.message : String(failure);
    throw new FailedTransactionError(
      `A statement on ${bindLabel(this.engine.bindKey)} failed before (${message}), and its transaction was not rolled back. ` +
        `${wayOut(this.#levels.length > 1 && !this.hasEnded)} To go on after an expected error, run it within \`beginNested()\`.`,
      { bindKey: this.engine.bindKey, cause: failure },
    );
  }

  /** Whether its connection is one over a network, which may be lost. */
  get isRemote(): boolean {
    return this.#connection?.isRemote === true;
  }

  /** Whether its connection is known to be lost. */
  get isLost(): boolean {
    return this.#connection?.isLost === true;
  }

  /** Whether it may be stored, although its connection was lost. */
  get mayBeCommitted(): boolean {
    return this.#wrote && this.#isCommitSent;
  }

  /**
   * Commits, also for the other binds that take part.
   *
   * @param signal ends the wait for the answer, a while after it was aborted
   */
  async commit(signal?: AbortSignal): Promise<void> {
    if (this.#within !== undefined) return this.#within.commit(signal);
    const connection = this.#connection!;
    this.#requireConnected();
    this.#isCommitSent = true;
    await connection.commit(signal);
    for (const part of this.#parts) part.#forget();
    this.#forget();
    // Committed work stays committed, whatever happens to the connection.
    if (!connection.releaseNow()) await connection.release().catch(() => {});
  }

  /** Commits at once, where no other bind takes part. Returns whether that is done; if not, {@link commit} does it. */
  commitNow(): boolean {
    const connection = this.#connection!;
    if (this.#within !== undefined || this.#parts.size > 0 || this.isLost || !connection.commitNow()) return false;
    this.#forget();
    // The caller need not wait until this connection is closed.
    if (!connection.releaseNow()) void connection.release().catch(() => {});
    return true;
  }

  /** Prepares the transaction, so that the server keeps it until it is told what to do. */
  async prepare(signal?: AbortSignal): Promise<void> {
    this.#requireConnected();
    this.#preparing = "perhaps";
    try {
      await this.connection.prepare(this.#gid!, signal);
    } catch (error) {
      if (!(error instanceof DatabaseConnectionError)) this.#preparing = "failed";
      throw error;
    }
  }

  /**
   * Commits what is prepared.
   *
   * @throws {OperationalError} if that cannot be done now; it stays prepared
   */
  commitPrepared(): Promise<void> {
    return this.#endPrepared("commit");
  }

  /** Gives the connection back, and leaves what is prepared as it is. */
  async leavePrepared(): Promise<void> {
    const connection = this.#within === undefined ? this.#connection : undefined;
    this.#forget();
    await connection?.release().catch(() => {});
  }

  /** Ends what is prepared, on the connection that prepared it if it still lives. */
  async #endPrepared(ending: Ending): Promise<void> {
    const connection = this.#connection!;
    const gid = this.#gid!;
    this.#forget();
    let isEnded = true;
    try {
      await connection.endPrepared(gid, ending);
    } catch {
      isEnded = false;
    } finally {
      await connection.release().catch(() => {});
    }
    if (!isEnded) await endPrepared(this.engine, this.#owner, gid, ending);
  }

  /**
   * Rolls everything back and gives the connection back, also where it is broken.
   *
   * @throws {EndedTransactionError} if SQL has ended the transaction before
   */
  async rollback(): Promise<void> {
    if (this.mayBePrepared) return this.#endPrepared("rollback");
    const connection = this.#connection;
    if (connection === undefined || this.#within !== undefined) return this.#forget();
    const ended = this.hasEnded ? (this.#ended ?? endedTransaction(connection)) : undefined;
    this.#forget();
    try {
      await connection.rollback();
      if (ended !== undefined) throw ended;
    } finally {
      await connection.release();
    }
  }

  /** Ends the levels above `depth` and keeps what they did. */
  async release(depth: number): Promise<void> {
    while (this.#levels.length > depth) {
      const { savepoint, undo } = this.#levels.at(-1)!;
      try {
        if (savepoint !== undefined) await this.connection.releaseSavepoint(savepoint);
      } catch (error) {
        this.fail(error);
        throw error;
      }
      this.#levels.pop();
      this.undo.absorb(undo);
    }
  }

  /**
   * Ends the levels above `depth` and undoes what they did. If the database cannot, because it has rolled back the whole
   * transaction by itself, the transaction stays failed.
   *
   * @param undone is given what was done in them, also where the database failed
   */
  async rollbackTo(depth: number, undone: (log: UndoLog) => void): Promise<void> {
    const levels = this.#levels.splice(depth);
    const savepoint = levels[0]?.savepoint;
    if (this.#within !== undefined) undone(together(levels));
    if (savepoint === undefined) return;
    try {
      if (this.#ended !== undefined) throw this.#ended;
      await this.connection.rollbackToSavepoint(savepoint);
      await this.connection.releaseSavepoint(savepoint);
      const isUndone = this.#boundAt !== undefined && this.#boundAt > depth;
      if (isUndone && this.engine.family.lockTimeout?.restore === undefined) this.#boundAt = undefined;
      // Nothing runs after a failure, so it happened in one of these levels.
      this.#failure = undefined;
    } catch (error) {
      this.#failure ??= error;
      throw error;
    } finally {
      undone(together(levels));
    }
  }

  /** @throws {DatabaseConnectionError} if the connection is known to be lost: its server has rolled back by that */
  #requireConnected(): void {
    if (!this.isLost) return;
    const { bindKey } = this.engine;
    throw new DatabaseConnectionError(
      `The connection of the transaction on ${bindLabel(bindKey)} was lost before the commit, so nothing of it is stored. Begin it anew.`,
      { bindKey },
    );
  }

  #forget(): void {
    this.#isCommitSent = false;
    this.#connection = undefined;
    if (this.#within !== undefined) this.#within.#parts.delete(this);
    this.#within = undefined;
    this.#levels.length = 0;
    this.#failure = undefined;
    this.#ended = undefined;
    this.#wrote = false;
    this.#gid = undefined;
    this.#preparing = "not";
    this.#boundAt = undefined;
  }
}

pinHiddenClass(new BindTransaction(UNUSED, UNUSED));

async function begin(
  connection: Connection,
  settings: TransactionSettings,
  { gid, before, signal }: Part,
): Promise<void> {
  if (before !== undefined) await connection.execute(CompiledQuery.raw(before));
  if (gid === undefined) return connection.begin(settings, signal);
  // Where it is begun in another way already, that has to be allowed.
  if (connection.engine.twoPhase?.branch !== undefined) await requirePreparable(connection);
  await connection.beginBranch(gid, settings);
}

function together(levels: readonly Level[]): UndoLog {
  if (levels.length === 1) return levels[0]!.undo;
  const all = new UndoLog();
  for (const { undo } of levels) all.absorb(undo);
  return all;
}
