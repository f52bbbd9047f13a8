import type { MappedProperty } from "../../../model/mapper.ts";
import {
  addEdge,
  DeleteUnit,
  type Edge,
  type FlushUnit,
  InsertUnit,
  SEQUENCE,
  type UpdateUnit,
  type WrittenUnit,
} from "../flush-unit.ts";
import type { NewValues } from "../new-values.ts";
import { unorderable } from "./circle-error.ts";
import { fillLater, isFill, letGoBefore, nullableOf } from "./null-in-between.ts";

/** How a row that takes over a deleted one's is inserted instead; `undefined` where other rows may refer to it. */
export type InsertInstead = (unit: UpdateUnit) => NewValues | undefined;

/** A unit that waits for another, on the way round a circle. */
interface Step {
  readonly unit: FlushUnit;
  readonly other: FlushUnit;
}

/**
 * Opens circles of units that wait for each other. Of the ways that there are, the first that a circle has:
 *
 * 1. an edge that only some collations make is dropped,
 * 2. rows that take over deleted ones are deleted and inserted,
 * 3. a column is null in between, and filled after.
 */
export class Circles {
  readonly #units: Set<FlushUnit>;
  readonly #waiters = new Map<FlushUnit, Set<FlushUnit>>();
  readonly #insertInstead: InsertInstead;

  /** @param units those that are not done, each of which waits for another of them */
  constructor(units: Iterable<FlushUnit>, insertInstead: InsertInstead) {
    this.#units = new Set(units);
    this.#insertInstead = insertInstead;
    for (const unit of this.#units) this.#register(unit);
  }

  /**
   * Opens each circle that there is.
   *
   * @returns the units from now on, those that were added last
   * @throws {SessionError} if one has no way out
   */
  open(): ReadonlySet<FlushUnit> {
    for (const circle of this.#find()) this.#openOne(circle);
    return this.#units;
  }

  /** Follows from each unit one that it waits for: that leads into circles which share no unit. */
  #find(): Step[][] {
    const circles: Step[][] = [];
    const seen = new Map<FlushUnit, number>();
    let walk = 0;
    for (const start of this.#units) {
      const path: FlushUnit[] = [];
      let unit: FlushUnit | undefined = start;
      while (unit !== undefined && !seen.has(unit)) {
        seen.set(unit, walk);
        path.push(unit);
        unit = this.#firstAwaited(unit);
      }
      if (unit !== undefined && seen.get(unit) === walk) {
        const round = path.slice(path.indexOf(unit));
        circles.push(round.map((one, place) => ({ unit: one, other: round[(place + 1) % round.length]! })));
      }
      walk++;
    }
    return circles;
  }

  #firstAwaited(unit: FlushUnit): FlushUnit | undefined {
    for (const other of unit.after.others) if (this.#units.has(other)) return other;
    return undefined;
  }

  #openOne(circle: readonly Step[]): void {
    const soft = circle.find(({ unit, other }) => unit.after.get(other)!.every(({ isSoft }) => isSoft));
    if (soft !== undefined) {
      const { other } = soft;
      const dropped = this.#unlink(soft.unit, other);
      if (other.kind === "update") {
        const followed = dropped.flatMap(({ isFollowed = false, properties }) => (isFollowed ? properties : []));
        if (followed.length > 0) other.followed = [...other.followed, ...followed];
      }
      return;
    }
    if (this.#deleteAndInsert(circle)) return;
    for (const isLast of [false, true]) {
      // A null in a unique column comes last: some databases can be told to let only one row have it.
      for (const { unit, other } of circle) {
        const edges = unit.after.get(other)!.filter(({ isSoft }) => !isSoft);
        if (edges.some(({ kind }) => kind === "unique") !== isLast) continue;
        if (this.#cut(unit, other, edges)) return;
      }
    }
    throw unorderable(circle.map(({ unit, other }) => ({ unit, other, edges: unit.after.get(other)! })));
  }

  /** Deletes and inserts the rows that take over others, where that opens the circle. */
  #deleteAndInsert(circle: readonly Step[]): boolean {
    const divided = circle.flatMap(({ unit, other }, place) => {
      if (unit.kind !== "update" || unit.replaced === undefined) return [];
      const before = circle.at(place - 1)!.unit;
      // What waits for the old row then waits for its deletion, and the insert for what the new one waits for.
      if (!before.after.get(unit)!.every(isAboutOldRow) || unit.after.get(other)!.some(isForOldRow)) return [];
      const values = this.#insertInstead(unit);
      return values === undefined ? [] : [{ unit, values }];
    });
    for (const { unit, values } of divided) this.#divide(unit, values);
    return divided.length > 0;
  }

  #divide(unit: UpdateUnit, values: NewValues): void {
    const { entity, replaced, mapper, engine } = unit;
    const deletion = new DeleteUnit(replaced!, mapper, engine);
    const insert = new InsertUnit(entity, mapper, engine, values);
    addEdge(insert, deletion, SEQUENCE);
    for (const [other, edges] of unit.after.entries()) {
      this.#unlink(unit, other);
      for (const edge of edges) {
        addEdge(isForOldRow(edge) ? deletion : insert, other, edge);
      }
    }
    for (const waiter of this.#waitersOf(unit)) {
      for (const edge of this.#unlink(waiter, unit)) {
        this.#link(waiter, isAboutOldRow(edge) ? deletion : insert, edge);
      }
    }
    this.#units.delete(unit);
    this.#add(deletion);
    this.#add(insert);
  }

