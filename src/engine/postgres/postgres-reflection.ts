import { sql } from "kysely";
import type { RunQuery } from "../reflection/catalog-query.ts";
import {
  type ReflectedColumn,
  type ReflectedForeignKey,
  type ReflectedSchema,
  type ReflectedTable,
  referentialAction,
} from "../reflection/reflected-table.ts";
import { recognizeEnumerations } from "../reflection/reflected-types.ts";
import { postgresDefault, postgresReflectedType, postgresValueList } from "./postgres-reflected-types.ts";

interface ColumnRow {
  readonly table: string;
  readonly name: string;
  readonly type: string;
  readonly notNull: boolean;
  readonly default: string | null;
  readonly identity: string;
  readonly generated: string;
  readonly labels: readonly string[] | null;
}

interface ConstraintRow {
  readonly table: string;
  readonly name: string;
  readonly kind: "p" | "u" | "c" | "f";
  readonly columns: readonly string[];
  readonly expression: string | null;
  readonly targetSchema: string | null;
  readonly target: string | null;
  readonly targetColumns: readonly string[] | null;
  readonly onDelete: string;
  readonly onUpdate: string;
}

interface IndexRow {
  readonly table: string;
  readonly name: string;
  readonly unique: boolean;
  readonly columns: readonly string[];
  readonly definition: string;
}

/** The connection's own tables; a partition belongs to its table, and what an extension brought is the extension's. */
const OWN_TABLES = sql`
  pg_class c
  where c.relnamespace = (select oid from pg_namespace where nspname = current_schema())
    and c.relkind in ('r', 'p') and not c.relispartition
    and not exists (
      select from pg_depend e where e.classid = 'pg_class'::regclass and e.objid = c.oid and e.deptype = 'e')`;

const names = (numbers: string, relation: string) => sql`(
  select json_agg(a.attname order by u.position)
  from unnest(${sql.raw(numbers)}) with ordinality as u(number, position)
    join pg_attribute a on a.attrelid = ${sql.raw(relation)} and a.attnum = u.number)`;

const ACTIONS: Readonly<Record<string, string>> = { r: "restrict", c: "cascade", n: "set null", d: "set default" };

/** Reads the tables of the current schema out of PostgreSQL's catalogue. */
export async function reflectPostgres(run: RunQuery): Promise<ReflectedSchema> {
  const columns = Map.groupBy(await readColumns(run), ({ table }) => table);
  const constraints = Map.groupBy(await readConstraints(run), ({ table }) => table);
  const indexes = Map.groupBy(await readIndexes(run), ({ table }) => table);
  const tables = [...columns].map(([name, rows]) =>
    reflectedTable(name, rows, constraints.get(name) ?? [], indexes.get(name) ?? []),
  );
  return { tables, foldsCase: false };
}

function readColumns(run: RunQuery): Promise<readonly ColumnRow[]> {
  return run(sql<ColumnRow>`
    select o.relname as "table", a.attname as "name", format_type(a.atttypid, a.atttypmod) as "type", a.attnotnull as "notNull",
      pg_get_expr(d.adbin, d.adrelid) as "default", a.attidentity as "identity", a.attgenerated as "generated",
      (select json_agg(l.enumlabel order by l.enumsortorder) from pg_enum l where l.enumtypid = a.atttypid) as "labels"
    from (select c.oid, c.relname from ${OWN_TABLES}) o
      join pg_attribute a on a.attrelid = o.oid and a.attnum > 0 and not a.attisdropped
      left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    order by o.relname, a.attnum`);
}

function readConstraints(run: RunQuery): Promise<readonly ConstraintRow[]> {
  return run(sql<ConstraintRow>`
    select o.relname as "table", k.conname as "name", k.contype as "kind", ${names("k.conkey", "k.conrelid")} as "columns",
      case k.contype when 'c' then pg_get_expr(k.conbin, k.conrelid) end as "expression",
      nullif(m.nspname, current_schema()) as "targetSchema", t.relname as "target",
      ${names("k.confkey", "k.confrelid")} as "targetColumns", k.confdeltype as "onDelete", k.confupdtype as "onUpdate"
    from (select c.oid, c.relname from ${OWN_TABLES}) o
      join pg_constraint k on k.conrelid = o.oid and k.contype in ('p', 'u', 'c', 'f')
      left join pg_class t on t.oid = k.confrelid left join pg_namespace m on m.oid = t.relnamespace
    order by k.oid`);
}

/** Indexes that are complete: one whose making failed holds for nothing. */
function readIndexes(run: RunQuery): Promise<readonly IndexRow[]> {
  return run(sql<IndexRow>`
    select o.relname as "table", i.relname as "name", x.indisunique as "unique",
      ${names("(x.indkey::int2[])[0:x.indnkeyatts - 1]", "x.indrelid")} as "columns",
      replace(pg_get_indexdef(i.oid), ' ON ' || quote_ident(current_schema()) || '.', ' ON ') as "definition"
    from (select c.oid, c.relname from ${OWN_TABLES}) o
      join pg_index x on x.indrelid = o.oid and x.indisvalid
      join pg_class i on i.oid = x.indexrelid
    where not exists (
      select from pg_constraint k where k.conrelid = o.oid and k.conindid = x.indexrelid and k.contype in ('p', 'u', 'x'))
    order by i.oid`);
}

const IDENTIFIER = '(?:"(?:[^"]|"")+"|[a-z_][a-z0-9_$]*)';
/** The end of the definition of an index over nothing but columns. */
const PLAIN_INDEX = new RegExp(` USING btree \\(${IDENTIFIER}(?:, ${IDENTIFIER})*\\)$`);

function reflectedTable(
  name: string,
  columnRows: readonly ColumnRow[],
  constraints: readonly ConstraintRow[],
  indexes: readonly IndexRow[],
): ReflectedTable {
  const checks = constraints.flatMap(({ kind, name, expression }) =>
    kind === "c" && expression !== null ? [{ name, expression }] : [],
  );
  return {
    name,
    ...recognizeEnumerations(columnRows.map(reflectedColumn), checks, postgresValueList),
    primaryKey: constraints.find(({ kind }) => kind === "p")?.columns ?? [],
    uniques: constraints.filter(({ kind }) => kind === "u").map(({ name, columns }) => ({ name, columns })),
    indexes: indexes.filter(({ definition }) => PLAIN_INDEX.test(definition)),
    indexTexts: indexes.filter(({ definition }) => !PLAIN_INDEX.test(definition)),
    foreignKeys: constraints.filter(({ kind }) => kind === "f").map(reflectedForeignKey),
  };
}

function reflectedColumn(row: ColumnRow): ReflectedColumn {
  const type = postgresReflectedType(row.type, row.labels);
  const computed = row.generated !== "";
  const generated =
    computed && row.default !== null ? { expression: row.default, stored: row.generated === "s" } : undefined;
  return {
    name: row.name,
    type,
    nullable: !row.notNull,
    serverDefault: computed ? undefined : postgresDefault(row.default, type),
    generated,
    automatic: row.identity !== "" || row.default?.startsWith("nextval(") === true,
  };
}

function reflectedForeignKey(row: ConstraintRow): ReflectedForeignKey {
  return {
    name: row.name,
    columns: row.columns,
    targetSchema: row.targetSchema ?? undefined,
    target: row.target!,
    targetColumns: row.targetColumns!,
    onDelete: referentialAction(ACTIONS[row.onDelete] ?? ""),
    onUpdate: referentialAction(ACTIONS[row.onUpdate] ?? ""),
  };
}
