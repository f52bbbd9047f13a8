import { sql } from "kysely";
import type { RunQuery } from "../reflection/catalog-query.ts";
import type { ReflectedCheck } from "../reflection/reflected-table.ts";
import { unescaped } from "./mysql-reflected-types.ts";

interface ServerRow {
  readonly version: string;
  readonly caseRule: number | bigint;
}

/** A column of a table. */
export interface ColumnRow {
  readonly table: string;
  readonly name: string;
  readonly type: string;
  readonly nullable: "YES" | "NO";
  readonly default: string | null;
  readonly extra: string;
  readonly generated: string | null;
  readonly collation: string | null;
}

/** A column of an index. */
export interface IndexRow {
  readonly table: string;
  readonly name: string;
  readonly nonUnique: number | bigint;
  readonly column: string | null;
  readonly prefix: number | bigint | null;
  readonly kind: string;
  /** `D` where the column is in descending order. */
  readonly direction: string | null;
}

/** A column of a foreign key. */
export interface KeyRow {
  readonly table: string;
  readonly name: string;
  readonly column: string;
  readonly own: number | bigint;
  readonly targetSchema: string;
  readonly target: string;
  readonly targetColumn: string;
}

/** The action of a foreign key when the row it refers to changes. */
export interface ActionRow {
  readonly table: string;
  readonly name: string;
  readonly onDelete: string;
  readonly onUpdate: string;
}

/** A check constraint. */
export interface CheckRow extends ReflectedCheck {
  readonly table: string;
}

/** Which server this is, and how it compares names. */
export async function readServer(run: RunQuery): Promise<{ readonly isMariadb: boolean; readonly foldsCase: boolean }> {
  const [server] = await run(sql<ServerRow>`select version() as version, @@lower_case_table_names as caseRule`);
  return { isMariadb: server!.version.includes("MariaDB"), foldsCase: Number(server!.caseRule) !== 0 };
}

/** The columns of all tables, in the order of definition. */
export function readColumns(run: RunQuery): Promise<readonly ColumnRow[]> {
  return run(sql<ColumnRow>`
    select c.table_name as \`table\`, c.column_name as name, c.column_type as type, c.is_nullable as nullable,
      c.column_default as \`default\`, c.extra as extra, c.generation_expression as \`generated\`, c.collation_name as collation
    from information_schema.columns c
    where c.table_schema = database() and c.table_name in (
      select t.table_name from information_schema.tables t
      where t.table_schema = database() and t.table_type in ('BASE TABLE', 'SYSTEM VERSIONED'))
    order by c.table_name, c.ordinal_position`);
}

/** The indexes of all tables, with those that back constraints. */
export function readIndexes(run: RunQuery): Promise<readonly IndexRow[]> {
  return run(sql<IndexRow>`
    select table_name as \`table\`, index_name as name, non_unique as nonUnique, column_name as \`column\`, sub_part as prefix,
      index_type as kind, collation as direction
    from information_schema.statistics where table_schema = database() order by table_name, index_name, seq_in_index`);
}

/** The foreign keys of all tables. */
export function readKeys(run: RunQuery): Promise<readonly KeyRow[]> {
  return run(sql<KeyRow>`
    select table_name as \`table\`, constraint_name as name, column_name as \`column\`, referenced_table_schema = database() as own,
      referenced_table_schema as targetSchema, referenced_table_name as target, referenced_column_name as targetColumn
    from information_schema.key_column_usage
    where table_schema = database() and referenced_table_name is not null
    order by table_name, constraint_name, ordinal_position`);
}

/** The actions of foreign keys, which the catalog keeps in a separate table. */
export function readActions(run: RunQuery): Promise<readonly ActionRow[]> {
  return run(sql<ActionRow>`
    select table_name as \`table\`, constraint_name as name, delete_rule as onDelete, update_rule as onUpdate
    from information_schema.referential_constraints where constraint_schema = database()`);
}

/** The check constraints of all tables. On MySQL their names are unique; on MariaDB they belong to a table. */
export async function readChecks(run: RunQuery, isMariadb: boolean): Promise<readonly CheckRow[]> {
  if (isMariadb) {
    return run(sql<CheckRow>`
      select table_name as \`table\`, constraint_name as name, check_clause as expression
      from information_schema.check_constraints where constraint_schema = database() order by table_name, constraint_name`);
  }
  const rows = await run(sql<CheckRow>`
    select t.table_name as \`table\`, c.constraint_name as name, c.check_clause as expression
    from information_schema.check_constraints c join information_schema.table_constraints t
      on t.constraint_schema = c.constraint_schema and t.constraint_name = c.constraint_name and t.constraint_type = 'CHECK'
    where c.constraint_schema = database() order by t.table_name, c.constraint_name`);
  return rows.map((row) => ({ ...row, expression: unescaped(row.expression) }));
}
