import type { TransactionSettings } from "kysely";
import type { BindKey } from "../bind-key.ts";
import type { Engine } from "../engine/engine.ts";
import type { Owner } from "../engine/owner.ts";
import { ConnectionError } from "../errors/database.ts";
import { CommitPolicyError, FailedTransactionError, PartialCommitError, SessionError } from "../errors/session.ts";
import { BindTransaction } from "./bind-transaction.ts";
import type { ModelChange } from "./session-events.ts";
import { UndoLog } from "./undo-log.ts";
import type { UnitOfWork } from "./unit-of-work.ts";

/**
 * What a commit over several binds does: `"ordered"` commits one after the other, `"single"` refuses a second bind that
 * writes.
 */
export type CommitPolicy = "ordered" | "single";

/** What a session's transactions need to know of their surroundings. */
export interface TransactionsHost {
  readonly owner: Owner;
  readonly work: UnitOfWork;
  readonly policy: CommitPolicy;
  /** A bind's place in the order of commits. */
  commitRank(bindKey: BindKey): number;
}

/** What a commit came to. */
export interface CommitOutcome {
  /** What is stored for good. */
  readonly changes: readonly ModelChange[];
  /** Why not everything is. */
  readonly error?: unknown;
}

interface Failure {
  readonly error: unknown;
  readonly bind: BindTransaction;
  /** Whether the connection was lost, so that nobody knows if the commit came through. */
  readonly unknown: boolean;
}

/** The transactions of a session: one on each bind that needs one, begun, nested and ended together. */
export class Transactions {
  readonly #host: TransactionsHost;
  readonly #binds = new Map<Engine, BindTransaction>();
  #depth = 1;
  #settings: TransactionSettings | undefined;
  #failure: unknown;
  #generation = 0;
  /** The bind that writes, where only one may. */
  #writer: Engine | undefined;

  constructor(host: TransactionsHost) {
    this.#host = host;
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
    return this.open().length > 0;
  }

