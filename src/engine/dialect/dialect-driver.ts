import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type IsolationLevel,
  type QueryCompiler,
  type TransactionSettings,
} from "kysely";
import { type BindKey, bindLabel } from "../../bind-key.ts";
import { DatabaseTimeoutError } from "../../errors/database.ts";
import type { Metadata } from "../../schema/metadata.ts";
import type { AcquireOptions, EngineDriver, PoolStatus, ServerLacks } from "../driver.ts";
import type { Family } from "../family.ts";
import { FairSemaphore } from "../pool/fair-semaphore.ts";
import { Owner } from "../pool/owner.ts";
import { TransactionCommands } from "../transaction-commands.ts";
import { isGivenUp } from "../waiting/given-up.ts";
import { withSignal } from "../waiting/with-signal.ts";
import { withTimeout } from "../waiting/with-timeout.ts";
import { DialectConnection, type DialectOwner } from "./dialect-connection.ts";
import type { DialectFindings } from "./dialect-findings.ts";
import { requireFit } from "./dialect-fitness.ts";
import { unsupportedBy } from "./unsupported-by.ts";

/** Limits of a third-party driver. */
export interface DialectDriverOptions {
  readonly bindKey: BindKey;
  readonly family: Family;
  /** The tables of the bind. */
  readonly metadata: () => Metadata | undefined;
  readonly poolSize: number;
  /** In milliseconds. */
  readonly poolTimeout: number;
  /** Of transactions that name none. */
  readonly isolationLevel: IsolationLevel | undefined;
  readonly readOnly: boolean;
}

type Compile = QueryCompiler["compileQuery"];

/**
 * The driver of any Kysely dialect, used as multibind's own are: initialised once, tried with values at the first
 * connection, and never asked for more connections than it has. A dialect that says it has only one is waited for in turn.
 */
export class DialectDriver extends TransactionCommands implements EngineDriver {
  /** The name of the dialect's class. */
  readonly name: string;
  readonly #driver: Driver;
  readonly #slots: FairSemaphore;
  readonly #options: DialectDriverOptions;
  readonly #owner: DialectOwner;
  readonly #owners = new Map<DatabaseConnection, Owner[]>();
  readonly #connections = new WeakMap<DatabaseConnection, DialectConnection>();
  #findings: DialectFindings | undefined;
  #ready: Promise<void> | undefined;
  /** How many tables the bind had when the dialect was last found fit for them. */
  #fitFor = -1;

  constructor(dialect: Dialect, options: DialectDriverOptions) {
    super();
    this.#driver = dialect.createDriver();
    this.#options = options;
    this.name = dialect.constructor.name || "The dialect";
    const size = dialect.createAdapter().supportsMultipleConnections === false ? 1 : options.poolSize;
    this.#slots = new FairSemaphore({ bindKey: options.bindKey, noun: "connection", size });
    const { bindKey, family } = options;
    const lend: DialectOwner["lend"] = (use) => this.#lend(use);
    this.#owner = { bindKey, name: this.name, family: family.dialects, lend };
  }

  /** How the dialect reads and writes values; known once there was a connection. */
  get findings(): DialectFindings | undefined {
    return this.#findings;
  }

  get lacksReturning(): boolean {
    return this.#findings?.lacksReturning === true;
  }

  get lacks(): ServerLacks | undefined {
    return this.#findings?.lacks;
  }

