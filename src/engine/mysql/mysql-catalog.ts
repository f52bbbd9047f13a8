import { sql } from "kysely";
import type { AnyTable } from "../../schema/table.ts";
import type { ForeignReference, FoundTable } from "../family-ddl.ts";
import type { RunQuery } from "../reflection/catalog-query.ts";
import type { FoundForeignKey } from "../reflection/forward-keys.ts";

interface TableRow {
  readonly schema: string;
  readonly name: string;
  readonly kind: string;
  readonly own: number | bigint | null;
  readonly caseRule: number | bigint;
}

/** Finds tables in the database that they name, or in the connection's own. */
export async function findMysqlTables(
  tables: readonly AnyTable[],
  run: RunQuery,
): Promise<ReadonlyMap<AnyTable, FoundTable>> {
  const schemas = new Set(tables.flatMap(({ schema }) => (schema === undefined ? [] : [schema])));
  const rows = await run(sql<TableRow>`
    select table_schema as \`schema\`, table_name as name, table_type as kind, table_schema = database() as own,
      @@lower_case_table_names as caseRule
    from information_schema.tables
    where table_schema in (${sql.join([sql`database()`, ...schemas])})
      and table_name in (${sql.join(tables.map(({ tableName }) => tableName))})`);
  const found = new Map<AnyTable, FoundTable>();
  for (const table of tables) {
    const row = rows.find(({ schema, name, own, caseRule }) => {
      const fold = (text: string) => (Number(caseRule) === 0 ? text : text.toLowerCase());
      if (fold(name) !== fold(table.tableName)) return false;
      return table.schema === undefined ? Number(own) === 1 : fold(schema) === fold(table.schema);
    });
    if (row === undefined) continue;
    found.set(table, { table, kind: row.kind.endsWith("VIEW") ? "view" : "table", schema: row.schema, name: row.name });
  }
  return found;
}

/** The foreign keys of tables, by the names of both ends. */
export function mysqlForeignKeys(tables: readonly FoundTable[], run: RunQuery): Promise<readonly FoundForeignKey[]> {
  return run(sql<FoundForeignKey>`
    select distinct constraint_name as name, table_schema as \`schema\`, table_name as \`table\`,
      referenced_table_schema as targetSchema, referenced_table_name as target
    from information_schema.key_column_usage
    where referenced_table_name is not null
      and table_schema in (${sql.join([...new Set(tables.map(({ schema }) => schema))])})
      and table_name in (${sql.join(tables.map(({ name }) => name))})`);
}

interface ReferenceRow extends ForeignReference {
  readonly schema: string;
  readonly targetSchema: string;
  readonly caseRule: number | bigint;
}

/** A foreign key to one of these tables from one that is not among them. */
export async function foreignMysqlReference(
  tables: readonly FoundTable[],
  run: RunQuery,
): Promise<ForeignReference | undefined> {
  const rows = await run(sql<ReferenceRow>`
    select distinct table_schema as \`schema\`, table_name as name, referenced_table_schema as targetSchema,
      referenced_table_name as target, @@lower_case_table_names as caseRule
    from information_schema.key_column_usage
    where referenced_table_schema in (${sql.join([...new Set(tables.map(({ schema }) => schema))])})
      and referenced_table_name in (${sql.join(tables.map(({ name }) => name))})
    order by 1, 2`);
  const isAmong = (schema: string, name: string, caseRule: number | bigint) => {
    const fold = (text: string) => (Number(caseRule) === 0 ? text : text.toLowerCase());
    return tables.some((table) => fold(table.schema) === fold(schema) && fold(table.name) === fold(name));
  };
  return rows.find(
    ({ schema, name, targetSchema, target, caseRule }) =>
      isAmong(targetSchema, target, caseRule) && !isAmong(schema, name, caseRule),
  );
}
