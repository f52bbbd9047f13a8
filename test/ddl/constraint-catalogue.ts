import type { TestDatabase } from "./test-database.ts";

/** The names that the constraints and indexes of a table have in the database. */
export async function namesIn(database: TestDatabase, tableName: string): Promise<string[]> {
  if (database.family === "sqlite") {
    const rows = await database.run<{ sql: string | null }>(
      `select sql from sqlite_master where tbl_name = '${tableName}'`,
    );
    return rows
      .flatMap(({ sql }) => [...(sql ?? "").matchAll(/(?:constraint|index) "([^"]+)"/gi)].map(([, name]) => name!))
      .sort();
  }
  const rows = await database.run<{ name: string }>(
    database.family === "postgres"
      ? `select conname as name from pg_constraint where conrelid = '"${tableName}"'::regclass
         union select (select relname from pg_class where oid = indexrelid) from pg_index where indrelid = '"${tableName}"'::regclass`
      : `select constraint_name as name from information_schema.table_constraints where table_schema = database() and table_name = '${tableName}'
         union select index_name from information_schema.statistics where table_schema = database() and table_name = '${tableName}'`,
  );
  return rows.map(({ name }) => name).sort();
}
