import { ConstraintNames } from "../schema/constraint-names.ts";
import type { Metadata } from "../schema/metadata.ts";
import type { AnyTable } from "../schema/table.ts";
import type { ErrorKind } from "./error-kind.ts";

/** A violated constraint as a database names it: all of it, or what its message says. */
export interface ConstraintViolation {
  /** The table's name, with the schema in front where it is said. */
  readonly table?: string | undefined;
  /** The columns' names in the database. */
  readonly columns?: readonly string[] | undefined;
  readonly constraint?: string | undefined;
  /** The columns as the message lists them, each after its table and a point, where names in it may have points and commas. */
  readonly list?: string | undefined;
}

/** The primary key's name on MySQL and MariaDB, whatever it was called. */
const PRIMARY = "PRIMARY";

/** Completes what a database says of a violated constraint from the bind's metadata, with properties for columns. */
export function completed(
  kind: ErrorKind,
  { list, ...given }: ConstraintViolation,
  metadata: Metadata | undefined,
): ConstraintViolation {
  if (metadata === undefined) return given;
  const names = new ConstraintNames(metadata);
  const violation = list === undefined ? given : { ...given, ...listed(list, metadata) };
  const table = tableOf(violation, metadata, names);
  if (table === undefined) return violation;
  const columns = violation.columns ?? columnsOf(violation, table, names);
  const constraint = violation.constraint ?? (kind === "unique" ? uniqueOver(columns, table, names) : undefined);
  return {
    table: table.fullName,
    columns: columns?.map((name) => table.columnNamed(name)?.property ?? name),
    constraint,
  };
}

/** The table and columns of a list in a message. */
function listed(list: string, { tables }: Metadata): ConstraintViolation {
  for (const table of tables.values()) {
    const start = `${table.tableName}.`;
    if (!list.startsWith(start)) continue;
    let columns: string[] = [];
    let rest = list;
    while (rest.startsWith(start)) {
      const after = rest.slice(start.length);
      const column = table.columnList.find(({ name }) => after === name || after.startsWith(`${name}, ${start}`));
      if (column === undefined) break;
      columns = [...columns, column.name];
      if (after === column.name) return { table: table.fullName, columns };
      rest = after.slice(column.name.length + 2);
    }
  }
  return {};
}

function tableOf(
  { table, constraint }: ConstraintViolation,
  { tables }: Metadata,
  names: ConstraintNames,
): AnyTable | undefined {
  if (table === undefined) {
    if (constraint === undefined) return undefined;
    const having = [...tables.values()].filter((one) => names.all(one).some(({ name }) => name === constraint));
    return having.length === 1 ? having[0] : undefined;
  }
  const found = tables.get(table);
  if (found !== undefined || !table.includes(".")) return found;
  // A database names the schema also where the table is in that of the connection.
  return tables.get(table.slice(table.indexOf(".") + 1));
}

/** The columns of a constraint that is known by its name. */
function columnsOf(
  { constraint }: ConstraintViolation,
  table: AnyTable,
  names: ConstraintNames,
): readonly string[] | undefined {
  if (constraint === undefined) return undefined;
  if (constraint === PRIMARY) return table.primaryKey.map(({ name }) => name);
  const named = names.all(table).find(({ name }) => name === constraint);
  if (named !== undefined) return named.columns.length === 0 ? undefined : named.columns;
  // MySQL and MariaDB call a constraint without a name like its first column.
  const own = table.uniques.find(({ name, columns }) => name === undefined && isNamed(table, columns[0], constraint));
  return own?.columns.map((property) => table.findColumn(property)?.name ?? property);
}

function isNamed(table: AnyTable, property: string | undefined, name: string): boolean {
  return property !== undefined && table.findColumn(property)?.name === name;
}

/** The name of the primary key, unique constraint or unique index over columns. */
function uniqueOver(
  columns: readonly string[] | undefined,
  table: AnyTable,
  names: ConstraintNames,
): string | undefined {
  if (columns === undefined) return undefined;
  const uniqueIndexes = new Set(table.indexes.filter(({ unique }) => unique).map((index) => names.index(table, index)));
  return names
    .all(table)
    .find(
      ({ kind, name, columns: own }) =>
        (kind === "primary key" || kind === "unique constraint" || (kind === "index" && uniqueIndexes.has(name))) &&
        own.length === columns.length &&
        own.every((column, index) => column === columns[index]),
    )?.name;
}
