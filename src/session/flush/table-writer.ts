import type { QueryResult, RootOperationNode } from "kysely";
import type { Connection } from "../../engine/connection.ts";
import type { EngineQuery } from "../../engine/driver.ts";
import type { Engine } from "../../engine/engine.ts";
import type { ColumnwiseStatements, RowwiseStrategy } from "../../engine/family.ts";
import type { AnyTable } from "../../schema/table.ts";
import type { TableColumn } from "../../schema/table-column.ts";
import { identityKey } from "../entities/identity-key.ts";
import type { DriverRow } from "../reading/row-functions.ts";
import { deleteNode, insertNode, selectNode, updateNode } from "./row-nodes.ts";
import { needsExactNumbers, TableStatements } from "./table-statements.ts";

/** Rows as lists of values, in the order of columns that are named beside them. */
type Rows = readonly (readonly unknown[])[];

/** The most rows that a statement with one list for each column takes; more bring nothing. */
const MOST_ROWS = 1000;

/**
 * Writes rows of one table on one engine, in the way that its family does best. Statements are compiled once for each
 * set of columns.
 */
export class TableWriter {
  readonly #table: AnyTable;
  readonly #engine: Engine;
  readonly #statements: TableStatements;

  constructor(table: AnyTable, engine: Engine) {
    this.#table = table;
    this.#engine = engine;
    this.#statements = new TableStatements(engine);
  }

