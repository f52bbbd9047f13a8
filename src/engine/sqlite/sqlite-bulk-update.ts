import type { AnyTable } from "../../schema/table.ts";
import type { BulkUpdate } from "../family.ts";
import { flattened } from "../flattened.ts";

/**
 * SQLite takes new values and keys as one list of rows. The statement is worth preparing, so it is always for the same
 * number of rows.
 */
export const sqliteBulkUpdate: BulkUpdate = {
  sql(table, columns, key, rows) {
    const given = Array.from(
      { length: rows },
      () => `(${Array.from({ length: columns.length + key.length }, () => "?").join(", ")})`,
    );
    const sets = columns.map(({ name }, index) => `${quoted(name)} = "given"."column${index + 1}"`);
    const conditions = key.map(
      ({ name }, index) => `"target".${quoted(name)} = "given"."column${columns.length + index + 1}"`,
    );
    return (
      `update ${quotedTable(table)} as "target" set ${sets.join(", ")} ` +
      `from (values ${given.join(", ")}) as "given" where ${conditions.join(" and ")}`
    );
  },

  parameters: flattened,
};

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function quotedTable({ schema, tableName }: AnyTable): string {
  return schema === undefined ? quoted(tableName) : `${quoted(schema)}.${quoted(tableName)}`;
}
