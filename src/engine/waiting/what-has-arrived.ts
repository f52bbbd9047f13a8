import { setImmediate } from "node:timers/promises";

/** Lets what has arrived from the network be read: a turn may end with what was found ready before it, so it takes two. */
export async function readWhatHasArrived(): Promise<void> {
  await setImmediate();
  await setImmediate();
}
