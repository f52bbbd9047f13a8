import { mkdir } from "node:fs/promises";
import { CompiledQuery, type DatabaseConnection, type QueryResult, type TransactionSettings } from "kysely";
import { bindLabel } from "../../bind-key.ts";
import { OperationalError } from "../../errors/database.ts";
import type { AcquireOptions, EngineDriver, EngineQuery, PoolStatus, ReleaseOptions, Use } from "../driver.ts";
import type { DriverConfig } from "../options/driver-config.ts";
import { exportsOf, importFailure } from "../options/driver-module.ts";
import { FairSemaphore } from "../pool/fair-semaphore.ts";
import { Owner } from "../pool/owner.ts";
import { TransactionCommands } from "../transaction-commands.ts";
import { defineDecimalFunctions, type FunctionHolder } from "./decimal-functions.ts";
import { isNodeSqlite, NODE_SQLITE, nodeSqliteModule } from "./node-sqlite.ts";
import { SqliteConnection, type SqliteModule } from "./sqlite-connection.ts";
import { type SqliteFile, sqliteFile } from "./sqlite-file.ts";
import { type FileFate, OpenedFile } from "./sqlite-opened-file.ts";
import { placeOf, type SqlitePlace } from "./sqlite-place.ts";
import { readsAnywhere } from "./sqlite-reading-text.ts";

interface Loan {
  /** Those of the writer or of the readers. */
  readonly slots: FairSemaphore;
  readonly owner: Owner;
}

const BEGIN = CompiledQuery.raw("begin immediate");
const BEGIN_TO_READ = CompiledQuery.raw("begin");
const COMMIT = CompiledQuery.raw("commit");

function beginQuery({ accessMode }: TransactionSettings): CompiledQuery {
  return accessMode === "read only" ? BEGIN_TO_READ : BEGIN;
}

/**
 * The driver of SQLite, on the package `better-sqlite3` or on Node's own `node:sqlite`.
 *
 * A file has one writer, which those who write wait for in turn, and readers beside it. A database in memory lives in
 * one connection, which all wait for in turn. The wait is asynchronous, so the owner of the writer can go on.
 */
export class SqliteDriver extends TransactionCommands implements EngineDriver {
  readonly #config: DriverConfig;
  readonly #file: SqliteFile;
  /** The file as other engines may have it too; undefined in memory. */
  #place: SqlitePlace | undefined;
  #writerSlots: FairSemaphore;
  readonly #readerSlots: FairSemaphore;
  readonly #idleReaders: SqliteConnection[] = [];
  readonly #loans = new Map<DatabaseConnection, Loan>();
  readonly #lockTimeout: number;
  #opening: Promise<void> | undefined;
  #Database: SqliteModule | undefined;
  #writer: SqliteConnection | undefined;
  #path = ":memory:";
  #opened: OpenedFile | undefined;
  /** Whether the path was found to lead to another file than the one that is open. */
  #isStale = false;
  #closed = false;

  constructor(config: DriverConfig) {
    super();
    const { bindKey, options } = config;
    const url = options.url!;
    this.#config = config;
    this.#file = sqliteFile(url);
    this.#place = this.#file.path === undefined ? undefined : placeOf(this.#file.path, bindKey);
    this.#writerSlots = this.#place?.writerSlots ?? new FairSemaphore({ bindKey, noun: "connection", size: 1 });
    this.#readerSlots = new FairSemaphore({ bindKey, noun: "reader", size: options.poolSize });
    this.#lockTimeout = this.#file.lockTimeout ?? options.poolTimeout;
  }

  async init(): Promise<void> {}

