import { setTimeout as delay } from "node:timers/promises";
import { type CompiledQuery, InsertQueryNode, type OperationNode, type QueryResult } from "kysely";
import { type EngineQuery, type PhysicalConnection, withParameters } from "../driver.ts";
import { LruCache } from "../lru-cache.ts";
import { sqliteCode } from "./sqlite-errors.ts";

/** The part of the module `better-sqlite3` that is used. */
export type SqliteModule = new (path: string, options: Readonly<Record<string, unknown>>) => SqliteDatabase;

/** The part of a `better-sqlite3` database that is used. */
export interface SqliteDatabase {
  readonly open: boolean;
  readonly inTransaction: boolean;
  prepare(sql: string): SqliteStatement;
  close(): unknown;
}

/** The part of a `better-sqlite3` statement that is used. */
export interface SqliteStatement {
  readonly reader: boolean;
  /** Whether it changes no database, as far as SQLite can say. */
  readonly readonly: boolean;
  /** Each of these takes its parameters one by one, or in a list. */
  all(...parameters: readonly unknown[]): unknown[];
  get(...parameters: readonly unknown[]): unknown;
  run(...parameters: readonly unknown[]): { readonly changes: number; readonly lastInsertRowid: number | bigint };
  iterate(...parameters: readonly unknown[]): IterableIterator<unknown>;
  safeIntegers(on: boolean): unknown;
}

/** How many statements a connection keeps prepared. */
const MOST_PREPARED = 256;
/** How many parameters are handed over one by one, which is faster than a list; a call can take only so many. */
const MOST_ONE_BY_ONE = 1_000;
/** What inserts no row. */
const CHANGES: ReadonlySet<string> = new Set(["UpdateQueryNode", "DeleteQueryNode"]);
const FIRST_PAUSE = 1;
const LONGEST_PAUSE = 50;

