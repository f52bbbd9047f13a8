import { CompiledQuery } from "kysely";
import type { BindKey } from "../../bind-key.ts";
import type { AcquireOptions, PhysicalConnection, PoolStatus, ReleaseOptions } from "../driver.ts";
import { withSignal } from "../waiting/with-signal.ts";
import { withTimeout } from "../waiting/with-timeout.ts";
import { FairSemaphore } from "./fair-semaphore.ts";
import { Owner } from "./owner.ts";
import { SilenceWatch } from "./silence-watch.ts";

/** How a pool makes and keeps its connections. Times are milliseconds. */
export interface PoolOptions<C extends PhysicalConnection> {
  readonly bindKey: BindKey;
  readonly size: number;
  readonly timeout: number;
  /** The age at which a connection is replaced; never where undefined. */
  readonly recycle: number | undefined;
  /** Whether a connection is asked before each use if it still lives. */
  readonly prePing: boolean;
  /** How long a server may say nothing to a waiting statement before it is asked anew; without a bound where undefined. */
  readonly silence: number | undefined;
  /** @param limit how long that may take, in milliseconds */
  connect(limit: number): Promise<C>;
}

interface Pooled<C> {
  readonly connection: C;
  readonly born: number;
  /** When its server was last known to answer. */
  seen: number;
  /** Who has it. */
  owner: Owner | undefined;
}

/**
 * Connections to a server: opened when first needed, kept for the next, never more than the size. The one used last is
 * the next to be used, so that the others can age and go.
 *
 * @see SQLAlchemy: `QueuePool`
 */
export class ConnectionPool<C extends PhysicalConnection> {
  readonly #options: PoolOptions<C>;
  readonly #slots: FairSemaphore;
  readonly #idle: Pooled<C>[] = [];
  readonly #lent = new Map<PhysicalConnection, Pooled<C>>();
  /** When a connection was last found lost: connections without an answer since then may be lost as well. */
  #lastLoss = Number.NEGATIVE_INFINITY;
  readonly #watch: SilenceWatch | undefined;
  #closed = false;

  constructor(options: PoolOptions<C>) {
    this.#options = options;
    if (options.silence !== undefined) this.#watch = new SilenceWatch(options.silence, () => this.#lent.keys());
    this.#slots = new FairSemaphore({ bindKey: options.bindKey, noun: "connection", size: options.size });
  }

  /** Lends a connection at once; `undefined` where one has to be waited for, made, or asked whether it lives. */
  acquireNow(owner: Owner): C | undefined {
    return this.#hasSoundOne && this.#slots.tryTake(owner) ? this.#lend(this.#idle.pop()!, owner) : undefined;
  }