  async acquireConnection({
    use = "write",
    owner = new Owner("a statement"),
    signal,
  }: AcquireOptions = {}): Promise<DatabaseConnection> {
    this.#requireFile(use);
    const reading = use === "read" && this.#file.path !== undefined;
    const slots = reading ? this.#readerSlots : this.#writerSlots;
    if (!slots.tryTake(owner)) await this.#wait(slots, owner, signal);
    try {
      this.#requireFile(use);
      if (this.#writer === undefined) await this.#open();
      const connection = reading ? (this.#idleReaders.pop() ?? this.#connect(true)) : this.#writer!;
      this.#loans.set(connection, { slots, owner });
      return connection;
    } catch (error) {
      slots.release(owner);
      throw error;
    }
  }

  #wait(slots: FairSemaphore, owner: Owner, signal: AbortSignal | undefined): Promise<void> {
    const { bindKey, options } = this.#config;
    return slots.take(owner, { timeout: options.poolTimeout, signal, bindKey });
  }

  acquireNow({ use = "write", owner }: AcquireOptions): DatabaseConnection | undefined {
    if (this.#writer === undefined || owner === undefined || this.#fate(use) !== "same") return undefined;
    const reading = use === "read" && this.#file.path !== undefined;
    const connection = reading ? this.#idleReaders.at(-1) : this.#writer;
    const slots = reading ? this.#readerSlots : this.#writerSlots;
    if (connection === undefined || !slots.tryTake(owner)) return undefined;
    if (reading) this.#idleReaders.pop();
    this.#loans.set(connection, { slots, owner });
    return connection;
  }

  releaseNow(connection: DatabaseConnection): boolean {
    // Whatever this driver lends is one of its own connections.
    const own = connection as SqliteConnection;
    const loan = this.#loans.get(own);
    if (loan === undefined || this.#closed || this.#isStale || own.inTransaction) return false;
    this.#loans.delete(own);
    if (own !== this.#writer) this.#idleReaders.push(own);
    loan.slots.release(loan.owner);
    return true;
  }

  readNow<R>(query: EngineQuery<R>): QueryResult<R> | undefined {
    const isInMemory = this.#file.path === undefined;
    if (this.#fate("read") !== "same") return undefined;
    // An idle connection has no open transaction, and nothing else runs before this is done.
    const idle = isInMemory && this.#writerSlots.held === 0 ? this.#writer : this.#idleReaders.at(-1);
    return idle?.executeNow(query);
  }

  writeNow<R>(query: EngineQuery<R>): QueryResult<R> | undefined {
    return this.#writerSlots.held === 0 && this.#fate("write") === "same" ? this.#writer?.executeNow(query) : undefined;
  }

  async onlyReads(sql: string): Promise<boolean> {
    if (!readsAnywhere(sql) || this.#closed) return false;
    if (this.#writer === undefined) await this.#open();
    if (this.#file.path === undefined) return this.#writer!.onlyReads(sql);
    if (this.#idleReaders.length === 0) this.#idleReaders.push(this.#connect(true));
    // A temporary table of the writer goes before one of the file.
    return this.#idleReaders.at(-1)!.onlyReads(sql) && !this.#writer!.hasTemporaryTables;
  }

  async releaseConnection(connection: DatabaseConnection, { discard = false }: ReleaseOptions = {}): Promise<void> {
    const loan = this.#loans.get(connection);
    if (loan === undefined) return;
    this.#loans.delete(connection);
    // Whatever this driver lends is one of its own connections.
    const own = connection as SqliteConnection;
    const fit = !discard || this.#file.path === undefined;
    const kept = fit && !this.#closed && !this.#isStale && (!own.inTransaction || (await rollsBack(own)));
    if (own === this.#writer) {
      // The next who waits for the writer opens it again.
      if (!kept) this.#writer = this.#opening = undefined;
    } else if (kept) {
      this.#idleReaders.push(own);
    }
    if (!kept && !this.#isStale) await own.close();
    else if (!kept) own.leave();
    if (this.#isStale) this.#leaveFile();
    loan.slots.release(loan.owner);
    if (this.#closed) await this.#closeFreeWriter();
  }

  async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    await connection.executeQuery(beginQuery(settings));
  }

  beginNow(connection: DatabaseConnection, settings: TransactionSettings): boolean {
    // Whatever this driver lends is one of its own connections.
    return (connection as SqliteConnection).executeNow(beginQuery(settings)) !== undefined;
  }

  commitNow(connection: DatabaseConnection): boolean {
    // Whatever this driver lends is one of its own connections.
    return this.#fate("write") === "same" && (connection as SqliteConnection).executeNow(COMMIT) !== undefined;
  }

  /** @throws {OperationalError} if the path leads to another file, so that writes would be lost */
  override async commitTransaction(connection: DatabaseConnection): Promise<void> {
    const loan = this.#loans.get(connection);
    if (loan?.slots === this.#writerSlots) this.#requireFile("write");
    await super.commitTransaction(connection);
  }

  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    // SQLite rolls back by itself on some errors, such as a full disk.
    if ((connection as SqliteConnection).inTransaction) await super.rollbackTransaction(connection);
  }

  status(): PoolStatus {
    const readers = this.#file.path === undefined ? 0 : this.#config.options.poolSize;
    const writerIdle = this.#writer !== undefined && this.#writerSlots.held === 0 ? 1 : 0;
    return {
      size: readers + 1,
      inUse: this.#loans.size,
      idle: this.#idleReaders.length + writerIdle,
      waiting: this.#writerSlots.waiting + this.#readerSlots.waiting,
    };
  }

  /** Answers of another connection than the writer's, which may be lent; in memory there is no other. */
  async ping(): Promise<void> {
    this.#requireFile("read");
    if (this.#writer === undefined) await this.#open();
    if (this.#file.path === undefined) return;
    const reader = this.#connect(true);
    try {
      await reader.executeQuery(CompiledQuery.raw("select count(*) from sqlite_schema"));
    } finally {
      await reader.close();
    }
  }

  async destroy(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#idleReaders.splice(0).map((reader) => reader.close()));
    await this.#closeFreeWriter();
  }

  /** The fate of the file that is open, as it is known before a use of it. */
  #fate(use: Use): FileFate {
    if (this.#opened === undefined) return "same";
    return use === "write" ? this.#opened.look() : this.#opened.glance();
  }

  /**
   * Refuses to use a file to which the path does not lead any more. When its connections are given back, the next
   * statement opens the file to which it does.
   *
   * @throws {OperationalError}
   */
  #requireFile(use: Use): void {
    const fate = this.#fate(use);
    if (fate === "same") return;
    this.#isStale = true;
    this.#leaveFile();
    const { bindKey } = this.#config;
    throw new OperationalError(
      `The file of ${bindLabel(bindKey)} (${this.#file.path}) was ${fate} while it was open. Nothing was written to it. Roll back; ` +
        "the next transaction opens the file that is there then, or makes it.",
      { bindKey },
    );
  }

  /** Closes all connections to a file that was left, once none is in use: its log must be gone before it is opened anew. */
  #leaveFile(): void {
    if (this.#loans.size > 0) return;
    for (const reader of this.#idleReaders.splice(0)) reader.destroy();
    this.#writer?.leave();
    this.#writer = this.#opening = this.#opened = undefined;
    this.#isStale = false;
    // A link may lead elsewhere now.
    this.#place = placeOf(this.#file.path!, this.#config.bindKey);
    this.#writerSlots = this.#place.writerSlots;
  }

  async #closeFreeWriter(): Promise<void> {
    const writer = this.#writer;
    if (writer !== undefined && this.#loans.has(writer)) return;
    this.#writer = this.#opening = undefined;
    await writer?.close();
  }

  /** Opens the writer first: it makes the file and sets its journal mode, which readers need to find. */
  #open(): Promise<void> {
    this.#opening ??= this.#openWriter().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async #openWriter(): Promise<void> {
    const { bindKey, options, directory } = this.#config;
    this.#Database ??= moduleOf(
      options.driver ?? (await import("better-sqlite3").catch(importFailure("better-sqlite3", bindKey, NODE_SQLITE))),
    );
    if (directory !== undefined && !options.readOnly) await mkdir(directory, { recursive: true });
    // By one of its names: SQLite calls the log after that.
    if (this.#file.path !== undefined) this.#path = placeOf(this.#file.path, bindKey).path;
    const readOnly = options.readOnly || this.#file.readOnly;
    const writer = this.#connect(readOnly);
    try {
      if (options.managed && !readOnly) await this.#prepare(writer);
    } catch (error) {
      await writer.close();
      throw error;
    }
    this.#writer = writer;
    if (this.#file.path !== undefined) this.#opened = new OpenedFile(this.#file.path);
  }

  async #prepare(writer: SqliteConnection): Promise<void> {
    await writer.executeQuery(CompiledQuery.raw("pragma foreign_keys = on"));
    if (this.#file.path !== undefined) await writer.executeQuery(CompiledQuery.raw("pragma journal_mode = wal"));
  }

  #connect(readOnly: boolean): SqliteConnection {
    const { options } = this.#config;
    const database = new this.#Database!(this.#path, {
      fileMustExist: this.#file.mustExist || readOnly,
      ...options.driverOptions,
      readonly: readOnly && this.#file.path !== undefined,
      timeout: 0,
    });
    if (hasFunctions(database)) defineDecimalFunctions(database);
    return new SqliteConnection(database, this.#lockTimeout);
  }
}

/** What opens databases, of a driver's module. */
function moduleOf(driver: unknown): SqliteModule {
  const exported = exportsOf(driver);
  // The structural interface names the few members used; whatever module is given must have them.
  return isNodeSqlite(exported) ? nodeSqliteModule(exported) : (exported as SqliteModule);
}

/** Whether functions can be given to a database, which modules that only resemble `better-sqlite3` may lack. */
function hasFunctions(database: object): database is FunctionHolder {
  return "function" in database && "aggregate" in database;
}

/** Ends a transaction that SQL text has begun. */
async function rollsBack(connection: SqliteConnection): Promise<boolean> {
  try {
    await connection.executeQuery(CompiledQuery.raw("rollback"));
    return true;
  } catch {
    return false;
  }
}
