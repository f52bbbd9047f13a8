import type { Metadata } from "../schema/metadata.ts";
import type { AnyTable } from "../schema/table.ts";

/** A violated constraint as a database names it: all of it, or what its message says. */
export interface ConstraintViolation {
  /** The table's name, with the schema in front where it is said. */
  readonly table?: string | undefined;
  /** The columns' names in the database. */
  readonly columns?: readonly string[] | undefined;
  readonly constraint?: string | undefined;
}

/** The primary key's name on MySQL and MariaDB, whatever it was called. */
const PRIMARY = "PRIMARY";

/** Completes what a database says of a violated constraint from the bind's metadata, with properties for columns. */
export function completed(violation: ConstraintViolation, metadata: Metadata | undefined): ConstraintViolation {
  const table = metadata === undefined ? undefined : tableOf(violation, metadata);
  if (table === undefined) return violation;
  const columns = violation.columns ?? columnsOf(violation, table);
  return {
    table: table.fullName,
    columns: columns?.map((name) => table.columnNamed(name)?.property ?? name),
    constraint: violation.constraint ?? constraintOf(columns, table),
  };
}

function tableOf({ table }: ConstraintViolation, { tables }: Metadata): AnyTable | undefined {
  if (table === undefined) return undefined;
  const found = tables.get(table);
  if (found !== undefined || !table.includes(".")) return found;
  // A database names the schema also where the table is in that of the connection.
  return tables.get(table.slice(table.indexOf(".") + 1));
}

/** The columns of a constraint that is known by its name. */
function columnsOf({ constraint }: ConstraintViolation, table: AnyTable): readonly string[] | undefined {
  if (constraint === undefined) return undefined;
  if (constraint === PRIMARY) return table.primaryKey.map(({ name }) => name);
  const named = [...table.uniques, ...table.indexes].find(({ name }) => name === constraint);
  if (named !== undefined) return named.columns.map((property) => table.findColumn(property)?.name ?? property);
  // MySQL and MariaDB call a constraint without a name like its first column.
  const own = table.uniques.find(({ name, columns }) => name === undefined && isNamed(table, columns[0], constraint));
  if (own !== undefined) return own.columns.map((property) => table.findColumn(property)?.name ?? property);
  const key = table.foreignKeys.find(({ name }) => name === constraint);
  return key?.columns.map(({ name }) => name);
}

function isNamed(table: AnyTable, property: string | undefined, name: string): boolean {
  return property !== undefined && table.findColumn(property)?.name === name;
}

/** The name of the unique constraint over columns. */
function constraintOf(columns: readonly string[] | undefined, table: AnyTable): string | undefined {
  if (columns === undefined) return undefined;
  const isThis = (properties: readonly string[]) =>
    properties.length === columns.length &&
    properties.every((property, index) => table.findColumn(property)?.name === columns[index]);
  return [...table.uniques, ...table.indexes].find((one) => isThis(one.columns))?.name;
}
