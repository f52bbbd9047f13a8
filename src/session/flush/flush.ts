import type { Engine } from "../../engine/engine.ts";
import type { UnitOfWork } from "../entities/unit-of-work.ts";
import type { Transactions } from "../transaction/transactions.ts";
import { BindFlush } from "./bind-flush.ts";
import type { FlushUnit } from "./flush-unit.ts";

/** Rows that one statement can take: of one kind and model, none of which waits for another. */
type Batch = readonly FlushUnit[];

/**
 * Stores rows, which come in an order in which they can be stored: binds side by side, on each bind in order; a bind
 * waits for another only for a key.
 */
export async function runFlush(
  units: readonly FlushUnit[],
  work: UnitOfWork,
  transactions: Transactions,
): Promise<void> {
  const batches = batchesByEngine(units);
  const binds = await transactions.joinToWrite([...batches.keys()]);
  const progress = awaitedElsewhere(units);
  const outcomes = await Promise.allSettled(
    binds.map(async (bind) => {
      const own = batches.get(bind.engine)!;
      try {
        for (const batch of own) {
          if (progress.size > 0) for (const unit of batch) await waitForOtherBinds(unit, progress);
          transactions.requireUsable();
          await new BindFlush(bind, work).run(batch);
          if (progress.size > 0) for (const unit of batch) progress.get(unit)?.resolve();
        }
      } catch (error) {
        for (const batch of own) for (const unit of batch) progress.get(unit)?.reject(error);
        throw error;
      }
    }),
  );
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}

/** The units that others wait for on other binds, and the end of each. */
function awaitedElsewhere(units: readonly FlushUnit[]): Map<FlushUnit, PromiseWithResolvers<void>> {
  const progress = new Map<FlushUnit, PromiseWithResolvers<void>>();
  for (const { after, engine } of units) {
    for (const other of after.keys()) {
      if (other.engine === engine || progress.has(other)) continue;
      const end = Promise.withResolvers<void>();
      // A failure is reported by the bind that it happened on; nobody may wait for it.
      end.promise.catch(() => {});
      progress.set(other, end);
    }
  }
  return progress;
}

async function waitForOtherBinds(
  unit: FlushUnit,
  progress: ReadonlyMap<FlushUnit, PromiseWithResolvers<void>>,
): Promise<void> {
  for (const other of unit.after.keys()) if (other.engine !== unit.engine) await progress.get(other)?.promise;
}

/**
 * Rows one after the other that one statement can take. What a batch waits for on other binds is all before its first
 * row, so that batches never wait for each other in a circle.
 */
function batchesByEngine(units: readonly FlushUnit[]): Map<Engine, Batch[]> {
  const isOrdered = units.some(waits);
  const places = new Map(isOrdered ? units.map((unit, place) => [unit, place]) : []);
  const result = new Map<Engine, Batch[]>();
  const last = new Map<Engine, FlushUnit[]>();
  for (const unit of units) {
    const open = last.get(unit.engine);
    if (open !== undefined && fits(unit, open, places)) {
      open.push(unit);
      continue;
    }
    const batch = [unit];
    last.set(unit.engine, batch);
    const batches = result.get(unit.engine);
    if (batches === undefined) result.set(unit.engine, [batch]);
    else batches.push(batch);
  }
  return result;
}

function waits({ after }: FlushUnit): boolean {
  return after.size > 0;
}

/** Whether a unit can be part of a batch of its engine's that was begun before it. */
function fits(unit: FlushUnit, batch: readonly FlushUnit[], places: ReadonlyMap<FlushUnit, number>): boolean {
  const [first] = batch;
  if (first!.kind !== unit.kind || first!.mapper !== unit.mapper) return false;
  if (unit.after.size === 0) return true;
  const start = places.get(first!)!;
  // Units of its own engine since then are those of the batch.
  return [...unit.after.keys()].every((other) => (places.get(other) ?? -1) < start);
}
