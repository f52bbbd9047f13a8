import type { AnyTable } from "../../schema/table.ts";
import type { TableColumn } from "../../schema/table-column.ts";
import type { ColumnwiseStatements, TypedColumn } from "../family.ts";

/**
 * PostgreSQL takes the values of many rows as one array for each column. The statement is the same for any number of
 * rows, so it is prepared once, and rows are inserted in the arrays' order.
 */
export const postgresColumnwise: ColumnwiseStatements = {
  async columnTypes(table, run) {
    const rows = await run(
      "select attname as name, format_type(atttypid, null) as type from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped",
      [quotedTable(table)],
    );
    return new Map(rows.map(({ name, type }) => [String(name), String(type)]));
  },

  insert(table, columns, returned) {
    const names = columns.map(({ column }) => quoted(column.name));
    const position = quoted("multibind position");
    const returning = returned.length === 0 ? "" : ` returning ${returned.map(({ name }) => quoted(name)).join(", ")}`;
    return (
      `insert into ${quotedTable(table)} (${names.join(", ")}) select ${names.join(", ")} ` +
      `from unnest(${lists(columns, 1)}) with ordinality as "rows" (${[...names, position].join(", ")}) order by ${position}${returning}`
    );
  },

  update(table, columns, where) {
    const alias = (prefix: string, index: number) => quoted(`${prefix}${index}`);
    const names = [
      ...columns.map((_, index) => alias("value", index)),
      ...where.map((_, index) => alias("key", index)),
    ];
    const sets = columns.map(({ column }, index) => `${quoted(column.name)} = "rows".${alias("value", index)}`);
    const conditions = where.map(
      ({ column }, index) => `"target".${quoted(column.name)} = "rows".${alias("key", index)}`,
    );
    const keys = table.primaryKey.map(
      ({ name }: TableColumn) =>
        `"rows".${alias(
          "key",
          where.findIndex(({ column }) => column.name === name),
        )} as ${quoted(name)}`,
    );
    return (
      `update ${quotedTable(table)} as "target" set ${sets.join(", ")} ` +
      `from unnest(${lists([...columns, ...where], 1)}) as "rows" (${names.join(", ")}) ` +
      `where ${conditions.join(" and ")} returning ${keys.join(", ")}`
    );
  },
};

function lists(columns: readonly TypedColumn[], first: number): string {
  return columns.map(({ type }, index) => `$${index + first}::${type}[]`).join(", ");
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function quotedTable({ schema, tableName }: AnyTable): string {
  return schema === undefined ? quoted(tableName) : `${quoted(schema)}.${quoted(tableName)}`;
}