/** One connection to a SQLite database. Statements run at once, in this process; only a foreign lock makes them wait. */
export class SqliteConnection implements PhysicalConnection {
  readonly #database: SqliteDatabase;
  readonly #lockTimeout: number;
  #waiting = 0;
  /** Ends the waits for another process's lock. */
  #enough = new AbortController();
  /** Kept apart by how they give integers, since that setting stays with a statement. */
  readonly #statements = {
    plain: new LruCache<string, SqliteStatement>(MOST_PREPARED),
    exact: new LruCache<string, SqliteStatement>(MOST_PREPARED),
  };

  /** @param lockTimeout how long to try while another process holds the lock, in milliseconds */
  constructor(database: SqliteDatabase, lockTimeout: number) {
    this.#database = database;
    this.#lockTimeout = lockTimeout;
  }

  get isBroken(): boolean {
    return !this.#database.open;
  }

  /** Whether a transaction is open on this connection. */
  get inTransaction(): boolean {
    return this.#database.inTransaction;
  }

  async executeQuery<R>(query: EngineQuery): Promise<QueryResult<R>> {
    try {
      return this.#run<R>(query);
    } catch (error) {
      if (!isLocked(error)) throw error;
      return this.#retry(() => this.#run<R>(query), error);
    }
  }

  /** Runs a statement, if no other process's lock is in the way. */
  executeNow<R>(query: EngineQuery<R>): QueryResult<R> | undefined {
    try {
      return this.#run<R>(query);
    } catch (error) {
      if (isLocked(error)) return undefined;
      throw error;
    }
  }

  /** Whether SQLite says that a statement gives rows and changes nothing; not if it cannot be prepared. */
  onlyReads(sql: string): boolean {
    try {
      const { reader, readonly } = this.#statement(sql, "exact");
      return reader && readonly;
    } catch {
      return false;
    }
  }

  /** Whether there are temporary tables on this connection, which others do not see. */
  get hasTemporaryTables(): boolean {
    return this.#statement("select 1 from temp.sqlite_schema limit 1", "exact").get() !== undefined;
  }

  async executeMany<R>(
    query: EngineQuery<R>,
    parameterSets: readonly (readonly unknown[])[],
  ): Promise<QueryResult<R>[]> {
    const results: QueryResult<R>[] = [];
    for (const parameters of parameterSets) {
      const one = withParameters(query, parameters);
      // Within a transaction no other connection can hold the lock, so no wait is needed.
      results.push(this.#database.inTransaction ? this.#run(one) : await this.executeQuery<R>(one));
    }
    return results;
  }

  async *streamQuery<R>(query: CompiledQuery, chunkSize: number): AsyncIterableIterator<QueryResult<R>> {
    let rows: R[] = [];
    for (const row of await this.#firstSteps(query)) {
      // The caller knows what shape its statement gives.
      rows.push(plainIntegers(row) as R);
      if (rows.length < chunkSize) continue;
      yield { rows };
      rows = [];
    }
    if (rows.length > 0) yield { rows };
  }

  /** Begins to read; only the first row can meet another process's lock. */
  async #firstSteps(query: CompiledQuery): Promise<Iterable<unknown>> {
    return this.#unlocked(() => {
      // A statement that gives rows one by one is busy until its end, so it is not one that others would use.
      const statement = this.#database.prepare(query.sql);
      statement.safeIntegers(true);
      const rows = statement.iterate(query.parameters);
      const first = rows.next();
      return first.done === true ? [] : startingWith(first.value, rows);
    });
  }

  async ping(): Promise<void> {}

  /** Whether it waits for another process's lock: a statement that runs has this process to itself. */
  get isBusy(): boolean {
    return this.#waiting > 0;
  }

  async cancel(): Promise<void> {
    this.#enough.abort();
    this.#enough = new AbortController();
  }

  async close(): Promise<void> {
    this.#database.close();
  }

  /**
   * Closes a connection whose path leads to another file: the log beside the path gives up its rows to the file that they
   * belong to, or SQLite would read them into the other one.
   */
  leave(): void {
    try {
      if (this.inTransaction) this.#database.prepare("rollback").run();
      this.#database.prepare("pragma wal_checkpoint(truncate)").get();
    } catch {
      // A connection that only reads has written no log.
    }
    this.#database.close();
  }

  destroy(): void {
    this.#database.close();
  }

  #run<R>({ query, sql, parameters, plainNumbers, single }: EngineQuery): QueryResult<R> {
    const statement = this.#statement(sql, plainNumbers === true ? "plain" : "exact");
    const given = areSingleValues(parameters) ? parameters : [parameters];
    if (!statement.reader) {
      const before = mayUpdateInstead(query) ? this.#lastInsertId() : undefined;
      const { changes, lastInsertRowid } = statement.run(...given);
      const result = { rows: [], numAffectedRows: BigInt(changes) };
      // SQLite keeps the number of the last row that was inserted, by whatever statement.
      const insertId = BigInt(lastInsertRowid);
      const isOwn = changes > 0 && insertId !== before && !CHANGES.has(query.kind);
      return isOwn ? { ...result, insertId } : result;
    }
    const rows = single === true ? listOf(statement.get(...given)) : statement.all(...given);
    if (plainNumbers !== true) for (const row of rows) plainIntegers(row);
    return { rows: rows as R[] };
  }

  #lastInsertId(): bigint {
    return BigInt((this.#statement("select last_insert_rowid() as id", "exact").get() as { readonly id: bigint }).id);
  }

  /** Does something that another process's lock may be in the way of, again and again until that is gone. */
  async #unlocked<T>(run: () => T): Promise<T> {
    try {
      return run();
    } catch (error) {
      if (!isLocked(error)) throw error;
      return this.#retry(run, error);
    }
  }

  /** Waits without blocking the process: SQLite's own wait would stop the very work that could free the lock. */
  async #retry<T>(run: () => T, first: unknown): Promise<T> {
    const deadline = performance.now() + this.#lockTimeout;
    const { signal } = this.#enough;
    this.#waiting++;
    try {
      for (let pause = FIRST_PAUSE; performance.now() < deadline; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
        await delay(pause, undefined, { signal });
        try {
          return run();
        } catch (error) {
          if (!isLocked(error)) throw error;
        }
      }
    } finally {
      this.#waiting--;
    }
    throw first;
  }

  #statement(sql: string, integers: "plain" | "exact"): SqliteStatement {
    const prepared = this.#statements[integers];
    const known = prepared.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    if (statement.reader && integers === "exact") statement.safeIntegers(true);
    prepared.set(sql, statement);
    return statement;
  }
}

/** Whether no parameter would be taken for a list or for named parameters, if it was given by itself. */
function areSingleValues(parameters: readonly unknown[]): boolean {
  if (parameters.length > MOST_ONE_BY_ONE) return false;
  for (let place = 0; place < parameters.length; place++) {
    const value = parameters[place];
    if (typeof value === "object" && value !== null && !ArrayBuffer.isView(value)) return false;
  }
  return true;
}

function listOf(row: unknown): unknown[] {
  return row === undefined ? [] : [row];
}

function* startingWith<T>(first: T, others: IterableIterator<T>): IterableIterator<T> {
  try {
    yield first;
    yield* others;
  } finally {
    others.return?.();
  }
}

/**
 * Whether another process holds the file's lock. A snapshot that is too old stays so, however long one waits; and what
 * this connection itself locks, such as a table that is being read, can only come free when its reader goes on.
 */
function isLocked(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === "SQLITE_BUSY" || code === "SQLITE_BUSY_RECOVERY" || code === "SQLITE_LOCKED_SHAREDCACHE";
}

/** Turns the bigints of a row into numbers where that loses nothing. */
function plainIntegers(row: unknown): unknown {
  const values = row as Record<string, unknown>;
  for (const name in values) {
    const value = values[name];
    if (typeof value === "bigint" && value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER)
      values[name] = Number(value);
  }
  return row;
}

/** Whether a statement updates rows that are there in place of inserting them. */
function mayUpdateInstead(query: OperationNode): boolean {
  return InsertQueryNode.is(query) && query.onConflict?.updates !== undefined;
}
