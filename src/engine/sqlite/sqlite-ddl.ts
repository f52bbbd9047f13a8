import { ColumnDefinitionNode, RawNode, sql } from "kysely";
import type { LogicalType } from "../../schema/logical-type.ts";
import type { TableColumn } from "../../schema/table-column.ts";
import type { FamilyDdl } from "../family-ddl.ts";
import type { RunQuery } from "../reflection/catalog-query.ts";
import { isNow } from "../reflection/now-expression.ts";
import { encodeSortable } from "./sortable-decimal.ts";
import { findSqliteTables, foreignSqliteReference } from "./sqlite-catalog.ts";
import { sqliteCheck } from "./sqlite-checks.ts";
import { SQLITE_NOW } from "./sqlite-instants.ts";

/**
 * Says of a generated key that it is a `bigint()`. SQLite generates values only for the type `integer`, and keeps a
 * table's SQL with its comments, where reflection finds this one.
 */
export const BIGINT_KEY = "/* bigint */";

const DECIMAL = /^'?(-?\d+(?:\.\d+)?)'?$/;

/** How SQLite makes and drops tables. */
export const sqliteDdl: FamilyDdl = {
  findTables: findSqliteTables,
  generateKey,
  generatedKeyIsPrimary: true,
  defaultValue: ({ definition: { type } }, expression) => `(${defaultExpression(type, expression)})`,
  checkCondition: sqliteCheck,
  generatedNotNull: true,
  binaryLiteral: (hex) => `x'${hex}'`,
  addsForeignKeys: false,
  schemasAreFiles: true,
  // SQLite deletes the rows first, and that would delete or change rows elsewhere; other databases refuse.
  foreignReference: foreignSqliteReference,
  beforeDrop: async () => [],
  withoutForeignKeys,
};

function defaultExpression(type: LogicalType, expression: string): string {
  if (type.kind === "timestamp" && isNow(expression)) return SQLITE_NOW;
  const number = type.kind === "numeric" && type.declared === undefined ? DECIMAL.exec(expression)?.[1] : undefined;
  return number === undefined ? expression : `'${encodeSortable(String(type.accept(number)))}'`;
}

function generateKey(
  { definition: { type } }: TableColumn,
  definition: ColumnDefinitionNode,
  name: string | undefined,
): ColumnDefinitionNode {
  const hint = type.kind === "bigint" ? `${BIGINT_KEY} ` : "";
  const constraint =
    name === undefined
      ? RawNode.createWithSql(`${hint}primary key autoincrement`)
      : sql`${sql.raw(hint)}constraint ${sql.id(name)} primary key autoincrement`.toOperationNode();
  return ColumnDefinitionNode.cloneWithEndModifier(definition, constraint);
}

async function withoutForeignKeys<T>(run: RunQuery, work: () => Promise<T>): Promise<T> {
  const [state] = await run(sql<{ readonly foreign_keys: number }>`pragma foreign_keys`);
  if (state?.foreign_keys !== 1) return work();
  await run(sql`pragma foreign_keys = off`);
  try {
    return await work();
  } finally {
    await run(sql`pragma foreign_keys = on`);
  }
}
