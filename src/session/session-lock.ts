import { AsyncLocalStorage } from "node:async_hooks";
import type { Engine } from "../engine/engine.ts";
import { unlessAborted } from "../engine/waiting/unless-aborted.ts";

/** Says whether work goes on inside a lock; it ends with the lock, also for what was left running. */
interface Pass {
  readonly lock: SessionLock;
  /** What the code that got in was called for. */
  readonly purpose: string;
  /** The pass in which this one was given, perhaps of another session's lock. */
  readonly around: Pass | undefined;
  valid: boolean;
}

const passes = new AsyncLocalStorage<Pass>();

/**
 * The order of work in one session: on one bind one thing after the other, on different binds side by side, and some
 * things, such as a commit, alone.
 */
export class SessionLock {
  readonly #lanes = new Map<Engine, Promise<void>>();
  #everything: Promise<void> | undefined;

  /** Whether nothing holds this lock. */
  get isFree(): boolean {
    return this.#lanes.size === 0 && this.#everything === undefined;
  }

  /** Whether the caller runs inside what holds this lock. */
  get isInside(): boolean {
    return this.purposes.next().done !== true;
  }

  /** What the code of the application that the caller runs in was let into this lock for, innermost first. */
  get purposes(): IterableIterator<string> {
    return purposesOf(this);
  }

  /**
   * Runs after all that was asked for on this bind before.
   *
   * @param signal ends the wait
   */
  async onBind<T>(engine: Engine, run: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if ((this.#lanes.size > 0 || this.#everything !== undefined) && this.isInside) return run();
    const before = this.#lanes.get(engine) ?? this.#everything;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#lanes.set(engine, promise);
    const done = () => {
      if (this.#lanes.get(engine) === promise) this.#lanes.delete(engine);
      resolve();
    };
    try {
      if (before !== undefined) await (signal === undefined ? before : unlessAborted(before, signal));
    } catch (error) {
      // Those behind still wait for those before.
      void before?.then(done);
      throw error;
    }
    try {
      return await run();
    } finally {
      done();
    }
  }

  /** Runs after all that was asked for before, and before all that is asked for later. */
  async alone<T>(run: () => Promise<T>): Promise<T> {
    if (this.isInside) return run();
    const before = [...this.#lanes.values(), ...(this.#everything === undefined ? [] : [this.#everything])];
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#lanes.clear();
    this.#everything = promise;
    try {
      // What need not wait begins at once.
      if (before.length > 0) await Promise.all(before);
      return await run();
    } finally {
      if (this.#everything === promise) this.#everything = undefined;
      resolve();
    }
  }

  /** Runs code of the application inside the lock: what it asks of the session does not wait for the lock. */
  async admit(purpose: string, run: () => unknown): Promise<void> {
    const pass: Pass = { lock: this, purpose, around: passes.getStore(), valid: true };
    try {
      await passes.run(pass, run);
    } finally {
      pass.valid = false;
    }
  }
}

function* purposesOf(lock: SessionLock): IterableIterator<string> {
  for (let pass = passes.getStore(); pass !== undefined; pass = pass.around) {
    if (pass.lock === lock && pass.valid) yield pass.purpose;
  }
}
