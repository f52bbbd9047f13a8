import type { Mapper } from "../../../model/mapper.ts";
import type { AnyTable } from "../../../schema/table.ts";
import type { FlushUnit } from "../flush-unit.ts";
import { Circles, type InsertInstead } from "./circles.ts";
import { MinHeap } from "./min-heap.ts";

/** A table's position among those of its bind, parents first. */
export type TableRank = (table: AnyTable) => number;

/**
 * Puts the rows of a flush into an order in which each comes after those that it has to: apart from that, inserts and
 * updates parents first, then deletes children first.
 *
 * @throws {SessionError} if rows wait for each other, and there is no way out
 */
export function orderUnits(
  units: readonly FlushUnit[],
  rank: TableRank,
  insertInstead: InsertInstead,
): readonly FlushUnit[] {
  const sorted = sortedByStage(units, rank);
  if (sorted.every(waitsForNothing)) return sorted;
  const order = new Order(sorted);
  for (;;) {
    order.advance();
    if (order.left === 0) return order.done;
    order.continueWith(new Circles(order.waiting(), insertInstead).open());
  }
}

function waitsForNothing({ after }: FlushUnit): boolean {
  return after.size === 0;
}

/** Deletes come after everything else, however many tables there are. */
const DELETES = 2 ** 30;

/** Units that are equal in kind and table keep their order. */
function sortedByStage(units: readonly FlushUnit[], rank: TableRank): readonly FlushUnit[] {
  if (units.every(isLikeFirst)) return units;
  const [first] = units;
  const stages = new Map<number, FlushUnit[]>();
  let [last, stage] = [first!, stageOf(first!, rank)];
  let alike: FlushUnit[] = [];
  stages.set(stage, alike);
  for (let position = 0; position < units.length; position++) {
    const unit = units[position]!;
    if (unit.kind !== last.kind || unit.mapper !== last.mapper) {
      stage = stageOf(unit, rank);
      alike = stages.get(stage) ?? [];
      stages.set(stage, alike);
    }
    last = unit;
    alike.push(unit);
  }
  return [...stages.keys()].sort((a, b) => a - b).flatMap((one) => stages.get(one)!);
}

function isLikeFirst({ kind, mapper }: FlushUnit, _: number, [first]: readonly FlushUnit[]): boolean {
  return kind === first!.kind && mapper === first!.mapper;
}

function stageOf({ kind, mapper }: FlushUnit, rank: TableRank): number {
  if (kind === "delete") return DELETES - rank(mapper.table);
  return rank(mapper.root.table) * 2 + (kind === "insert" ? 1 : 0);
}

/**
 * Units that are put into order: of those that wait for nothing the first in the list is next, and after it those that one
 * statement may take with it. Deletes that nothing waits for come last.
 */
class Order {
  readonly done: FlushUnit[] = [];
  /** How many units are not done. */
  left = 0;
  readonly #units: FlushUnit[];
  /** For each unit how many it waits for, or that it takes part no more. */
  readonly #counts: number[] = [];
  /** For each unit the number of the first wait for it, each of which leads to the next. */
  readonly #firstWaits: number[] = [];
  readonly #nextWaits: number[] = [];
  /** For each wait the position of the unit that waits. */
  readonly #waiters: number[] = [];
  readonly #ready = new ReadyUnits();
  readonly #last: number[] = [];

  constructor(units: readonly FlushUnit[]) {
    this.#units = [...units];
    for (let position = 0; position < units.length; position++) this.#admit(position);
    this.#watchAll();
  }

  /** Does all that can be done. */
  advance(): void {
    for (let position = this.#ready.take(); position !== undefined; position = this.#ready.take()) this.#do(position);
    if (this.left > this.#last.length) return;
    for (const position of this.#last.sort((a, b) => a - b)) this.#do(position);
  }

  /** The units that are not done. */
  waiting(): readonly FlushUnit[] {
    return this.#units.filter((_, position) => this.#counts[position]! >= 0);
  }

  /** Goes on with these units, after what they wait for was changed. */
  continueWith(units: ReadonlySet<FlushUnit>): void {
    for (const [position, unit] of this.#units.entries()) {
      if (this.#counts[position]! < 0 || units.has(unit)) continue;
      this.#counts[position] = GONE;
      this.left--;
    }
    for (const unit of units) if (this.#units[unit.index] !== unit) this.#admit(this.#units.push(unit) - 1);
    this.#watchAll();
  }

  #admit(position: number): void {
    this.#units[position]!.index = position;
    this.#counts[position] = 0;
    this.#firstWaits[position] = NO_WAIT;
    this.left++;
  }

  #watchAll(): void {
    this.#last.length = 0;
    this.#nextWaits.length = 0;
    this.#waiters.length = 0;
    this.#firstWaits.fill(NO_WAIT);
    for (let position = 0; position < this.#units.length; position++)
      if (this.#counts[position]! >= 0) this.#watch(position);
    for (let position = 0; position < this.#units.length; position++)
      if (this.#counts[position] === 0) this.#isReady(position);
  }

  #watch(position: number): void {
    let count = 0;
    const { others } = this.#units[position]!.after;
    for (let place = 0; place < others.length; place++) {
      const other = others[place]!;
      const { index } = other;
      if (this.#units[index] !== other || this.#counts[index]! < 0) continue;
      count++;
      this.#nextWaits.push(this.#firstWaits[index]!);
      this.#firstWaits[index] = this.#waiters.push(position) - 1;
    }
    this.#counts[position] = count;
  }

  #isReady(position: number): void {
    const unit = this.#units[position]!;
    if (unit.kind === "delete" && this.#firstWaits[position] === NO_WAIT) this.#last.push(position);
    else this.#ready.add(unit, position);
  }

  #do(position: number): void {
    this.done.push(this.#units[position]!);
    this.#counts[position] = GONE;
    this.left--;
    for (let wait = this.#firstWaits[position]!; wait !== NO_WAIT; wait = this.#nextWaits[wait]!) {
      const waiter = this.#waiters[wait]!;
      const count = this.#counts[waiter]! - 1;
      this.#counts[waiter] = count;
      if (count === 0) this.#isReady(waiter);
    }
  }
}

const GONE = -1;
const NO_WAIT = -1;

/** The positions of units that wait for nothing. */
class ReadyUnits {
  readonly #heaps = new Map<Mapper, Record<FlushUnit["kind"], MinHeap>>();
  #last: MinHeap | undefined;
  /** Those of the last one's kind and model that have waited for one of the same run: no statement can take both. */
  readonly #next: number[] = [];

  add({ mapper, kind }: FlushUnit, position: number): void {
    let heaps = this.#heaps.get(mapper);
    if (heaps === undefined) {
      heaps = { insert: new MinHeap(), update: new MinHeap(), delete: new MinHeap() };
      this.#heaps.set(mapper, heaps);
    }
    if (heaps[kind] === this.#last) this.#next.push(position);
    else heaps[kind].add(position);
  }

  /** The first one of the kind and model of the last, else the first of all, which begins a new run. */
  take(): number | undefined {
    const position = this.#last?.take();
    if (position !== undefined) return position;
    for (const next of this.#next) this.#last!.add(next);
    this.#next.length = 0;
    let first: MinHeap | undefined;
    for (const heaps of this.#heaps.values()) {
      for (const heap of [heaps.insert, heaps.update, heaps.delete]) {
        if (heap.lowest !== undefined && (first?.lowest === undefined || heap.lowest < first.lowest)) first = heap;
      }
    }
    this.#last = first;
    return first?.take();
  }
}
