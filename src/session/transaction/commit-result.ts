import { readWhatHasArrived } from "../../engine/waiting/what-has-arrived.ts";
import { DatabaseConnectionError } from "../../errors/database.ts";
import { EndedTransactionError, PartialCommitError } from "../../errors/session.ts";
import type { BindTransaction } from "./bind-transaction.ts";
import type { FlushTarget } from "./flush-target.ts";

/**
 * What became of a bind in a commit. `unknown`: the connection was lost while it committed, or SQL had ended the
 * transaction before; `inDoubt`: it is prepared, and
 * waits for `app.recover()`.
 */
export type CommitStatus = "committed" | "failed" | "rolledBack" | "unknown" | "inDoubt";

/** What became of each bind, by the place where its rows were stored. */
export interface CommitResult<P extends FlushTarget = BindTransaction> {
  readonly statuses: ReadonlyMap<P, CommitStatus>;
  /** Why not all were committed. */
  readonly failure?: { readonly cause: unknown };
}

/**
 * Commits one bind after the other; after a failure the rest is rolled back, and all is where a connection was lost before.
 *
 * @param signal ends the wait for answers that do not come
 */
export async function commitInOrder(binds: readonly BindTransaction[], signal?: AbortSignal): Promise<CommitResult> {
  const statuses = new Map<BindTransaction, CommitStatus>();
  // One that is lost already fails before anything is committed.
  if (binds.some(({ isRemote }) => isRemote)) await readWhatHasArrived();
  const lost = binds.find(({ isLost }) => isLost);
  const inOrder = lost === undefined ? binds : [lost, ...binds.filter((bind) => bind !== lost)];
  for (const bind of inOrder) {
    if (statuses.has(bind)) continue;
    // Binds that share a transaction commit with the first of them.
    const { leader } = bind;
    const together = inOrder.filter((one) => one.leader === leader);
    try {
      await bind.commit(signal);
      for (const one of together) statuses.set(one, "committed");
    } catch (cause) {
      const rest = inOrder.filter((one) => !statuses.has(one));
      for (const one of rest) statuses.set(one, "rolledBack");
      for (const one of together) statuses.set(one, statusOf(leader, cause));
      return refused(statuses, rest, cause);
    }
  }
  return { statuses };
}

/** The same for one bind, at once but for a refusal; `undefined` where anything has to be waited for before. */
export function commitNow(bind: BindTransaction): CommitResult | Promise<CommitResult> | undefined {
  try {
    return bind.commitNow() ? { statuses: new Map([[bind, "committed"]]) } : undefined;
  } catch (cause) {
    return refused(new Map([[bind, statusOf(bind, cause)]]), [bind], cause);
  }
}

/** Rolls back what is left. */
async function refused(
  statuses: CommitResult["statuses"],
  left: readonly BindTransaction[],
  cause: unknown,
): Promise<CommitResult> {
  // A connection that is lost has rolled back by that.
  await Promise.allSettled(left.map((one) => one.rollback()));
  return { statuses, failure: { cause } };
}

function statusOf(bind: BindTransaction, cause: unknown): CommitStatus {
  if (cause instanceof EndedTransactionError) return "unknown";
  if (!(cause instanceof DatabaseConnectionError)) return "failed";
  return bind.mayBeCommitted ? "unknown" : "rolledBack";
}

/** The error that lists the outcome of each bind: the failure itself, if it needs no addition. */
export function commitError({ statuses, failure }: CommitResult<FlushTarget>): unknown {
  const of = (status: CommitStatus) =>
    [...statuses].filter(([, other]) => other === status).map(([{ engine }]) => engine.bindKey);
  const outcome = {
    committed: of("committed"),
    failed: of("failed"),
    rolledBack: of("rolledBack"),
    unknown: of("unknown"),
    inDoubt: of("inDoubt"),
  };
  const { committed, unknown, inDoubt } = outcome;
  const isWhole = committed.length + unknown.length + inDoubt.length === 0;
  return isWhole ? failure?.cause : new PartialCommitError(outcome, failure?.cause);
}
