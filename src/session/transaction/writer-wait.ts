import { bindLabel } from "../../bind-key.ts";
import type { Engine } from "../../engine/engine.ts";
import { LockTimeoutError } from "../../errors/database.ts";

/**
 * Begins a transaction on a database that one transaction has to itself, while this transaction holds locks on others.
 *
 * @param begin is given the signal that ends the wait
 * @throws {LockTimeoutError} after the engine's `lockTimeout`
 */
export async function withinLockTimeout<T>(
  { bindKey, options: { lockTimeout } }: Engine,
  signal: AbortSignal | undefined,
  begin: (signal: AbortSignal | undefined) => Promise<T>,
): Promise<T> {
  if (lockTimeout === undefined) return begin(signal);
  const limit = new AbortController();
  const timedOut = () =>
    new LockTimeoutError(
      `Cannot write to ${bindLabel(bindKey)}: another transaction has written to it for more than ${lockTimeout / 1000} s ` +
        "(lockTimeout), and may wait for this one on another database. Roll back and run the transaction again.",
      { bindKey, retryable: true },
    );
  const timer = setTimeout(() => limit.abort(timedOut()), lockTimeout);
  try {
    return await begin(signal === undefined ? limit.signal : AbortSignal.any([signal, limit.signal]));
  } finally {
    clearTimeout(timer);
  }
}
