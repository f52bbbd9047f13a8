import { ColumnDefinitionNode, sql } from "kysely";
import type { AnyTable } from "../../schema/table.ts";
import type { TableColumn } from "../../schema/table-column.ts";
import type { FamilyDdl } from "../family-ddl.ts";
import { forwardKeys } from "../reflection/forward-keys.ts";
import { isNow } from "../reflection/now-expression.ts";
import { findMysqlTables, foreignMysqlReference, mysqlForeignKeys } from "./mysql-catalog.ts";
import { mysqlColumnType } from "./mysql-column-types.ts";

const UNLIMITED = /^(?:tiny|medium|long)?(?:text|blob)\b|^json\b/i;
const LITERAL = /^(?:[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?|[bx]?'(?:[^'\\]|''|\\.)*'|true|false|null)$/is;

/** How MySQL and MariaDB make and drop tables. */
export const mysqlDdl: FamilyDdl = {
  findTables: findMysqlTables,
  refusal: unlimitedKey,
  generateKey: (_column, definition) => ColumnDefinitionNode.cloneWith(definition, { autoIncrement: true }),
  generatedKeyIsPrimary: false,
  defaultValue,
  // MariaDB takes no `not null` there at all.
  generatedNotNull: false,
  tableCharacterSet: "character set utf8mb4",
  binaryLiteral: (hex) => `x'${hex}'`,
  addsForeignKeys: true,
  schemasAreFiles: false,
  foreignReference: foreignMysqlReference,
  async beforeDrop({ tables, circular }, run) {
    if (!circular) return [];
    const keys = forwardKeys(tables, await mysqlForeignKeys(tables, run));
    return keys.map(
      ({ schema, table, name }) => sql`alter table ${sql.id(schema, table)} drop foreign key ${sql.id(name)}`,
    );
  },
};

/** MySQL cannot index values of any length, and a foreign key needs an index. */
function unlimitedKey(table: AnyTable): string | undefined {
  const uses: readonly (readonly [role: string, columns: readonly TableColumn[]])[] = [
    ["in its primary key", table.primaryKey],
    ...table.uniques.map(({ columns }) => ["unique", columns.map((name) => table.findColumn(name)!)] as const),
    ...table.indexes.map(({ columns }) => ["indexed", columns.map((name) => table.findColumn(name)!)] as const),
    ...table.foreignKeys.map(({ columns }) => ["a foreign key", columns] as const),
  ];
  for (const [role, columns] of uses) {
    const column = columns.find((one) => UNLIMITED.test(mysqlColumnType(one)));
    if (column === undefined) continue;
    const { kind } = column.definition.type;
    const advice = kind === "text" ? "Use varchar(n)." : "Use varchar(n), or leave the key or index out.";
    return `Column "${column.property}" of table ${table.label} is of type ${kind} and ${role}, which MySQL and MariaDB cannot do with values of any length. ${advice}`;
  }
  return undefined;
}

function defaultValue({ definition: { type } }: TableColumn, expression: string): string {
  if (type.kind === "timestamp" && isNow(expression)) return `current_timestamp(${type.asText === true ? 6 : 3})`;
  const needsExpression = type.kind === "text" || type.kind === "json" || type.kind === "binary";
  return LITERAL.test(expression) && !needsExpression ? expression : `(${expression})`;
}
