import { createQueryId, type Expression, RawNode, SqliteQueryCompiler } from "kysely";
import type { CheckConstraint, Index, UniqueConstraint } from "./constraint.ts";
import type { ForeignKey } from "./foreign-key.ts";
import type { Metadata } from "./metadata.ts";
import { shortHash } from "./names.ts";
import { conventionalName, DEFAULT_NAMING, type NamingConvention } from "./naming-convention.ts";
import type { AnyTable } from "./table.ts";
import type { TableColumn } from "./table-column.ts";

/** The kinds of constraints and indexes. */
export type ConstraintKind = "primary key" | "unique constraint" | "index" | "foreign key" | "check";

/** The name of a constraint or index in the database. */
export interface ConstraintName {
  readonly kind: ConstraintKind;
  readonly name: string;
  /** Its columns by their names in the database; none for a check but that of an enumeration. */
  readonly columns: readonly string[];
  /** How to give it another name, for messages. */
  readonly wayOut: string;
}

const OWN_NAME = "{name}";
const GIVE_NAME = "Give one of them a `name` of its own.";

/** The names that constraints and indexes get: their own, else that of the naming convention. A kind without template gets none. */
export class ConstraintNames {
  readonly #convention: NamingConvention;
  readonly #metadata: Pick<Metadata, "tables">;

  constructor(metadata: Pick<Metadata, "tables" | "namingConvention">) {
    this.#convention = metadata.namingConvention;
    this.#metadata = metadata;
  }

  primaryKey(table: AnyTable): string | undefined {
    return conventionalName(this.#convention.pk, { table: table.tableName, columns: namesOf(table.primaryKey) });
  }

  unique(table: AnyTable, { name, columns }: UniqueConstraint): string | undefined {
    const parts = { table: table.tableName, columns: columnNames(table, columns) };
    return name ?? conventionalName(this.#convention.uq, parts);
  }

  /** Indexes always have a name. */
  index(table: AnyTable, { name, columns }: Index): string {
    const parts = { table: table.tableName, columns: columnNames(table, columns) };
    return name ?? conventionalName(this.#convention.ix, parts) ?? conventionalName(DEFAULT_NAMING.ix, parts)!;
  }

  foreignKey(table: AnyTable, { name, columns, target }: ForeignKey): string | undefined {
    if (name !== undefined) return name;
    const referred = this.#metadata.tables.get(target.table);
    return conventionalName(this.#convention.fk, {
      table: table.tableName,
      columns: namesOf(columns),
      referredTable: referred?.tableName ?? target.table,
      referredColumns: target.columns.map((column) => referred?.findColumn(column)?.name ?? column),
    });
  }

  /**
   * A check's own name is the `{name}` of the template, and the whole name where the template has no such part. A check
   * without a name is named after the text of its condition.
   */
  check(table: AnyTable, { name, expression }: CheckConstraint): string | undefined {
    const template = this.#convention.ck;
    if (name !== undefined && template?.includes(OWN_NAME) !== true) return name;
    if (template === undefined) return undefined;
    const part = name ?? hashOf(expression);
    return conventionalName(template, { table: table.tableName, name: part, condition: part });
  }

  /** The check of an enumeration has no name of its own: the column's stands for it in the template. */
  enumeration(table: AnyTable, { name }: TableColumn): string | undefined {
    return conventionalName(this.#convention.ck, { table: table.tableName, columns: [name], name, condition: name });
  }

  /** All names of a table's constraints and indexes. */
  all(table: AnyTable): ConstraintName[] {
    const { primaryKey } = table;
    const made: (ConstraintName | undefined)[] = [
      primaryKey.length === 0
        ? undefined
        : named("primary key", this.primaryKey(table), namesOf(primaryKey), "Change `pk` of the naming convention."),
      ...table.uniques.map((one) =>
        named("unique constraint", this.unique(table, one), columnNames(table, one.columns), GIVE_NAME),
      ),
      ...table.indexes.map((one) => named("index", this.index(table, one), columnNames(table, one.columns), GIVE_NAME)),
      ...table.foreignKeys.map((key) =>
        named("foreign key", this.foreignKey(table, key), namesOf(key.columns), GIVE_NAME),
      ),
      ...table.columnList
        .filter(({ definition: { type } }) => type.kind === "enumeration" && type.values !== undefined)
        .map((column) =>
          named("check", this.enumeration(table, column), [column.name], "Change `ck` of the naming convention."),
        ),
      ...table.checks.map((one) => named("check", this.check(table, one), [], GIVE_NAME)),
    ];
    return made.filter((one) => one !== undefined);
  }

  /** The own name that {@link check} has made a check's whole name of. */
  ownCheckName(table: string, name: string | undefined): string | undefined {
    const [before = "", after] = this.#convention.ck?.split(OWN_NAME) ?? [];
    const prefix = conventionalName(before, { table });
    const suffix = conventionalName(after, { table });
    if (name === undefined || prefix === undefined || suffix === undefined) return name;
    const isMade = name.length > prefix.length + suffix.length && name.startsWith(prefix) && name.endsWith(suffix);
    return isMade ? name.slice(prefix.length, name.length - suffix.length) : name;
  }
}

function named(
  kind: ConstraintKind,
  name: string | undefined,
  columns: readonly string[],
  wayOut: string,
): ConstraintName | undefined {
  return name === undefined ? undefined : { kind, name, columns, wayOut };
}

/** The same for a condition on every database. */
function hashOf(expression: Expression<unknown>): string {
  const node = RawNode.createWithChild(expression.toOperationNode());
  const { sql, parameters } = new SqliteQueryCompiler().compileQuery(node, createQueryId());
  const values = JSON.stringify(parameters, (_, value) => (typeof value === "bigint" ? `${value}` : value));
  return shortHash(`${sql} ${values}`);
}

function namesOf(columns: readonly TableColumn[]): string[] {
  return columns.map(({ name }) => name);
}

function columnNames(table: AnyTable, properties: readonly string[]): string[] {
  // The table has checked that its constraints name columns of its own.
  return properties.map((property) => table.findColumn(property)!.name);
}
