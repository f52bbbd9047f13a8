import type { TypeKind } from "../schema/logical-type.ts";
import { jsonText } from "../schema/types/json.ts";
import { isCopy, restoreCopy, takeCopy } from "./object-snapshot.ts";

/**
 * A copy of a value to detect later changes: the value itself, or, of values that can change in
 * place, something that cannot.
 */
interface Snapshots {
  take(value: never): unknown;
  /** Whether a value that is not null is still what was taken. */
  same(value: unknown, taken: unknown): boolean;
  /** Makes the value anew. */
  restore(taken: never): unknown;
}

const BY_KIND: { readonly [K in TypeKind]?: Snapshots } = {
  timestamp: {
    take: (value: Date | string) => (value instanceof Date ? value.getTime() : value),
    same: (value, taken) => (value instanceof Date ? value.getTime() : value) === taken,
    restore: (taken: number | string) => (typeof taken === "number" ? new Date(taken) : taken),
  },
  json: {
    take: (value: unknown) => JSON.stringify(value),
    // `NaN` and `undefined` would be null in the text; storing them is refused.
    same: (value, taken: unknown) =>
      textOf(value) === taken && !(String(taken).includes("null") && textOf(value, jsonText) === undefined),
    restore: (taken: string) => JSON.parse(taken),
  },
  binary: {
    take: (value: Uint8Array) => new Uint8Array(value),
    same: (value, taken) =>
      value instanceof Uint8Array && taken instanceof Uint8Array && Buffer.compare(value, taken) === 0,
    restore: (taken: Uint8Array) => new Uint8Array(taken),
  },
  native: { take: takeCopy, same: isCopy, restore: restoreCopy },
};

/** A value that is not JSON differs from everything: storing it throws the reason. */
function textOf(value: unknown, write: (value: unknown) => string = JSON.stringify): string | undefined {
  try {
    return write(value);
  } catch {
    return undefined;
  }
}

/** Makes what is remembered of values of a kind, none of them null; absent where that is the value itself. */
export function snapshotTaker(kind: TypeKind): ((value: unknown) => unknown) | undefined {
  // A column's value has been accepted by its type, which is the one of the kind.
  return BY_KIND[kind]?.take as ((value: unknown) => unknown) | undefined;
}

/** Finds whether values of a kind, none of them null, differ from what was remembered. */
export function differenceFinder(kind: TypeKind): (value: unknown, taken: unknown) => boolean {
  const same = BY_KIND[kind]?.same ?? Object.is;
  return (value, taken) => !same(value, taken);
}

/** Whether a value that is the same as what was remembered is unchanged: not JSON, of which the text is a value too. */
export function isRememberedAsItself(kind: TypeKind): boolean {
  return kind !== "json";
}

/** What to remember of a value. */
export function takeSnapshot(kind: TypeKind, value: unknown): unknown {
  const snapshots = BY_KIND[kind];
  // A column's value has been accepted by its type, which is the one of the kind.
  return snapshots === undefined || value === null || value === undefined ? value : snapshots.take(value as never);
}

/** Whether a value is still what was remembered. */
export function isUnchanged(kind: TypeKind, value: unknown, taken: unknown): boolean {
  if (value === null || value === undefined || taken === null || taken === undefined) return value === taken;
  if (value === taken && isRememberedAsItself(kind)) return true;
  return BY_KIND[kind]?.same(value, taken) ?? Object.is(value, taken);
}

/** The value that was remembered, made anew. */
export function restoreSnapshot(kind: TypeKind, taken: unknown): unknown {
  const snapshots = BY_KIND[kind];
  return snapshots === undefined || taken === null || taken === undefined ? taken : snapshots.restore(taken as never);
}
