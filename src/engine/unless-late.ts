/**
 * Waits for something, no longer than for a time; it goes on then.
 *
 * @param time in milliseconds
 * @throws if the time is over
 */
export async function unlessLate<T>(awaited: Promise<T>, time: number): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error("The server does not answer.")), time);
  try {
    return await Promise.race([awaited, promise]);
  } finally {
    clearTimeout(timer);
  }
}
