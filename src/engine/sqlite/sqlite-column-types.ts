import type { LogicalType } from "../../schema/logical-type.ts";
import type { TableColumn } from "../../schema/table-column.ts";
import { encodeSortable } from "./sortable-decimal.ts";

/**
 * A column's type in SQLite. The names matter twice: SQLite derives from them how values are kept (a name with TEXT in
 * it keeps text as text), and reflection reads the type back from them.
 */
export function sqliteColumnType({ name, definition: { type } }: TableColumn, generated: boolean): string {
  if (generated) return "integer";
  switch (type.kind) {
    case "numeric":
      return type.declared ?? `decimal_text(${type.precision}, ${type.scale}) ${decimalCheck(name, type)}`;
    case "float":
      return "double";
    case "varchar":
    case "char":
      return `${type.kind}(${type.length})`;
    case "timestamp":
      return type.asText === true ? "timestamp_text" : "timestamp";
    case "json":
      return "json_text";
    case "binary":
      return "blob";
    case "uuid":
      return "uuid_text";
    case "enumeration":
      return `varchar(${Math.max(...type.values!.map((value) => value.length))})`;
    case "native":
      return type.declared!;
    default:
      return type.kind;
  }
}

/**
 * Refuses what is no sortable text, such as the number of `set price = 5` in SQL of the application's own, which no
 * comparison would find; and decimals with too many digits, as they come of a calculation.
 */
function decimalCheck(name: string, { precision = 0, scale = 0 }: LogicalType): string {
  const most = `${"9".repeat(precision - scale) || "0"}${scale === 0 ? "" : `.${"9".repeat(scale)}`}`;
  const column = `"${name.replaceAll('"', '""')}"`;
  const [from, to] = [encodeSortable(`-${most}`), encodeSortable(most)];
  return `check (${column} between '${from}' and '${to}' and ${column} not glob '[0-9]*')`;
}

const DECIMAL_CHECK = /^("(?:[^"]|"")+") between '[^']+' and '[^']+' and \1 not glob '\[0-9\]\*'$/;

/** Whether a condition is the one that every column of decimals has. */
export function isDecimalCheck(expression: string): boolean {
  return DECIMAL_CHECK.test(expression);
}
