import { CompiledQuery, type DatabaseConnection, type QueryResult, type TransactionSettings } from "kysely";
import { bindLabel } from "../bind-key.ts";
import { OperationalError } from "../errors/database.ts";
import type { AnsweredResult, EngineDriver, EngineQuery, PhysicalConnection } from "./driver.ts";
import type { Engine } from "./engine.ts";
import { type RecordedQuery, recorded } from "./recorded-query.ts";
import type { Ending } from "./two-phase.ts";

/** The statements that end a transaction which was begun to be prepared, where they are not the ordinary ones. */
type BranchEnds = Readonly<Record<Ending, readonly string[]>>;

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
  #branch: BranchEnds | undefined;

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

  /** Begins a transaction that can be prepared under an id. */
  async beginBranch(gid: string, settings: TransactionSettings = {}): Promise<void> {
    const branch = this.engine.twoPhase?.branch;
    if (branch === undefined) return this.begin(settings);
    this.#unclear = true;
    for (const sql of branch.begin(gid, settings)) await this.#send(sql);
    this.#unclear = false;
    this.#inTransaction = true;
    this.#branch = { commit: branch.commit(gid), rollback: branch.rollback(gid) };
  }

  async commit(): Promise<void> {
    if (this.#branch === undefined) await this.#end("commit", () => this.#driver.commitTransaction(this.#raw));
    else for (const sql of this.#branch.commit) await this.#send(sql);
    this.#inTransaction = false;
    this.#branch = undefined;
  }

  async rollback(): Promise<void> {
    const statements = this.#branch?.rollback;
    this.#inTransaction = false;
    this.#branch = undefined;
    this.#unclear = true;
    if (statements === undefined) await this.#end("rollback", () => this.#driver.rollbackTransaction(this.#raw));
    else await this.#rollbackBranch(statements);
    this.#unclear = false;
  }

  /** The last statement tells whether it succeeded: what comes before may have happened already. */
  async #rollbackBranch(statements: readonly string[]): Promise<void> {
    for (const sql of statements.slice(0, -1)) await this.#send(sql).catch(() => {});
    await this.#send(statements.at(-1)!);
  }

  /**
   * Prepares the transaction: from now on the server keeps it under the id, whatever becomes of the connection.
   *
   * @throws {OperationalError} if it had failed before, and so was rolled back instead
   */
  async prepare(gid: string): Promise<void> {
    const twoPhase = this.engine.twoPhase!;
    let answer: AnsweredResult = { rows: [] };
    for (const sql of twoPhase.prepare(gid)) answer = await this.#send(sql);
    this.#inTransaction = false;
    this.#branch = undefined;
    if (twoPhase.isPrepared?.(answer.command) === false) {
      const { bindKey } = this.engine;
      throw new OperationalError(
        `The transaction on ${bindLabel(bindKey)} had failed before, so the server rolled it back instead of preparing it.`,
        { bindKey },
      );
    }
    this.#unclear = twoPhase.holdsConnection;
  }

  /** Ends a prepared transaction, this connection's or, where the server lets go of them, another's. */
  async endPrepared(gid: string, ending: Ending): Promise<void> {
    await this.#send(this.engine.twoPhase!.end(gid, ending));
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

  #send(sql: string): Promise<AnsweredResult> {
    return this.engine.observe({ sql, parameters: [] }, () => this.#raw.executeQuery(CompiledQuery.raw(sql)));
  }

  #end(sql: string, run: () => Promise<void>): Promise<void> {
    return this.engine.observe({ sql, parameters: [] }, run);
  }
}
