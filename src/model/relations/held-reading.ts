/** When something was read, in a session's own count of writes and of transactions that begin and end. */
export interface ReadTime {
  readonly now: number;
  /** When the innermost transaction began. */
  readonly innermost: number;
  /** When the outermost transaction began. */
  readonly outermost: number;
}

interface Reading<V> {
  readonly value: V;
  readonly since: number;
  /** The last one of a transaction around, which a rollback brings back. */
  readonly before: Reading<V> | undefined;
}

/** The last reading of a relation, and those that it has replaced as far as a rollback may bring them back. */
export class HeldReading<V> {
  #last: Reading<V> | undefined;

  get value(): V | undefined {
    return this.#last?.value;
  }

  /** When it was read. */
  get since(): number | undefined {
    return this.#last?.since;
  }

  keep(value: V, { now, innermost, outermost }: ReadTime): void {
    let before = this.#last;
    while (before !== undefined && before.since >= innermost) before = before.before;
    if (before !== undefined && before.since < outermost) before = { ...before, before: undefined };
    this.#last = { value, since: now, before };
  }

  /** Goes back to what was held before a transaction began. */
  rollBack(began: number): void {
    while (this.#last !== undefined && this.#last.since >= began) this.#last = this.#last.before;
  }
}
