import { type Entry, runBatch } from "./batch.ts";

/** What the rounds of one contender at one scenario took, each in microseconds per operation. */
export interface Series {
  readonly operations: number;
  readonly wall: number[];
  readonly cpu: number[];
}

export interface RoundOptions {
  readonly rounds: number;
  /** How long a batch should take, in milliseconds. */
  readonly batch: number;
  /** How long a contender warms up at a scenario, in milliseconds of CPU time. */
  readonly warmUp: number;
}

const MOST_OPERATIONS = 20_000;
const LEAST_WARM_UPS = 3;

/**
 * Lets every contender do a scenario in each round, one after the other in an order that rotates, so that what the
 * machine does meanwhile hits all alike.
 */
export async function runRounds(entries: readonly Entry[], options: RoundOptions): Promise<Map<string, Series>> {
  const series = new Map<string, Series>();
  for (const entry of entries) series.set(entry.name, { operations: await warmUp(entry, options), wall: [], cpu: [] });
  // Once and no more: after it much code has to be compiled anew, as now and then in an application, not in each round.
  globalThis.gc?.();
  for (const entry of entries) await runBatch(entry, series.get(entry.name)!.operations);
  for (let round = 0; round < options.rounds; round++) {
    for (let place = 0; place < entries.length; place++) {
      const entry = entries[(round + place) % entries.length]!;
      const { operations, wall, cpu } = series.get(entry.name)!;
      // What the one before left behind is not this one's to clear away.
      globalThis.gc?.({ type: "minor" });
      const cost = await runBatch(entry, operations);
      wall.push(cost.wall / operations);
      cpu.push(cost.cpu / operations);
    }
  }
  return series;
}

/**
 * Runs until the code is compiled, and finds how many operations make a batch. Only the process's own time counts: where
 * others keep the machine busy, the clock would be over long before the code is warm.
 */
async function warmUp(entry: Entry, { batch, warmUp }: RoundOptions): Promise<number> {
  const { workers } = entry.scenario;
  let operations = workers;
  let spent = 0;
  for (let turn = 0; turn < LEAST_WARM_UPS || spent < warmUp * 1000; turn++) {
    const { wall, cpu } = await runBatch(entry, operations);
    spent += cpu;
    const wanted = Math.ceil((batch * 1000 * operations) / wall / workers) * workers;
    operations = Math.max(workers, Math.min(wanted, MOST_OPERATIONS, operations * 8));
  }
  return operations;
}
