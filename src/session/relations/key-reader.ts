import type { QueryResult } from "kysely";
import type { Engine } from "../../engine/engine.ts";
import type { Key } from "../../engine/key-lists.ts";
import type { Entity } from "../../model/entity.ts";
import type { RelationLink } from "../../model/relations/relation.ts";
import type { ReadOptions } from "../../query/select/select-runner.ts";
import type { AnyTable } from "../../schema/table.ts";
import type { UnitOfWork } from "../entities/unit-of-work.ts";
import { hydratorFor } from "../reading/hydration.ts";
import { loadByKeys } from "../reading/load-entities.ts";
import type { DriverRow } from "../reading/row-functions.ts";
import type { Router } from "../router.ts";
import type { RoutedStatement, StatementRunner } from "../statement-runner.ts";
import type { Transactions } from "../transaction/transactions.ts";
import type { UndoLog } from "../transaction/undo-log.ts";
import { KeySet } from "./key-set.ts";
import { KeyedRows, type KeyedSource } from "./keyed-rows.ts";
import type { KeyedStatement } from "./keyed-statement.ts";
import { LinkRows } from "./link-rows.ts";

/** A view of the session for reading by many keys. */
export interface KeyReaderHost {
  readonly router: Router;
  readonly transactions: Transactions;
  readonly work: UnitOfWork;
}

/** Takes rows, while nothing else runs on the bind, with a function that finds the position of the key of each. */
type TakeRows = (rows: readonly DriverRow[], positionOf: (row: DriverRow) => number, undo?: UndoLog) => void;

/** Reads by many keys in as few statements as the database allows. */
export class KeyReader {
  readonly #host: KeyReaderHost;
  readonly #runner: StatementRunner;
  /** The most keys of one statement; undefined where the family of databases decides. */
  readonly #chunk: number | undefined;

  constructor(host: KeyReaderHost, runner: StatementRunner, chunk?: number) {
    this.#host = host;
    this.#runner = runner;
    this.#chunk = chunk;
  }

  /** The most keys of one statement. */
  chunkOf({ engine, mostKeys }: KeyedStatement): number {
    return Math.min(this.#chunk ?? engine.family.keyLists.chunk, mostKeys);
  }

  /**
   * The rows of a source on the engine of its model, with a set for their keys.
   *
   * @throws {UnboundExecutionError} if no engine is configured for the model's bind
   */
  open(source: KeyedSource): { readonly rows: KeyedRows; readonly keys: KeySet } {
    const { router } = this.#host;
    const rows = known(keyedRows, router, source, source.mapper.table, KeyedRows);
    return { rows, keys: new KeySet(rows.columns) };
  }

  /** The same for the rows of a link. */
  openLink(link: RelationLink): { readonly rows: LinkRows; readonly keys: KeySet } {
    const { router } = this.#host;
    const rows = known(linkRows, router, link, link.table, LinkRows);
    return { rows, keys: new KeySet(rows.columns) };
  }

  /**
   * Reads the entities of each key. Several spellings of a key that the database takes for one have the same rows.
   *
   * @returns for each key, by its position, its entities in the order of the statement
   */
  async read(rows: KeyedRows, keys: KeySet, options: ReadOptions): Promise<Entity[][]> {
    const found: Entity[][] = keys.keys.map(() => []);
    await this.each(rows, keys, options, (entity, position) => {
      found[position]!.push(entity);
    });
    return found;
  }

  /**
   * The same; each entity is given to a function with the position of a key that found it, in the order of the statement.
   *
   * @param most the most keys of one statement
   */
  each(
    rows: KeyedRows,
    keys: KeySet,
    options: ReadOptions,
    take: (entity: Entity, position: number) => void,
    most = this.chunkOf(rows),
  ): Promise<void> {
    const { work } = this.#host;
    const { hasOthers } = rows;
    return this.#run(rows, keys, most, options, (read, positionOf, undo) => {
      const hydrator = hydratorFor(rows.selection, rows.engine);
      loadByKeys(work, hydrator, read, { positionOf, hasOthers }, { undo, refill: true }, take);
    });
  }

  /** Reads the rows of a link: each is given to a function as the key of the other side, with the position of its own. */
  eachLink(
    rows: LinkRows,
    keys: KeySet,
    options: ReadOptions,
    take: (other: Key, position: number) => void,
  ): Promise<void> {
    return this.#run(rows, keys, this.chunkOf(rows), options, (read, positionOf) => {
      for (const row of read) take(rows.otherKey(row), positionOf(row));
    });
  }

  async #run(rows: KeyedStatement, keys: KeySet, most: number, options: ReadOptions, take: TakeRows): Promise<void> {
    for (let first = 0; first < keys.keys.length; first += most)
      await this.#runOne(rows, keys, first, keys.keys.slice(first, first + most), options, take);
  }

  async #runOne(
    rows: KeyedStatement,
    keys: KeySet,
    first: number,
    chunk: readonly Key[],
    options: ReadOptions,
    take: TakeRows,
  ): Promise<void> {
    const { template, list } = rows.templateFor(chunk);
    const routed = unconverted(this.#runner.fill<DriverRow>(template, list.given(chunk)));
    const positionOf = rows.positionReader(keys, first - list.firstPosition);
    const now = this.#runner.runNow(routed, options);
    if (now !== undefined) return take(now.rows, positionOf);
    await this.#runner.run(routed, options, ({ rows: read }: QueryResult<DriverRow>) =>
      take(read, positionOf, this.#host.transactions.undoOn(rows.engine)),
    );
  }
}

const keyedRows = new WeakMap<Router, WeakMap<KeyedSource, KeyedRows>>();
const linkRows = new WeakMap<Router, WeakMap<RelationLink, LinkRows>>();

/** The statements of a source, which an application's sessions share. */
function known<S extends object, R extends KeyedStatement>(
  applications: WeakMap<Router, WeakMap<S, R>>,
  router: Router,
  source: S,
  table: AnyTable,
  Rows: new (source: S, engine: Engine) => R,
): R {
  const engine = router.forTable(table);
  let ofRouter = applications.get(router);
  if (ofRouter === undefined) {
    ofRouter = new WeakMap();
    applications.set(router, ofRouter);
  }
  let rows = ofRouter.get(source);
  if (rows === undefined || rows.engine !== engine || rows.isOutdated) {
    rows = new Rows(source, engine);
    ofRouter.set(source, rows);
  }
  return rows;
}

/** Values are converted where they are taken. */
function unconverted(routed: RoutedStatement<DriverRow>): RoutedStatement<DriverRow> {
  return { ...routed, compiled: { query: routed.compiled.query } };
}
