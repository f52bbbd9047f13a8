import type { DatabaseConnection, QueryResult, TransactionSettings } from "kysely";
import type { EngineDriver, EngineQuery, PhysicalConnection } from "./driver.ts";
import type { Engine } from "./engine.ts";
import { type RecordedQuery, recorded } from "./recorded-query.ts";

/**
 * A connection of an engine while somebody has it: every statement goes through here, so that listeners see it and
 * its errors name the bind.
 *
 * @see SQLAlchemy: `Connection`
 */
export class Connection implements DatabaseConnection {
  readonly engine: Engine;
  readonly #driver: EngineDriver;
  readonly #raw: DatabaseConnection;
  readonly #record: RecordedQuery[] | undefined;
  #inTransaction = false;
  /** Whether the end or beginning of a transaction was sent and failed, so that nobody knows what state it is in. */
  #unclear = false;

  /** @param record where statements are noted, if queries are recorded */
  constructor(engine: Engine, driver: EngineDriver, raw: DatabaseConnection, record?: RecordedQuery[]) {
    this.engine = engine;
    this.#driver = driver;
    this.#raw = raw;
    this.#record = record;
  }

  /** The connection as Kysely and the driver know it. */
  get raw(): DatabaseConnection {
    return this.#raw;
  }

  /** Whether a transaction was begun here and not ended. */
  get inTransaction(): boolean {
    return this.#inTransaction;
  }

  /** Runs a statement. */
  execute<R>(query: EngineQuery<R>): Promise<QueryResult<R>> {
    return this.#run(query, () => this.#raw.executeQuery<R>(query));
  }

  /** Runs a statement once for each set of parameters, in their order. */
  executeMany<R>(query: EngineQuery<R>, parameterSets: readonly (readonly unknown[])[]): Promise<QueryResult<R>[]> {
    const raw = this.#raw as DatabaseConnection & Partial<Pick<PhysicalConnection, "executeMany">>;
    return this.#run({ sql: query.sql, parameters: parameterSets }, async () => {
      if (raw.executeMany !== undefined) return raw.executeMany(query, parameterSets);
      const results: QueryResult<R>[] = [];
      for (const parameters of parameterSets) results.push(await raw.executeQuery<R>({ ...query, parameters }));
      return results;
    });
  }

  /**
   * Runs a statement and gives its rows in portions of `chunkSize`. Leaving the loop ends the statement, and on some
   * databases the connection with it.
   */
  async *stream<R>(query: EngineQuery<R>, chunkSize: number): AsyncIterableIterator<QueryResult<R>> {
    const rows = await this.#run(query, async () => {
      const iterator = this.#raw.streamQuery<R>(query, chunkSize)[Symbol.asyncIterator]();
      // The first portion tells whether the statement is accepted at all.
      return { iterator, first: await iterator.next() };
    });
    try {
      for (let next = rows.first; next.done !== true; next = await rows.iterator.next()) yield next.value;
    } catch (error) {
      throw this.engine.databaseError(error, query.sql);
    } finally {
      await rows.iterator.return?.();
    }
  }

  /** The same as {@link execute}, under Kysely's name. */
  executeQuery<R>(query: EngineQuery): Promise<QueryResult<R>> {
    return this.execute(query as EngineQuery<R>);
  }

  /**
   * The same as {@link stream}, under Kysely's name: in a transaction of its own where there is none, since not every
   * database streams without one. Rows that a write gives back come in one portion.
   */
  async *streamQuery<R>(query: EngineQuery, chunkSize: number): AsyncIterableIterator<QueryResult<R>> {
    if (query.query.kind !== "SelectQueryNode" && query.query.kind !== "RawNode") {
      yield await this.executeQuery<R>(query);
    } else if (this.#inTransaction) {
      yield* this.stream({ ...(query as EngineQuery<R>), keepConnection: true }, chunkSize);
    } else {
      await this.begin({ accessMode: "read only" });
      try {
        yield* this.stream(query as EngineQuery<R>, chunkSize);
      } finally {
        // It has only read, so either end will do; and if the connection is lost, that is the end.
        await this.rollback().catch(() => {});
      }
    }
  }

  /**
   * Begins a transaction, with the engine's isolation level where the settings name none.
   *
   * @throws {UnsupportedError} if it is to write and the bind is read-only
   */
  async begin(settings: TransactionSettings = {}): Promise<void> {
    const { accessMode } = settings;
    this.engine.requireWritable(accessMode === "read write");
    await this.#end(`begin${accessMode === undefined ? "" : ` ${accessMode}`}`, async () => {
      this.#unclear = true;
      await this.#driver.beginTransaction(this.#raw, settings);
      this.#unclear = false;
    });
    this.#inTransaction = true;
  }

  async commit(): Promise<void> {
    await this.#end("commit", () => this.#driver.commitTransaction(this.#raw));
    this.#inTransaction = false;
  }

  async rollback(): Promise<void> {
    this.#inTransaction = false;
    this.#unclear = true;
    await this.#end("rollback", () => this.#driver.rollbackTransaction(this.#raw));
    this.#unclear = false;
  }

  savepoint(name: string): Promise<void> {
    return this.#end(`savepoint ${name}`, () => this.#driver.savepoint!(this.#raw, name, this.engine.compileQuery));
  }

  rollbackToSavepoint(name: string): Promise<void> {
    return this.#end(`rollback to savepoint ${name}`, () =>
      this.#driver.rollbackToSavepoint!(this.#raw, name, this.engine.compileQuery),
    );
  }

  releaseSavepoint(name: string): Promise<void> {
    return this.#end(`release savepoint ${name}`, () =>
      this.#driver.releaseSavepoint!(this.#raw, name, this.engine.compileQuery),
    );
  }

  /** Gives the connection back, rolling back what was not committed. If that fails, the connection is closed instead. */
  async release(): Promise<void> {
    if (this.#inTransaction) await this.rollback().catch(() => {});
    await this.#driver.releaseConnection(this.#raw, { discard: this.#unclear });
  }

  #run<T>(query: { readonly sql: string; readonly parameters: readonly unknown[] }, run: () => Promise<T>): Promise<T> {
    if (this.#record === undefined) return this.engine.observe(query, run);
    const { bindKey } = this.engine;
    return recorded(this.#record, { ...query, bindKey }, () => this.engine.observe(query, run));
  }

  #end(sql: string, run: () => Promise<void>): Promise<void> {
    return this.engine.observe({ sql, parameters: [] }, run);
  }
}