  /** Lends a connection, waiting for one if all are in use. */
  async acquire({ owner = new Owner("a statement"), signal }: AcquireOptions = {}): Promise<C> {
    if (!this.#slots.tryTake(owner)) await this.#slots.take(owner, { timeout: this.#options.timeout, signal });
    if (this.#hasSoundOne) return this.#lend(this.#idle.pop()!, owner);
    const usable = this.#usable();
    try {
      return this.#lend(await (signal === undefined ? usable : withSignal(usable, signal)), owner);
    } catch (error) {
      // After an abort the connection that is on its way is the next one's.
      void usable
        .then((pooled) => this.#keep(pooled))
        .catch(() => {})
        .finally(() => this.#slots.release(owner));
      throw error;
    }
  }

  #lend(pooled: Pooled<C>, owner: Owner): C {
    pooled.owner = owner;
    this.#lent.set(pooled.connection, pooled);
    return pooled.connection;
  }

  /** Takes a connection back at once. Returns whether that is done: one that is not fit for others is left to {@link release}. */
  releaseNow(connection: PhysicalConnection): boolean {
    const pooled = this.#lent.get(connection);
    if (pooled === undefined || this.#closed || connection.isBroken || connection.inTransaction) return false;
    this.#lent.delete(connection);
    pooled.seen = Date.now();
    this.#idle.push(pooled);
    this.#slots.release(pooled.owner!);
    return true;
  }

  /** Takes a connection back. A broken one is closed and not lent again, nor is one in a transaction that cannot be ended. */
  async release(connection: PhysicalConnection, { discard = false }: ReleaseOptions = {}): Promise<void> {
    const pooled = this.#lent.get(connection);
    if (pooled === undefined) return;
    const owner = pooled.owner!;
    const unfit =
      discard ||
      connection.isBroken ||
      (connection.inTransaction && !(await rollsBack(connection, this.#options.timeout)));
    this.#lent.delete(connection);
    this.#rest();
    if (connection.isBroken) this.#lastLoss = Date.now();
    if (unfit) {
      this.#slots.release(owner);
      await connection.close();
    } else {
      pooled.seen = Date.now();
      const kept = this.#keep(pooled);
      this.#slots.release(owner);
      await kept;
    }
  }

  /** Closes the free connections now, and those in use when they are given back. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#rest();
    await Promise.all(this.#idle.splice(0).map(({ connection }) => connection.close()));
  }

  /** Whether an owner has connections. */
  hasLentTo(owner: Owner): boolean {
    for (const pooled of this.#lent.values()) if (pooled.owner === owner) return true;
    return false;
  }

  /** Destroys the connections that an owner has; what runs on them fails. */
  giveUp(owner: Owner, reason: Error): void {
    for (const pooled of this.#lent.values()) if (pooled.owner === owner) pooled.connection.destroy(reason);
  }

  status(): PoolStatus {
    return { size: this.#options.size, inUse: this.#lent.size, idle: this.#idle.length, waiting: this.#slots.waiting };
  }

  async #usable(): Promise<Pooled<C>> {
    const deadline = performance.now() + this.#options.timeout;
    for (let pooled = this.#idle.pop(); pooled !== undefined; pooled = this.#idle.pop()) {
      const { connection } = pooled;
      if (connection.isBroken) this.#lastLoss = Date.now();
      else if (this.#isFit(pooled) && (await this.#isAlive(pooled, deadline - performance.now()))) return pooled;
      // Closing a connection that may be dead is not awaited.
      void connection.close();
    }
    this.#watch?.start();
    const now = Date.now();
    return { connection: await this.#options.connect(this.#options.timeout), born: now, seen: now, owner: undefined };
  }

  /** Whether the next connection can be used as it is. */
  get #hasSoundOne(): boolean {
    const next = this.#idle.at(-1);
    return next !== undefined && this.#isFit(next) && !this.#isDoubtful(next);
  }

  /** Whether a connection is neither broken nor too old. */
  #isFit({ connection, born }: Pooled<C>): boolean {
    const { recycle } = this.#options;
    return !connection.isBroken && (recycle === undefined || Date.now() - born <= recycle);
  }

  /** Whether a connection must be checked before its use. */
  #isDoubtful({ seen }: Pooled<C>): boolean {
    return this.#options.prePing || seen <= this.#lastLoss;
  }

  /**
   * Asks a connection whether it lives, where that is wanted or in doubt.
   *
   * @param time how long all that are asked may take together, in milliseconds; the last ones are not waited for
   */
  async #isAlive(pooled: Pooled<C>, time: number): Promise<boolean> {
    if (!this.#isDoubtful(pooled)) return true;
    if (await answers(pooled.connection, Math.max(1, time))) return true;
    this.#lastLoss = Date.now();
    return false;
  }

  /** Once it is closed there is nothing more to look after than what is still in use. */
  #rest(): void {
    if (this.#closed && this.#lent.size === 0) this.#watch?.stop();
  }

  async #keep(pooled: Pooled<C>): Promise<void> {
    if (this.#closed) await pooled.connection.close();
    else this.#idle.push(pooled);
  }
}

async function rollsBack(connection: PhysicalConnection, timeout: number): Promise<boolean> {
  try {
    await withTimeout(connection.executeQuery(CompiledQuery.raw("rollback")), timeout);
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
