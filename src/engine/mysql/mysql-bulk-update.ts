import type { AnyTable } from "../../schema/table.ts";
import type { BulkUpdate } from "../family.ts";

/** MySQL and MariaDB choose each row's new value by its key: the form that both know, and that takes one round trip. */
export const mysqlBulkUpdate: BulkUpdate = {
  sql(table, columns, key, rows) {
    const isRow = key.map(({ name }) => `${quoted(name)} = ?`).join(" and ");
    const cases = Array.from({ length: rows }, () => `when ${isRow} then ?`).join(" ");
    const sets = columns.map(({ name }) => `${quoted(name)} = case ${cases} end`);
    const keys = Array.from({ length: rows }, () => `(${key.map(() => "?").join(", ")})`);
    const names = key.map(({ name }) => quoted(name)).join(", ");
    return `update ${quotedTable(table)} set ${sets.join(", ")} where (${names}) in (${keys.join(", ")})`;
  },

  parameters(rows, columns) {
    const keys = rows.map((row) => row.slice(columns));
    const cases = Array.from({ length: columns }, (_, column) =>
      rows.flatMap((row, index) => [...keys[index]!, row[column]]),
    );
    return [...cases.flat(), ...keys.flat()];
  },
};

function quoted(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}

function quotedTable({ schema, tableName }: AnyTable): string {
  return schema === undefined ? quoted(tableName) : `${quoted(schema)}.${quoted(tableName)}`;
}
