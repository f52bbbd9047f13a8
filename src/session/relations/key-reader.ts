import type { QueryResult } from "kysely";
import type { Key } from "../../engine/key-lists.ts";
import type { Entity } from "../../model/entity.ts";
import type { ReadOptions } from "../../query/select/select-runner.ts";
import type { UnitOfWork } from "../entities/unit-of-work.ts";
import { hydratorFor } from "../reading/hydration.ts";
import { loadByKeys, type RowsByKey } from "../reading/load-entities.ts";
import type { DriverRow } from "../reading/row-functions.ts";
import type { Router } from "../router.ts";
import type { RoutedStatement, StatementRunner } from "../statement-runner.ts";
import type { Transactions } from "../transaction/transactions.ts";
import type { UndoLog } from "../transaction/undo-log.ts";
import { KeySet } from "./key-set.ts";
import { KeyedRows, type KeyedSource } from "./keyed-rows.ts";

/** A view of the session for reading by many keys. */
export interface KeyReaderHost {
  readonly router: Router;
  readonly transactions: Transactions;
  readonly work: UnitOfWork;
}

/** Reads entities by many keys in as few statements as the database allows. */
export class KeyReader {
  readonly #host: KeyReaderHost;
  readonly #runner: StatementRunner;
  /** The most keys of a statement; undefined leaves it to the family. */
  readonly #chunk: number | undefined;

  constructor(host: KeyReaderHost, runner: StatementRunner, chunk?: number) {
    this.#host = host;
    this.#runner = runner;
    this.#chunk = chunk;
  }

  /**
   * The rows of a source on the engine of its model, with a set for their keys.
   *
   * @throws {UnboundExecutionError} if no engine is configured for the model's bind
   */
  open(source: KeyedSource): { readonly rows: KeyedRows; readonly keys: KeySet } {
    const rows = rowsOf(source, this.#host.router);
    return { rows, keys: new KeySet(rows.columns) };
  }

  /**
   * Reads the entities of each key. A key that several spellings stand for in the database has the rows of all of them.
   *
   * @returns for each key, by its position, its entities in the order of the statement
   */
  async read(rows: KeyedRows, keys: KeySet, options: ReadOptions): Promise<Entity[][]> {
    const found: Entity[][] = keys.keys.map(() => []);
    const { keyLists } = rows.engine.family;
    const most = Math.min(this.#chunk ?? keyLists.chunk, keyLists.mostKeys?.(rows.columns.length) ?? Infinity);
    for (let first = 0; first < keys.keys.length; first += most)
      await this.#readChunk(rows, keys, first, keys.keys.slice(first, first + most), found, options);
    return found;
  }

  async #readChunk(
    rows: KeyedRows,
    keys: KeySet,
    first: number,
    chunk: readonly Key[],
    found: Entity[][],
    options: ReadOptions,
  ): Promise<void> {
    const { transactions } = this.#host;
    const { template, list } = rows.templateFor(chunk);
    const routed = unconverted(this.#runner.fill<DriverRow>(template, list.given(chunk)));
    const byKey: RowsByKey = {
      positionOf: positionReader(rows, keys, first - list.firstPosition),
      hasOthers: rows.beside.length > 0,
    };
    const take = (read: readonly DriverRow[], undo?: UndoLog) => {
      const hydrator = hydratorFor(rows.selection, rows.engine);
      loadByKeys(this.#host.work, hydrator, read, byKey, { undo, refill: true }, (entity, position) => {
        found[position]!.push(entity);
      });
    };
    const now = this.#runner.runNow(routed, options);
    if (now !== undefined) return take(now.rows);
    // Entities are made of the rows before anything else runs on the bind.
    await this.#runner.run(routed, options, ({ rows: read }: QueryResult<DriverRow>) =>
      take(read, transactions.undoOn(rows.engine)),
    );
  }
}

/** Makes the function that finds the position of the key that found a row. */
function positionReader(
  { engine, columns, tellsPosition, keyNames }: KeyedRows,
  keys: KeySet,
  offset: number,
): (row: DriverRow) => number {
  if (tellsPosition) return (row) => offset + Number(row[keyNames[0]!]);
  const converters = columns.map((column) => engine.converter(column));
  // The values of such columns are equal in the database only if they are equal here.
  return (row) => keys.positionOf(converters.map((converter, part) => converter.read(row[keyNames[part]!])))!;
}

const known = new WeakMap<Router, WeakMap<KeyedSource, KeyedRows>>();

/** The rows of a source in an application. */
function rowsOf(source: KeyedSource, router: Router): KeyedRows {
  const engine = router.forTable(source.mapper.table);
  let ofRouter = known.get(router);
  if (ofRouter === undefined) {
    ofRouter = new WeakMap();
    known.set(router, ofRouter);
  }
  let rows = ofRouter.get(source);
  if (rows === undefined || rows.engine !== engine || rows.isOutdated) {
    rows = new KeyedRows(source, engine);
    ofRouter.set(source, rows);
  }
  return rows;
}

/** Hydration converts the values of rows that become entities. */
function unconverted(routed: RoutedStatement<DriverRow>): RoutedStatement<DriverRow> {
  return { ...routed, compiled: { query: routed.compiled.query } };
}
