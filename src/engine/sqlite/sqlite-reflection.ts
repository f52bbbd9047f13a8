import { sql } from "kysely";
import { bigint } from "../../schema/types/integer.ts";
import type { RunQuery } from "../reflection/catalog-query.ts";
import {
  type ReflectedColumn,
  type ReflectedForeignKey,
  type ReflectedIndex,
  type ReflectedIndexText,
  type ReflectedSchema,
  type ReflectedTable,
  referentialAction,
} from "../reflection/reflected-table.ts";
import { recognizeEnumerations } from "../reflection/reflected-types.ts";
import { isDecimalCheck } from "./sqlite-column-types.ts";
import { BIGINT_KEY } from "./sqlite-ddl.ts";
import { sqliteDefault, sqliteReflectedType, sqliteValueList } from "./sqlite-reflected-types.ts";
import { type NamedColumns, readTableSql, type TableSql } from "./sqlite-table-sql.ts";

interface TableRow {
  readonly name: string;
  readonly sql: string;
  readonly withoutRowid: number;
}

interface ColumnRow {
  readonly table: string;
  readonly name: string;
  readonly type: string;
  readonly notNull: number;
  readonly default: string | null;
  /** The place in the primary key, from 1. */
  readonly key: number;
  /** 2 for a computed column, 3 for a stored one. */
  readonly hidden: number;
}

interface IndexRow {
  readonly table: string;
  readonly name: string;
  readonly unique: number;
  /** `c` for `create index`, `u` for a unique constraint, `pk`. */
  readonly origin: "c" | "u" | "pk";
  readonly partial: number;
  readonly column: string | null;
  readonly descending: number;
  /** The statement that made it; null for that of a constraint. */
  readonly definition: string | null;
}

interface ForeignKeyRow {
  readonly table: string;
  readonly id: number;
  readonly target: string;
  readonly column: string;
  readonly targetColumn: string | null;
  readonly onDelete: string;
  readonly onUpdate: string;
}

/** The connection's own tables, without SQLite's, virtual ones and those that only serve these. */
const OWN_TABLES = sql`
  sqlite_master m join pragma_table_list(m.name) l
  where m.type = 'table' and l.schema = 'main' and l.type = 'table' and m.name not like 'sqlite\\_%' escape '\\'`;

/** Reads the tables of a SQLite file out of its schema. */
export async function reflectSqlite(run: RunQuery): Promise<ReflectedSchema> {
  const tables = await run(
    sql<TableRow>`select m.name as name, m.sql as sql, l.wr as withoutRowid from ${OWN_TABLES} order by m.name`,
  );
  const columns = Map.groupBy(await readColumns(run), ({ table }) => table);
  const indexes = Map.groupBy(await readIndexes(run), ({ table }) => table);
  const foreignKeys = Map.groupBy(await readForeignKeys(run), ({ table }) => table);
  const keys = new Map([...columns].map(([name, rows]) => [name.toLowerCase(), primaryKey(rows)]));
  const reflected = tables.map((table) => {
    const rows = columns.get(table.name) ?? [];
    const parts = readTableSql(table.sql);
    const references = reflectedForeignKeys(foreignKeys.get(table.name) ?? [], parts, keys);
    return reflectedTable(table, rows, indexes.get(table.name) ?? [], references, parts);
  });
  return { tables: reflected, foldsCase: true };
}

function readColumns(run: RunQuery): Promise<readonly ColumnRow[]> {
  return run(sql<ColumnRow>`
    select o.name as "table", x.name as name, x.type as type, x."notnull" as "notNull", x.dflt_value as "default", x.pk as "key",
      x.hidden as hidden
    from (select m.name from ${OWN_TABLES}) o join pragma_table_xinfo(o.name) x order by o.name, x.cid`);
}

function readIndexes(run: RunQuery): Promise<readonly IndexRow[]> {
  return run(sql<IndexRow>`
    select o.name as "table", i.name as name, i."unique" as "unique", i.origin as origin, i.partial as partial, x.name as "column",
      x."desc" as descending, (select s.sql from sqlite_schema s where s.type = 'index' and s.name = i.name) as definition
    from (select m.name from ${OWN_TABLES}) o join pragma_index_list(o.name) i join pragma_index_xinfo(i.name) x
    where x.key = 1 order by o.name, i.seq desc, x.seqno`);
}

function readForeignKeys(run: RunQuery): Promise<readonly ForeignKeyRow[]> {
  return run(sql<ForeignKeyRow>`
    select o.name as "table", f.id as id, f."table" as target, f."from" as "column", f."to" as targetColumn,
      f.on_delete as onDelete, f.on_update as onUpdate
    from (select m.name from ${OWN_TABLES}) o join pragma_foreign_key_list(o.name) f order by o.name, f.id desc, f.seq`);
}

