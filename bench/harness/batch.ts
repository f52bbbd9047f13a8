import type { Store } from "../contenders/contender.ts";
import type { Scenario } from "../scenarios.ts";

/** One contender at one scenario. */
export interface Entry {
  readonly name: string;
  readonly store: Store;
  readonly scenario: Scenario;
  /** Deletes what was added, and clears up. */
  reset(): Promise<void>;
  /** How often it was done so far. */
  turn: number;
}

/** What a batch took, in microseconds. */
export interface Cost {
  readonly wall: number;
  readonly cpu: number;
}

/**
 * At least so many sessions are made at a time before they are used, and so many for each worker. No more: until they are
 * ended, which an application does at once, they keep alive all that they have loaded.
 */
const LEAST_UNITS = 16;
const UNITS_OF_A_WORKER = 4;

/** Does a scenario so often, and says what that took. Making and ending sessions is not part of it. */
export async function runBatch(entry: Entry, operations: number): Promise<Cost> {
  const { store, scenario } = entry;
  const atOnce = Math.max(LEAST_UNITS, UNITS_OF_A_WORKER * scenario.workers);
  let wall = 0;
  let cpu = 0;
  for (let left = operations; left > 0; left -= atOnce) {
    const units = Array.from({ length: Math.min(left, atOnce) }, () => store.enter());
    const before = process.cpuUsage();
    const start = performance.now();
    await (scenario.workers === 1 ? oneByOne(entry, units) : sideBySide(entry, units));
    wall += performance.now() - start;
    const { user, system } = process.cpuUsage(before);
    cpu += user + system;
    for (const unit of units) await store.leave(unit);
  }
  if (scenario.writes) await entry.reset();
  return { wall: wall * 1000, cpu };
}

async function oneByOne(entry: Entry, units: readonly unknown[]): Promise<void> {
  const { store, scenario } = entry;
  for (const unit of units) await scenario.run(store, unit, entry.turn++);
}

/** Each worker takes up the next piece of work as soon as it is through with one. */
async function sideBySide(entry: Entry, units: readonly unknown[]): Promise<void> {
  const { store, scenario } = entry;
  let next = 0;
  const worker = async () => {
    while (next < units.length) await scenario.run(store, units[next++], entry.turn++);
  };
  await Promise.all(Array.from({ length: scenario.workers }, worker));
}
