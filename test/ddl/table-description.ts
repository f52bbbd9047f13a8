import { createQueryId, type Expression, RawNode, SqliteQueryCompiler } from "kysely";
import type { Metadata } from "../../src/schema/metadata.ts";
import type { AnyTable } from "../../src/schema/table.ts";

/** Everything that a table says of itself, as plain data that can be compared. */
export function describeTable(table: AnyTable) {
  return {
    name: table.tableName,
    primaryKey: table.primaryKey.map(({ name }) => name),
    generatedKey: table.generatedKey?.name,
    columns: table.columnList.map(({ name, property, definition: { type, nullable, serverDefault, generated } }) => {
      const { accept: _accept, ...described } = type;
      return { name, property, type: described, nullable: nullable === true, default: sqlOf(serverDefault), generated };
    }),
    uniques: sorted(table.uniques.map(({ name, columns }) => ({ name, columns }))),
    indexes: sorted(table.indexes.map(({ name, columns, unique }) => ({ name, columns, unique }))),
    checks: sorted(table.checks.map(({ name, expression }) => ({ name, expression: sqlOf(expression) }))),
    foreignKeys: sorted(
      table.foreignKeys.map(({ columns, target, name, onDelete, onUpdate }) => {
        return { name, columns: columns.map((column) => column.name), target, onDelete, onUpdate };
      }),
    ),
  };
}

/** Every table of a bind, by name. */
export function describeMetadata(metadata: Metadata) {
  return Object.fromEntries(
    [...metadata.tables]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, table]) => [name, describeTable(table)]),
  );
}

function sqlOf(expression: Expression<unknown> | undefined): string | undefined {
  if (expression === undefined) return undefined;
  return new SqliteQueryCompiler().compileQuery(RawNode.createWithChild(expression.toOperationNode()), createQueryId())
    .sql;
}

function sorted<T>(list: readonly T[]): T[] {
  return [...list].sort((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1));
}
