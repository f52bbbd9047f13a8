import { SessionError } from "../../errors/session.ts";
import type { SessionLock } from "../session-lock.ts";
import type { Transactions } from "./transactions.ts";

/**
 * A transaction within a transaction, on all binds: a savepoint on each that takes part.
 *
 * @see SQLAlchemy: what `Session.begin_nested` returns
 */
export class NestedTransaction {
  readonly #transactions: Transactions;
  readonly #lock: SessionLock;
  readonly #flush: () => Promise<void>;
  readonly #depth: number;
  readonly #generation: number;
  #ended = false;

  /** @internal use `session.beginNested()` */
  constructor(transactions: Transactions, lock: SessionLock, flush: () => Promise<void>) {
    this.#transactions = transactions;
    this.#lock = lock;
    this.#flush = flush;
    this.#depth = transactions.nest();
    this.#generation = transactions.generation;
  }

  /** Whether it can still be committed or rolled back. */
  get isActive(): boolean {
    return (
      !this.#ended && this.#transactions.generation === this.#generation && this.#transactions.depth >= this.#depth
    );
  }

  /** Keeps what was done; it belongs to the transaction around. Those nested within this one end too. */
  commit(): Promise<void> {
    return this.#lock.runExclusive(async () => {
      this.#requireActive();
      await this.#flush();
      await this.#transactions.release(this.#depth);
      this.#ended = true;
    });
  }

  /** Undoes what was done since it began. Those nested within this one end too. */
  rollback(): Promise<void> {
    return this.#lock.runExclusive(async () => {
      this.#requireActive();
      this.#ended = true;
      await this.#transactions.rollbackTo(this.#depth);
    });
  }

  #requireActive(): void {
    if (!this.isActive) throw new SessionError("This nested transaction has ended already.");
  }
}
