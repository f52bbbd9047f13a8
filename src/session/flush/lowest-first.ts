/** Numbers of which the lowest is always the next to be taken. */
export class LowestFirst {
  /** A heap: each number is lower than those at twice its place and one after. */
  readonly #heap: number[] = [];

  add(number: number): void {
    const heap = this.#heap;
    let place = heap.push(number) - 1;
    while (place > 0) {
      const above = (place - 1) >> 1;
      if (heap[above]! <= number) break;
      heap[place] = heap[above]!;
      place = above;
    }
    heap[place] = number;
  }

  /** The lowest number, which is taken out. */
  take(): number | undefined {
    const heap = this.#heap;
    const lowest = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return lowest;
    let place = 0;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && heap[below + 1]! < heap[below]!) below++;
      if (heap[below]! >= last) break;
      heap[place] = heap[below]!;
      place = below;
    }
    heap[place] = last;
    return lowest;
  }
}
