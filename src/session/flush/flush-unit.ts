import type { Engine } from "../../engine/engine.ts";
import { keepShape, UNUSED } from "../../kept-shapes.ts";
import type { Entity } from "../../model/entity.ts";
import type { MappedProperty, Mapper } from "../../model/mapper.ts";
import { NewValues } from "./new-values.ts";

/** The units that have to be done before one; a value names the columns that could be filled in later instead. */
type Needed = Map<FlushUnit, readonly MappedProperty[]>;

/** Shared by most units: there is nothing that has to be done before them. Others get a map of their own. */
export const AFTER_NOTHING: Needed = new Map();

/** What the parts of all rows in a flush have in common. */
abstract class RowUnit {
  readonly entity: Entity;
  readonly mapper: Mapper;
  readonly engine: Engine;
  after: Needed = AFTER_NOTHING;

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

  constructor(entity: Entity, mapper: Mapper, engine: Engine, values: NewValues, replaced?: Entity) {
    super(entity, mapper, engine);
    this.values = values;
    this.replaced = replaced;
  }
}

/** A row to be deleted. */
export class DeleteUnit extends RowUnit {
  readonly kind = "delete";
}

keepShape([
  new InsertUnit(UNUSED, UNUSED, UNUSED, UNUSED),
  new UpdateUnit(UNUSED, UNUSED, UNUSED, UNUSED),
  new DeleteUnit(UNUSED, UNUSED, UNUSED),
]);

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

/** The update of a unit's row, after others. */
export function updateAfter(
  others: readonly FlushUnit[],
  { entity, mapper, engine }: FlushUnit,
  values: NewValues,
): UpdateUnit {
  const update = new UpdateUnit(entity, mapper, engine, values);
  for (const other of others) waitFor(update, other, []);
  return update;
}

/**
 * Sets the columns of a row that hold another to null, before both are deleted.
 *
 * @param unit the row that the other one holds, perhaps the same
 */
export function cutBefore(unit: FlushUnit, other: FlushUnit, properties: readonly MappedProperty[]): UpdateUnit {
  const row = Object.fromEntries(properties.map(({ name }) => [name, null]));
  const values = new NewValues(
    properties,
    properties.map(() => null),
    row,
  );
  const cut = updateAfter([], other, values);
  waitFor(unit, cut, []);
  waitFor(other, cut, []);
  return cut;
}
