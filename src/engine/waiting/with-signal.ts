/**
 * Waits for a promise, no longer than until a signal is aborted; what was waited for goes on then.
 *
 * @throws the signal's reason
 */
export async function withSignal<T>(awaited: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([awaited, promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
