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
    if (order.waiting.size === 0) return order.done;
    order.continueWith(new Circles(order.waiting.keys(), insertInstead).open());
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
  /** For each unit that is not done, how many it waits for. */
  readonly waiting = new Map<FlushUnit, number>();
  readonly #units: FlushUnit[];
  readonly #dependents = new Map<FlushUnit, number[]>();
  readonly #ready = new ReadyUnits();
  readonly #last: number[] = [];

  constructor(units: readonly FlushUnit[]) {
    this.#units = [...units];
    for (const unit of units) this.waiting.set(unit, 0);
    this.#watchAll();
  }

  /** Does all that can be done. */
  advance(): void {
    for (let position = this.#ready.take(); position !== undefined; position = this.#ready.take()) this.#do(position);
    if (this.waiting.size > this.#last.length) return;
    for (const position of this.#last.sort((a, b) => a - b)) this.#do(position);
  }

  /** Goes on with these units, after what they wait for was changed. */
  continueWith(units: ReadonlySet<FlushUnit>): void {
    for (const unit of [...this.waiting.keys()]) if (!units.has(unit)) this.waiting.delete(unit);
    for (const unit of units) {
      if (!this.waiting.has(unit)) this.#units.push(unit);
      this.waiting.set(unit, 0);
    }
    this.#watchAll();
  }

  #watchAll(): void {
    this.#dependents.clear();
    this.#last.length = 0;
    for (const [position, unit] of this.#units.entries()) if (this.waiting.has(unit)) this.#watch(unit, position);
    for (const [position, unit] of this.#units.entries()) if (this.waiting.get(unit) === 0) this.#isReady(position);
  }

  #watch(unit: FlushUnit, position: number): void {
    let count = 0;
    for (const other of unit.after.keys()) {
      if (!this.waiting.has(other)) continue;
      count++;
      const dependents = this.#dependents.get(other);
      if (dependents === undefined) this.#dependents.set(other, [position]);
      else dependents.push(position);
    }
    this.waiting.set(unit, count);
  }

  #isReady(position: number): void {
    const unit = this.#units[position]!;
    if (unit.kind === "delete" && !this.#dependents.has(unit)) this.#last.push(position);
    else this.#ready.add(unit, position);
  }

  #do(position: number): void {
    const unit = this.#units[position]!;
    this.done.push(unit);
    this.waiting.delete(unit);
    for (const dependent of this.#dependents.get(unit) ?? []) {
      const left = this.waiting.get(this.#units[dependent]!)! - 1;
      this.waiting.set(this.#units[dependent]!, left);
      if (left === 0) this.#isReady(dependent);
    }
  }
}

/** The positions of units that wait for nothing. */
class ReadyUnits {
  readonly #heaps = new Map<Mapper, Record<FlushUnit["kind"], MinHeap>>();
  #last: MinHeap | undefined;

  add({ mapper, kind }: FlushUnit, position: number): void {
    let heaps = this.#heaps.get(mapper);
    if (heaps === undefined) {
      heaps = { insert: new MinHeap(), update: new MinHeap(), delete: new MinHeap() };
      this.#heaps.set(mapper, heaps);
    }
    heaps[kind].add(position);
  }

  /** The first one of the kind and model of the last, else the first of all. */
  take(): number | undefined {
    const position = this.#last?.take();
    if (position !== undefined) return position;
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
