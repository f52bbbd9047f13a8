import { setTimeout as delay } from "node:timers/promises";

/** Retries end after this time, in milliseconds. */
const LONG = 5_000;
/** How long to wait before each further attempt, in milliseconds. */
const PAUSES = [20, 50, 150, 400];

/** Does something again, a few times, after errors that may pass. It has to be something that can be done twice. */
export async function retry<T>(mayPass: (error: unknown) => boolean, run: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + LONG;
  for (const pause of PAUSES) {
    try {
      return await run();
    } catch (error) {
      if (!mayPass(error) || performance.now() > deadline) throw error;
      await delay(pause);
    }
  }
  return run();
}