  /** Whether a transaction is open on a bind. */
  isOpenOn(engine: Engine): boolean {
    return this.#binds.get(engine)?.isOpen === true;
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

  /** A bind's transaction, begun if it is not. */
  async join(engine: Engine): Promise<BindTransaction> {
    this.requireUsable();
    const transaction = this.on(engine);
    await transaction.join(this.#depth, this.#settings);
    return transaction;
  }

  /**
   * The transactions of binds that are about to write, begun where they are not. Locks that one transaction has to itself
   * are taken in the order of commits, so that sessions do not wait for each other in a circle.
   *
   * @throws {CommitPolicyError} as {@link requireAdmission}
   */
  async joinToWrite(engines: readonly Engine[]): Promise<BindTransaction[]> {
    this.requireUsable();
    this.requireAdmission(engines);
    const before = this.#writer;
    if (this.#host.policy === "single") this.#writer ??= engines[0];
    const joined: Promise<BindTransaction>[] = [];
    try {
      for (const engine of this.#inCommitOrder(engines)) {
        const bind = this.join(engine);
        joined.push(bind);
        bind.catch(() => {});
        if (isExclusive(engine)) await bind;
      }
      const binds = await Promise.all(joined);
      for (const bind of binds) bind.markWritten();
      return binds;
    } catch (error) {
      // Those that have begun are rolled back with the rest, or go on.
      await Promise.allSettled(joined);
      if (!engines.some((engine) => this.on(engine).isOpen)) this.#writer = before;
      throw error;
    }
  }

  /**
   * Checks that binds may write.
   *
   * @throws {SessionError} if the transaction only reads
   * @throws {CommitPolicyError} if only one may, and another has written
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
    if (this.#host.policy !== "single") return;
    const writer = this.#writer ?? engines[0];
    const refused = engines.find((engine) => engine !== writer);
    if (refused !== undefined) throw new CommitPolicyError(writer!.bindKey, refused.bindKey);
  }

  /** The transactions that are open, in the order in which they commit. */
  open(): BindTransaction[] {
    return this.#inCommitOrder(this.#binds.keys())
      .map((engine) => this.#binds.get(engine)!)
      .filter(({ isOpen }) => isOpen);
  }

  /** From now on every statement belongs to the transaction, until it ends. */
  begin(settings: TransactionSettings): void {
    this.requireUsable();
    this.#settings = settings;
  }

  /** Begins a nested transaction; each bind takes part in it with its next statement. Returns its depth. */
  nest(): number {
    this.requireUsable();
    return ++this.#depth;
  }

  /** @throws {FailedTransactionError} if a flush failed and `rollback` was not called since */
  requireUsable(): void {
    if (this.#failure === undefined) return;
    const message = this.#failure instanceof Error ? this.#failure.message : String(this.#failure);
    throw new FailedTransactionError(
      `A flush failed before (${message}), and everything since the transaction began was rolled back. Call \`rollback()\` to go on.`,
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

  /** Commits every open bind, in order. What could not be committed is rolled back. */
  async commit(): Promise<CommitOutcome> {
    const { work } = this.#host;
    this.requireSound();
    const committed: BindKey[] = [];
    const changes: ModelChange[] = [];
    let failure: Failure | undefined;
    for (const bind of this.open()) {
      const logs = bind.undoLogs;
      try {
        await bind.commit();
      } catch (error) {
        failure = { error, bind, unknown: error instanceof ConnectionError };
        break;
      }
      committed.push(bind.engine.bindKey);
      changes.push(...changesOf(work, logs));
      for (const log of logs) for (const [entity] of log) work.settleRemoved(entity);
    }
    this.#end();
    work.expire();
    return failure === undefined ? { changes } : { changes, error: await this.#settleFailure(failure, committed) };
  }

  /** Rolls back what was not committed. Returns the error that says what became of each bind. */
  async #settleFailure({ error, bind, unknown }: Failure, committed: readonly BindKey[]): Promise<unknown> {
    const { work } = this.#host;
    const rolledBack = this.open().filter((other) => other !== bind);
    if (unknown) {
      detach(work, bind.undoLogs);
      await bind.rollback().catch(() => {});
    } else {
      await this.#undo([bind]).catch(() => {});
    }
    await this.#undo(rolledBack).catch(() => {});
    if (committed.length === 0 && !unknown) return error;
    const key = bind.engine.bindKey;
    const others = rolledBack.map(({ engine }) => engine.bindKey);
    return new PartialCommitError(
      { committed, failed: unknown ? [] : [key], rolledBack: others, unknown: unknown ? [key] : [] },
      error,
    );
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
      work.expire();
    }
  }

  /** Ends a nested transaction and those within it; what they did belongs to the one around. */
  async release(depth: number): Promise<void> {
    this.requireSound();
    for (const bind of this.open()) await bind.release(depth - 1);
    this.#depth = depth - 1;
  }

  /** Ends a nested transaction and those within it, and undoes what they did. */
  async rollbackTo(depth: number): Promise<void> {
    this.#failure = undefined;
    this.#depth = depth - 1;
    await this.#rollbackLevels(depth);
  }

  async #rollbackLevels(depth: number): Promise<void> {
    const { work } = this.#host;
    const outcomes = await Promise.allSettled(
      this.open().map((bind) => bind.rollbackTo(depth - 1, (log) => apply(work, log))),
    );
    work.discardPending(() => true);
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
    this.#writer = undefined;
  }

  async #undo(binds: readonly BindTransaction[]): Promise<void> {
    const { work } = this.#host;
    const outcomes = await Promise.allSettled(
      binds.map(async (bind) => {
        const logs = [...bind.undoLogs].reverse();
        try {
          await bind.rollback();
        } finally {
          for (const log of logs) apply(work, log);
        }
      }),
    );
    const keys = new Set(binds.map(({ engine }) => engine.bindKey));
    work.discardPending((mapper) => keys.has(mapper.table.bindKey));
    // A connection that is lost has rolled back by that.
    const failed = outcomes.find(
      (outcome) => outcome.status === "rejected" && !(outcome.reason instanceof ConnectionError),
    );
    if (failed?.status === "rejected") throw failed.reason;
  }
}

/** Whether a transaction on an engine keeps all others from it. */
function isExclusive({ family, options }: Engine): boolean {
  return !family.locksRows || options.poolSize === 1;
}

/** Gives entities back what they were. */
function apply(work: UnitOfWork, log: UndoLog): void {
  for (const [entity, undo] of log.reversed()) work.undo(entity, undo);
}

/** What a transaction has done to entities, each once. */
function changesOf(work: UnitOfWork, logs: readonly UndoLog[]): ModelChange[] {
  const all = new UndoLog();
  for (const log of logs) all.absorb(log);
  return [...all].flatMap(([entity, { kind }]): ModelChange[] => {
    if (kind === "read") return [];
    const isGone = work.stateOf(entity) === "deleted";
    if (kind === "inserted") return isGone ? [] : [[entity, "insert"]];
    return [[entity, isGone ? "delete" : "update"]];
  });
}

/** Nobody knows what became of the rows, so the session lets go of the entities. */
function detach(work: UnitOfWork, logs: readonly UndoLog[]): void {
  for (const log of logs) {
    for (const [entity] of log) if (work.owns(entity)) work.expunge(entity);
  }
}
