import { SessionError } from "../../errors/session.ts";
import type { MappedProperty } from "../../model/mapper.ts";
import type { AnyTable } from "../../schema/table.ts";
import { cutBefore, type FlushUnit, type InsertUnit, type UpdateUnit, updateAfter } from "./flush-unit.ts";
import { LowestFirst } from "./lowest-first.ts";

/** A table's place among those of its bind, parents first. */
export type TableRank = (table: AnyTable) => number;

/**
 * Puts the rows of a flush into an order in which each comes after those that it needs: inserts and updates parents
 * first, then deletes children first. Rows that need each other are inserted with a null in between, which an update
 * fills afterwards.
 *
 * @throws {SessionError} if rows need each other and no column of them may be null
 */
export function orderUnits(units: readonly FlushUnit[], rank: TableRank): readonly FlushUnit[] {
  const sorted = sortedByStage(units, rank);
  if (sorted.every(waitsForNothing)) return sorted;
  const order = new Order(sorted);
  for (;;) {
    const circle = order.advance();
    if (circle === undefined) return order.done;
    order.add(breakCircle(circle));
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
  for (let place = 0; place < units.length; place++) {
    const unit = units[place]!;
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

/** Units that are put into order: of those that wait for nothing, always the first in the list is next. */
class Order {
  readonly done: FlushUnit[] = [];
  readonly #units: FlushUnit[];
  /** For each unit that is not done, how many it waits for. */
  readonly #waiting = new Map<FlushUnit, number>();
  readonly #dependents = new Map<FlushUnit, number[]>();
  readonly #ready = new LowestFirst();

  constructor(units: readonly FlushUnit[]) {
    this.#units = [...units];
    for (const unit of units) this.#waiting.set(unit, 0);
    units.forEach((unit, place) => {
      this.#watch(unit, place);
    });
  }

  /** Does all that can be done. Returns units that wait for each other, if any are left. */
  advance(): FlushUnit[] | undefined {
    for (let place = this.#ready.take(); place !== undefined; place = this.#ready.take()) {
      const unit = this.#units[place]!;
      this.done.push(unit);
      this.#waiting.delete(unit);
      for (const dependent of this.#dependents.get(unit) ?? []) this.#countDown(dependent);
    }
    return this.#waiting.size === 0 ? undefined : this.#circle();
  }

  /** Takes in a unit, when others have begun to wait for it or stopped to wait for each other. */
  add(added: UpdateUnit): void {
    this.#units.push(added);
    this.#waiting.set(added, 0);
    this.#dependents.clear();
    for (const [place, unit] of this.#units.entries()) if (this.#waiting.has(unit)) this.#watch(unit, place);
  }

  #watch(unit: FlushUnit, place: number): void {
    const needed = [...unit.after.keys()].filter((other) => this.#waiting.has(other));
    this.#waiting.set(unit, needed.length);
    for (const other of needed) {
      const dependents = this.#dependents.get(other);
      if (dependents === undefined) this.#dependents.set(other, [place]);
      else dependents.push(place);
    }
    if (needed.length === 0) this.#ready.add(place);
  }

  #countDown(place: number): void {
    const unit = this.#units[place]!;
    const left = this.#waiting.get(unit)! - 1;
    this.#waiting.set(unit, left);
    if (left === 0) this.#ready.add(place);
  }

  /** Whatever waits, waits for something that waits: following it comes back to where it was. */
  #circle(): FlushUnit[] {
    const path = new Set<FlushUnit>();
    let [unit] = this.#waiting.keys();
    while (!path.has(unit!)) {
      path.add(unit!);
      unit = [...unit!.after.keys()].find((other) => this.#waiting.has(other));
    }
    const all = [...path];
    return all.slice(all.indexOf(unit!));
  }
}

/** Takes one need out of a circle by leaving a column null at first; returns the update that fills it. */
function breakCircle(circle: readonly FlushUnit[]): UpdateUnit {
  for (const [index, unit] of circle.entries()) {
    const other = circle[(index + 1) % circle.length]!;
    const properties = unit.after.get(other)!;
    if (properties.length === 0 || properties.some(({ required }) => required)) continue;
    if (unit.kind === "delete") {
      unit.after.delete(other);
      return cutBefore(unit, other, properties);
    }
    return fillAfter(unit, other, properties);
  }
  const labels = [...new Set(circle.map(({ mapper }) => mapper.label))].join(", ");
  throw new SessionError(
    `Rows of ${labels} refer to each other in a circle, and no column of the circle may be null, so none can be stored first. ` +
      "Make one of the columns nullable, or store the rows in two steps.",
    { bindKey: circle[0]!.engine.bindKey },
  );
}

/** Writes the row without the columns now, and fills them when the other row is there. */
function fillAfter(unit: InsertUnit | UpdateUnit, other: FlushUnit, properties: readonly MappedProperty[]): UpdateUnit {
  unit.after.delete(other);
  const later = new Set(properties);
  const values = unit.values.only(later);
  unit.values = unit.kind === "insert" ? unit.values.withNull(later) : unit.values.without(later);
  return updateAfter([unit, other], unit, values);
}
