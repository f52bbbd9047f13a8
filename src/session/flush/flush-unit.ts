import type { Engine } from "../../engine/engine.ts";
import { pinHiddenClass, UNUSED } from "../../hidden-class.ts";
import type { Entity } from "../../model/entity.ts";
import type { MappedProperty, Mapper } from "../../model/mapper.ts";
import type { NewValues } from "./new-values.ts";

/**
 * Why one row of a flush comes after another:
 *
 * - `reference`: its properties refer to the other row, which is not there yet;
 * - `release`: it takes away a value that properties of the other row refer to until that is changed or deleted;
 * - `unique`: its properties take a value that the other row gives up, and no two rows may have;
 * - `sequence`: both are steps of one row's change.
 */
export interface Edge {
  readonly kind: "reference" | "release" | "unique" | "sequence";
  /** The columns that make the edge: the other row's for `release`, its own for the rest. */
  readonly properties: readonly MappedProperty[];
  /** The other row's columns that a `reference` leads to, in the order of `properties`. */
  readonly targets: readonly MappedProperty[];
  /** Whether the values are equal only to some collations, or the database may cope by itself. */
  readonly isSoft: boolean;
  /** Whether the database changes the columns of a `release` along with what they refer to. */
  readonly isFollowed?: boolean;
}

/** More units than this are looked up in a map. */
const FEW = 8;

/** The units that have to be done before one, and why. Most units have one or two, so these are lists. */
export class Edges {
  /** The units in the order in which they were added. */
  readonly others: FlushUnit[];
  readonly #edges: (readonly Edge[])[];
  #places: Map<FlushUnit, number> | undefined;

  // A list of one is smaller than one that was empty.
  constructor(others: FlushUnit[] = [], edges: (readonly Edge[])[] = []) {
    this.others = others;
    this.#edges = edges;
  }

  get size(): number {
    return this.others.length;
  }

  /** The reasons to come after a unit, of which there is at least one. */
  get(other: FlushUnit): readonly Edge[] | undefined {
    return this.#edges[this.#placeOf(other)];
  }

  set(other: FlushUnit, edges: readonly Edge[]): void {
    let place = this.#placeOf(other);
    if (place === -1) {
      place = this.others.push(other) - 1;
      this.#places?.set(other, place);
    }
    this.#edges[place] = edges;
  }

  delete(other: FlushUnit): void {
    const place = this.#placeOf(other);
    if (place === -1) return;
    this.others.splice(place, 1);
    this.#edges.splice(place, 1);
    this.#places = undefined;
  }

  /** The units and reasons, as they are now. */
  entries(): readonly (readonly [FlushUnit, readonly Edge[]])[] {
    return this.others.map((other, place) => [other, this.#edges[place]!]);
  }

  #placeOf(other: FlushUnit): number {
    const { others } = this;
    for (let place = 0; place < others.length && place < FEW; place++) if (others[place] === other) return place;
    if (others.length <= FEW) return -1;
    this.#places ??= new Map(others.map((one, place) => [one, place]));
    return this.#places.get(other) ?? -1;
  }
}

/** Shared by most units: nothing has to be done before them. Others get edges of their own. */
export const AFTER_NOTHING = new Edges();

const NO_PROPERTIES: readonly MappedProperty[] = [];

/** The base class of the parts of all rows in a flush. */
abstract class RowUnit {
  readonly entity: Entity;
  readonly mapper: Mapper;
  readonly engine: Engine;
  after: Edges = AFTER_NOTHING;
  /** The index in the list of units that was put into order last. */
  index = -1;

  constructor(entity: Entity, mapper: Mapper, engine: Engine) {
    this.entity = entity;
    this.mapper = mapper;
    this.engine = engine;
  }
}

/** A row to be inserted. */
export class InsertUnit extends RowUnit {
  readonly kind = "insert";
  values: NewValues;

  constructor(entity: Entity, mapper: Mapper, engine: Engine, values: NewValues) {
    super(entity, mapper, engine);
    this.values = values;
  }
}

/** A row to be updated, in the columns that changed. */
export class UpdateUnit extends RowUnit {
  readonly kind = "update";
  values: NewValues;
  /** The deleted entity whose row this new one takes over, since it has the same key. */
  readonly replaced: Entity | undefined;
  /** Whether it writes what an earlier unit of the same row has left null. */
  readonly isFill: boolean;
  /** The columns that the database has changed to the new values by then, since what they refer to changed. */
  followed: readonly MappedProperty[] = NO_PROPERTIES;

  constructor(
    entity: Entity,
    mapper: Mapper,
    engine: Engine,
    values: NewValues,
    replaced?: Entity | undefined,
    isFill = false,
  ) {
    super(entity, mapper, engine);
    this.values = values;
    this.replaced = replaced;
    this.isFill = isFill;
  }
}

/** A row to be deleted. */
export class DeleteUnit extends RowUnit {
  readonly kind = "delete";
}

pinHiddenClass([
  AFTER_NOTHING,
  new InsertUnit(UNUSED, UNUSED, UNUSED, UNUSED),
  new UpdateUnit(UNUSED, UNUSED, UNUSED, UNUSED),
  new DeleteUnit(UNUSED, UNUSED, UNUSED),
]);

/** A row that a flush writes. */
export type WrittenUnit = InsertUnit | UpdateUnit;

/** One row's part in a flush. */
export type FlushUnit = WrittenUnit | DeleteUnit;

/** The edge between two steps of one row's change. */
export const SEQUENCE: Edge = Object.freeze({ kind: "sequence", properties: [], targets: [], isSoft: false });

/** Makes a unit come after another. It may do so for several reasons. */
export function addEdge(unit: FlushUnit, other: FlushUnit, edge: Edge): void {
  addEdges(unit, other, [edge]);
}

/** The same for reasons in a list, which many units may share. */
export function addEdges(unit: FlushUnit, other: FlushUnit, edges: readonly Edge[]): void {
  if (unit.after === AFTER_NOTHING) {
    unit.after = new Edges([other], [edges]);
    return;
  }
  const known = unit.after.get(other);
  unit.after.set(other, known === undefined ? edges : [...known, ...edges]);
}

/** The entity whose row a unit finds in the database. */
export function storedEntityOf(unit: FlushUnit): Entity {
  return unit.kind === "update" ? (unit.replaced ?? unit.entity) : unit.entity;
}