  /** Takes edges between two units out by nulls in between: the other row's for what it refers to, else its own. */
  #cut(unit: FlushUnit, other: FlushUnit, edges: readonly Edge[]): boolean {
    const [releases, own] = parted(edges, ({ kind }) => kind === "release");
    const released = nullsFor(releases, other);
    const left = nullsFor(own, unit);
    if (released === undefined || left === undefined) return false;
    // What fills a row has nothing else to do: it can be divided, and no more than that.
    if (isFill(unit) && left.size === unit.values.properties.length) return false;
    if (released.size > 0) {
      this.#unlink(unit, other);
      for (const edge of own) this.#link(unit, other, edge);
      const cut = letGoBefore(unit, other, [...released]);
      this.#add(cut);
      this.#note(unit, cut);
      this.#note(other, cut);
    }
    if (left.size > 0 && unit.kind !== "delete") this.#fill(unit, left);
    return true;
  }

  /** Writes a row without some columns, and these later: with all that they wait for, and what waits for them. */
  #fill(unit: WrittenUnit, properties: ReadonlySet<MappedProperty>): void {
    const isFilled = (property: MappedProperty) => properties.has(property);
    const fill = fillLater(unit, properties);
    for (const [other, edges] of unit.after.entries()) {
      const [moved, kept] = parted(edges, ({ kind, properties: own }) => kind !== "release" && own.some(isFilled));
      if (moved.length === 0) continue;
      this.#unlink(unit, other);
      for (const edge of moved) addEdge(fill, other, edge);
      for (const edge of kept) this.#link(unit, other, edge);
    }
    for (const waiter of this.#waitersOf(unit)) {
      const [moved, kept] = parted(waiter.after.get(unit)!, ({ targets }) => targets.some(isFilled));
      if (moved.length === 0) continue;
      this.#unlink(waiter, unit);
      for (const edge of moved) this.#link(waiter, fill, edge);
      for (const edge of kept) this.#link(waiter, unit, edge);
    }
    this.#add(fill);
  }

  #add(unit: FlushUnit): void {
    this.#units.add(unit);
    this.#register(unit);
  }

  #register(unit: FlushUnit): void {
    for (const other of unit.after.others) this.#note(unit, other);
  }

  #note(unit: FlushUnit, other: FlushUnit): void {
    const waiters = this.#waiters.get(other);
    if (waiters === undefined) this.#waiters.set(other, new Set([unit]));
    else waiters.add(unit);
  }

  #waitersOf(unit: FlushUnit): FlushUnit[] {
    return [...(this.#waiters.get(unit) ?? [])];
  }

  #link(unit: FlushUnit, other: FlushUnit, edge: Edge): void {
    addEdge(unit, other, edge);
    this.#note(unit, other);
  }

  #unlink(unit: FlushUnit, other: FlushUnit): readonly Edge[] {
    const edges = unit.after.get(other)!;
    unit.after.delete(other);
    this.#waiters.get(other)?.delete(unit);
    return edges;
  }
}

/** The columns of a row that can be null so that these edges are not there; `undefined` if an edge has none. */
function nullsFor(edges: readonly Edge[], unit: FlushUnit): Set<MappedProperty> | undefined {
  const nulls = new Set<MappedProperty>();
  for (const { kind, properties } of edges) {
    // Only what refers to others can be null in a row that goes.
    if (kind !== "release" && unit.kind === "delete") return undefined;
    if (kind === "release" && isFill(unit)) return undefined;
    const nullable = nullableOf(properties);
    if (nullable.length === 0) return undefined;
    // A unique value is given up by one null, and the other columns may be others' too.
    const own = kind === "unique" && unit.kind !== "delete" ? nullable.filter(({ name }) => unit.values.has(name)) : [];
    for (const property of own.length > 0 ? own : nullable) nulls.add(property);
  }
  return nulls;
}

/** Whether who has this edge to a row waits for what that was until now. */
function isAboutOldRow({ kind }: Edge): boolean {
  return kind === "release" || kind === "unique";
}

/** Whether a row has this edge for the sake of what it was until now. */
function isForOldRow({ kind }: Edge): boolean {
  return kind === "release" || kind === "sequence";
}

function parted(edges: readonly Edge[], isMoved: (edge: Edge) => boolean): [moved: Edge[], kept: Edge[]] {
  const moved: Edge[] = [];
  const kept: Edge[] = [];
  for (const edge of edges) (isMoved(edge) ? moved : kept).push(edge);
  return [moved, kept];
}
