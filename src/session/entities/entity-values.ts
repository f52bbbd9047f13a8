import { type Entity, mapperOf, type StoredRow } from "../../model/entity.ts";
import type { Mapper } from "../../model/mapper.ts";
import { restoreSnapshot } from "../../model/snapshot.ts";
import type { Filled } from "../transaction/undo-log.ts";

/** Where nothing was filled in. */
export const NOTHING_FILLED: readonly Filled[] = [];

/** An entity's properties by name. */
export type Values = Record<string, unknown>;

/** The properties of an entity, all of which are columns. */
export function valuesOf(entity: Entity): Values {
  return entity as unknown as Values;
}

/** Gives an entity the values of a row. */
export function setValues(entity: Entity, row: StoredRow): void {
  const held = valuesOf(entity);
  for (const { name, column } of mapperOf(entity).properties) {
    held[name] = restoreSnapshot(column.definition.type.kind, row[name]);
  }
}

/** Fills in what a new entity was given no value for, and what has a default. Returns what was filled in. */
export function applyDefaults(entity: Entity, mapper: Mapper): readonly Filled[] {
  let filled = NOTHING_FILLED;
  const held = valuesOf(entity);
  for (const { name, column } of mapper.defaulted) {
    if (held[name] !== undefined) continue;
    held[name] = column.definition.default!();
    filled = [...filled, { name, before: undefined, now: held[name] }];
  }
  return filled;
}

/** Takes back what was filled in, except where it was changed since. */
export function takeBack(entity: Entity, filled: readonly Filled[]): void {
  const held = valuesOf(entity);
  for (const { name, before, now } of filled) if (Object.is(held[name], now)) held[name] = before;
}
