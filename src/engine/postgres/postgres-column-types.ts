import type { TableColumn } from "../../schema/table-column.ts";

/** A column's type in PostgreSQL. `char(n)` is `varchar(n)` there, since PostgreSQL's own pads its values. */
export function postgresColumnType({ definition: { type } }: TableColumn): string {
  switch (type.kind) {
    case "numeric":
      return `numeric(${type.precision}, ${type.scale})`;
    case "float":
      return "double precision";
    case "varchar":
    case "char":
      return `varchar(${type.length})`;
    case "time":
      return "time(3)";
    case "timestamp":
      return type.asText === true ? "timestamptz(6)" : "timestamptz(3)";
    case "json":
      return "jsonb";
    case "binary":
      return "bytea";
    case "enumeration":
      return `varchar(${Math.max(...type.values!.map((value) => value.length))})`;
    case "native":
      return type.declared!;
    default:
      return type.kind;
  }
}
