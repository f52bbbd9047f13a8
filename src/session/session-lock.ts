import { AsyncLocalStorage } from "node:async_hooks";
import type { Engine } from "../engine/engine.ts";
import { withSignal } from "../engine/waiting/with-signal.ts";
import { pinHiddenClass } from "../hidden-class.ts";

/** Says whether work goes on inside a lock; it ends with the lock, also for what was left running. */
interface ReentrancyToken {
  readonly lock: SessionLock;
  /** The purpose of the code that entered. */
  readonly purpose: string;
  /** The token in which this one was given, perhaps of another session's lock. */
  readonly around: ReentrancyToken | undefined;
  valid: boolean;
}

const tokens = new AsyncLocalStorage<ReentrancyToken>();

/** A place in the order of work, which those behind it wait for. */
export class Ticket {
  #end: PromiseWithResolvers<void> | undefined;

  /** Resolves at the end; created when a caller waits for it. */
  get over(): Promise<void> {
    this.#end ??= Promise.withResolvers<void>();
    return this.#end.promise;
  }

  /** Lets those behind go on. */
  end(): void {
    this.#end?.resolve();
  }
}

pinHiddenClass(new Ticket());

/**
 * The order of work in one session: on one bind one thing after the other, on different binds side by side, and some
 * things, such as a commit, alone.
 */
export class SessionLock {
  readonly #queues = new Map<Engine, Ticket>();
  #exclusive: Ticket | undefined;

  /** Whether nothing holds this lock. */
  get isFree(): boolean {
    return this.#queues.size === 0 && this.#exclusive === undefined;
  }

  /** Whether the caller runs inside what holds this lock. */
  get isInside(): boolean {
    return this.purposes.next().done !== true;
  }

  /** The purposes for which the surrounding application code has entered this lock, innermost first. */
  get purposes(): IterableIterator<string> {
    return purposesOf(this);
  }

  /** Takes the turn on a bind if no other work is queued. The holder returns it with {@link leave}. */
  tryTake(engine: Engine): Ticket | undefined {
    if (this.#exclusive !== undefined || this.#queues.has(engine)) return undefined;
    const ticket = new Ticket();
    this.#queues.set(engine, ticket);
    return ticket;
  }

  /** Ends a turn on a bind. */
  leave(engine: Engine, ticket: Ticket): void {
    if (this.#queues.get(engine) === ticket) this.#queues.delete(engine);
    ticket.end();
  }

  /**
   * Runs after all that was asked for on this bind before.
   *
   * @param signal ends the wait
   */
  async runOnBind<T>(engine: Engine, run: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if ((this.#queues.size > 0 || this.#exclusive !== undefined) && this.isInside) return run();
    const before = (this.#queues.get(engine) ?? this.#exclusive)?.over;
    const ticket = new Ticket();
    this.#queues.set(engine, ticket);
    try {
      if (before !== undefined) await (signal === undefined ? before : withSignal(before, signal));
    } catch (error) {
      // Those behind still wait for those before.
      void before?.then(() => this.leave(engine, ticket));
      throw error;
    }
    try {
      return await run();
    } finally {
      this.leave(engine, ticket);
    }
  }

  /** Runs after all that was asked for before, and before all that is asked for later. */
  async runExclusive<T>(run: () => Promise<T>): Promise<T> {
    if (this.isInside) return run();
    const before = [...this.#queues.values(), ...(this.#exclusive === undefined ? [] : [this.#exclusive])];
    const ticket = new Ticket();
    this.#queues.clear();
    this.#exclusive = ticket;
    try {
      // What need not wait begins at once.
      if (before.length > 0) await Promise.all(before.map(({ over }) => over));
      return await run();
    } finally {
      if (this.#exclusive === ticket) this.#exclusive = undefined;
      ticket.end();
    }
  }

  /** Runs code of the application inside the lock: what it asks of the session does not wait for the lock. */
  async admit(purpose: string, run: () => unknown): Promise<void> {
    const token: ReentrancyToken = { lock: this, purpose, around: tokens.getStore(), valid: true };
    try {
      await tokens.run(token, run);
    } finally {
      token.valid = false;
    }
  }
}

function* purposesOf(lock: SessionLock): IterableIterator<string> {
  for (let token = tokens.getStore(); token !== undefined; token = token.around) {
    if (token.lock === lock && token.valid) yield token.purpose;
  }
}
