import type { MappedProperty } from "../../../model/mapper.ts";
import type { TypeKind } from "../../../schema/logical-type.ts";
import { type IdentityKey, identityPart } from "../../entities/identity-key.ts";
import type { FlushUnit } from "../flush-unit.ts";

/** Rows that have the values that were looked for. */
export interface Matches {
  readonly exact: readonly FlushUnit[];
  /** Those whose values some collation takes for equal, or that have null in the same columns. */
  readonly alike: readonly FlushUnit[];
}

const NO_UNITS: readonly FlushUnit[] = [];

/** Rows by their values in a set of columns. */
export class RowIndex {
  readonly #exact = new Map<IdentityKey, FlushUnit[]>();
  readonly #folded = new Map<IdentityKey, FlushUnit[]>();
  readonly #hasText: boolean;

  constructor(properties: readonly MappedProperty[]) {
    this.#hasText = properties.some(({ column }) => TEXT_KINDS.has(column.definition.type.kind));
  }

  /** Adds a row, unless one of its values is not known. */
  add(unit: FlushUnit, values: readonly unknown[]): void {
    if (values.includes(undefined)) return;
    push(this.#exact, keyOf(values), unit);
    if (this.#hasText) push(this.#folded, keyOf(values.map(folded)), unit);
  }

  /** The rows with these values, of which none is unknown. */
  find(values: readonly unknown[]): Matches {
    const exact = this.#exact.get(keyOf(values)) ?? NO_UNITS;
    // Where several rows have a null, nulls are distinct.
    if (values.includes(null)) return { exact: NO_UNITS, alike: exact.length === 1 ? exact : NO_UNITS };
    const alike = this.#hasText ? (this.#folded.get(keyOf(values.map(folded))) ?? NO_UNITS) : NO_UNITS;
    return { exact, alike: alike.length === exact.length ? NO_UNITS : alike.filter((unit) => !exact.includes(unit)) };
  }
}

/** Kinds of column whose values databases compare by a collation. */
const TEXT_KINDS: ReadonlySet<TypeKind> = new Set<TypeKind>(["varchar", "char", "text", "enumeration", "native"]);

/** A value without what some collation passes over: case, accents, trailing spaces. */
function folded(value: unknown): unknown {
  if (typeof value !== "string") return value;
  return value
    .normalize("NFKD")
    .replace(/\p{M}+/gu, "")
    .toUpperCase()
    .toLowerCase()
    .trimEnd();
}

/** The values as a map can hold them: equal integers of different types are one, and a null is unlike all else. */
function keyOf(values: readonly unknown[]): IdentityKey {
  return values.length === 1 ? partOf(values[0]) : values.map((value) => String(partOf(value))).join("\0");
}

function partOf(value: unknown): IdentityKey {
  if (value === null) return "\0";
  return typeof value === "bigint" && BigInt(Number(value)) === value ? Number(value) : identityPart(value);
}

function push(lists: Map<IdentityKey, FlushUnit[]>, key: IdentityKey, unit: FlushUnit): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [unit]);
  else list.push(unit);
}
