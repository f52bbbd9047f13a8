import type { TransactionSettings } from "kysely";
import { type BindKey, bindLabel } from "../../bind-key.ts";
import type { AcquireOptions } from "../../engine/driver.ts";
import type { Engine } from "../../engine/engine.ts";
import type { Owner } from "../../engine/pool/owner.ts";
import { afterAbort } from "../../engine/waiting/after-abort.ts";
import { DatabaseConnectionError } from "../../errors/database.ts";
import { CommitPolicyError, FailedTransactionError, PartialCommitError, SessionError } from "../../errors/session.ts";
import type { Entity } from "../../model/entity.ts";
import type { UnitOfWork } from "../entities/unit-of-work.ts";
import type { ModelChange } from "../session-events.ts";
import { BindTransaction, type Part } from "./bind-transaction.ts";
import type { CommitPolicy } from "./commit-policy.ts";
import { type CommitResult, commitError, commitInOrder, commitNow } from "./commit-result.ts";
import type { DecisionLog } from "./decision-log.ts";
import { committedChanges, detach, keepCommitted, type UndoLogs, undo, undoUncommitted } from "./entity-outcomes.ts";
import { type FlushTarget, WholeStatement } from "./flush-target.ts";
import { TwoPhaseCommit } from "./two-phase-commit.ts";
import type { UndoLog } from "./undo-log.ts";
import { wayOut } from "./way-out.ts";
import { withinLockTimeout } from "./writer-wait.ts";

/** A transaction's view of its session. */
export interface TransactionsHost {
  readonly owner: Owner;
  readonly work: UnitOfWork;
  readonly policy: CommitPolicy;
  /** Under the policy `"twoPhase"`, where decisions are kept. */
  readonly decisions: DecisionLog | undefined;
  /** A bind's place in the order of commits. */
  commitRank(bindKey: BindKey): number;
}

/** How a bind joins the transaction. */
export interface JoinOptions {
  /** Ends the wait for a connection. */
  readonly signal?: AbortSignal | undefined;
  /** Whether the statement takes no locks, and may have to be the first of its transaction. */
  readonly isSetting?: boolean | undefined;
}

/** The result of a commit. */
export interface CommitOutcome {
  /** Changes that are stored for good. */
  readonly changes: readonly ModelChange[];
  /** Why not everything is. */
  readonly error?: unknown;
}

/** The transactions of a session: one on each bind that needs one, begun, nested and ended together. */
export class Transactions {
  readonly #host: TransactionsHost;
  readonly #binds = new Map<Engine, BindTransaction>();
  #depth = 1;
  #settings: TransactionSettings | undefined;
  #failure: unknown;
  #generation = 0;
  /** The binds that write, those included that are just about to. */
  readonly #writers = new Set<Engine>();
  readonly #twoPhase: TwoPhaseCommit | undefined;
  #joining: Promise<unknown> = Promise.resolve();

  constructor(host: TransactionsHost) {
    this.#host = host;
    this.#twoPhase = host.decisions === undefined ? undefined : new TwoPhaseCommit(host.decisions);
  }

  /** How many transactions are nested into each other, the outermost included. */
  get depth(): number {
    return this.#depth;
  }

  /** Counts the transactions that have ended: what was nested in one of them has ended too. */
  get generation(): number {
    return this.#generation;
  }

  /** Whether the application has begun a transaction, so that every statement belongs to it. */
  get isExplicit(): boolean {
    return this.#settings !== undefined || this.#depth > 1;
  }

  /** Whether the transaction was begun only to read. */
  get onlyReads(): boolean {
    return this.#settings?.accessMode === "read only";
  }

