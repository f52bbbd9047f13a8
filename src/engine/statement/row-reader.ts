import type { ColumnConverter } from "../values/column-converter.ts";
import type { Outputs } from "./relation.ts";

/**
 * A function that converts rows in place, as the columns say that they come from; none where there is nothing to do.
 *
 * Of several columns of one name, rows have the last.
 */
export function rowReader({ columns }: Outputs): ((rows: readonly unknown[]) => void) | undefined {
  const converters = new Map<string, ColumnConverter>();
  for (const { name, converter } of columns) {
    if (name === undefined) continue;
    if (converter === undefined || converter.readsPlain) converters.delete(name);
    else converters.set(name, converter);
  }
  if (converters.size === 0) return undefined;
  const entries = [...converters];
  return (rows) => {
    // The driver makes a row an object with a value for each column.
    for (const row of rows as readonly Record<string, unknown>[]) {
      for (const [name, converter] of entries) {
        const value = row[name];
        if (value !== null && value !== undefined) row[name] = converter.read(value);
      }
    }
  };
}
