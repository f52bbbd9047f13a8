import type { Connection } from "../../engine/connection.ts";
import { withParameters } from "../../engine/driver.ts";
import type { ColumnwiseStatements, ListedType, QueryRunner, TypedColumn } from "../../engine/family.ts";
import { memoizePerEngine } from "../../engine/memoize-per-engine.ts";
import type { AnyTable } from "../../schema/table.ts";
import type { TableColumn } from "../../schema/table-column.ts";
import type { DriverRow } from "../reading/row-functions.ts";

/** The types that the columns of a table have in the database, by their names there. */
type Types = ReadonlyMap<string, ListedType>;

const TEXT: ListedType = { type: "text", isListed: true, isBytes: false };

const read = memoizePerEngine((_: AnyTable): { types: Promise<Types> | undefined } => ({ types: undefined }));

/** Columns with their types in the database, which is asked once for each table. */
export async function typedColumns(
  table: AnyTable,
  connection: Connection,
  statements: ColumnwiseStatements,
  columns: readonly TableColumn[],
): Promise<TypedColumn[]> {
  const types = await typesOf(table, connection, statements);
  // A column that is not there is the database's to complain about.
  return columns.map((column) => ({ column, type: types.get(column.name) ?? TEXT }));
}

function typesOf(table: AnyTable, connection: Connection, { columnTypes }: ColumnwiseStatements): Promise<Types> {
  const { engine } = connection;
  const ofTable = read(table, engine);
  if (ofTable.types === undefined) {
    const run: QueryRunner = async (sql, parameters) =>
      // Rows have columns by their names.
      (await connection.execute(withParameters(engine.rawQuery(sql), parameters))).rows as DriverRow[];
    ofTable.types = columnTypes(table, run);
    ofTable.types.catch(() => {
      ofTable.types = undefined;
    });
  }
  return ofTable.types;
}
