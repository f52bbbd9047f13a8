import type { BindKey } from "../bind-key.ts";
import type { Engine } from "../engine/engine.ts";
import type { Owner } from "../engine/pool/owner.ts";
import { SessionError } from "../errors/session.ts";
import { mapperOf } from "../model/entity.ts";
import type { UnitOfWork } from "./entities/unit-of-work.ts";
import { BindFlush } from "./flush/bind-flush.ts";
import { runFlush } from "./flush/flush.ts";
import type { FlushUnit } from "./flush/flush-unit.ts";
import { isNothing, planFlush } from "./flush/plan/flush-plan.ts";
import { isOneStatement } from "./flush/row-shape.ts";
import { commitSoleRow, flushSoleRow } from "./flush/sole-row.ts";
import type { Router } from "./router.ts";
import type { SessionAnnouncer, SessionEvent } from "./session-events.ts";
import type { SessionLock } from "./session-lock.ts";
import type { FlushTarget } from "./transaction/flush-target.ts";
import type { CommitOutcome, Transactions } from "./transaction/transactions.ts";

/** A view of the session for its flow of work. */
export interface FlushHost {
  readonly owner: Owner;
  readonly work: UnitOfWork;
  readonly lock: SessionLock;
  readonly transactions: Transactions;
  readonly events: SessionAnnouncer;
  readonly router: Router;
}

/** The work that must be done before a statement can see pending work on its bind. */
export type AutoflushNeed = "nothing" | "here" | "elsewhere";

/** How often a commit flushes what its listeners have added, before it takes them for endless. */
const MOST_FLUSHES = 100;

/**
 * How a session's work gets into the databases: flush, commit and rollback, each with its listeners. Callers hold the
 * lock.
 */
export class FlushCoordinator {
  readonly #host: FlushHost;

  constructor(host: FlushHost) {
    this.#host = host;
  }

  /** Whether anything is pending on a bind, and whether rows of other binds have to be stored before. */
  pendingOn(bindKey: BindKey): AutoflushNeed {
    const pending = this.#host.work.pendingWithKeys(bindKey);
    if (isNothing(pending)) return "nothing";
    return pending.added.some((entity) => mapperOf(entity).table.bindKey !== bindKey) ? "elsewhere" : "here";
  }

  /** Stores what is pending, on one bind or on all. What fails before anything is sent leaves all as it was. */
  async flush(bindKey?: BindKey): Promise<void> {
    await this.#flush(bindKey, false);
  }

  /**
   * Stores what is pending.
   *
   * @param isCommitted whether a commit comes next
   * @returns what that came to, if one statement was all
   */
  async #flush(bindKey: BindKey | undefined, isCommitted: boolean): Promise<CommitOutcome | undefined> {
    const { work, transactions, router, events } = this.#host;
    let pending = work.pendingWithKeys(bindKey);
    if (isNothing(pending)) return undefined;
    transactions.requireUsable();
    // Without listeners nothing is waited for: values are read when the flush is asked for.
    const asked = this.#emit("beforeFlush");
    if (asked !== undefined) {
      await asked;
      pending = work.pendingWithKeys(bindKey);
    }
    const units = planFlush(pending, router);
    const engines = enginesOf(units);
    for (const engine of engines) engine.requireWritable(true);
    if (engines.length > 0) transactions.requireAdmission(engines);
    const unit = units.length === 1 ? units[0]! : undefined;
    const isWhole = isCommitted && transactions.isUntouched && !events.has("afterFlush");
    if (isWhole && unit !== undefined && isOneStatement(unit)) {
      const store = (place: FlushTarget) => new BindFlush(place, work).run(units);
      return transactions.commitWhole(unit.engine, unit.entity, store, events.has("modelsCommitted"));
    }
    try {
      await runFlush(units, work, transactions);
    } catch (error) {
      await transactions.fail(error);
      throw error;
    }
    await this.#emit("afterFlush");
    return undefined;
  }

  /**
   * Stores the only pending row at once, in the transaction, where nothing has to be waited for. The lock must be free.
   *
   * @returns whether it is done, or has failed; otherwise {@link flush} has to do it
   */
  tryFlush(): boolean | Promise<void> {
    const { transactions, events } = this.#host;
    return transactions.isSound && events.isSilent && flushSoleRow(this.#host);
  }

  /**
   * The same, and commits.
   *
   * @returns whether it is done, or will be; otherwise {@link commit} has to do it
   */
  tryCommit(): boolean | Promise<void> {
    const { work, lock, transactions, events } = this.#host;
    if (!events.isSilent) return false;
    if (transactions.isFresh) return commitSoleRow(this.#host);
    if (!transactions.isSound) return false;
    if (!work.isClean) {
      const flushed = flushSoleRow(this.#host);
      if (flushed !== true) return flushed;
    }
    const outcome = transactions.commitNow();
    if (!(outcome instanceof Promise)) return outcome !== undefined;
    return lock.runExclusive(async () => {
      throw (await outcome).error;
    });
  }

  /** Stores what is pending and commits every bind. */
  async commit(): Promise<void> {
    const { transactions, events } = this.#host;
    transactions.requireSound();
    const asked = this.#emit("beforeCommit");
    if (asked !== undefined) await asked;
    const whole = await this.#flushAll();
    const outcome = whole ?? (await transactions.commit(events.has("modelsCommitted")));
    if (outcome.changes.length > 0) await this.#announce("modelsCommitted", outcome.changes);
    if ("error" in outcome) throw outcome.error;
    await this.#announce("afterCommit");
  }

  /** Rolls every bind back. */
  async rollback(): Promise<void> {
    const { transactions } = this.#host;
    await transactions.rollback();
    await this.#announce("afterRollback");
  }

  /** Flushes, also what listeners of the flush have added. Returns what the commit came to, if one statement was all. */
  async #flushAll(): Promise<CommitOutcome | undefined> {
    const { work, events } = this.#host;
    for (let flushes = 0; flushes < MOST_FLUSHES; flushes++) {
      const whole = await this.#flush(undefined, true);
      if (!events.has("afterFlush") || isNothing(work.pending())) return whole;
    }
    throw new SessionError(
      `After ${MOST_FLUSHES} flushes there is still something to be stored: a listener adds more with each.`,
    );
  }

  #emit(event: SessionEvent, ...given: readonly unknown[]): Promise<void> | undefined {
    const { events, lock } = this.#host;
    return events.has(event) ? lock.admit(event, () => events.emit(event, ...given)) : undefined;
  }

  #announce(event: SessionEvent, ...given: readonly unknown[]): Promise<void> | undefined {
    const { events, lock } = this.#host;
    return events.has(event) ? lock.admit(event, () => events.announce(event, ...given)) : undefined;
  }
}

function enginesOf(units: readonly FlushUnit[]): readonly Engine[] {
  const engines = new Set<Engine>();
  for (let place = 0; place < units.length; place++) engines.add(units[place]!.engine);
  return [...engines];
}
