import { monitorEventLoopDelay } from "node:perf_hooks";
import { setImmediate as turnOfTheLoop } from "node:timers/promises";
import type { Entry } from "./batch.ts";

/** How late a timer comes while a contender is busy, in milliseconds. */
export interface LoopDelay {
  readonly median: number;
  readonly p99: number;
}

const RESOLUTION = 1;
const LEAST_TIME = 300;
const LEAST_PAGES = 1_000;

/**
 * Measures the delay of the event loop while workers are busy as a server's requests would be: each waits for a turn of
 * the loop between two pieces of work.
 */
export async function loopDelay({ store, scenario, ...entry }: Entry): Promise<LoopDelay> {
  let turn = entry.turn;
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION });
  const start = performance.now();
  let pages = 0;
  const worker = async () => {
    while (pages < LEAST_PAGES || performance.now() - start < LEAST_TIME) {
      await turnOfTheLoop();
      pages++;
      const unit = store.enter();
      await scenario.run(store, unit, turn++);
      await store.leave(unit);
    }
  };
  histogram.enable();
  await Promise.all(Array.from({ length: scenario.workers }, worker));
  histogram.disable();
  const late = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - RESOLUTION);
  return { median: late(histogram.percentile(50)), p99: late(histogram.percentile(99)) };
}
