import type { Engine } from "../../engine/engine.ts";
import type { AnyTable } from "../../schema/table.ts";
import { type IdentityKey, identityKey } from "../entities/identity-key.ts";
import type { DriverRow } from "../reading/row-functions.ts";
import type { Rows } from "./many-rows.ts";

/** The identity of a row by the values of its key as the driver has them, in the key's order. */
export function identityOf(table: AnyTable, engine: Engine, key: readonly unknown[]): IdentityKey {
  return identityKey(table.primaryKey.map((column, part) => engine.converter(column).read(key[part])));
}

/** The positions of keys of which no row came back. */
export function absent(table: AnyTable, engine: Engine, found: readonly DriverRow[], keys: Rows): number[] {
  if (found.length === keys.length) return [];
  const present = new Set(
    found.map((row) =>
      identityOf(
        table,
        engine,
        table.primaryKey.map(({ name }) => row[name]),
      ),
    ),
  );
  return positions(keys, (key) => !present.has(identityOf(table, engine, key)));
}

/** The positions of items that fulfil a condition. */
export function positions<T>(items: readonly T[], fits: (item: T) => boolean): number[] {
  return items.flatMap((item, index) => (fits(item) ? [index] : []));
}
