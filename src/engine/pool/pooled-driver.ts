import {
  CompiledQuery,
  type DatabaseConnection,
  type QueryCompiler,
  type TransactionSettings,
  validateTransactionSettings,
} from "kysely";
import type { AcquireOptions, EngineDriver, PhysicalConnection, PoolStatus, ReleaseOptions } from "../driver.ts";
import { savepointCommand } from "../savepoint.ts";
import { ConnectionPool, type PoolOptions } from "./connection-pool.ts";

/** The driver of a database behind a server: a pool of connections, and transactions by SQL. */
export abstract class PooledDriver<C extends PhysicalConnection> implements EngineDriver {
  readonly #pool: ConnectionPool<C>;

  constructor(options: PoolOptions<C>) {
    this.#pool = new ConnectionPool(options);
  }

  get lacksReturning(): boolean {
    return false;
  }

  /** The statements that begin a transaction. */
  protected abstract beginStatements(settings: TransactionSettings): readonly string[];

  async init(): Promise<void> {}

  acquireConnection(options?: AcquireOptions): Promise<DatabaseConnection> {
    return this.#pool.acquire(options);
  }

  async releaseConnection(connection: DatabaseConnection, options?: ReleaseOptions): Promise<void> {
    // Whatever this driver lends is one of its pool's connections.
    await this.#pool.release(connection as C, options);
  }

  async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    validateTransactionSettings(settings);
    for (const statement of this.beginStatements(settings)) await connection.executeQuery(CompiledQuery.raw(statement));
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("commit"));
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("rollback"));
  }

  async savepoint(connection: DatabaseConnection, name: string, compile: QueryCompiler["compileQuery"]): Promise<void> {
    await connection.executeQuery(savepointCommand("savepoint", name, compile));
  }

  async rollbackToSavepoint(
    connection: DatabaseConnection,
    name: string,
    compile: QueryCompiler["compileQuery"],
  ): Promise<void> {
    await connection.executeQuery(savepointCommand("rollback to savepoint", name, compile));
  }

  async releaseSavepoint(
    connection: DatabaseConnection,
    name: string,
    compile: QueryCompiler["compileQuery"],
  ): Promise<void> {
    await connection.executeQuery(savepointCommand("release savepoint", name, compile));
  }

  status(): PoolStatus {
    return this.#pool.status();
  }

  destroy(): Promise<void> {
    return this.#pool.close();
  }
}
