import type { LogicalType } from "../../schema/logical-type.ts";
import type { TableColumn } from "../../schema/table-column.ts";

/** Tells upper from lower case, as the other databases do. */
const EXACT = "character set utf8mb4 collate utf8mb4_bin";

/** A column's type in MySQL and MariaDB. `char(n)` is `varchar(n)` there, since their own drops spaces at the end. */
export function mysqlColumnType({ definition: { type } }: TableColumn): string {
  switch (type.kind) {
    case "integer":
      return "int";
    case "numeric":
      return `decimal(${type.precision}, ${type.scale})`;
    case "float":
      return "double";
    case "varchar":
    case "char":
      return `varchar(${type.length}) ${collation(type)}`;
    case "text":
      return `longtext ${collation(type)}`;
    case "time":
      return "time(3)";
    case "timestamp":
      return type.asText === true ? "datetime(6)" : "datetime(3)";
    case "binary":
      return type.declared ?? "longblob";
    case "uuid":
      return "char(36) character set ascii collate ascii_bin";
    case "enumeration":
      return `varchar(${Math.max(...type.values!.map((value) => value.length))}) ${EXACT}`;
    case "native":
      return type.declared!;
    default:
      return type.kind;
  }
}

function collation({ mysqlCollation }: LogicalType): string {
  return mysqlCollation === undefined ? EXACT : `collate ${mysqlCollation}`;
}
