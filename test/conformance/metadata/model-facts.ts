import type { AnyModel, AnyTable } from "../../../src/index.ts";
import type { JsonObject } from "../read/json.ts";
import { labelOf } from "../read/keys.ts";

/** The facts of a class: its table, the binds of both, and its columns. */
export function modelFacts(model: AnyModel): JsonObject {
  const metadata = labelOf(model.bindKey);
  // An abstract class has no table of its own.
  const table = model.table as AnyTable | undefined;
  if (table === undefined) return { table: null, metadata, table_metadata: null };
  return {
    table: table.tableName,
    metadata,
    table_metadata: labelOf(table.bindKey),
    columns: columnsOf(table),
  };
}

/** The names of a table's columns, in order. */
export function columnsOf(table: AnyTable): string[] {
  return table.columnList.map(({ property }) => property);
}
