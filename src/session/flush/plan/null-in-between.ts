import { rowOf } from "../../../model/entity.ts";
import type { MappedProperty } from "../../../model/mapper.ts";
import { restoreSnapshot } from "../../../model/snapshot.ts";
import { isWritable } from "../../entities/changes.ts";
import { addEdge, type FlushUnit, SEQUENCE, storedEntityOf, UpdateUnit, type WrittenUnit } from "../flush-unit.ts";
import { NewValues, ValuesDraft } from "../new-values.ts";

/**
 * The columns of a constraint that can be null for a while, which takes the row out of it: all where all can, since some
 * foreign keys check rows with a few nulls, else those that can.
 */
export function nullableOf(properties: readonly MappedProperty[]): readonly MappedProperty[] {
  return properties.filter(canBeNull);
}

function canBeNull(property: MappedProperty): boolean {
  const { table, column } = property;
  return column.definition.nullable === true && !table.primaryKey.includes(column) && isWritable(property);
}

/**
 * Writes a row with null in some columns, and what they get in an update of its own.
 *
 * @returns that update, which comes after the row
 */
export function fillLater(unit: WrittenUnit, properties: ReadonlySet<MappedProperty>): UpdateUnit {
  holdOwn(unit, properties);
  const fill = new UpdateUnit(unit.entity, unit.mapper, unit.engine, unit.values.only(properties), undefined, true);
  // The earlier values of the row are null already.
  unit.values = isFill(unit) ? unit.values.without(properties) : unit.values.withNull(properties);
  addEdge(fill, unit, SEQUENCE);
  return fill;
}

/** Whether a unit writes what was null in between. */
export function isFill(unit: FlushUnit): unit is UpdateUnit {
  return unit.kind === "update" && unit.isFill;
}

/**
 * Sets columns of a row that refer to another to null, before the other gives up what they refer to.
 *
 * @param unit gives it up
 * @param child the part of the row in the flush, perhaps the same; it writes the columns anew unless it deletes the row
 */
export function letGoBefore(unit: FlushUnit, child: FlushUnit, properties: readonly MappedProperty[]): UpdateUnit {
  if (child.kind !== "delete") holdOwn(child, new Set(properties));
  const nulls = properties.map(() => null);
  const row = Object.fromEntries(properties.map(({ name }) => [name, null]));
  const cut = new UpdateUnit(storedEntityOf(child), child.mapper, child.engine, new NewValues(properties, nulls, row));
  addEdge(unit, cut, SEQUENCE);
  if (child !== unit) addEdge(child, cut, SEQUENCE);
  return cut;
}

/** Makes a unit write properties that it would have left as they are. */
function holdOwn(unit: WrittenUnit, properties: ReadonlySet<MappedProperty>): void {
  const left = [...properties].filter(({ name }) => !unit.values.has(name));
  if (left.length === 0) return;
  const row = rowOf(storedEntityOf(unit)) ?? {};
  const draft = new ValuesDraft(unit.engine);
  for (const property of left) {
    const value = restoreSnapshot(property.column.definition.type.kind, row[property.name]) ?? null;
    draft.add(property, value, value);
  }
  unit.values = unit.values.and(draft.values);
}
