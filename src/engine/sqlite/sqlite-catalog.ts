import { sql } from "kysely";
import type { AnyTable } from "../../schema/table.ts";
import type { ForeignReference, FoundTable } from "../family-ddl.ts";
import type { RunQuery } from "../reflection/catalog-query.ts";

/** The file that a connection was opened with, among those that may be attached to it. */
const MAIN = "main";

interface SchemaRow {
  readonly name: string;
  readonly kind: "table" | "view";
}

/** Finds tables in the attached file that they name, or in the connection's own. SQLite's names ignore case. */
export async function findSqliteTables(
  tables: readonly AnyTable[],
  run: RunQuery,
): Promise<ReadonlyMap<AnyTable, FoundTable>> {
  const found = new Map<AnyTable, FoundTable>();
  for (const [schema, wanted] of Map.groupBy(tables, (table) => table.schema ?? MAIN)) {
    const rows = await run(sql<SchemaRow>`
      select name, type as kind from ${sql.id(schema, "sqlite_master")}
      where type in ('table', 'view') and name collate nocase in (${sql.join(wanted.map(({ tableName }) => tableName))})`);
    for (const table of wanted) {
      const row = rows.find(({ name }) => name.toLowerCase() === table.tableName.toLowerCase());
      if (row !== undefined) found.set(table, { table, kind: row.kind, schema, name: row.name });
    }
  }
  return found;
}

/** A table that refers to one of these and is not one of these itself. */
export async function foreignSqliteReference(
  tables: readonly FoundTable[],
  run: RunQuery,
): Promise<ForeignReference | undefined> {
  for (const [schema, dropped] of Map.groupBy(tables, (table) => table.schema)) {
    const names = new Set(dropped.map(({ name }) => name.toLowerCase()));
    const rows = await run(sql<ForeignReference>`
      select t.name as name, f."table" as target
      from ${sql.id(schema, "sqlite_master")} t join pragma_foreign_key_list(t.name, ${schema}) f
      where t.type = 'table' and t.sql not like 'create virtual table%'`);
    const reference = rows.find(
      ({ name, target }) => names.has(target.toLowerCase()) && !names.has(name.toLowerCase()),
    );
    if (reference !== undefined) return reference;
  }
  return undefined;
}
