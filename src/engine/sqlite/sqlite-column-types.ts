import type { TableColumn } from "../../schema/table-column.ts";

/**
 * A column's type in SQLite. The names matter twice: SQLite derives from them how values are kept (a name with TEXT in
 * it keeps text as text), and reflection reads the type back from them.
 */
export function sqliteColumnType({ definition: { type } }: TableColumn, generated: boolean): string {
  if (generated) return "integer";
  switch (type.kind) {
    case "numeric":
      return type.declared ?? `numeric_text(${type.precision}, ${type.scale})`;
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