  init(): Promise<void> {
    this.#ready ??= this.#open().catch((error: unknown) => {
      this.#ready = undefined;
      throw error;
    });
    return this.#ready;
  }

  async #open(): Promise<void> {
    await this.#driver.init();
    this.#findings = await this.#probe();
  }

  async #probe(): Promise<DialectFindings> {
    const { family, poolTimeout, readOnly } = this.#options;
    const connection = await this.#connect(performance.now() + poolTimeout);
    const run = (sql: string, parameters: readonly unknown[] = []) =>
      connection.executeQuery<Record<string, unknown>>(CompiledQuery.raw(sql, [...parameters]));
    try {
      return await family.dialects.probe({
        name: this.name,
        readOnly,
        rows: async (sql, parameters) => (await run(sql, parameters)).rows,
        affected: async (sql) => (await connection.raw.executeQuery(CompiledQuery.raw(sql))).numAffectedRows,
        within: async (use) => {
          await this.beginTransaction(connection, {});
          try {
            return await use();
          } finally {
            await this.rollbackTransaction(connection);
          }
        },
      });
    } finally {
      await this.#driver.releaseConnection(connection.raw);
    }
  }

  /** @throws {InvalidOptionError} if the dialect does not keep the values of a table of the bind */
  #requireFit(): void {
    const metadata = this.#options.metadata();
    const tables = metadata?.tables;
    if (tables === undefined || this.#findings === undefined || tables.size === this.#fitFor) return;
    requireFit(this.name, this.#findings, tables.values(), this.#options.bindKey);
    this.#fitFor = tables.size;
  }

  async acquireConnection({
    owner = new Owner("a statement"),
    signal,
  }: AcquireOptions = {}): Promise<DatabaseConnection> {
    const deadline = performance.now() + this.#options.poolTimeout;
    if (!this.#slots.tryTake(owner)) await this.#slots.take(owner, { timeout: this.#options.poolTimeout, signal });
    try {
      await this.init();
      this.#requireFit();
      const connection = await this.#connect(deadline, signal);
      const owners = this.#owners.get(connection);
      if (owners === undefined) this.#owners.set(connection, [owner]);
      else owners.push(owner);
      return connection;
    } catch (error) {
      this.#slots.release(owner);
      throw error;
    }
  }

  /** Waits for a connection of the dialect's own pool, which may be smaller. One that comes too late is given back. */
  async #connect(deadline: number, signal?: AbortSignal): Promise<DialectConnection> {
    const acquiring = this.#driver.acquireConnection(signal === undefined ? {} : { signal });
    const inTime = withTimeout(acquiring, Math.max(1, deadline - performance.now()));
    try {
      return this.#known(await (signal === undefined ? inTime : withSignal(inTime, signal)));
    } catch (error) {
      inTime.catch(() => {});
      void acquiring.then((late) => this.#driver.releaseConnection(late)).catch(() => {});
      throw isGivenUp(error) ? this.#timedOut() : error;
    }
  }

  #known(raw: DatabaseConnection): DialectConnection {
    let connection = this.#connections.get(raw);
    if (connection === undefined) {
      connection = new DialectConnection(raw, this.#owner);
      this.#connections.set(raw, connection);
    }
    return connection;
  }

  async #lend(use: (connection: DatabaseConnection) => Promise<void>): Promise<void> {
    const connection = await this.#driver.acquireConnection();
    try {
      await use(connection);
    } finally {
      await this.#driver.releaseConnection(connection);
    }
  }

  #timedOut(): DatabaseTimeoutError {
    const { bindKey, poolTimeout } = this.#options;
    const { size } = this.#slots.description;
    return new DatabaseTimeoutError(
      `${this.name} gave no connection of ${bindLabel(bindKey)} within ${poolTimeout / 1000} seconds: ` +
        `${this.#slots.held} of ${size} in use or waited for. The dialect's own pool may be smaller than poolSize (${size}): ` +
        "set poolSize to its size, or look for sessions that are not closed.",
      { bindKey },
    );
  }

  /** The connection is one of the dialect's own pool, and waits there if all are in use. */
  async ping(timeout: number): Promise<void> {
    const deadline = performance.now() + timeout;
    await this.init();
    const connection = await this.#connect(deadline);
    try {
      await connection.executeQuery(CompiledQuery.raw("select 1"));
    } finally {
      await this.#driver.releaseConnection(connection.raw);
    }
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    const owners = this.#owners.get(connection);
    const owner = owners?.pop();
    if (owners?.length === 0) this.#owners.delete(connection);
    try {
      await this.#driver.releaseConnection(rawOf(connection));
    } finally {
      if (owner !== undefined) this.#slots.release(owner);
    }
  }

  async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    const { readOnly, bindKey } = this.#options;
    const isolationLevel = settings.isolationLevel ?? this.#options.isolationLevel;
    const accessMode = settings.accessMode ?? (readOnly ? "read only" : undefined);
    try {
      // The options of the call override those of the engine.
      await this.#driver.beginTransaction(rawOf(connection), {
        ...(isolationLevel === undefined ? {} : { isolationLevel }),
        ...(accessMode === undefined ? {} : { accessMode }),
      });
    } catch (error) {
      throw unsupportedBy(error, /transaction/i, `${this.name} has no transactions`, bindKey);
    }
  }

  override commitTransaction(connection: DatabaseConnection): Promise<void> {
    return this.#driver.commitTransaction(rawOf(connection));
  }

  override rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    return this.#driver.rollbackTransaction(rawOf(connection));
  }

  // A driver without methods for savepoints takes them as text.

  override async savepoint(connection: DatabaseConnection, name: string, compile: Compile): Promise<void> {
    if (this.#driver.savepoint === undefined) await super.savepoint(connection, name, compile);
    else await this.#driver.savepoint(rawOf(connection), name, compile);
  }

  override async rollbackToSavepoint(connection: DatabaseConnection, name: string, compile: Compile): Promise<void> {
    if (this.#driver.rollbackToSavepoint === undefined) await super.rollbackToSavepoint(connection, name, compile);
    else await this.#driver.rollbackToSavepoint(rawOf(connection), name, compile);
  }

  override async releaseSavepoint(connection: DatabaseConnection, name: string, compile: Compile): Promise<void> {
    if (this.#driver.releaseSavepoint === undefined) await super.releaseSavepoint(connection, name, compile);
    else await this.#driver.releaseSavepoint(rawOf(connection), name, compile);
  }

  status(): PoolStatus {
    const { size } = this.#slots.description;
    return { size, inUse: this.#slots.held, idle: 0, waiting: this.#slots.waiting };
  }

  async destroy(): Promise<void> {
    if (this.#ready === undefined) return;
    await this.#ready;
    await this.#driver.destroy();
  }
}

/** The dialect's own connection: whatever is lent here is wrapped. */
function rawOf(connection: DatabaseConnection): DatabaseConnection {
  return connection instanceof DialectConnection ? connection.raw : connection;
}
