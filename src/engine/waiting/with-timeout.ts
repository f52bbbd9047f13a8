import { givenUp } from "./given-up.ts";

/**
 * Waits for something, no longer than for a time; it goes on then.
 *
 * @param time in milliseconds; 0 for as long as it takes, as drivers have it
 * @throws an error with the code `ETIMEDOUT` if the time is over
 */
export async function withTimeout<T>(awaited: Promise<T>, time: number): Promise<T> {
  if (!(time > 0)) return awaited;
  const { promise, reject } = Promise.withResolvers<never>();
  const late = () => reject(givenUp(`The server did not answer within ${time / 1000} seconds`));
  const timer = setTimeout(late, time);
  try {
    return await Promise.race([awaited, promise]);
  } finally {
    clearTimeout(timer);
  }
}
