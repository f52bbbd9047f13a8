import type { Engine } from "../../engine/engine.ts";
import type { Entity } from "../../model/entity.ts";
import type { MappedProperty, Mapper } from "../../model/mapper.ts";
import { NewValues } from "./new-values.ts";

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
  values: NewValues;
}

/** A row to be updated, in the columns that changed. */
export interface UpdateUnit extends UnitBase {
  readonly kind: "update";
  values: NewValues;
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

/**
 * Sets the columns of a row that hold another to null, before both are deleted.
 *
 * @param unit the row that the other one holds, perhaps the same
 */
export function cutBefore(unit: FlushUnit, other: FlushUnit, properties: readonly MappedProperty[]): UpdateUnit {
  const { entity, mapper, engine } = other;
  const row = Object.fromEntries(properties.map(({ name }) => [name, null]));
  const values = new NewValues(
    properties,
    properties.map(() => null),
    row,
  );
  const cut: UpdateUnit = { kind: "update", entity, mapper, engine, values, after: AFTER_NOTHING };
  waitFor(unit, cut, []);
  waitFor(other, cut, []);
  return cut;
}
