import { type BindKey, bindLabel } from "../bind-key.ts";
import { MultibindError } from "./multibind-error.ts";

/** A session was asked for something that its state or an entity's state does not allow. */
export class SessionError extends MultibindError {
  readonly code: string = "SESSION";
}

/** A session was used after `close()`. */
export class SessionClosedError extends SessionError {
  override readonly code = "SESSION_CLOSED";
}

/**
 * SQL in a transaction has ended it: `commit` in a procedure, or a statement before which the database commits. The work
 * before it is stored or not, only the database knows; the session's entities of it become detached.
 */
export class EndedTransactionError extends SessionError {
  override readonly code = "ENDED_TRANSACTION";
  /** The statement, if it is known. */
  declare readonly sql?: string;

  constructor(
    message: string,
    { bindKey, sql, cause }: { readonly bindKey: BindKey; readonly sql?: string | undefined; readonly cause?: unknown },
  ) {
    super(message, cause === undefined ? { bindKey } : { bindKey, cause });
    if (sql !== undefined) this.sql = sql;
  }
}

/** A transaction failed and must be rolled back before the bind can be used again. `cause` is the first failure. */
export class FailedTransactionError extends SessionError {
  override readonly code = "FAILED_TRANSACTION";
}

/**
 * A transaction tried to write to a second bind under the commit policy `"single"`, or to several binds under `"twoPhase"`
 * although one of them cannot be prepared. The write was not sent.
 */
export class CommitPolicyError extends SessionError {
  override readonly code = "COMMIT_POLICY";

  /** @param refused the bind that was not written */
  constructor(message: string, refused: BindKey) {
    super(message, { bindKey: refused });
  }
}

/**
 * The decision bind of two-phase commits has lost the name of its decisions, for example because it was restored without
 * it: nothing says any more which prepared transactions it decides on.
 */
export class DecisionsLostError extends SessionError {
  override readonly code = "DECISIONS_LOST";

  constructor(message: string, bindKey: BindKey) {
    super(message, { bindKey });
  }
}

/**
 * Two transactions were begun on one session at once, or one was ended from beside the function that runs in it, or code of
 * a `transaction(fn)` uses the session after its function has ended.
 */
export class ConcurrentTransactionError extends SessionError {
  override readonly code = "CONCURRENT_TRANSACTION";
}

/** A stream was started within a transaction, on a database that cannot stream beside other statements. */
export class StreamInTransactionError extends SessionError {
  override readonly code = "STREAM_IN_TRANSACTION";

  constructor(bindKey: BindKey) {
    super(
      `A transaction is open on ${bindLabel(bindKey)}, and its one connection cannot stream rows and run other statements. ` +
        "Stream before the transaction or after it, or read portions with `limit` and a condition on the key.",
      { bindKey },
    );
  }
}

/** A query that must find a row found none. */
export class NoResultError extends SessionError {
  override readonly code = "NO_RESULT";
}

/**
 * The requested row or page does not exist. Web frameworks that look at an error's `status` answer 404.
 *
 * @see Flask-SQLAlchemy: `abort(404)` of `get_or_404`, `first_or_404`, `paginate`
 */
export class NotFoundError extends SessionError {
  override readonly code = "NOT_FOUND";
  /** The status of the response. */
  readonly status = 404;
  /** What to tell the one who asked; undefined unless the caller gave it. */
  readonly description: string | undefined;

  constructor(
    message: string,
    options: { readonly bindKey?: BindKey; readonly description?: string | undefined } = {},
  ) {
    super(options.description ?? message, options.bindKey === undefined ? {} : { bindKey: options.bindKey });
    this.description = options.description;
  }
}

/** A query that must find one row found several. */
export class MultipleResultsError extends SessionError {
  override readonly code = "MULTIPLE_RESULTS";
}

/** Rows to update or delete no longer exist, or have another version. */
export class StaleDataError extends SessionError {
  override readonly code = "STALE_DATA";
  /** The entities whose rows did not match. */
  readonly entities: readonly object[];

  constructor(message: string, options: { entities: readonly object[]; bindKey: BindKey }) {
    super(message, { bindKey: options.bindKey });
    this.entities = options.entities;
  }
}

/** What became of each bind when a commit over several did not succeed on all. */
export interface PartialCommitOutcome {
  /** Binds whose work is stored. */
  readonly committed: readonly BindKey[];
  /** The binds whose commit the database refused. */
  readonly failed: readonly BindKey[];
  /** Binds that were rolled back because an earlier one failed. */
  readonly rolledBack: readonly BindKey[];
  /** Binds whose connection was lost during the commit: stored or not, only the database knows. */
  readonly unknown: readonly BindKey[];
  /**
   * Binds whose work is prepared under the policy `"twoPhase"` and was not ended, since the server could not be reached. It
   * stays locked until `app.recover()`, which commits it if the decision bind has committed, else rolls it back.
   */
  readonly inDoubt: readonly BindKey[];
}

/** A commit over several binds succeeded on some and not on others. The fields say on which. */
export class PartialCommitError extends SessionError implements PartialCommitOutcome {
  override readonly code = "PARTIAL_COMMIT";
  readonly committed: readonly BindKey[];
  readonly failed: readonly BindKey[];
  readonly rolledBack: readonly BindKey[];
  readonly unknown: readonly BindKey[];
  readonly inDoubt: readonly BindKey[];

  constructor(outcome: PartialCommitOutcome, cause: unknown) {
    const part = (name: string, keys: readonly BindKey[]) =>
      keys.length === 0 ? [] : [`${name}: ${keys.map(bindLabel).join(", ")}`];
    const parts = [
      ...part("committed", outcome.committed),
      ...part("failed", outcome.failed),
      ...part("rolled back", outcome.rolledBack),
      ...part("unknown", outcome.unknown),
      ...part("in doubt until `app.recover()`", outcome.inDoubt),
    ];
    super(`The commit did not succeed on every bind. ${parts.join("; ")}.`, { cause });
    this.committed = outcome.committed;
    this.failed = outcome.failed;
    this.rolledBack = outcome.rolledBack;
    this.unknown = outcome.unknown;
    this.inDoubt = outcome.inDoubt;
  }
}
