import type { Connection } from "../../engine/connection.ts";
import { type EngineQuery, withParameters } from "../../engine/driver.ts";
import type { Engine } from "../../engine/engine.ts";
import type { ColumnwiseStatements, RowwiseStrategy, TypedColumn } from "../../engine/family.ts";
import { LruCache } from "../../engine/lru-cache.ts";
import type { AnyTable } from "../../schema/table.ts";
import type { TableColumn } from "../../schema/table-column.ts";
import type { DriverRow } from "../reading/row-functions.ts";
import { typedColumns } from "./column-types.ts";
import { GivenKeys } from "./given-keys.ts";
import { MOST_IN_COLUMNS, MOST_LONG, mostRows, portions, type Rows, transposed } from "./many-rows.ts";
import { areReferable } from "./referable-columns.ts";
import { positions } from "./row-identity.ts";
import { updateNode } from "./row-nodes.ts";
import { runEach } from "./table-insert.ts";

/**
 * Updates rows of a table, each in the same columns, in the way that its family does best. Statements are compiled when
 * first needed.
 */
export class TableUpdate {
  readonly #table: AnyTable;
  readonly #engine: Engine;
  readonly #columns: readonly TableColumn[];
  readonly #where: readonly TableColumn[];
  readonly #givenKeys: GivenKeys;
  readonly #together = new LruCache<number, EngineQuery>(MOST_LONG);
  #single: EngineQuery<DriverRow> | undefined;
  #columnwise: EngineQuery<DriverRow> | undefined;
  #typed: readonly TypedColumn[] | undefined;

  /** @param where the columns that tell each row: its key first, and perhaps its version */
  constructor(table: AnyTable, engine: Engine, columns: readonly TableColumn[], where: readonly TableColumn[]) {
    this.#table = table;
    this.#engine = engine;
    this.#columns = columns;
    this.#where = where;
    this.#givenKeys = new GivenKeys(table, engine, columns);
  }

  /** Whether a row takes one statement. */
  get isOneStatement(): boolean {
    return !this.#givenKeys.areFollowed;
  }

  /**
   * Updates rows.
   *
   * @param rows for each row the new values, then those that tell it
   * @returns the positions of those that were not there
   */
  async run(connection: Connection, rows: Rows): Promise<number[]> {
    const missing = await this.#update(connection, rows);
    if (this.#givenKeys.areFollowed) await this.#givenKeys.follow(connection, rows);
    return missing;
  }

  async #update(connection: Connection, rows: Rows): Promise<number[]> {
    const { bulk } = this.#engine.family;
    if (rows.length === 1) return this.#updateEach(connection, rows);
    if (bulk.by === "row") return this.#updateTogether(connection, bulk, rows);
    if (!this.#engine.supportsReturning("update")) return this.#updateEach(connection, rows);
    return this.#updateColumns(connection, bulk.statements, rows);
  }

  async #updateEach(connection: Connection, rows: Rows): Promise<number[]> {
    this.#single ??= kept(this.#engine.compileQuery(updateNode(this.#table, this.#columns, this.#where)));
    const results = await runEach(connection, this.#single, rows);
    return positions(results, ({ numAffectedRows }) => numAffectedRows === 0n);
  }

  async #updateTogether(
    connection: Connection,
    { update, mostRows: best, restOneByOne }: RowwiseStrategy,
    rows: Rows,
  ): Promise<number[]> {
    const { primaryKey } = this.#table;
    const [columns, where] = [this.#columns, this.#where];
    // Which rows were not there is found by updating each, once more: so they must still be told in the same way.
    const canRepeat = where.length === primaryKey.length && !columns.some((column) => primaryKey.includes(column));
    if (!canRepeat) return this.#updateEach(connection, rows);
    const most = mostRows(this.#engine, best, columns.length * (1 + where.length) + where.length);
    const missing: number[] = [];
    const repeated = { times: columns.length + 1, from: columns.length };
    for (const { start, rows: portion } of await portions(connection, rows, most, repeated)) {
      if (portion.length === most || (!restOneByOne && portion.length > 1)) {
        const parameters = update.parameters(portion, columns.length);
        const query = withParameters(this.#statementFor(update, portion.length), parameters);
        const { numAffectedRows } = await connection.execute(query);
        if (numAffectedRows === BigInt(portion.length)) continue;
      }
      for (const index of await this.#updateEach(connection, portion)) missing.push(start + index);
    }
    return missing;
  }

  #statementFor(update: RowwiseStrategy["update"], rows: number): EngineQuery {
    let query = this.#together.get(rows);
    if (query === undefined) {
      query = kept(this.#engine.rawQuery(update.sql(this.#table, this.#columns, this.#where, rows)));
      this.#together.set(rows, query);
    }
    return query;
  }

  async #updateColumns(connection: Connection, statements: ColumnwiseStatements, rows: Rows): Promise<number[]> {
    this.#typed ??= await typedColumns(this.#table, connection, statements, [...this.#columns, ...this.#where]);
    if (!statements.canList(this.#typed, rows)) return this.#updateEach(connection, rows);
    if (this.#columnwise === undefined) {
      const [own, told] = [this.#typed.slice(0, this.#columns.length), this.#typed.slice(this.#columns.length)];
      this.#columnwise = kept(
        this.#engine.rawQuery(statements.update(this.#table, own, told, areReferable(this.#table, this.#columns))),
      );
    }
    const missing: number[] = [];
    for (const { start, rows: portion } of await portions(connection, rows, MOST_IN_COLUMNS)) {
      const { rows: updated } = await connection.execute(withParameters(this.#columnwise, transposed(portion)));
      if (updated.length === portion.length) continue;
      const found = new Set(updated.map(({ position }) => Number(position) - 1));
      for (const index of positions(portion, (_, place) => !found.has(place))) missing.push(start + index);
    }
    return missing;
  }
}

function kept(query: EngineQuery): EngineQuery<DriverRow> {
  // Rows that come back, if any, have the columns that the statement names.
  return { ...(query as EngineQuery<DriverRow>), prepare: true, plainNumbers: true };
}
