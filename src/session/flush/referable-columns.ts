import type { AnyTable } from "../../schema/table.ts";
import type { TableColumn } from "../../schema/table-column.ts";

/** Whether any of these columns is part of a key or unique value of its table, which foreign keys can refer to. */
export function areReferable(table: AnyTable, columns: readonly TableColumn[]): boolean {
  const { primaryKey, uniques, indexes } = table;
  const referable = new Set<TableColumn | undefined>(primaryKey);
  for (const { columns: parts } of [...uniques, ...indexes.filter(({ unique }) => unique)])
    for (const name of parts) referable.add(typeof name === "string" ? table.findColumn(name) : undefined);
  return columns.some((column) => referable.has(column));
}