  /**
   * Inserts rows and reads back the columns that the database filled.
   *
   * @returns for each row the values of `fetched`, in its place: databases give rows back in whatever order they like
   */
  async insert(
    connection: Connection,
    columns: readonly TableColumn[],
    rows: Rows,
    fetched: readonly TableColumn[],
  ): Promise<unknown[][]> {
    const { primaryKey, generatedKey } = this.#table;
    const { bulk } = this.#engine.family;
    // Rows that come back together are told apart by keys that were given, or that were generated in their order.
    const distinct =
      fetched.length === 0 || generatedKey !== undefined || primaryKey.every((column) => columns.includes(column));
    const together =
      rows.length > 1 &&
      distinct &&
      columns.length > 0 &&
      (fetched.length === 0 || this.#engine.supportsReturning("insert"));
    if (!together) return this.#insertEach(connection, columns, rows, fetched);
    const returned = fetched.length === 0 ? [] : [...new Set([...primaryKey, ...fetched])];
    const most = bulk.by === "column" ? MOST_ROWS : this.#mostRows(bulk.mostRows, columns.length);
    const results: unknown[][] = [];
    for (const portion of portions(rows, most)) {
      if (bulk.by === "row" && bulk.restOneByOne && portion.length < most) {
        results.push(...(await this.#insertEach(connection, columns, portion, fetched)));
        continue;
      }
      const inserted =
        bulk.by === "column"
          ? await this.#insertColumns(connection, bulk.statements, columns, portion, returned)
          : await this.#insertRows(connection, columns, portion, returned);
      if (fetched.length === 0) for (const _ of portion) results.push([]);
      else for (const row of this.#inOrder(inserted, columns, portion)) results.push(this.#readAll(row, fetched));
    }
    return results;
  }

  /**
   * Updates rows, each in the same columns.
   *
   * @param where the columns that tell each row: its key first, and perhaps its version
   * @param rows for each row the values of `columns`, then those of `where`
   * @returns the positions of those that were not there
   */
  async update(
    connection: Connection,
    columns: readonly TableColumn[],
    where: readonly TableColumn[],
    rows: Rows,
  ): Promise<number[]> {
    const { bulk } = this.#engine.family;
    if (rows.length === 1) return this.#updateEach(connection, columns, where, rows);
    if (bulk.by === "row") return this.#updateRows(connection, bulk, columns, where, rows);
    if (!this.#engine.supportsReturning("update")) return this.#updateEach(connection, columns, where, rows);
    const missing: number[] = [];
    for (const [start, portion] of portions(rows, MOST_ROWS).entries()) {
      const [own, told] = [
        await this.#statements.typed(this.#table, connection, bulk.statements, columns),
        await this.#statements.typed(this.#table, connection, bulk.statements, where),
      ];
      const key = `update by columns ${names(columns)} where ${names(where)}`;
      const query = this.#statements.ofText(
        key,
        () => bulk.statements.update(this.#table, own, told),
        this.#table.primaryKey,
      );
      const { rows: updated } = await connection.execute<DriverRow>({ ...query, parameters: transposed(portion) });
      const keys = portion.map((row) => row.slice(columns.length));
      for (const index of this.#absent(updated, keys)) missing.push(start * MOST_ROWS + index);
    }
    return missing;
  }

  async #updateEach(
    connection: Connection,
    columns: readonly TableColumn[],
    where: readonly TableColumn[],
    rows: Rows,
  ): Promise<number[]> {
    const query = this.#statements.ofRow(`update ${names(columns)} where ${names(where)}`, () =>
      updateNode(this.#table, columns, where),
    );
    return positions(await this.#runEach(connection, query, rows), ({ numAffectedRows }) => numAffectedRows === 0n);
  }

  async #updateRows(
    connection: Connection,
    { update, mostRows, restOneByOne }: RowwiseStrategy,
    columns: readonly TableColumn[],
    where: readonly TableColumn[],
    rows: Rows,
  ): Promise<number[]> {
    const { primaryKey } = this.#table;
    // Which rows were not there is found by updating each, once more: so they must still be told in the same way.
    const canRepeat = where.length === primaryKey.length && !columns.some((column) => primaryKey.includes(column));
    if (!canRepeat) return this.#updateEach(connection, columns, where, rows);
    const most = this.#mostRows(mostRows, columns.length * (1 + where.length) + where.length);
    const missing: number[] = [];
    for (const [start, portion] of portions(rows, most).entries()) {
      if (!restOneByOne || portion.length === most) {
        const query = this.#statements.ofRows(`update ${names(columns)} where ${names(where)}`, portion.length, () =>
          this.#engine.rawQuery(update.sql(this.#table, columns, where, portion.length)),
        );
        const parameters = update.parameters(portion, columns.length);
        const { numAffectedRows } = await connection.execute({ ...query, parameters });
        if (numAffectedRows === BigInt(portion.length)) continue;
      }
      for (const index of await this.#updateEach(connection, columns, where, portion))
        missing.push(start * most + index);
    }
    return missing;
  }

  /**
   * Deletes rows.
   *
   * @param where the columns that tell each row: its key first, and perhaps its version
   * @returns the positions of those that were not there
   */
  async delete(connection: Connection, where: readonly TableColumn[], rows: Rows): Promise<number[]> {
    if (rows.length === 1 || !this.#engine.supportsReturning("delete")) {
      const query = this.#statements.ofRow(`delete where ${names(where)}`, () => deleteNode(this.#table, where, 1));
      return positions(await this.#runEach(connection, query, rows), ({ numAffectedRows }) => numAffectedRows === 0n);
    }
    const missing: number[] = [];
    const most = this.#mostRows(MOST_ROWS, where.length);
    for (const [start, portion] of portions(rows, most).entries()) {
      const deleted = await this.#run(
        connection,
        deleteNode(this.#table, where, portion.length),
        portion.flat(),
        this.#table.primaryKey,
      );
      for (const index of this.#absent(deleted, portion)) missing.push(start * most + index);
    }
    return missing;
  }

  async #insertEach(
    connection: Connection,
    columns: readonly TableColumn[],
    rows: Rows,
    fetched: readonly TableColumn[],
  ): Promise<unknown[][]> {
    const { generatedKey } = this.#table;
    const byNumber = fetched.length === 1 && fetched[0] === generatedKey && this.#engine.family.bulk.by === "row";
    const returns = fetched.length > 0 && !byNumber && this.#engine.supportsReturning("insert");
    const returned = returns ? fetched : [];
    const query = this.#statements.ofRow(`insert ${names(columns)} returning ${names(returned)}`, () =>
      insertNode(this.#table, columns, 1, returned),
    );
    const results = await this.#runEach(connection, { ...query, plainNumbers: !needsExactNumbers(returned) }, rows);
    if (fetched.length === 0) return rows.map(() => []);
    if (returns) return results.map(({ rows: [row] }) => this.#readAll(row!, fetched));
    const written: unknown[][] = [];
    for (const [index, { insertId }] of results.entries()) {
      const number = generatedKey === undefined ? undefined : this.#engine.converter(generatedKey).read(insertId);
      written.push(byNumber ? [number] : await this.#fetch(connection, columns, rows[index]!, fetched, number));
    }
    return written;
  }

  /** Reads what the database filled in a row, where the insert itself cannot tell. */
  async #fetch(
    connection: Connection,
    columns: readonly TableColumn[],
    row: readonly unknown[],
    fetched: readonly TableColumn[],
    number: unknown,
  ): Promise<unknown[]> {
    const { primaryKey } = this.#table;
    const key = primaryKey.map((column) =>
      columns.includes(column) ? row[columns.indexOf(column)] : this.#engine.converter(column).write(number),
    );
    const [found = {}] = await this.#run(connection, selectNode(this.#table, fetched, primaryKey), key, fetched);
    return this.#readAll(found, fetched);
  }

  async #insertRows(
    connection: Connection,
    columns: readonly TableColumn[],
    rows: Rows,
    returned: readonly TableColumn[],
  ): Promise<DriverRow[]> {
    const query = this.#statements.ofRows(`insert ${names(columns)} returning ${names(returned)}`, rows.length, () =>
      this.#engine.compileQuery(insertNode(this.#table, columns, rows.length, returned)),
    );
    const plainNumbers = !needsExactNumbers(returned);
    return (await connection.execute<DriverRow>({ ...query, parameters: rows.flat(), plainNumbers })).rows;
  }

  async #insertColumns(
    connection: Connection,
    statements: ColumnwiseStatements,
    columns: readonly TableColumn[],
    rows: Rows,
    returned: readonly TableColumn[],
  ): Promise<DriverRow[]> {
    const typed = await this.#statements.typed(this.#table, connection, statements, columns);
    const query = this.#statements.ofText(
      `insert by columns ${names(columns)} returning ${names(returned)}`,
      () => statements.insert(this.#table, typed, returned),
      returned,
    );
    return (await connection.execute<DriverRow>({ ...query, parameters: transposed(rows) })).rows;
  }

  /** Puts returned rows into the order of the rows that were sent. */
  #inOrder(returned: readonly DriverRow[], columns: readonly TableColumn[], rows: Rows): DriverRow[] {
    const key = this.#table.primaryKey;
    const given = key.map((column) => columns.indexOf(column));
    if (given.includes(-1)) {
      // Keys are generated in the order of the rows, so the smallest is the first row's.
      const numbered = returned.map((row) => ({ row, number: this.#read(row, key[0]!) as number | bigint }));
      if (numbered.every(({ number }, index) => index === 0 || numbered[index - 1]!.number < number))
        return [...returned];
      return numbered.sort((a, b) => (a.number < b.number ? -1 : 1)).map(({ row }) => row);
    }
    const byKey = new Map(returned.map((row) => [this.#identity(key.map(({ name }) => row[name])), row]));
    return rows.map((row) => byKey.get(this.#identity(given.map((index) => row[index])))!);
  }

  /** The positions of keys of which no row came back. */
  #absent(found: readonly DriverRow[], keys: Rows): number[] {
    if (found.length === keys.length) return [];
    const present = new Set(found.map((row) => this.#identity(this.#table.primaryKey.map(({ name }) => row[name]))));
    return positions(keys, (key) => !present.has(this.#identity(key)));
  }

  #identity(stored: readonly unknown[]) {
    return identityKey(this.#table.primaryKey.map((column, part) => this.#engine.converter(column).read(stored[part])));
  }

  #read(row: DriverRow, column: TableColumn): unknown {
    return this.#engine.converter(column).read(row[column.name]);
  }

  #readAll(row: DriverRow, columns: readonly TableColumn[]): unknown[] {
    return columns.map((column) => this.#read(row, column));
  }

  async #run(
    connection: Connection,
    node: RootOperationNode,
    parameters: readonly unknown[],
    returned: readonly TableColumn[],
  ): Promise<DriverRow[]> {
    // Statements with the values of many rows have as many shapes as there are numbers of rows: they are not kept.
    const query = {
      ...this.#engine.compileQuery(node),
      parameters,
      plainNumbers: !needsExactNumbers(returned),
    } as EngineQuery<DriverRow>;
    return (await connection.execute(query)).rows;
  }

  async #runEach(connection: Connection, query: EngineQuery<DriverRow>, rows: Rows): Promise<QueryResult<DriverRow>[]> {
    if (rows.length > 1) return connection.executeMany(query, rows);
    return [await connection.execute({ ...query, parameters: rows[0]! })];
  }

  #mostRows(most: number, parametersPerRow: number): number {
    return Math.max(1, Math.min(most, Math.floor(this.#engine.family.mostParameters / parametersPerRow)));
  }
}

function portions<T>(items: readonly T[], size: number): (readonly T[])[] {
  const result: (readonly T[])[] = [];
  for (let start = 0; start < items.length; start += size) result.push(items.slice(start, start + size));
  return result;
}

/** One list for each column instead of one for each row. */
function transposed(rows: Rows): unknown[][] {
  return rows[0]!.map((_, index) => rows.map((row) => row[index]));
}

function positions<T>(items: readonly T[], fits: (item: T) => boolean): number[] {
  return items.flatMap((item, index) => (fits(item) ? [index] : []));
}

function names(columns: readonly TableColumn[]): string {
  return columns.map(({ name }) => name).join(",");
}

const writers = new WeakMap<Engine, WeakMap<AnyTable, TableWriter>>();

/** The writer of a table on an engine. */
export function writerFor(table: AnyTable, engine: Engine): TableWriter {
  let ofEngine = writers.get(engine);
  if (ofEngine === undefined) {
    ofEngine = new WeakMap();
    writers.set(engine, ofEngine);
  }
  let writer = ofEngine.get(table);
  if (writer === undefined) {
    writer = new TableWriter(table, engine);
    ofEngine.set(table, writer);
  }
  return writer;
}
