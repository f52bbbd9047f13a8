import { sql } from "kysely";
import type { AnyTable } from "../../schema/table.ts";
import type { ForeignReference, FoundTable } from "../family-ddl.ts";
import type { RunQuery } from "../reflection/catalog-query.ts";
import type { FoundForeignKey } from "../reflection/forward-keys.ts";

interface RelationRow {
  readonly schema: string;
  readonly name: string;
  readonly kind: string;
  readonly visible: boolean;
}

/** Finds tables as a statement would: in their schema, or along the search path where they name none. */
export async function findPostgresTables(
  tables: readonly AnyTable[],
  run: RunQuery,
): Promise<ReadonlyMap<AnyTable, FoundTable>> {
  const rows = await run(sql<RelationRow>`
    select n.nspname as "schema", c.relname as "name", c.relkind as "kind", pg_table_is_visible(c.oid) as "visible"
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'f') and c.relpersistence <> 't' and n.nspname <> 'pg_catalog'
      and c.relname in (${sql.join(tables.map(({ tableName }) => tableName))})`);
  const found = new Map<AnyTable, FoundTable>();
  for (const table of tables) {
    const row = rows.find(
      ({ schema, name, visible }) =>
        name === table.tableName && (table.schema === undefined ? visible : schema === table.schema),
    );
    if (row === undefined) continue;
    const kind = row.kind === "r" || row.kind === "p" ? "table" : "view";
    found.set(table, { table, kind, schema: row.schema, name: row.name });
  }
  return found;
}

/** The foreign keys of tables, by the names of both ends. */
export function postgresForeignKeys(tables: readonly FoundTable[], run: RunQuery): Promise<readonly FoundForeignKey[]> {
  return run(sql<FoundForeignKey>`
    select k.conname as "name", n.nspname as "schema", c.relname as "table", m.nspname as "targetSchema", d.relname as "target"
    from pg_constraint k
      join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
      join pg_class d on d.oid = k.confrelid join pg_namespace m on m.oid = d.relnamespace
    where k.contype = 'f' and k.conparentid = 0 and c.relname in (${sql.join(tables.map(({ name }) => name))})`);
}

interface ReferenceRow extends ForeignReference {
  readonly schema: string;
  readonly targetSchema: string;
}

/** A foreign key to one of these tables from one that is not among them. A partition belongs to its table. */
export async function foreignPostgresReference(
  tables: readonly FoundTable[],
  run: RunQuery,
): Promise<ForeignReference | undefined> {
  const rows = await run(sql<ReferenceRow>`
    select n.nspname as "schema", c.relname as "name", m.nspname as "targetSchema", d.relname as "target"
    from pg_constraint k
      join pg_class c on c.oid = coalesce(pg_partition_root(k.conrelid), k.conrelid) join pg_namespace n on n.oid = c.relnamespace
      join pg_class d on d.oid = k.confrelid join pg_namespace m on m.oid = d.relnamespace
    where k.contype = 'f' and k.conparentid = 0 and d.relname in (${sql.join(tables.map(({ name }) => name))})
    order by 1, 2`);
  const isAmong = (schema: string, name: string) =>
    tables.some((table) => table.schema === schema && table.name === name);
  return rows.find(({ schema, name, targetSchema, target }) => isAmong(targetSchema, target) && !isAmong(schema, name));
}
