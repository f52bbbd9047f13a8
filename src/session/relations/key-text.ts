import type { MappedProperty } from "../../model/mapper.ts";
import { identityPart } from "../entities/identity-key.ts";

/** The parts of a key between which no character of a key can stand. */
const SEPARATOR = "\0";

/** The values of a key as text: equal keys have equal texts, whatever the size of their integers. */
export function keyText(values: readonly unknown[]): string {
  return values.length === 1
    ? String(identityPart(values[0]))
    : values.map((value) => String(identityPart(value))).join(SEPARATOR);
}

/** A value as a column of the other side takes it; undefined where that column can have no such value. */
export function valueFor({ column }: MappedProperty, value: unknown): unknown {
  const { kind } = column.definition.type;
  if (kind === "bigint" && typeof value === "number") return BigInt(value);
  if ((kind === "integer" || kind === "smallint") && typeof value === "bigint") {
    return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : undefined;
  }
  return value;
}
