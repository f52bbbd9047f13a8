import { GCProfiler, getHeapStatistics } from "node:v8";
import type { Entry } from "./batch.ts";
import { median } from "./statistics.ts";

const TIMES = 5;
const MOST_OPERATIONS = 256;

/**
 * How many bytes of JavaScript's heap an operation allocates. The heap's size is compared before and after, with what
 * each garbage collection in between has taken away added; memory outside of that heap is not counted.
 */
export async function allocatedBytes(entry: Entry, operations: number): Promise<number> {
  const { store, scenario } = entry;
  const count = Math.max(scenario.workers, Math.min(operations, MOST_OPERATIONS));
  const results: number[] = [];
  for (let time = 0; time < TIMES; time++) {
    const units = Array.from({ length: count }, () => store.enter());
    globalThis.gc?.();
    const profiler = new GCProfiler();
    profiler.start();
    const before = getHeapStatistics().used_heap_size;
    for (const unit of units) await scenario.run(store, unit, entry.turn++);
    const after = getHeapStatistics().used_heap_size;
    const { statistics } = profiler.stop() as unknown as { readonly statistics: readonly Collection[] };
    const freed = statistics.reduce((sum, { beforeGC, afterGC }) => sum + used(beforeGC) - used(afterGC), 0);
    results.push((after - before + freed) / count);
    for (const unit of units) await store.leave(unit);
    if (scenario.writes) await entry.reset();
  }
  return Math.max(0, median(results));
}

interface Collection {
  readonly beforeGC: HeapState;
  readonly afterGC: HeapState;
}

interface HeapState {
  readonly heapStatistics: { readonly usedHeapSize: number };
}

function used({ heapStatistics: { usedHeapSize } }: HeapState): number {
  return usedHeapSize;
}
