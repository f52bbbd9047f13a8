import type { Entity } from "../../model/entity.ts";
import type { MappedProperty } from "../../model/mapper.ts";
import { isUnchanged } from "../../model/snapshot.ts";
import { NOTHING_FILLED, valuesOf } from "../entities/entity-values.ts";
import type { Filled } from "../transaction/undo-log.ts";
import { KeyReference } from "./key-reference.ts";
import type { Settling } from "./new-values.ts";

/** Gives an entity what was stored of it, unless it was changed meanwhile. Returns what was set. */
export function settle(entity: Entity, settling: readonly Settling[]): readonly Filled[] {
  let filled = NOTHING_FILLED;
  if (settling.length === 0) return filled;
  const held = valuesOf(entity);
  for (let place = 0; place < settling.length; place++) {
    const { property, given, value } = settling[place]!;
    const before = held[property.name];
    if (Object.is(before, value) || !Object.is(before, given)) continue;
    held[property.name] = value;
    filled = withOne(filled, { name: property.name, before, now: value });
  }
  return filled;
}

/** Gives an entity what the database has filled in, if it has no value there. Returns what was set, with that before. */
export function fillIn(entity: Entity, name: string, now: unknown, filled: readonly Filled[]): readonly Filled[] {
  const held = valuesOf(entity);
  const before = held[name];
  if (before !== undefined && !(before instanceof KeyReference)) return filled;
  held[name] = now;
  return withOne(filled, { name, before, now });
}

/** Most rows have one value that was set, or two. */
function withOne(filled: readonly Filled[], one: Filled): readonly Filled[] {
  if (filled.length === 0) return [one];
  return filled.length === 1 ? [filled[0]!, one] : [...filled, one];
}

/** Gives an entity the key that was stored, unless it was changed since `sent` was remembered of it. Returns what was set. */
export function settleKey(
  entity: Entity,
  { name, column }: MappedProperty,
  sent: unknown,
  stored: unknown,
  filled: readonly Filled[],
): readonly Filled[] {
  const { kind } = column.definition.type;
  const held = valuesOf(entity);
  const before = held[name];
  if (isUnchanged(kind, stored, sent) || !isUnchanged(kind, before, sent)) return filled;
  held[name] = stored;
  return withOne(filled, { name, before, now: stored });
}

/** Two lists of set properties as one. */
export function together(first: readonly Filled[], then: readonly Filled[]): readonly Filled[] {
  if (first.length === 0) return then;
  return then.length === 0 ? first : [...first, ...then];
}
