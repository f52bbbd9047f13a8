import type { Engine } from "../../engine/engine.ts";
import type { Entity } from "../../model/entity.ts";
import type { MappedProperty, Mapper } from "../../model/mapper.ts";
import type { KeyReference } from "./key-reference.ts";

/** A column's new value: as the driver takes it, and as the entity has it. */
export interface PropertyChange {
  readonly property: MappedProperty;
  /** What the driver takes; absent while it depends on a key that is not known yet. */
  readonly written: unknown;
  /** What the entity held when the flush began. */
  readonly given: unknown;
  /** The same in its canonical form, or what is stored where the entity held nothing. */
  readonly value: unknown;
  /** What is remembered of the value: it may change in place while the flush runs. */
  readonly snapshot: unknown;
  readonly reference: KeyReference | undefined;
  /** Whether this only keeps the place of a value that is filled in later. */
  readonly isPlaceholder?: boolean;
}

interface UnitBase {
  readonly entity: Entity;
  readonly mapper: Mapper;
  readonly engine: Engine;
  /** The units that have to be done first; a value names the columns that could be filled in later instead. */
  after: Map<FlushUnit, readonly MappedProperty[]>;
}

/** A row to be inserted. */
export interface InsertUnit extends UnitBase {
  readonly kind: "insert";
  changes: readonly PropertyChange[];
}

/** A row to be updated, in the columns that changed. */
export interface UpdateUnit extends UnitBase {
  readonly kind: "update";
  changes: readonly PropertyChange[];
  /** The deleted entity whose row this new one takes over, since it has the same key. */
  readonly replaced?: Entity;
}

/** A row to be deleted. */
export interface DeleteUnit extends UnitBase {
  readonly kind: "delete";
}

/** Shared by most units: there is nothing that has to be done before them. Others get a map of their own. */
export const AFTER_NOTHING: UnitBase["after"] = new Map();

/** One row's part in a flush. */
export type FlushUnit = InsertUnit | UpdateUnit | DeleteUnit;

/** Whether a row is written, and all that the database fills in of it is known, by one statement. */
export function isOneStatement({ kind, mapper, ...unit }: FlushUnit): boolean {
  if (mapper.tables.length > 1) return false;
  if (kind !== "insert") return true;
  const { changes } = unit as InsertUnit;
  const written = new Set(changes.map(({ property }) => property));
  return mapper.properties.every((property) => written.has(property) || property.column === mapper.table.generatedKey);
}

/**
 * Says that a unit has to wait for another. Where it does for several reasons, all of them would have to be left for
 * later.
 *
 * @param later the columns that could be filled in later instead; none if the unit has to wait in any case
 */
export function waitFor(unit: FlushUnit, other: FlushUnit, later: readonly MappedProperty[]): void {
  const known = unit.after.get(other);
  const mustWait = later.length === 0 || known?.length === 0;
  if (unit.after === AFTER_NOTHING) unit.after = new Map();
  unit.after.set(other, mustWait ? [] : [...new Set([...(known ?? []), ...later])]);
}

/** A change that leaves a column null until it can be filled. */
export function placeholder(property: MappedProperty): PropertyChange {
  return {
    property,
    written: null,
    given: null,
    value: null,
    snapshot: null,
    reference: undefined,
    isPlaceholder: true,
  };
}

/**
 * Sets the columns of a row that hold another to null, before both are deleted.
 *
 * @param unit the row that the other one holds, perhaps the same
 */
export function cutBefore(unit: FlushUnit, other: FlushUnit, properties: readonly MappedProperty[]): UpdateUnit {
  const { entity, mapper, engine } = other;
  const cut: UpdateUnit = {
    kind: "update",
    entity,
    mapper,
    engine,
    changes: properties.map(placeholder),
    after: AFTER_NOTHING,
  };
  waitFor(unit, cut, []);
  waitFor(other, cut, []);
  return cut;
}
