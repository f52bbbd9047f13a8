import type { Engine } from "../../engine/engine.ts";
import type { FlushBatch } from "./flush-batch.ts";

/**
 * Makes batches that lock rows wait for each other, so that a flush takes its locks bind by bind. Two sessions that write
 * the same rows of two servers then meet on the first of them; side by side, each could hold a row on one server and wait
 * on the other for ever, and no server would see it.
 *
 * @param binds the batches of each bind, in commit order; those that wait for another bind know it
 */
export function lockBindByBind(binds: ReadonlyMap<Engine, readonly FlushBatch[]>): void {
  let last: FlushBatch | undefined;
  for (const batch of inLockOrder(binds)) {
    if (!batch.takesLocks) continue;
    if (last !== undefined && last.engine !== batch.engine) batch.runAfter(last);
    last = batch;
  }
}

/**
 * One order for the batches of all binds: each bind as a whole, in commit order, but before a batch that waits for a key
 * of another bind, that bind up to the key.
 */
function inLockOrder(binds: ReadonlyMap<Engine, readonly FlushBatch[]>): readonly FlushBatch[] {
  const order: FlushBatch[] = [];
  const done = new Map<Engine, number>();
  for (const batches of binds.values()) {
    // The batches to arrive at, the innermost last.
    const targets = [batches.at(-1)!];
    for (let target = targets.at(-1); target !== undefined; target = targets.at(-1)) {
      const index = done.get(target.engine) ?? 0;
      if (index > target.index) {
        targets.pop();
        continue;
      }
      const batch = binds.get(target.engine)![index]!;
      const needed = [...batch.after.values()].find((other) => other.index >= (done.get(other.engine) ?? 0));
      if (needed !== undefined) {
        targets.push(needed);
        continue;
      }
      order.push(batch);
      done.set(batch.engine, index + 1);
    }
  }
  return order;
}
