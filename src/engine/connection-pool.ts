import { CompiledQuery } from "kysely";
import type { BindKey } from "../bind-key.ts";
import type { AcquireOptions, PhysicalConnection, PoolStatus, ReleaseOptions } from "./driver.ts";
import { Owner } from "./owner.ts";
import { Slots } from "./slots.ts";

/** How a pool makes and keeps its connections. Times are milliseconds. */
export interface PoolOptions<C extends PhysicalConnection> {
  readonly bindKey: BindKey;
  readonly size: number;
  readonly timeout: number;
  /** The age at which a connection is replaced; never where undefined. */
  readonly recycle: number | undefined;
  /** Whether a connection is asked before each use if it still lives. */
  readonly prePing: boolean;
  connect(): Promise<C>;
}

interface Pooled<C> {
  readonly connection: C;
  readonly born: number;
}

/**
 * Connections to a server: opened when first needed, kept for the next, never more than the size. The one used last is
 * the next to be used, so that the others can age and go.
 *
 * @see SQLAlchemy: `QueuePool`
 */
export class ConnectionPool<C extends PhysicalConnection> {
  readonly #options: PoolOptions<C>;
  readonly #slots: Slots;
  readonly #idle: Pooled<C>[] = [];
  readonly #lent = new Map<PhysicalConnection, { readonly pooled: Pooled<C>; readonly owner: Owner }>();
  #closed = false;

  constructor(options: PoolOptions<C>) {
    this.#options = options;
    this.#slots = new Slots({ bindKey: options.bindKey, noun: "connection", size: options.size });
  }

  /** Lends a connection, waiting for one if all are in use. */
  async acquire({ owner = new Owner("a statement"), signal }: AcquireOptions = {}): Promise<C> {
    if (!this.#slots.tryTake(owner)) await this.#slots.take(owner, { timeout: this.#options.timeout, signal });
    try {
      const pooled = await this.#usable();
      this.#lent.set(pooled.connection, { pooled, owner });
      return pooled.connection;
    } catch (error) {
      this.#slots.release(owner);
      throw error;
    }
  }

  /** Takes a connection back. A broken one is closed and not lent again, nor is one in a transaction that cannot be ended. */
  async release(connection: PhysicalConnection, { discard = false }: ReleaseOptions = {}): Promise<void> {
    const loan = this.#lent.get(connection);
    if (loan === undefined) return;
    const unfit = discard || connection.isBroken || (connection.inTransaction && !(await rollsBack(connection)));
    this.#lent.delete(connection);
    if (unfit || this.#closed) {
      this.#slots.release(loan.owner);
      await connection.close();
    } else {
      this.#idle.push(loan.pooled);
      this.#slots.release(loan.owner);
    }
  }

  /** Closes the free connections now, and those in use when they are given back. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#idle.splice(0).map(({ connection }) => connection.close()));
  }

  status(): PoolStatus {
    return { size: this.#options.size, inUse: this.#lent.size, idle: this.#idle.length, waiting: this.#slots.waiting };
  }

  async #usable(): Promise<Pooled<C>> {
    const { recycle, prePing, timeout } = this.#options;
    for (let pooled = this.#idle.pop(); pooled !== undefined; pooled = this.#idle.pop()) {
      const { connection, born } = pooled;
      const tooOld = recycle !== undefined && Date.now() - born > recycle;
      if (!connection.isBroken && !tooOld && (!prePing || (await answers(connection, timeout)))) return pooled;
      // Nobody has to wait until a connection that may be dead is closed.
      void connection.close();
    }
    return { connection: await this.#options.connect(), born: Date.now() };
  }
}

async function rollsBack(connection: PhysicalConnection): Promise<boolean> {
  try {
    await connection.executeQuery(CompiledQuery.raw("rollback"));
    return !connection.isBroken;
  } catch {
    return false;
  }
}

async function answers(connection: PhysicalConnection, timeout: number): Promise<boolean> {
  try {
    await connection.ping(timeout);
    return !connection.isBroken;
  } catch {
    return false;
  }
}
