import { sql } from "kysely";
import { json } from "../../schema/types/json.ts";
import { nativeType } from "../../schema/types/native.ts";
import type { RunQuery } from "../reflection/catalog-query.ts";
import {
  type ReflectedCheck,
  type ReflectedColumn,
  type ReflectedForeignKey,
  type ReflectedSchema,
  type ReflectedTable,
  referentialAction,
} from "../reflection/reflected-table.ts";
import { recognizeEnumerations } from "../reflection/reflected-types.ts";
import {
  type ActionRow,
  type CheckRow,
  type ColumnRow,
  type IndexRow,
  type KeyRow,
  readActions,
  readChecks,
  readColumns,
  readIndexes,
  readKeys,
  readServer,
} from "./mysql-catalog-rows.ts";
import { isZeroDate, mysqlDefault, mysqlReflectedType, mysqlValueList, unescaped } from "./mysql-reflected-types.ts";

/** Everything that the catalogue says of one table. */
interface TableRows {
  readonly columns: readonly ColumnRow[];
  readonly indexes: readonly IndexRow[];
  readonly keys: readonly KeyRow[];
  readonly actions: readonly ActionRow[];
  readonly checks: readonly CheckRow[];
  /** Columns of type `tinyint(1)` that hold other numbers than 0 and 1. */
  readonly numbers: ReadonlySet<string>;
}

/** Reads the tables of the connection's own database out of MySQL's or MariaDB's catalogue. */
export async function reflectMysql(run: RunQuery): Promise<ReflectedSchema> {
  const { isMariadb, foldsCase } = await readServer(run);
  const byTable = <R extends { readonly table: string }>(rows: readonly R[]) => Map.groupBy(rows, ({ table }) => table);
  const columns = byTable(await readColumns(run));
  const indexes = byTable(await readIndexes(run));
  const keys = byTable(await readKeys(run));
  const actions = byTable(await readActions(run));
  const checks = byTable(await readChecks(run, isMariadb));
  const numbers = new Map<string, ReadonlySet<string>>();
  for (const [name, rows] of columns) numbers.set(name, await numbersOf(name, rows, run));
  const tables = [...columns].map(([name, rows]) => {
    const of = <R>(lists: Map<string, R[]>) => lists.get(name) ?? [];
    return reflectedTable(
      name,
      {
        columns: rows,
        indexes: of(indexes),
        keys: of(keys),
        actions: of(actions),
        checks: of(checks),
        numbers: numbers.get(name)!,
      },
      isMariadb,
    );
  });
  return { tables, foldsCase };
}

/** The columns of type `tinyint(1)` that cannot be booleans: only their rows tell, since the type itself takes -128 to 127. */
async function numbersOf(table: string, columns: readonly ColumnRow[], run: RunQuery): Promise<ReadonlySet<string>> {
  const names = columns.filter(({ type }) => type === "tinyint(1)").map(({ name }) => name);
  if (names.length === 0) return new Set();
  const tests = names.map(
    (name, index) =>
      sql`exists (select 1 from ${sql.table(table)} where ${sql.ref(name)} not in (0, 1)) as ${sql.ref(`n${index}`)}`,
  );
  const [found] = await run(sql<Readonly<Record<string, number | bigint>>>`select ${sql.join(tests)}`);
  return new Set(names.filter((_, index) => Number(found![`n${index}`]) === 1));
}

function reflectedTable(name: string, rows: TableRows, isMariadb: boolean): ReflectedTable {
  const foreignKeys = reflectedForeignKeys(rows);
  const indexes = [...Map.groupBy(rows.indexes, (row) => row.name)].map(([indexName, parts]) => ({
    name: indexName,
    columns: parts.map(({ column }) => column ?? ""),
    unique: Number(parts[0]!.nonUnique) === 0,
    plain: parts.every(isPlain),
  }));
  const primaryKey = indexes.find((index) => index.name === "PRIMARY")?.columns ?? [];
  const others = indexes.filter((index) => index.plain && index.name !== "PRIMARY");
  const columns = rows.columns.map((row) => reflectedColumn(row, rows.numbers.has(row.name), isMariadb));
  return {
    name,
    ...recognizeEnumerations(...withoutJsonChecks(columns, rows.checks), mysqlValueList),
    primaryKey,
    uniques: others.filter(({ unique }) => unique).map((index) => ({ name: index.name, columns: index.columns })),
    indexes: others
      .filter((index) => !index.unique && !foreignKeys.some((key) => madeFor(key, index)))
      .map((index) => ({ name: index.name, columns: index.columns, unique: false })),
    indexTexts: [...Map.groupBy(rows.indexes, (row) => row.name)].flatMap(([indexName, parts]) =>
      indexName === "PRIMARY" || parts.every(isPlain) || parts.some(({ column }) => column === null)
        ? []
        : [{ name: indexName, definition: indexDefinition(name, indexName, parts) }],
    ),
    foreignKeys,
  };
}

