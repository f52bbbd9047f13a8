import { type Entity, mapperOf, rowOf } from "../../model/entity.ts";
import { isUnchanged } from "../../model/snapshot.ts";
import { type Values, valuesOf } from "../entities/entity-values.ts";
import type { UnitOfWork } from "../entities/unit-of-work.ts";
import { KeyReference } from "../flush/key-reference.ts";
import type { KeySet } from "./key-set.ts";
import type { KeyedSource } from "./keyed-rows.ts";

/**
 * Entities belong to what their columns say, also where that is not stored yet: those that were moved leave, and pending
 * and moved ones join.
 *
 * @param found the entities of each key, by its position
 */
export function followColumns(
  work: UnitOfWork,
  { mapper, columns }: KeyedSource,
  keys: KeySet,
  found: Entity[][],
): void {
  const properties = mapper.properties.filter(({ name }) => columns.includes(name));
  const isMoved = (entity: Entity): boolean => {
    const [values, row] = [valuesOf(entity), rowOf(entity)!];
    return properties.some(
      ({ name, column }) =>
        values[name] !== row[name] && !isUnchanged(column.definition.type.kind, values[name], row[name]),
    );
  };
  const moved = new Set(
    work.identityMap.of(mapper).list.filter((entity) => mapperOf(entity).isA(mapper) && isMoved(entity)),
  );
  if (moved.size > 0)
    for (const [position, entities] of found.entries())
      if (entities.some((entity) => moved.has(entity)))
        found[position] = entities.filter((entity) => !moved.has(entity));
  for (const entity of [...moved, ...work.added]) {
    if (!mapperOf(entity).isA(mapper)) continue;
    const position = keys.find(columns.map((name) => knownValue(valuesOf(entity), name)));
    if (position !== undefined) found[position]!.push(entity);
  }
}

/** The value of a column; that of another entity's key once it is stored. */
function knownValue(values: Values, name: string): unknown {
  const value = values[name];
  if (!(value instanceof KeyReference)) return value;
  return value.isKnown ? value.value : undefined;
}
