import type { Entity } from "../../../model/entity.ts";
import type { Mapper } from "../../../model/mapper.ts";
import { takeSnapshot } from "../../../model/snapshot.ts";
import { valuesOf } from "../../entities/entity-values.ts";
import { type IdentityKey, identityKey } from "../../entities/identity-key.ts";
import { KeyReference } from "../key-reference.ts";

/**
 * The identity that a new row will have, also where its key is that of another entity; `undefined` where the database
 * generates it.
 *
 * @throws {InvalidValueError} for a value that the key cannot hold
 */
export function keyOfNewRow(entity: Entity, { key }: Mapper): IdentityKey | undefined {
  const parts: unknown[] = [];
  for (const { name, column } of key) {
    const value = givenValue(valuesOf(entity)[name]);
    if (value === undefined || value === null) return undefined;
    parts.push(takeSnapshot(column.definition.type.kind, column.accept(value)));
  }
  return identityKey(parts);
}

/** A value, or the value of the key that it stands for. */
function givenValue(value: unknown): unknown {
  let given = value;
  // Keys may lead to keys; those that go in a circle are not known.
  for (let steps = 0; given instanceof KeyReference; steps++) {
    if (steps === MOST_STEPS) return undefined;
    given = valuesOf(given.entity)[given.property.name];
  }
  return given;
}

const MOST_STEPS = 100;