/** Whether a part of an index is nothing but a column, in its own order. */
function isPlain({ column, prefix, kind, direction }: IndexRow): boolean {
  return column !== null && prefix === null && kind === "BTREE" && direction !== "D";
}

const INDEX_KINDS: Readonly<Record<string, string>> = { FULLTEXT: "fulltext ", SPATIAL: "spatial " };

function indexDefinition(table: string, name: string, parts: readonly IndexRow[]): string {
  const [{ kind, nonUnique }] = parts as [IndexRow];
  const columns = parts.map(({ column, prefix, direction }) => {
    const length = prefix === null || kind in INDEX_KINDS ? "" : `(${prefix})`;
    return `${quoted(column!)}${length}${direction === "D" ? " desc" : ""}`;
  });
  const verb = Number(nonUnique) === 0 ? "unique " : (INDEX_KINDS[kind] ?? "");
  return `create ${verb}index ${quoted(name)} on ${quoted(table)} (${columns.join(", ")})`;
}

function quoted(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}

function reflectedColumn(row: ColumnRow, hasNumbers: boolean, isMariadb: boolean): ReflectedColumn {
  const type =
    isZeroDate(row.default) || hasNumbers ? nativeType(row.type) : mysqlReflectedType(row.type, row.collation);
  const computed = /\b(?:VIRTUAL|STORED|PERSISTENT)\b/.test(row.extra) && row.generated !== null;
  const expression = isMariadb ? row.generated! : unescaped(row.generated ?? "");
  return {
    name: row.name,
    type,
    nullable: row.nullable === "YES" || computed,
    serverDefault: computed
      ? undefined
      : mysqlDefault({ default: row.default, declared: row.type, extra: row.extra, isMariadb }, type),
    generated: computed ? { expression, stored: !row.extra.includes("VIRTUAL") } : undefined,
    automatic: row.extra.includes("auto_increment"),
  };
}

function reflectedForeignKeys({ keys, actions }: TableRows): ReflectedForeignKey[] {
  return [...Map.groupBy(keys, ({ name }) => name)].map(([name, parts]) => {
    const [first] = parts;
    const action = actions.find((row) => row.name === name);
    return {
      name,
      columns: parts.map(({ column }) => column),
      targetSchema: Number(first!.own) === 1 ? undefined : first!.targetSchema,
      target: first!.target,
      targetColumns: parts.map(({ targetColumn }) => targetColumn),
      onDelete: effective(action?.onDelete),
      onUpdate: effective(action?.onUpdate),
    };
  });
}

/** `restrict` and `no action` are the same here, and both are what applies where nothing is said. */
function effective(rule = ""): ReflectedForeignKey["onDelete"] {
  return rule === "RESTRICT" ? undefined : referentialAction(rule);
}

/** Whether an index is only there because the database makes one for each foreign key that has none. */
function madeFor(
  key: ReflectedForeignKey,
  index: { readonly name: string; readonly columns: readonly string[] },
): boolean {
  const sameColumns =
    key.columns.length === index.columns.length &&
    key.columns.every((name, position) => index.columns[position] === name);
  return sameColumns && (index.name === key.name || index.name === key.columns[0]);
}

/** MariaDB has no type for JSON: a column of text whose check says that it is valid JSON is one. */
function withoutJsonChecks(
  columns: readonly ReflectedColumn[],
  checks: readonly CheckRow[],
): [ReflectedColumn[], ReflectedCheck[]] {
  const isJson = ({ name, type }: ReflectedColumn, { expression }: CheckRow) =>
    type.kind === "text" && expression === `json_valid(\`${name.replaceAll("`", "``")}\`)`;
  return [
    columns.map((column) =>
      checks.some((check) => isJson(column, check)) ? { ...column, type: json().definition.type } : column,
    ),
    checks
      .filter((check) => !columns.some((column) => isJson(column, check)))
      .map(({ name, expression }) => ({ name: /^CONSTRAINT_\d+$/.test(name ?? "") ? undefined : name, expression })),
  ];
}
