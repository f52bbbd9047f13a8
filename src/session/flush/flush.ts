import type { Engine } from "../../engine/engine.ts";
import type { UnitOfWork } from "../entities/unit-of-work.ts";
import type { Transactions } from "../transaction/transactions.ts";
import { BindFlush } from "./bind-flush.ts";
import { FlushBatch } from "./flush-batch.ts";
import type { FlushUnit } from "./flush-unit.ts";
import { sortByKey } from "./key-order.ts";
import { lockBindByBind } from "./lock-order.ts";
import { type RowLocks, rowLocks } from "./row-locks.ts";

/**
 * Stores rows, which come in an order in which they can be stored. Each bind keeps that order. Statements that lock rows
 * run bind by bind, in commit order; inserts that meet no other transaction run beside them. A row that takes a key of
 * another bind waits for it.
 */
export async function runFlush(
  units: readonly FlushUnit[],
  work: UnitOfWork,
  transactions: Transactions,
): Promise<void> {
  const batches = batchesByEngine(units);
  const binds = await transactions.joinToWrite([...batches.keys()]);
  if (binds.length > 1) lockBindByBind(new Map(binds.map(({ engine }) => [engine, batches.get(engine)!])));
  const outcomes = await Promise.allSettled(
    binds.map(async (bind) => {
      const own = batches.get(bind.engine)!;
      try {
        const locks = inKeyOrder(own);
        for (const batch of own) {
          if (batch.after.size > 0) await batch.othersDone();
          transactions.requireUsable();
          const flush = new BindFlush(bind, work);
          if (locks.has(batch)) await flush.lock(locks.get(batch)!);
          await flush.run(batch.units);
          batch.succeed();
        }
      } catch (error) {
        for (const batch of own) batch.fail(error);
        throw error;
      }
    }),
  );
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}

/** Sorts updates and deletes by key. Returns the locks that are needed beside that to lock each table's rows in this order. */
function inKeyOrder(batches: readonly FlushBatch[]): RowLocks {
  for (const { engine, units } of batches)
    if (units.length > 1 && units[0]!.kind !== "insert" && engine.family.locksRows) sortByKey(units);
  return rowLocks(batches);
}

/**
 * Rows one after the other that one statement can take. Waits of a batch for other binds are all before its first
 * row, so that batches never wait for each other in a circle.
 */
function batchesByEngine(units: readonly FlushUnit[]): Map<Engine, FlushBatch[]> {
  const isOrdered = units.some(waits);
  const result = new Map<Engine, FlushBatch[]>();
  /** For each unit its batch. */
  const batchOf: FlushBatch[] = [];
  if (isOrdered) for (let index = 0; index < units.length; index++) units[index]!.index = index;
  for (const unit of units) {
    const batches = result.get(unit.engine);
    let batch = batches?.at(-1);
    if (batch !== undefined && fits(unit, batch.units, units)) {
      batch.units.push(unit);
    } else {
      batch = new FlushBatch(unit, batches?.length ?? 0);
      if (batches === undefined) result.set(unit.engine, [batch]);
      else batches.push(batch);
    }
    if (!isOrdered) continue;
    batchOf.push(batch);
    const { others } = unit.after;
    for (let place = 0; place < others.length; place++) {
      const other = others[place]!;
      if (other.engine !== unit.engine) batch.runAfter(batchOf[other.index]!);
    }
  }
  return result;
}

function waits({ after }: FlushUnit): boolean {
  return after.size > 0;
}

/** Whether a unit can be part of a batch of its engine's that was begun before it. */
function fits(unit: FlushUnit, batch: readonly FlushUnit[], units: readonly FlushUnit[]): boolean {
  const [first] = batch;
  if (first!.kind !== unit.kind || first!.mapper !== unit.mapper) return false;
  const { others } = unit.after;
  for (let place = 0; place < others.length; place++) {
    const other = others[place]!;
    // Units of its own engine since then are those of the batch. Some are not part of the flush any more.
    if (other.index >= first!.index && units[other.index] === other) return false;
  }
  return true;
}
