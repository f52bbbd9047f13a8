import { readWhatHasArrived } from "../../engine/waiting/what-has-arrived.ts";
import { DatabaseConnectionError } from "../../errors/database.ts";
import { EndedTransactionError, PartialCommitError } from "../../errors/session.ts";
import type { BindTransaction } from "./bind-transaction.ts";
import type { FlushPlace } from "./flush-place.ts";

/**
 * What became of a bind in a commit. `unknown`: the connection was lost while it committed, or SQL had ended the
 * transaction before; `inDoubt`: it is prepared, and
 * waits for `app.recover()`.
 */
export type Fate = "committed" | "failed" | "rolledBack" | "unknown" | "inDoubt";

/** What became of each bind, by the place where its rows were stored. */
export interface CommitResult<P extends FlushPlace = BindTransaction> {
  readonly fates: ReadonlyMap<P, Fate>;
  /** Why not all were committed. */
  readonly failure?: { readonly cause: unknown };
}

/**
 * Commits one bind after the other; after a failure the rest is rolled back, and all is where a connection was lost before.
 *
 * @param signal ends the wait for answers that do not come
 */
export async function commitInOrder(binds: readonly BindTransaction[], signal?: AbortSignal): Promise<CommitResult> {
  const fates = new Map<BindTransaction, Fate>();
  // One that is lost already fails before anything is committed.
  if (binds.some(({ isRemote }) => isRemote)) await readWhatHasArrived();
  const lost = binds.find(({ isLost }) => isLost);
  const inOrder = lost === undefined ? binds : [lost, ...binds.filter((bind) => bind !== lost)];
  for (const bind of inOrder) {
    if (fates.has(bind)) continue;
    // Binds that share a transaction commit with the first of them.
    const { leader } = bind;
    const together = inOrder.filter((one) => one.leader === leader);
    try {
      await bind.commit(signal);
      for (const one of together) fates.set(one, "committed");
    } catch (cause) {
      const rest = inOrder.filter((one) => !fates.has(one));
      for (const one of rest) fates.set(one, "rolledBack");
      for (const one of together) fates.set(one, fateOf(leader, cause));
      // A connection that is lost has rolled back by that.
      await Promise.allSettled(rest.map((one) => one.rollback()));
      return { fates, failure: { cause } };
    }
  }
  return { fates };
}

function fateOf(bind: BindTransaction, cause: unknown): Fate {
  if (cause instanceof EndedTransactionError) return "unknown";
  if (!(cause instanceof DatabaseConnectionError)) return "failed";
  return bind.mayBeCommitted ? "unknown" : "rolledBack";
}

/** The error that lists the outcome of each bind: the failure itself, if it needs no addition. */
export function commitError({ fates, failure }: CommitResult<FlushPlace>): unknown {
  const of = (fate: Fate) => [...fates].filter(([, other]) => other === fate).map(([{ engine }]) => engine.bindKey);
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
