import { rowOf, type StoredRow } from "../../model/entity.ts";
import type { FlushUnit } from "./flush-unit.ts";

/** The row that a unit changes as it is stored; undefined where it is not stored yet. */
export function storedRow(unit: FlushUnit): StoredRow | undefined {
  return rowOf(unit.kind === "update" ? (unit.replaced ?? unit.entity) : unit.entity) ?? undefined;
}

/**
 * Sorts updates or deletes by the keys of their rows: the order in which all sessions lock them. Rows that are not stored
 * yet come last.
 */
export function sortByKey(units: FlushUnit[]): void {
  for (let index = 1; index < units.length; index++) {
    if (compareKeys(units[index - 1]!, units[index]!) <= 0) continue;
    units.sort(compareKeys);
    return;
  }
}

/** Compares the keys of two rows of one table, perhaps of different models. */
export function compareKeys(one: FlushUnit, other: FlushUnit): number {
  const [oneRow, otherRow] = [storedRow(one), storedRow(other)];
  if (oneRow === undefined || otherRow === undefined)
    return Number(oneRow === undefined) - Number(otherRow === undefined);
  const [oneKey, otherKey] = [one.mapper.key, other.mapper.key];
  for (let part = 0; part < oneKey.length; part++) {
    const order = compareValues(oneRow[oneKey[part]!.name], otherRow[otherKey[part]!.name]);
    if (order !== 0) return order;
  }
  return 0;
}

function compareValues(one: unknown, other: unknown): number {
  if (one === other) return 0;
  if (one instanceof Uint8Array && other instanceof Uint8Array) return Buffer.compare(one, other);
  // Values of one key column are of one type, which can be compared.
  return (one as string) < (other as string) ? -1 : Number((one as string) > (other as string));
}
