import type {
  DatabaseConnection,
  DialectAdapter,
  Driver,
  IsolationLevel,
  QueryCompiler,
  TransactionSettings,
} from "kysely";
import type { BindKey } from "../bind-key.ts";
import { bindLabel } from "../bind-key.ts";
import { UnsupportedError } from "../errors/configuration.ts";
import type { AcquireOptions, EngineDriver, PoolStatus } from "./driver.ts";
import { Owner } from "./pool/owner.ts";
import { Slots } from "./pool/slots.ts";

/** Limits of a third-party driver. */
export interface DialectDriverOptions {
  readonly bindKey: BindKey;
  readonly poolSize: number;
  /** In milliseconds. */
  readonly poolTimeout: number;
  /** Of transactions that name none. */
  readonly isolationLevel: IsolationLevel | undefined;
  readonly readOnly: boolean;
}

/**
 * The driver of any Kysely dialect, used as multibind's own are: initialised once, and never asked for more connections
 * than it has. A dialect that says it has only one is waited for in turn.
 */
export class DialectDriver implements EngineDriver {
  readonly #driver: Driver;
  readonly #slots: Slots;
  readonly #options: DialectDriverOptions;
  readonly #owners = new Map<DatabaseConnection, Owner[]>();
  #ready: Promise<void> | undefined;

  constructor(driver: Driver, adapter: DialectAdapter, options: DialectDriverOptions) {
    this.#driver = driver;
    this.#options = options;
    const size = adapter.supportsMultipleConnections === false ? 1 : options.poolSize;
    this.#slots = new Slots({ bindKey: options.bindKey, noun: "connection", size });
  }

  init(): Promise<void> {
    this.#ready ??= this.#driver.init().catch((error: unknown) => {
      this.#ready = undefined;
      throw error;
    });
    return this.#ready;
  }

  async acquireConnection({
    owner = new Owner("a statement"),
    signal,
  }: AcquireOptions = {}): Promise<DatabaseConnection> {
    if (!this.#slots.tryTake(owner)) await this.#slots.take(owner, { timeout: this.#options.poolTimeout, signal });
    try {
      await this.init();
      const connection = await this.#driver.acquireConnection(signal === undefined ? {} : { signal });
      const owners = this.#owners.get(connection);
      if (owners === undefined) this.#owners.set(connection, [owner]);
      else owners.push(owner);
      return connection;
    } catch (error) {
      this.#slots.release(owner);
      throw error;
    }
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    const owners = this.#owners.get(connection);
    const owner = owners?.pop();
    if (owners?.length === 0) this.#owners.delete(connection);
    try {
      await this.#driver.releaseConnection(connection);
    } finally {
      if (owner !== undefined) this.#slots.release(owner);
    }
  }

  beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    const { readOnly } = this.#options;
    const isolationLevel = settings.isolationLevel ?? this.#options.isolationLevel;
    const accessMode = settings.accessMode ?? (readOnly ? "read only" : undefined);
    // The options of the call override those of the engine.
    return this.#driver.beginTransaction(connection, {
      ...(isolationLevel === undefined ? {} : { isolationLevel }),
      ...(accessMode === undefined ? {} : { accessMode }),
    });
  }

  commitTransaction(connection: DatabaseConnection): Promise<void> {
    return this.#driver.commitTransaction(connection);
  }

  rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    return this.#driver.rollbackTransaction(connection);
  }

  async savepoint(connection: DatabaseConnection, name: string, compile: QueryCompiler["compileQuery"]): Promise<void> {
    if (this.#driver.savepoint === undefined) throw this.#noSavepoints();
    await this.#driver.savepoint(connection, name, compile);
  }

  async rollbackToSavepoint(
    connection: DatabaseConnection,
    name: string,
    compile: QueryCompiler["compileQuery"],
  ): Promise<void> {
    if (this.#driver.rollbackToSavepoint === undefined) throw this.#noSavepoints();
    await this.#driver.rollbackToSavepoint(connection, name, compile);
  }

  async releaseSavepoint(
    connection: DatabaseConnection,
    name: string,
    compile: QueryCompiler["compileQuery"],
  ): Promise<void> {
    if (this.#driver.releaseSavepoint === undefined) throw this.#noSavepoints();
    await this.#driver.releaseSavepoint(connection, name, compile);
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

  #noSavepoints(): UnsupportedError {
    const { bindKey } = this.#options;
    return new UnsupportedError(
      `The dialect of ${bindLabel(bindKey)} has no savepoints, so a transaction cannot be nested there.`,
      {
        bindKey,
      },
    );
  }
}