  /** Whether a transaction is open on any bind. */
  get isOpen(): boolean {
    for (const bind of this.#binds.values()) if (bind.isOpen) return true;
    return false;
  }

  /** Whether a transaction is open on a bind. */
  isOpenOn(engine: Engine): boolean {
    return this.#binds.get(engine)?.isOpen === true || this.#openBeside(engine) !== undefined;
  }

  /** The transaction in which one that begins on a bind takes part: a link may lead elsewhere since it was last asked. */
  #leaderOf(engine: Engine): BindTransaction | undefined {
    if (this.#openBeside(engine) === undefined) return undefined;
    engine.locate();
    return this.#openBeside(engine);
  }

  /** The transaction that is open on the same database by another bind. */
  #openBeside(engine: Engine): BindTransaction | undefined {
    if (this.#binds.size === 0) return undefined;
    for (const bind of this.#binds.values()) {
      if (bind.engine !== engine && bind.isOpen && bind.engine.sharesWriterWith(engine)) return bind.leader;
    }
    return undefined;
  }

  /** Where it is noted what a bind's transaction does to entities, if one is open. */
  undoOn(engine: Engine): UndoLog | undefined {
    const transaction = this.#binds.get(engine);
    return transaction?.isOpen === true ? transaction.undo : undefined;
  }

  /** A bind's transaction, open or not. */
  on(engine: Engine): BindTransaction {
    let transaction = this.#binds.get(engine);
    if (transaction === undefined) {
      transaction = new BindTransaction(engine, this.#host.owner);
      this.#binds.set(engine, transaction);
    }
    return transaction;
  }

  /** A bind's transaction, begun if it is not; the signal ends the wait for that. */
  async join(engine: Engine, options: JoinOptions = {}): Promise<BindTransaction> {
    this.requireUsable();
    if (engine.place === undefined || this.on(engine).isOpen) return this.#join(engine, options);
    // Of binds that share a writer the first begins, and the others take part in that.
    const joined = this.#joining.then(() => this.#join(engine, options));
    this.#joining = joined.catch(() => {});
    return joined;
  }

  async #join(engine: Engine, { signal }: JoinOptions): Promise<BindTransaction> {
    const transaction = this.on(engine);
    const isNew = this.#twoPhase !== undefined && !transaction.isOpen;
    const part = isNew ? await this.#twoPhase.part(engine, this.#settings) : undefined;
    const { gid, before } = part ?? NO_PART;
    const within = transaction.isOpen ? undefined : this.#leaderOf(engine);
    await transaction.join(this.#depth, this.#settings, { gid, before, signal, within });
    return transaction;
  }

  /**
   * The transactions of binds that are about to write, begun where they are not. Locks that one transaction has to itself
   * are taken in the order of commits, so that sessions do not wait for each other in a circle.
   *
   * @throws {CommitPolicyError} as {@link requireAdmission}
   */
  async joinToWrite(engines: readonly Engine[], options: JoinOptions = {}): Promise<BindTransaction[]> {
    this.requireUsable();
    this.requireAdmission(engines);
    for (const engine of engines) this.#writers.add(engine);
    const joined: Promise<BindTransaction>[] = [];
    try {
      for (const engine of this.#inCommitOrder(engines)) {
        const bind = this.#joinToWrite(engine, options);
        joined.push(bind);
        bind.catch(() => {});
        if (isExclusive(engine)) await bind;
      }
      const binds = await Promise.all(joined);
      if (this.#twoPhase !== undefined) for (const bind of binds) await bind.requirePreparable();
      if (this.#writers.size > 1 && options.isSetting !== true) await this.#boundLockWaits();
      for (const bind of binds) bind.markWritten();
      return binds;
    } catch (error) {
      // Those that have begun are rolled back with the rest, or go on.
      await Promise.allSettled(joined);
      for (const engine of engines) if (!this.on(engine).isOpen) this.#writers.delete(engine);
      throw error;
    }
  }

  /**
   * The same at once for a bind that may write, where no other has a transaction. `undefined` where anything has to be
   * waited for.
   */
  joinToWriteNow(engine: Engine): BindTransaction | undefined {
    const bind = this.on(engine);
    for (const other of this.#binds.values()) if (other !== bind && other.isOpen) return undefined;
    if (this.#twoPhase !== undefined || !bind.joinNow(this.#depth, this.#settings)) return undefined;
    this.#writers.add(engine);
    bind.markWritten();
    return bind;
  }

  #joinToWrite(engine: Engine, options: JoinOptions): Promise<BindTransaction> {
    const { owner } = this.#host;
    const isFree = engine.family.locksRows || this.isOpenOn(engine) || !this.isOpen;
    if (isFree) return this.join(engine, options);
    return withinLockTimeout(engine, options.signal ?? owner.signal, (signal) => this.join(engine, { signal }));
  }

  /**
   * A transaction that waits on one bind may be waited for on another, and no server sees it. The waits are bounded before
   * any more locks are taken.
   */
  async #boundLockWaits(): Promise<void> {
    const unbound = [...this.#writers].map((engine) => this.on(engine)).filter((bind) => bind.hasUnboundLockWaits);
    if (unbound.length > 0) await Promise.all(unbound.map((bind) => bind.boundLockWaits()));
  }

  /**
   * Checks that binds may write.
   *
   * @throws {SessionError} if the transaction only reads
   * @throws {CommitPolicyError} if the policy does not allow it beside those that have written
   */
  requireAdmission(engines: readonly Engine[]): void {
    if (this.onlyReads) {
      throw new SessionError(
        "The transaction was begun with readOnly, and the statement writes or locks. Nothing was sent.",
        {
          bindKey: engines[0]?.bindKey,
        },
      );
    }
    const writers = new Set([...this.#writers, ...engines]);
    if (this.#host.policy === "single") requireOne(writers);
    this.#twoPhase?.requireAdmission(writers, engines);
  }

  /** The transactions that are open, in the order in which they commit. */
  open(): BindTransaction[] {
    return this.#inCommitOrder(this.#binds.keys())
      .map((engine) => this.#binds.get(engine)!)
      .filter(({ isOpen }) => isOpen);
  }

  /** Whether nothing was begun anywhere, and a bind that writes alone needs nothing but to commit. */
  get isUntouched(): boolean {
    return !this.isExplicit && this.#twoPhase === undefined && !this.isOpen;
  }

  /** Whether nothing was begun anywhere, nothing has failed, and a bind that writes alone needs nothing but to commit. */
  get isFresh(): boolean {
    return this.isUntouched && this.#failure === undefined;
  }

  /** A transaction has begun and ended at once. */
  passed(): void {
    this.#end();
    this.#host.work.expireWithTransaction();
  }

  /**
   * Commits by one statement that is a whole transaction. Like any commit it is not stopped half-way.
   *
   * @param store runs the statement, and notes what it did
   * @param isHeard whether a listener receives the stored changes
   * @throws {PartialCommitError} if the connection was lost meanwhile
   */
  async commitWhole(
    engine: Engine,
    entity: Entity,
    store: (place: WholeStatement) => Promise<void>,
    isHeard: boolean,
  ): Promise<CommitOutcome> {
    const { owner, work } = this.#host;
    const { signal } = owner;
    owner.signal = undefined;
    let place: WholeStatement | undefined;
    const stop = afterAbort(signal, (reason) => place?.connection.giveUp(reason));
    try {
      const wanted: AcquireOptions = { use: "write", owner, signal };
      place = new WholeStatement(engine.connectNow(wanted) ?? (await engine.connect(wanted)));
      await store(place);
    } catch (error) {
      await this.fail(error);
      if (place === undefined || !(error instanceof DatabaseConnectionError)) throw error;
      this.#failure = undefined;
      if (work.owns(entity)) work.expunge(entity);
      throw commitError({ statuses: new Map([[place, "unknown"]]), failure: { cause: error } });
    } finally {
      stop();
      owner.signal = signal;
      if (place !== undefined && !place.connection.releaseNow()) await place.connection.release().catch(() => {});
    }
    const done: CommitResult<FlushTarget> = { statuses: new Map([[place, "committed"]]) };
    return { changes: this.#settle(done, new Map([[place, place.undo]]), isHeard) };
  }

  /** From now on every statement belongs to the transaction, until it ends. */
  begin(settings: TransactionSettings): void {
    this.requireUsable();
    this.#settings = settings;
  }

  /** Begins a nested transaction; each bind takes part in it with its next statement. Returns its depth. */
  nest(): number {
    this.requireUsable();
    this.#host.work.nest();
    return ++this.#depth;
  }

  /** @throws {FailedTransactionError} if a flush failed and `rollback` was not called since */
  requireUsable(): void {
    if (this.#failure === undefined) return;
    const message = this.#failure instanceof Error ? this.#failure.message : String(this.#failure);
    const isNested = this.#depth > 1;
    throw new FailedTransactionError(
      `A flush or commit failed before (${message}), and everything since the ${isNested ? "nested " : ""}transaction began was rolled back. ` +
        wayOut(isNested),
      { cause: this.#failure },
    );
  }

  /** Whether nothing has failed that was not rolled back since, on whatever bind. */
  get isSound(): boolean {
    return this.#failure === undefined && this.open().every(({ isUsable }) => isUsable);
  }

  /** @throws {FailedTransactionError} if anything has failed that was not rolled back since, on whatever bind */
  requireSound(): void {
    this.requireUsable();
    for (const bind of this.open()) bind.requireUsable();
  }

  /**
   * Commits every open bind. What could not be committed is rolled back, or is in doubt.
   *
   * @param isHeard whether a listener receives the stored changes
   */
  async commit(isHeard: boolean): Promise<CommitOutcome> {
    this.requireSound();
    const binds = this.open();
    const logs = new Map(binds.map((bind) => [bind, bind.wholeUndo]));
    return this.#outcomeOf(await this.#commitAll(binds), logs, isHeard);
  }

  /** The same at once but for a refusal, where one bind is open. `undefined` where anything has to be waited for before. */
  commitNow(): CommitOutcome | Promise<CommitOutcome> | undefined {
    this.requireSound();
    const [bind, ...others] = this.open();
    if (bind === undefined || others.length > 0 || this.#twoPhase !== undefined) return undefined;
    const logs = new Map([[bind, bind.wholeUndo]]);
    const result = commitNow(bind);
    if (result instanceof Promise) return result.then((refused) => this.#outcomeOf(refused, logs, false));
    return result && this.#outcomeOf(result, logs, false);
  }

  #outcomeOf(result: CommitResult, logs: UndoLogs, isHeard: boolean): CommitOutcome {
    const { work } = this.#host;
    const changes = this.#settle(result, logs, isHeard);
    if (result.failure === undefined) return { changes };
    undoUncommitted(work, result, logs);
    const error = commitError(result);
    // One bind's refused commit wants a rollback, as its flush does: a sole row is stored and committed by one statement.
    const isSole = logs.size === 1 && this.#twoPhase === undefined;
    if (isSole && !(error instanceof PartialCommitError)) this.#failure = error;
    return { changes, error };
  }

  /** Records the committed changes. Returns them, if there are listeners. */
  #settle(result: CommitResult<FlushTarget>, logs: UndoLogs, isHeard: boolean): readonly ModelChange[] {
    const { work } = this.#host;
    const changes = isHeard ? committedChanges(work, result, logs) : [];
    keepCommitted(work, result, logs);
    this.passed();
    return changes;
  }

  async #commitAll(binds: readonly BindTransaction[]): Promise<CommitResult> {
    const { owner } = this.#host;
    const { signal } = owner;
    // A commit that has begun is not stopped half-way.
    owner.signal = undefined;
    try {
      const isAlone = new Set(binds.filter(({ wrote }) => wrote).map(({ leader }) => leader)).size < 2;
      if (this.#twoPhase === undefined || isAlone) return await commitInOrder(binds, signal);
      return await this.#twoPhase.commit(binds, (decider) => this.join(decider), signal);
    } finally {
      owner.signal = signal;
    }
  }

  /** Rolls everything back, and the entities with it. */
  async rollback(): Promise<void> {
    this.#failure = undefined;
    await this.#rollbackAll();
  }

  async #rollbackAll(): Promise<void> {
    const { work } = this.#host;
    const open = this.open();
    this.#end();
    try {
      await this.#undo(open);
    } finally {
      work.discardPending(() => true);
      work.rollBackRelations(1);
      work.expireWithTransaction();
    }
  }

  /** Ends a nested transaction and those within it; what they did belongs to the one around. */
  async release(depth: number): Promise<void> {
    this.requireSound();
    for (const bind of this.open()) await bind.release(depth - 1);
    this.#depth = depth - 1;
    this.#host.work.unnest(depth);
  }

  /** Ends a nested transaction and those within it, and undoes what they did. */
  async rollbackTo(depth: number): Promise<void> {
    this.#failure = undefined;
    this.#depth = depth - 1;
    try {
      await this.#rollbackLevels(depth);
    } finally {
      this.#host.work.unnest(depth);
    }
  }

  async #rollbackLevels(depth: number): Promise<void> {
    const { work } = this.#host;
    const outcomes = await Promise.allSettled(
      this.open().map((bind) => bind.rollbackTo(depth - 1, (log) => (bind.hasEnded ? detach : undo)(work, log))),
    );
    work.discardPending(() => true);
    work.rollBackRelations(depth);
    work.expire();
    for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  }

  /** A flush has failed: everything since the innermost transaction began goes, and `rollback` has to be called. */
  async fail(error: unknown): Promise<void> {
    this.#failure ??= error;
    // What failed first is what is reported.
    if (this.#depth > 1) {
      await this.#rollbackLevels(this.#depth).catch(() => {});
    } else {
      const settings = this.#settings;
      await this.#rollbackAll().catch(() => {});
      this.#settings = settings;
    }
  }

  #inCommitOrder(engines: Iterable<Engine>): Engine[] {
    const { commitRank } = this.#host;
    return [...engines].sort((a, b) => commitRank(a.bindKey) - commitRank(b.bindKey));
  }

  #end(): void {
    this.#generation++;
    this.#depth = 1;
    this.#settings = undefined;
    this.#writers.clear();
    this.#twoPhase?.end();
  }

  async #undo(binds: readonly BindTransaction[]): Promise<void> {
    const { work } = this.#host;
    const outcomes = await Promise.allSettled(
      binds.map(async (bind) => {
        const log = bind.wholeUndo;
        const forget = bind.hasEnded ? detach : undo;
        try {
          await bind.rollback();
        } finally {
          forget(work, log);
        }
      }),
    );
    const keys = new Set(binds.map(({ engine }) => engine.bindKey));
    work.discardPending((mapper) => keys.has(mapper.table.bindKey));
    // A connection that is lost has rolled back by that.
    const failed = outcomes.find(
      (outcome) => outcome.status === "rejected" && !(outcome.reason instanceof DatabaseConnectionError),
    );
    if (failed?.status === "rejected") throw failed.reason;
  }
}

const NO_PART: Part = {};

/** Whether a transaction on an engine keeps all others from it. */
function isExclusive({ family, options }: Engine): boolean {
  return !family.locksRows || options.poolSize === 1;
}

/** @throws {CommitPolicyError} if there is more than one */
function requireOne([writer, ...others]: Iterable<Engine>): void {
  const refused = writer === undefined ? undefined : others.find((other) => !other.sharesWriterWith(writer));
  if (writer === undefined || refused === undefined) return;
  throw new CommitPolicyError(
    `The transaction has written on ${bindLabel(writer.bindKey)}, and now was to write on ${bindLabel(refused.bindKey)} too: ` +
      'the commit policy "single" allows one. Commit first, use two sessions, or choose the policy "ordered".',
    refused.bindKey,
  );
}
