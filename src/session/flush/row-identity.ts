import type { Engine } from "../../engine/engine.ts";
import type { AnyTable } from "../../schema/table.ts";
import { type IdentityKey, identityKey } from "../entities/identity-key.ts";
import type { DriverRow } from "../reading/row-functions.ts";
import type { Rows } from "./many-rows.ts";

/** The identity of a row that came back, in the form that {@link identityKey} gives the values that were sent as its key. */
export function identityOf(table: AnyTable, engine: Engine, row: DriverRow): IdentityKey {
  return identityKey(
    table.primaryKey.map((column) => {
      const converter = engine.converter(column);
      return converter.write(converter.read(row[column.name]));
    }),
  );
}

/** The positions of keys of which no row came back. */
export function absent(table: AnyTable, engine: Engine, found: readonly DriverRow[], keys: Rows): number[] {
  if (found.length === keys.length) return [];
  const present = new Set(found.map((row) => identityOf(table, engine, row)));
  const size = table.primaryKey.length;
  // A version may stand after the key.
  return positions(keys, (key) => !present.has(identityKey(key.length === size ? key : key.slice(0, size))));
}

/** The positions of items that fulfil a condition. */
export function positions<T>(items: readonly T[], fits: (item: T, index: number) => boolean): number[] {
  return items.flatMap((item, index) => (fits(item, index) ? [index] : []));
}
