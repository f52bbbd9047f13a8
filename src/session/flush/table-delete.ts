import type { Connection } from "../../engine/connection.ts";
import { type EngineQuery, withParameters } from "../../engine/driver.ts";
import type { Engine } from "../../engine/engine.ts";
import { flattened } from "../../engine/flattened.ts";
import type { AnyTable } from "../../schema/table.ts";
import type { TableColumn } from "../../schema/table-column.ts";
import type { DriverRow } from "../reading/row-functions.ts";
import { MOST_IN_COLUMNS, mostRows, needsExactNumbers, portions, type Rows } from "./many-rows.ts";
import { absent, positions } from "./row-identity.ts";
import { deleteNode } from "./row-nodes.ts";
import { runEach } from "./table-insert.ts";

/** Deletes rows of a table. The statement for one row is compiled when first needed. */
export class TableDelete {
  readonly #table: AnyTable;
  readonly #engine: Engine;
  readonly #where: readonly TableColumn[];
  #single: EngineQuery<DriverRow> | undefined;

  /** @param where the columns that tell each row: its key first, and perhaps its version */
  constructor(table: AnyTable, engine: Engine, where: readonly TableColumn[]) {
    this.#table = table;
    this.#engine = engine;
    this.#where = where;
  }

  /**
   * Deletes rows.
   *
   * @param rows for each row the values that tell it
   * @returns the positions of those that were not there
   */
  async run(connection: Connection, rows: Rows): Promise<number[]> {
    if (rows.length === 1 || !this.#engine.supportsReturning("delete")) {
      this.#single ??= { ...this.#compile(1), prepare: true };
      const results = await runEach(connection, this.#single, rows);
      return positions(results, ({ numAffectedRows }) => numAffectedRows === 0n);
    }
    const missing: number[] = [];
    const most = mostRows(this.#engine, MOST_IN_COLUMNS, this.#where.length);
    for (const { start, rows: portion } of await portions(connection, rows, most)) {
      // Statements with many values have as many shapes as there are numbers of rows: they are not kept.
      const query = withParameters(this.#compile(portion.length), flattened(portion));
      const { rows: deleted } = await connection.execute(query);
      for (const index of absent(this.#table, this.#engine, deleted, portion)) missing.push(start + index);
    }
    return missing;
  }

  #compile(rows: number): EngineQuery<DriverRow> {
    const query = this.#engine.compileQuery(deleteNode(this.#table, this.#where, rows));
    // Several rows give back their keys.
    return { ...(query as EngineQuery<DriverRow>), plainNumbers: !needsExactNumbers(this.#table.primaryKey) };
  }
}
