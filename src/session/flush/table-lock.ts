import type { Connection } from "../../engine/connection.ts";
import { type EngineQuery, withParameters } from "../../engine/driver.ts";
import type { Engine } from "../../engine/engine.ts";
import type { ColumnwiseStatements, TypedColumn } from "../../engine/family.ts";
import { memoizePerEngine } from "../../engine/memoize-per-engine.ts";
import type { AnyTable } from "../../schema/table.ts";
import type { DriverRow } from "../reading/row-functions.ts";
import { typedColumns } from "./column-types.ts";
import { MOST_IN_COLUMNS, portions, type Rows, transposed } from "./many-rows.ts";
import { lockNode } from "./row-nodes.ts";
import { runEach } from "./table-insert.ts";

/** Locks rows of a table by their keys, one after the other. Statements are compiled when first needed. */
export class TableLock {
  readonly #table: AnyTable;
  readonly #engine: Engine;
  readonly #changesKeys: boolean;
  #single: EngineQuery<DriverRow> | undefined;
  #columnwise: EngineQuery<DriverRow> | undefined;
  #typed: readonly TypedColumn[] | undefined;

  /** @param changesKeys whether others have to wait too that insert references to the rows */
  constructor(table: AnyTable, engine: Engine, changesKeys: boolean) {
    this.#table = table;
    this.#engine = engine;
    this.#changesKeys = changesKeys || !engine.family.locksKeys;
  }

  /** Locks rows in the order of their keys here. */
  async run(connection: Connection, keys: Rows): Promise<void> {
    const { bulk } = this.#engine.family;
    if (bulk.by === "column") await this.#lockTogether(connection, bulk.statements, keys);
    else await this.#lockEach(connection, keys);
  }

  async #lockEach(connection: Connection, keys: Rows): Promise<void> {
    this.#single ??= kept(this.#engine.compileQuery(lockNode(this.#table, this.#changesKeys)));
    await runEach(connection, this.#single, keys);
  }

  async #lockTogether(connection: Connection, statements: ColumnwiseStatements, keys: Rows): Promise<void> {
    this.#typed ??= await typedColumns(this.#table, connection, statements, this.#table.primaryKey);
    if (!statements.canList(this.#typed, keys)) return this.#lockEach(connection, keys);
    this.#columnwise ??= kept(this.#engine.rawQuery(statements.lock(this.#table, this.#typed, this.#changesKeys)));
    for (const { rows: portion } of await portions(connection, keys, MOST_IN_COLUMNS))
      await connection.execute(withParameters(this.#columnwise, transposed(portion)));
  }
}

const locksOf = memoizePerEngine((table: AnyTable, engine: Engine) => ({
  ofKeys: new TableLock(table, engine, true),
  ofOthers: new TableLock(table, engine, false),
}));

/** The locks of a table's rows on an engine. */
export function tableLock(table: AnyTable, engine: Engine, changesKeys: boolean): TableLock {
  const { ofKeys, ofOthers } = locksOf(table, engine);
  return changesKeys ? ofKeys : ofOthers;
}

function kept(query: EngineQuery): EngineQuery<DriverRow> {
  // Of the rows that come back nothing is read.
  return { ...(query as EngineQuery<DriverRow>), prepare: true, plainNumbers: true };
}
