import { setTimeout as delay } from "node:timers/promises";
import { withSignal } from "../../engine/waiting/with-signal.ts";
import { InvalidOptionError } from "../../errors/configuration.ts";
import { OperationalError } from "../../errors/database.ts";
import { PartialCommitError } from "../../errors/session.ts";

/** When a transaction is attempted again, and what ends it. */
export interface RetryOptions {
  /**
   * How often the function runs again after a deadlock, a lock timeout or a serialization failure, with a growing pause in between.
   * Defaults to 0. Only the outermost transaction can be begun anew. Each run starts with the pending work that the
   * session had when `transaction` was called.
   */
  readonly retries?: number | undefined;
  /**
   * When it is aborted, the statement that runs is ended, on the server too where the database can, no other is sent,
   * and the transaction is rolled back. A commit that has begun is not stopped.
   */
  readonly signal?: AbortSignal | undefined;
}

/** The pause before the second attempt, in milliseconds; it doubles each time. */
const FIRST_PAUSE = 5;

/** @throws {InvalidOptionError} */
export function requireRetries(retries = 0): void {
  if (Number.isSafeInteger(retries) && retries >= 0) return;
  throw new InvalidOptionError(`Expected retries to be an integer from 0 on, but got ${String(retries)}.`);
}

/**
 * Attempts a transaction, and attempts it again after errors that are `retryable`.
 *
 * @param beforeRetry runs before every attempt but the first
 */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  { retries = 0, signal }: RetryOptions,
  beforeRetry?: () => void,
): Promise<T> {
  for (let failures = 0; ; failures++) {
    try {
      return await attempt();
    } catch (error) {
      if (failures >= retries || !isRetryable(error)) throw error;
      const pause = delay(FIRST_PAUSE * 2 ** failures * (0.5 + Math.random()));
      await (signal === undefined ? pause : withSignal(pause, signal));
      beforeRetry?.();
    }
  }
}

function isRetryable(error: unknown): boolean {
  if (error instanceof PartialCommitError) return false;
  return error instanceof OperationalError && error.retryable;
}
