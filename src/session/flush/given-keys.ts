import type { Connection } from "../../engine/connection.ts";
import { type EngineQuery, withParameters } from "../../engine/driver.ts";
import type { Engine } from "../../engine/engine.ts";
import type { AnyTable } from "../../schema/table.ts";
import type { TableColumn } from "../../schema/table-column.ts";
import type { Rows } from "./many-rows.ts";

/** A written column whose values the database generates where they are not given. */
interface GivenColumn {
  readonly place: number;
  readonly advance: EngineQuery;
}

/** Makes the database generate keys after those that were given, where it would give them again. */
export class GivenKeys {
  readonly #columns: readonly GivenColumn[];

  /** @param columns the columns that are written, in the order of a row's values */
  constructor(table: AnyTable, engine: Engine, columns: readonly TableColumn[]) {
    const { family } = engine;
    this.#columns = [...columns.entries()].flatMap(([place, column]) => {
      if (column !== table.generatedKey && column.definition.automatic !== true) return [];
      const sql = family.advanceGenerator?.(table, column);
      return sql === undefined ? [] : [{ place, advance: { ...engine.rawQuery(sql), prepare: true } }];
    });
  }

  /** Whether there is anything to do after rows were written. */
  get areFollowed(): boolean {
    return this.#columns.length > 0;
  }

  /** Lets the generators go on after the values of rows that were written. */
  async follow(connection: Connection, rows: Rows): Promise<void> {
    for (const { place, advance } of this.#columns) {
      let greatest: bigint | undefined;
      for (const row of rows) {
        if (row[place] === null) continue;
        // The values are integers, as the driver takes them.
        const value = BigInt(row[place] as number | bigint | string);
        if (greatest === undefined || value > greatest) greatest = value;
      }
      if (greatest !== undefined) await connection.execute(withParameters(advance, [String(greatest)]));
    }
  }
}
