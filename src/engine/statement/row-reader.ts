import type { ColumnConverter } from "../values/column-converter.ts";
import { inRow } from "../values/row-label.ts";
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
  const all = columns.flatMap(({ name, converter }) =>
    name === undefined || converter === undefined ? [] : [{ rowKey: name, converter }],
  );
  return (rows) => {
    // The driver makes a row an object with a value for each column.
    const records = rows as readonly Record<string, unknown>[];
    let position = 0;
    try {
      for (const row of records) {
        for (const [name, converter] of entries) {
          const value = row[name];
          if (value !== null && value !== undefined) row[name] = converter.read(value);
        }
        position++;
      }
    } catch (error) {
      throw inRow(error, records[position]!, all, position + 1);
    }
  };
}