function primaryKey(columns: readonly ColumnRow[]): string[] {
  const keys = columns.filter(({ key }) => key > 0).sort((one, other) => one.key - other.key);
  return keys.map(({ name }) => name);
}

function reflectedTable(
  { name, withoutRowid }: TableRow,
  rows: readonly ColumnRow[],
  indexRows: readonly IndexRow[],
  foreignKeys: readonly ReflectedForeignKey[],
  parts: TableSql,
): ReflectedTable {
  const key = primaryKey(rows);
  // A sole key of exactly this type is the row's own number, which SQLite gives out.
  const [sole] = key.length === 1 && withoutRowid === 0 ? key : [];
  const isRowNumber = ({ name, type }: ColumnRow) =>
    name === sole && type.toLowerCase() === "integer" && !indexRows.some(({ origin }) => origin === "pk");
  const refers = (column: string) => foreignKeys.some(({ columns }) => columns.length === 1 && columns[0] === column);
  const columns = rows
    .filter(({ hidden }) => hidden !== 1)
    .map((row) => reflectedColumn(row, isRowNumber(row) && !refers(row.name), parts));
  const indexes = reflectedIndexes(indexRows);
  return {
    name,
    ...recognizeEnumerations(
      columns,
      parts.checks.filter(({ expression }) => !isDecimalCheck(expression)),
      sqliteValueList,
    ),
    primaryKey: key,
    uniques: indexes
      .filter(({ origin }) => origin === "u")
      .map(({ columns }) => ({ name: nameFor(parts.uniques, columns), columns })),
    indexes: indexes.filter(({ origin }) => origin === "c"),
    indexTexts: indexTexts(indexRows),
    foreignKeys,
  };
}

function reflectedColumn(row: ColumnRow, automatic: boolean, { generated, comments }: TableSql): ReflectedColumn {
  const isBigintKey = automatic && comments.get(row.name)?.includes(BIGINT_KEY) === true;
  const type = isBigintKey ? bigint().definition.type : sqliteReflectedType(row.type);
  const expression = generated.get(row.name);
  return {
    name: row.name,
    type,
    nullable: row.notNull === 0 && row.key === 0,
    serverDefault: sqliteDefault(row.default, type),
    generated: expression === undefined || row.hidden < 2 ? undefined : { expression, stored: row.hidden === 3 },
    automatic,
  };
}

function reflectedIndexes(rows: readonly IndexRow[]): (ReflectedIndex & { readonly origin: IndexRow["origin"] })[] {
  return [...Map.groupBy(rows, ({ name }) => name)].flatMap(([name, parts]) => {
    const [{ unique, origin }] = parts as [IndexRow];
    const columns = parts.flatMap(({ column }) => column ?? []);
    return isPlain(parts) ? [{ name, columns, unique: unique === 1, origin }] : [];
  });
}

/** Whether an index is over nothing but columns, in their own order. */
function isPlain(parts: readonly IndexRow[]): boolean {
  return parts.every(
    ({ column, partial, descending, definition }) =>
      column !== null && partial === 0 && descending === 0 && !/\bcollate\b/i.test(definition ?? ""),
  );
}

function indexTexts(rows: readonly IndexRow[]): ReflectedIndexText[] {
  return [...Map.groupBy(rows, ({ name }) => name)].flatMap(([name, parts]) => {
    const { definition } = parts[0]!;
    return isPlain(parts) || definition === null ? [] : [{ name, definition }];
  });
}

function reflectedForeignKeys(
  rows: readonly ForeignKeyRow[],
  parts: TableSql,
  primaryKeys: ReadonlyMap<string, readonly string[]>,
): ReflectedForeignKey[] {
  return [...Map.groupBy(rows, ({ id }) => id).values()].map((key) => {
    const { target, onDelete, onUpdate } = key[0]!;
    const columns = key.map(({ column }) => column);
    const implied = primaryKeys.get(target.toLowerCase()) ?? [];
    return {
      name: nameFor(parts.foreignKeys, columns),
      columns,
      target,
      targetColumns: key.map(({ targetColumn }, position) => targetColumn ?? implied[position] ?? ""),
      onDelete: referentialAction(onDelete),
      onUpdate: referentialAction(onUpdate),
    };
  });
}

/** The name of the constraint over just these columns, in the table's own text. */
function nameFor(constraints: readonly NamedColumns[], columns: readonly string[]): string | undefined {
  const folded = columns.map((column) => column.toLowerCase());
  return constraints.find(
    (one) =>
      one.columns.length === folded.length &&
      one.columns.every((column, position) => column.toLowerCase() === folded[position]),
  )?.name;
}
