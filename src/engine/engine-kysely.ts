import {
  type DatabaseConnection,
  DefaultConnectionProvider,
  type Dialect,
  type Driver,
  Kysely,
  type TransactionSettings,
} from "kysely";
import { DatabaseConnectionError } from "../errors/database.ts";
import { type ModelKysely, modelsAsTables } from "../model/models-as-tables.ts";
import type { Metadata } from "../schema/metadata.ts";
import type { AcquireOptions } from "./driver.ts";
import { EngineExecutor, type ExecutingEngine } from "./engine-executor.ts";
import { Owner } from "./pool/owner.ts";

/** A connection that an engine lends to Kysely. */
interface LentConnection extends DatabaseConnection {
  begin(settings: TransactionSettings): Promise<void>;
  commit(): Promise<void>;
  rollback(): Promise<void>;
  savepoint(name: string): Promise<void>;
  rollbackToSavepoint(name: string): Promise<void>;
  releaseSavepoint(name: string): Promise<void>;
  release(): Promise<void>;
}

/** The engine behind a Kysely. */
interface KyselyEngine extends ExecutingEngine {
  readonly dialect: Dialect;
  connect(options: AcquireOptions): Promise<LentConnection>;
  dispose(): Promise<void>;
}

/**
 * A whole Kysely on an engine, outside of any session: every statement on its own, or in Kysely's own transactions.
 * Values are converted and models stand for tables, as in a session.
 */
export function engineKysely<DB>(engine: KyselyEngine, metadata: () => Metadata | undefined): ModelKysely<DB> {
  const { dialect } = engine;
  const driver = new EngineKyselyDriver(engine);
  // Rows are converted by the connection, so that Kysely without plugins converts them too.
  const executor = new EngineExecutor({ engine, metadata }, new DefaultConnectionProvider(driver));
  // The view adds what the type adds.
  return modelsAsTables(new Kysely<DB>({ config: { dialect }, dialect, driver, executor })) as ModelKysely<DB>;
}

/** Lets Kysely take its connections from the engine, so that listeners see its statements and errors name the bind. */
class EngineKyselyDriver implements Driver {
  readonly #engine: KyselyEngine;
  readonly #owners = new WeakMap<LentConnection, Owner>();

  constructor(engine: KyselyEngine) {
    this.#engine = engine;
  }

  async init(): Promise<void> {}

  async acquireConnection(options: { readonly signal?: AbortSignal } = {}): Promise<LentConnection> {
    const owner = new Owner(`a statement of ${this.#engine}`);
    owner.begin();
    try {
      const connection = await this.#engine.connect({ ...options, use: "write", owner });
      this.#owners.set(connection, owner);
      return connection;
    } catch (error) {
      owner.end();
      throw error;
    }
  }

  // Kysely hands back only what this driver has lent.

  async beginTransaction(
    connection: LentConnection,
    settings: Parameters<Driver["beginTransaction"]>[1],
  ): Promise<void> {
    await connection.begin(settings);
  }

  async commitTransaction(connection: LentConnection): Promise<void> {
    await connection.commit();
  }

  async rollbackTransaction(connection: LentConnection): Promise<void> {
    try {
      await connection.rollback();
    } catch (error) {
      // A connection that is lost has rolled back by that. Kysely would throw this instead of what went wrong first.
      if (!(error instanceof DatabaseConnectionError)) throw error;
    }
  }

  async savepoint(connection: LentConnection, name: string): Promise<void> {
    await connection.savepoint(name);
  }

  async rollbackToSavepoint(connection: LentConnection, name: string): Promise<void> {
    await connection.rollbackToSavepoint(name);
  }

  async releaseSavepoint(connection: LentConnection, name: string): Promise<void> {
    await connection.releaseSavepoint(name);
  }

  async releaseConnection(connection: LentConnection): Promise<void> {
    try {
      await connection.release();
    } finally {
      this.#owners.get(connection)?.end();
    }
  }

  async destroy(): Promise<void> {
    await this.#engine.dispose();
  }
}
