/** Numbers of which the lowest is always the next to be taken. */
export class MinHeap {
  /** Each number is lower than those at twice its position and one after. */
  readonly #heap: number[] = [];

  /** The lowest number, which stays. */
  get lowest(): number | undefined {
    return this.#heap[0];
  }

  add(number: number): void {
    const heap = this.#heap;
    let position = heap.push(number) - 1;
    while (position > 0) {
      const above = (position - 1) >> 1;
      if (heap[above]! <= number) break;
      heap[position] = heap[above]!;
      position = above;
    }
    heap[position] = number;
  }

  /** The lowest number, which is taken out. */
  take(): number | undefined {
    const heap = this.#heap;
    const lowest = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return lowest;
    let position = 0;
    for (;;) {
      let below = 2 * position + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && heap[below + 1]! < heap[below]!) below++;
      if (heap[below]! >= last) break;
      heap[position] = heap[below]!;
      position = below;
    }
    heap[position] = last;
    return lowest;
  }
}
