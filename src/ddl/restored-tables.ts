import { sql } from "kysely";
import type {
  ReflectedColumn,
  ReflectedForeignKey,
  ReflectedSchema,
  ReflectedTable,
} from "../engine/reflection/reflected-table.ts";
import { type AnyColumn, Column } from "../schema/column.ts";
import { type Constraint, check, foreignKey, index, unique } from "../schema/constraint.ts";
import { ConstraintNames } from "../schema/constraint-names.ts";
import type { Metadata } from "../schema/metadata.ts";
import { type AnyTable, Table } from "../schema/table.ts";
import { integer } from "../schema/types/integer.ts";

/** A table that a foreign key may lead to. */
interface Known {
  readonly fullName: string;
  hasColumn(name: string): boolean;
}

/**
 * Makes tables of what a catalogue describes, except those that the metadata has already. A foreign key to a table
 * that is neither here nor in the metadata, such as one of another schema, is left out.
 */
export function restoreTables({ tables, foldsCase }: ReflectedSchema, metadata: Metadata): AnyTable[] {
  const folded = (name: string) => (foldsCase ? name.toLowerCase() : name);
  const known = new Map<string, Known>();
  for (const { name, columns } of tables) {
    known.set(folded(name), { fullName: name, hasColumn: (column) => columns.some((one) => one.name === column) });
  }
  const defined = new Set<string>();
  for (const table of metadata.tables.values()) {
    defined.add(folded(table.fullName));
    known.set(folded(table.fullName), {
      fullName: table.fullName,
      hasColumn: (column) => table.findColumn(column) !== undefined,
    });
  }
  const names = new ConstraintNames(metadata);
  return tables
    .filter(({ name }) => !defined.has(folded(name)))
    .map((table) => {
      const references = table.foreignKeys.flatMap((key) => {
        const target = known.get(
          folded(key.targetSchema === undefined ? key.target : `${key.targetSchema}.${key.target}`),
        );
        return target !== undefined && key.targetColumns.every(target.hasColumn)
          ? [reference(key, target.fullName)]
          : [];
      });
      return restoreTable(table, references, names, metadata);
    });
}

function restoreTable(
  table: ReflectedTable,
  references: readonly Constraint[],
  names: ConstraintNames,
  metadata: Metadata,
): AnyTable {
  const { name, primaryKey } = table;
  const constraints: Constraint[] = [
    ...table.uniques.map((one) => unique(one.columns, named(one.name))),
    ...table.indexes.map((one) => index(one.columns, { name: one.name, unique: one.unique })),
    ...references,
    ...table.checks.map((one) => check(sql.raw(one.expression), named(names.ownCheckName(name, one.name)))),
  ];
  const columns = Object.fromEntries(table.columns.map((column) => [column.name, restoreColumn(column, table)]));
  return new Table({
    owner: metadata.owner,
    name,
    bindKey: metadata.bindKey,
    columns,
    constraints,
    keyOrder: primaryKey,
    indexTexts: table.indexTexts.map(({ definition }) => definition),
  });
}

function restoreColumn(column: ReflectedColumn, { primaryKey }: ReflectedTable): AnyColumn {
  const isKey = primaryKey.includes(column.name);
  const isGenerated = isKey && primaryKey.length === 1 && column.automatic;
  const isNumbered = column.automatic && !isGenerated;
  // Generated keys are integer or bigint; a small one fits into an integer.
  const type = isGenerated && column.type.kind === "smallint" ? integer().definition.type : column.type;
  const { serverDefault, generated } = column;
  return new Column({
    type,
    ...(isKey ? { primaryKey: true } : {}),
    ...(isNumbered ? { automatic: true } : isKey && !isGenerated ? { automatic: false } : {}),
    ...(column.nullable && !isKey ? { nullable: true } : {}),
    ...(serverDefault === undefined || isGenerated || isNumbered ? {} : { serverDefault: sql.raw(serverDefault) }),
    ...(generated === undefined ? {} : { generated }),
  });
}

function reference(
  { columns, targetColumns, name, onDelete, onUpdate }: ReflectedForeignKey,
  table: string,
): Constraint {
  return foreignKey(columns, table, targetColumns, {
    ...named(name),
    ...(onDelete === undefined ? {} : { onDelete }),
    ...(onUpdate === undefined ? {} : { onUpdate }),
  });
}

function named(name: string | undefined): { readonly name?: string } {
  return name === undefined ? {} : { name };
}
