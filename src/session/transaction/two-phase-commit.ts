import type { TransactionSettings } from "kysely";
import { bindLabel } from "../../bind-key.ts";
import type { Engine } from "../../engine/engine.ts";
import { branchOf, gidText, newTransactionId } from "../../engine/two-phase/gid.ts";
import { DatabaseConnectionError } from "../../errors/database.ts";
import { CommitPolicyError, EndedTransactionError } from "../../errors/session.ts";
import type { BindTransaction, Part } from "./bind-transaction.ts";
import type { CommitResult, CommitStatus } from "./commit-result.ts";
import type { DecisionLog } from "./decision-log.ts";

/**
 * The commit of a session's transaction on all binds or none.
 *
 * Every bind that wrote is prepared, except the decision bind. That one stores a row which says that the transaction is
 * committed, with its own work, in its own local commit, which decides the outcome. Then the others commit. After a crash
 * `app.recover()` settles the prepared transactions by that row.
 */
export class TwoPhaseCommit {
  readonly #decisions: DecisionLog;
  #id: string | undefined;

  constructor(decisions: DecisionLog) {
    this.#decisions = decisions;
  }

  /** A bind's part in the transaction, to be known before it begins there. */
  async part(engine: Engine, settings: TransactionSettings = {}): Promise<Part> {
    if (settings.accessMode === "read only" || engine.options.readOnly) return {};
    // The table is made now: once the decision bind has a transaction of its own, that would be in the way.
    const decider = await this.#decisions.decider();
    if (engine.sharesWriterWith(this.#decisions.engine)) return { before: engine.family.durability?.before };
    if (engine.twoPhase === undefined) return {};
    return { gid: gidText({ ...decider, transactionId: this.#transactionId, branch: branchOf(engine.bindKey) }) };
  }

  /**
   * Checks that all binds that write can do so in one transaction.
   *
   * @param writers those that have written, and those that are about to
   * @throws {CommitPolicyError}
   */
  requireAdmission(writers: ReadonlySet<Engine>, asking: readonly Engine[]): void {
    const [first, ...more] = writers;
    if (first === undefined || more.every((engine) => engine.sharesWriterWith(first))) return;
    const decider = this.#decisions.engine;
    const unable = [...writers].find((engine) => !engine.sharesWriterWith(decider) && engine.twoPhase === undefined);
    if (unable === undefined) return;
    const refused = asking.includes(unable) ? unable : (asking.find((engine) => engine !== unable) ?? unable);
    const others = [...writers].filter((engine) => engine !== refused).map(({ bindKey }) => bindLabel(bindKey));
    throw new CommitPolicyError(
      `The transaction writes on ${others.join(", ")}, and now was to write on ${bindLabel(refused.bindKey)} too: ` +
        `the commit policy "twoPhase" cannot have that, since ${bindLabel(unable.bindKey)} (${unable.family.label}) ` +
        `cannot be prepared, and the one bind that need not be is ${bindLabel(decider.bindKey)}, the decision bind. ` +
        'Nothing was sent there. Commit first, choose another `decisionBind`, or choose the policy "ordered".',
      refused.bindKey,
    );
  }

  /**
   * Commits on all binds or none.
   *
   * @param binds all that have a transaction
   * @param join begins a transaction on the decision bind, unless it has one
   * @param signal ends the wait for answers that do not come
   */
  async commit(
    binds: readonly BindTransaction[],
    join: (decider: Engine) => Promise<BindTransaction>,
    signal?: AbortSignal,
  ): Promise<CommitResult> {
    const log = this.#decisions;
    const id = this.#transactionId;
    const others = binds.filter(({ engine }) => !engine.sharesWriterWith(log.engine));
    const branches = others.filter(({ wrote }) => wrote);
    const all = new Set(binds);
    try {
      // Reads must have been consistent, otherwise no write may be committed.
      for (const reader of others) if (!reader.wrote && reader.isOpen) await reader.commit(signal);
      const decider = await join(log.engine);
      all.add(decider);
      await log.record(decider.connection, id, branches.length);
      await prepareAll(branches, signal);
    } catch (cause) {
      return this.#abort([...all], [], cause);
    }
    const decider = [...all].find(({ engine }) => engine === log.engine)!;
    try {
      await decider.commit(signal);
    } catch (cause) {
      const isOpen = !(cause instanceof DatabaseConnectionError) || decider.leader.mayBeCommitted;
      await decider.leader.rollback().catch(() => {});
      if (!isOpen) return this.#abort([...all], [], cause);
      const decision = await log.claim(id).catch(() => "open" as const);
      if (decision === "open") return this.#leave([...all], decider, cause);
      if (decision.outcome === "aborted") {
        const result = await this.#abort([...all], [decider], cause);
        if (![...result.statuses.values()].includes("inDoubt")) log.settled(id);
        return result;
      }
    }
    return this.#carryOut([...all], branches);
  }

  /** Forgets the transaction, which has ended. */
  end(): void {
    this.#id = undefined;
  }

  get #transactionId(): string {
    this.#id ??= newTransactionId();
    return this.#id;
  }

  /** It is decided that all is committed: whatever happens now, that will be done. */
  async #carryOut(all: readonly BindTransaction[], branches: readonly BindTransaction[]): Promise<CommitResult> {
    const outcomes = await Promise.allSettled(branches.map((bind) => bind.commitPrepared()));
    const statuses = new Map<BindTransaction, CommitStatus>(all.map((bind) => [bind, "committed"]));
    const failures = outcomes.filter((outcome) => outcome.status === "rejected");
    for (const [place, { status }] of outcomes.entries()) {
      if (status === "rejected") statuses.set(branches[place]!, "inDoubt");
    }
    if (failures[0] !== undefined) return { statuses, failure: { cause: failures[0].reason } };
    this.#decisions.settled(this.#transactionId);
    return { statuses };
  }

  /** It is decided that nothing is committed. */
  async #abort(
    all: readonly BindTransaction[],
    failed: readonly BindTransaction[],
    cause: unknown,
  ): Promise<CommitResult> {
    const culprits = new Set([...failed, ...all.filter((bind) => bind.failedToPrepare)]);
    const statuses = new Map<BindTransaction, CommitStatus>();
    await Promise.all(
      all.map(async (bind) => {
        const status = culprits.has(bind) ? "failed" : "rolledBack";
        const mayBePrepared = bind.mayBePrepared;
        try {
          await bind.rollback();
          statuses.set(bind, status);
        } catch (error) {
          // A connection that is lost has rolled back by that, but not what is prepared.
          if (error instanceof EndedTransactionError) statuses.set(bind, "unknown");
          else statuses.set(bind, mayBePrepared ? "inDoubt" : status);
        }
      }),
    );
    return { statuses, failure: { cause } };
  }

  /** The decision is unknown: prepared transactions stay so until `app.recover()` can ask. */
  async #leave(all: readonly BindTransaction[], decider: BindTransaction, cause: unknown): Promise<CommitResult> {
    const statuses = new Map<BindTransaction, CommitStatus>();
    for (const bind of all) {
      if (bind.engine.sharesWriterWith(decider.engine)) statuses.set(bind, "unknown");
      else statuses.set(bind, bind.mayBePrepared ? "inDoubt" : "committed");
      await bind.leavePrepared();
    }
    return { statuses, failure: { cause } };
  }
}

/** Prepares all side by side, and waits for all. */
async function prepareAll(branches: readonly BindTransaction[], signal: AbortSignal | undefined): Promise<void> {
  const outcomes = await Promise.allSettled(branches.map((bind) => bind.prepare(signal)));
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}
