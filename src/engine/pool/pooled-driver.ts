import type { DatabaseConnection, TransactionSettings } from "kysely";
import type {
  AcquireOptions,
  EngineDriver,
  PhysicalConnection,
  PoolStatus,
  ReleaseOptions,
  ServerLacks,
} from "../driver.ts";
import { TransactionCommands } from "../transaction-commands.ts";
import { ConnectionPool, type PoolOptions } from "./connection-pool.ts";
import type { Owner } from "./owner.ts";

/** After how much silence the system asks the other side's system whether a connection stands, in milliseconds. */
export const KEEP_ALIVE = 30_000;

/** The driver of a database behind a server: a pool of connections, and transactions by SQL. */
export abstract class PooledDriver<C extends PhysicalConnection> extends TransactionCommands implements EngineDriver {
  readonly #pool: ConnectionPool<C>;
  readonly #connect: PoolOptions<C>["connect"];

  constructor(options: PoolOptions<C>) {
    super();
    this.#connect = options.connect;
    this.#pool = new ConnectionPool(options);
  }

  get lacksReturning(): boolean {
    return false;
  }

  get lacks(): ServerLacks | undefined {
    return undefined;
  }

  abstract beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void>;

  async init(): Promise<void> {}

  acquireConnection(options?: AcquireOptions): Promise<DatabaseConnection> {
    return this.#pool.acquire(options);
  }

  acquireNow({ owner }: AcquireOptions): DatabaseConnection | undefined {
    return owner === undefined ? undefined : this.#pool.acquireNow(owner);
  }

  releaseNow(connection: DatabaseConnection): boolean {
    // Whatever this driver lends is one of its pool's connections.
    return this.#pool.releaseNow(connection as C);
  }

  async releaseConnection(connection: DatabaseConnection, options?: ReleaseOptions): Promise<void> {
    // Whatever this driver lends is one of its pool's connections.
    await this.#pool.release(connection as C, options);
  }

  hasLentTo(owner: Owner): boolean {
    return this.#pool.hasLentTo(owner);
  }

  giveUp(owner: Owner, reason: Error): void {
    this.#pool.giveUp(owner, reason);
  }

  status(): PoolStatus {
    return this.#pool.status();
  }

  async ping(timeout: number): Promise<void> {
    const deadline = performance.now() + timeout;
    const connection = await this.#connect(timeout);
    try {
      await connection.ping(Math.max(1, deadline - performance.now()));
    } finally {
      await connection.close();
    }
  }

  destroy(): Promise<void> {
    return this.#pool.close();
  }
}
