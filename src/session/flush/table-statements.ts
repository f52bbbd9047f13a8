import type { RootOperationNode } from "kysely";
import type { Connection } from "../../engine/connection.ts";
import type { EngineQuery } from "../../engine/driver.ts";
import type { Engine } from "../../engine/engine.ts";
import type { ColumnwiseStatements, TypedColumn } from "../../engine/family.ts";
import { RecentMap } from "../../engine/recent-map.ts";
import type { AnyTable } from "../../schema/table.ts";
import type { TableColumn } from "../../schema/table-column.ts";
import type { DriverRow } from "../reading/row-functions.ts";

/** How many statements for a certain number of rows are kept; they are long. */
const MOST_LONG = 16;

/** The statements that write rows of one table on one engine, compiled once for each set of columns. */
export class TableStatements {
  readonly #engine: Engine;
  readonly #kept = new Map<string, EngineQuery<DriverRow>>();
  readonly #long = new RecentMap<string, EngineQuery<DriverRow>>(MOST_LONG);
  #types: Promise<ReadonlyMap<string, string>> | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** A statement for one row. */
  ofRow(shape: string, make: () => RootOperationNode): EngineQuery<DriverRow> {
    return this.#keep(shape, () => ({ ...this.#engine.compileQuery(make()), prepare: true, plainNumbers: true }));
  }

  /** A statement that is SQL text, and gives back these columns. */
  ofText(shape: string, make: () => string, returned: readonly TableColumn[]): EngineQuery<DriverRow> {
    return this.#keep(shape, () => ({
      ...this.#engine.rawQuery(make()),
      prepare: true,
      plainNumbers: !needsExactNumbers(returned),
    }));
  }

  #keep(shape: string, make: () => EngineQuery): EngineQuery<DriverRow> {
    let query = this.#kept.get(shape);
    if (query === undefined) {
      query = make() as EngineQuery<DriverRow>;
      this.#kept.set(shape, query);
    }
    return query;
  }

  /** A statement for so many rows at once. */
  ofRows(shape: string, rows: number, make: () => EngineQuery): EngineQuery<DriverRow> {
    const key = `${rows} × ${shape}`;
    let query = this.#long.get(key);
    if (query === undefined) {
      query = { ...(make() as EngineQuery<DriverRow>), prepare: true };
      this.#long.set(key, query);
    }
    return query;
  }

  /** The columns with their types in the database, which is asked once. */
  async typed(
    table: AnyTable,
    connection: Connection,
    statements: ColumnwiseStatements,
    columns: readonly TableColumn[],
  ): Promise<TypedColumn[]> {
    this.#types ??= statements
      .columnTypes(
        table,
        async (sql, parameters) =>
          (await connection.execute<DriverRow>({ ...this.#engine.rawQuery(sql), parameters })).rows,
      )
      .catch((error: unknown) => {
        this.#types = undefined;
        throw error;
      });
    const types = await this.#types;
    // A column that is not there is the database's to complain about.
    return columns.map((column) => ({ column, type: types.get(column.name) ?? "text" }));
  }
}

/** Whether numbers of these columns may be larger than a JavaScript number holds. */
export function needsExactNumbers(columns: readonly TableColumn[]): boolean {
  return columns.some(({ definition: { type } }) => type.kind === "bigint" || type.kind === "native");
}
