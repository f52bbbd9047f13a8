import type { QueryResult } from "kysely";
import type { Connection } from "../../engine/connection.ts";
import { type EngineQuery, withParameters } from "../../engine/driver.ts";
import type { Engine } from "../../engine/engine.ts";
import type { ColumnwiseStatements, QueryRunner, TypedColumn } from "../../engine/family.ts";
import { flattened } from "../../engine/flattened.ts";
import { LruCache } from "../../engine/lru-cache.ts";
import { SessionError } from "../../errors/session.ts";
import type { AnyTable } from "../../schema/table.ts";
import type { TableColumn } from "../../schema/table-column.ts";
import { identityKey } from "../entities/identity-key.ts";
import type { DriverRow } from "../reading/row-functions.ts";
import { typedColumns } from "./column-types.ts";
import { GivenKeys } from "./given-keys.ts";
import {
  MOST_IN_COLUMNS,
  MOST_LONG,
  mostRows,
  needsExactNumbers,
  portions,
  type Rows,
  transposed,
} from "./many-rows.ts";
import { identityOf } from "./row-identity.ts";
import { insertNode, selectNode } from "./row-nodes.ts";

/** For each of some columns, its values in the order of the rows. */
export type ColumnValues = readonly (readonly unknown[])[];

/**
 * Inserts rows into a table in the same columns, in the way that its family does best, and tells what the database has
 * filled in. Statements are compiled when first needed.
 */
export class TableInsert {
  readonly #table: AnyTable;
  readonly #engine: Engine;
  readonly #columns: readonly TableColumn[];
  readonly #fetched: readonly TableColumn[];
  /** The values that the database fills in, and the given keys where it may store others and returns them. */
  readonly #told: readonly TableColumn[];
  /** What several rows give back: their keys too, since databases give rows back in whatever order they like. */
  readonly #returned: readonly TableColumn[];
  /** Whether rows that come back together can be told apart. */
  readonly #areDistinct: boolean;
  /** Whether the database fills in nothing but a key that is a number, which every statement for one row tells. */
  readonly #isNumbered: boolean;
  /** Tells whether the keys of several rows follow one another, where that can be told. */
  readonly #numbering: ((run: QueryRunner) => Promise<boolean>) | undefined;
  readonly #givenKeys: GivenKeys;
  readonly #together = new LruCache<number, EngineQuery<DriverRow>>(MOST_LONG);
  readonly #numbered = new LruCache<number, EngineQuery<DriverRow>>(MOST_LONG);
  #single: EngineQuery<DriverRow> | undefined;
  #returningSingle: EngineQuery<DriverRow> | undefined;
  #columnwise: EngineQuery<DriverRow> | undefined;
  #typed: readonly TypedColumn[] | undefined;

  /**
   * @param fetched the columns that the database fills in
   * @param confirmed those that it is given, and may store other values of
   */
  constructor(
    table: AnyTable,
    engine: Engine,
    columns: readonly TableColumn[],
    fetched: readonly TableColumn[],
    confirmed: readonly TableColumn[],
  ) {
    const { primaryKey, generatedKey } = table;
    this.#table = table;
    this.#engine = engine;
    this.#columns = columns;
    this.#fetched = fetched;
    this.#told = [...fetched, ...confirmed];
    this.#returned = this.#told.length === 0 ? [] : [...new Set([...primaryKey, ...this.#told])];
    this.#areDistinct =
      fetched.length === 0 || generatedKey !== undefined || primaryKey.every((column) => columns.includes(column));
    const { bulk } = engine.family;
    this.#isNumbered = fetched.length === 1 && fetched[0] === generatedKey && bulk.by === "row";
    this.#numbering = this.#isNumbered && bulk.by === "row" ? bulk.numbering?.(table) : undefined;
    this.#givenKeys = new GivenKeys(table, engine, columns);
  }

  /** Whether a row takes one statement, which also tells all that the database fills in. */
  get isOneStatement(): boolean {
    return !this.#givenKeys.areFollowed && this.#fetched.every((column) => column === this.#table.generatedKey);
  }

  /**
   * Inserts rows.
   *
   * @returns the values of the columns that the database filled, and of those to be confirmed if it tells
   */
  async run(connection: Connection, rows: Rows): Promise<ColumnValues> {
    const filled = await this.#insert(connection, rows);
    if (this.#givenKeys.areFollowed) await this.#givenKeys.follow(connection, rows);
    return filled;
  }

  async #insert(connection: Connection, rows: Rows): Promise<ColumnValues> {
    const { bulk } = this.#engine.family;
    const canReturn = this.#fetched.length === 0 || this.#engine.supportsReturning("insert");
    const areTogether = rows.length > 1 && this.#areDistinct && this.#columns.length > 0 && canReturn;
    if (!areTogether) return this.#insertEach(connection, rows);
    const most = bulk.by === "column" ? MOST_IN_COLUMNS : mostRows(this.#engine, bulk.mostRows, this.#columns.length);
    const filled = this.#told.map((): unknown[] => []);
    const isInSequence = await this.#isInSequence(connection);
    for (const { rows: portion } of await portions(connection, rows, most)) {
      const isRest = bulk.by === "row" && bulk.restOneByOne && portion.length < most;
      const values =
        bulk.by === "column"
          ? await this.#insertColumns(connection, bulk.statements, portion)
          : isRest
            ? await this.#insertEach(connection, portion)
            : isInSequence
              ? await this.#insertNumbered(connection, portion)
              : await this.#insertTogether(connection, portion);
      for (const [index, list] of values.entries()) filled[index]!.push(...list);
    }
    return filled;
  }

  async #isInSequence({ raw }: Connection): Promise<boolean> {
    if (this.#numbering === undefined) return false;
    // These are no statements of the application's, nor is their failure its: that of the insert will be.
    const run: QueryRunner = async (sql, parameters) =>
      (await raw.executeQuery<DriverRow>(withParameters(this.#engine.rawQuery(sql), parameters))).rows;
    return this.#numbering(run).catch(() => false);
  }

  /** The statement that inserts one row, where that tells all that the database fills in. */
  single(row: readonly unknown[]): EngineQuery<DriverRow> {
    return withParameters(this.#singleQuery(this.#returnsSingle), row);
  }

  /**
   * The database's values and the stored key, from the result of that statement.
   *
   * @throws {SessionError} if it has stored no row
   */
  filledBy({ rows, insertId, numAffectedRows }: QueryResult<DriverRow>): readonly unknown[] {
    if (this.#isNumbered) {
      if (numAffectedRows === 0n) throw this.#notStored();
      return [this.#read(this.#fetched[0]!, insertId)];
    }
    const [row] = rows;
    if (row !== undefined) return this.#told.map((column) => this.#read(column, row[column.name]));
    if (this.#returnsSingle) throw this.#notStored();
    return [];
  }

  #notStored(): SessionError {
    const { label, bindKey } = this.#table;
    return new SessionError(
      `The database did not store a new row of table ${label} as it was sent: a trigger or rule left it out or gave it another key. ` +
        "Roll back, and see what the database's triggers do.",
      { bindKey },
    );
  }

  /** Whether the statement for one row gives back what the database has filled in. */
  get #returnsSingle(): boolean {
    return this.#told.length > 0 && !this.#isNumbered && this.#engine.supportsReturning("insert");
  }

  #singleQuery(isReturning: boolean): EngineQuery<DriverRow> {
    if (isReturning) {
      this.#returningSingle ??= this.#compile(1, this.#told);
      return this.#returningSingle;
    }
    this.#single ??= this.#compile(1, []);
    return this.#single;
  }

  async #insertEach(connection: Connection, rows: Rows): Promise<ColumnValues> {
    const isTold = this.#isNumbered || this.#returnsSingle;
    const results = await runEach(connection, this.#singleQuery(this.#returnsSingle), rows);
    if (!isTold && this.#fetched.length === 0) return [];
    return transposed(isTold ? this.#filledByEach(results) : await this.#fetchEach(connection, rows, results));
  }

  #filledByEach(results: readonly QueryResult<DriverRow>[]): Rows {
    const rows = new Array<readonly unknown[]>(results.length);
    for (let place = 0; place < rows.length; place++) rows[place] = this.filledBy(results[place]!);
    return rows;
  }

  /** Reads what the database filled in, where the inserts themselves cannot tell. */
  async #fetchEach(
    connection: Connection,
    rows: Rows,
    results: readonly QueryResult<DriverRow>[],
  ): Promise<unknown[][]> {
    const { primaryKey, generatedKey } = this.#table;
    const node = selectNode(this.#table, this.#fetched, primaryKey);
    const query = this.#kept(this.#engine.compileQuery(node), this.#fetched);
    const values: unknown[][] = [];
    for (const [index, row] of rows.entries()) {
      const number = generatedKey && this.#read(generatedKey, results[index]!.insertId);
      const key = primaryKey.map((column) => {
        const place = this.#columns.indexOf(column);
        return place < 0 ? this.#engine.converter(column).write(number) : row[place];
      });
      const { rows: found } = await connection.execute(withParameters(query, key));
      if (found.length === 0) throw this.#notStored();
      values.push(this.#fetched.map((column) => this.#read(column, found[0]![column.name])));
    }
    return values;
  }

  async #insertTogether(connection: Connection, rows: Rows): Promise<ColumnValues> {
    let query = this.#together.get(rows.length);
    if (query === undefined) {
      query = this.#compile(rows.length, this.#returned);
      this.#together.set(rows.length, query);
    }
    const result = await connection.execute(withParameters(query, flattened(rows)));
    return this.#inOrder(result.rows, rows);
  }

  /** The same where the last key tells all. */
  async #insertNumbered(connection: Connection, rows: Rows): Promise<ColumnValues> {
    let query = this.#numbered.get(rows.length);
    if (query === undefined) {
      query = this.#compile(rows.length, []);
      this.#numbered.set(rows.length, query);
    }
    const { insertId = 0n, numAffectedRows } = await connection.execute(withParameters(query, flattened(rows)));
    if (numAffectedRows !== undefined && numAffectedRows !== BigInt(rows.length)) throw this.#notStored();
    const converter = this.#engine.converter(this.#fetched[0]!);
    const first = Number(insertId) - rows.length + 1;
    const keys = new Array<unknown>(rows.length);
    for (let index = 0; index < keys.length; index++) keys[index] = converter.read(first + index);
    return [keys];
  }

  async #insertColumns(connection: Connection, statements: ColumnwiseStatements, rows: Rows): Promise<ColumnValues> {
    this.#typed ??= await typedColumns(this.#table, connection, statements, this.#columns);
    if (!statements.canList(this.#typed, rows)) return this.#insertEach(connection, rows);
    if (this.#columnwise === undefined) {
      const sql = statements.insert(this.#table, this.#typed, this.#returned);
      this.#columnwise = this.#kept(this.#engine.rawQuery(sql), this.#returned);
    }
    const result = await connection.execute(withParameters(this.#columnwise, transposed(rows)));
    return this.#inOrder(result.rows, rows);
  }

  /** The values of returned rows, in the order of the rows that were sent. */
  #inOrder(returned: readonly DriverRow[], rows: Rows): ColumnValues {
    if (this.#told.length === 0) return [];
    const ordered = this.#ordered(returned, rows);
    return this.#told.map((column) => {
      const { name } = column;
      const converter = this.#engine.converter(column);
      const values = new Array<unknown>(ordered.length);
      for (let index = 0; index < values.length; index++) values[index] = converter.read(ordered[index]![name]);
      return values;
    });
  }

  #ordered(returned: readonly DriverRow[], rows: Rows): readonly DriverRow[] {
    if (returned.length !== rows.length) throw this.#notStored();
    const { primaryKey } = this.#table;
    const given = primaryKey.map((column) => this.#columns.indexOf(column));
    if (!given.includes(-1)) {
      const byKey = new Map(returned.map((row) => [identityOf(this.#table, this.#engine, row), row]));
      const ordered = rows.map((row) => byKey.get(identityKey(given.map((index) => row[index]))));
      if (ordered.every((row) => row !== undefined)) return ordered;
      // Keys that the database has changed tell nothing; its rows come in the order in which they were sent.
      return returned;
    }
    // Keys are generated in the order of the rows, so the smallest is the first row's.
    return this.#isSorted(returned)
      ? returned
      : returned.toSorted((a, b) => (this.#numberOf(a) < this.#numberOf(b) ? -1 : 1));
  }

  #isSorted(returned: readonly DriverRow[]): boolean {
    for (let place = 1; place < returned.length; place++)
      if (this.#numberOf(returned[place - 1]!) > this.#numberOf(returned[place]!)) return false;
    return true;
  }

  #numberOf(row: DriverRow): number | bigint {
    const [key] = this.#table.primaryKey;
    // Keys that are generated are numbers.
    return this.#read(key!, row[key!.name]) as number | bigint;
  }

  #read(column: TableColumn, stored: unknown): unknown {
    return this.#engine.converter(column).read(stored);
  }

  #compile(rows: number, returned: readonly TableColumn[]): EngineQuery<DriverRow> {
    return this.#kept(this.#engine.compileQuery(insertNode(this.#table, this.#columns, rows, returned)), returned);
  }

  #kept(query: EngineQuery, returned: readonly TableColumn[]): EngineQuery<DriverRow> {
    // What rows it gives, `returned` says.
    return { ...(query as EngineQuery<DriverRow>), prepare: true, plainNumbers: !needsExactNumbers(returned) };
  }
}

/** Runs a statement for each row. */
export async function runEach(
  connection: Connection,
  query: EngineQuery<DriverRow>,
  rows: Rows,
): Promise<QueryResult<DriverRow>[]> {
  if (rows.length > 1) return connection.executeMany(query, rows);
  return [await connection.execute(withParameters(query, rows[0]!))];
}
