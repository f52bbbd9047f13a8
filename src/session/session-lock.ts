import { AsyncLocalStorage } from "node:async_hooks";
import type { Engine } from "../engine/engine.ts";
import { unlessAborted } from "../engine/waiting/unless-aborted.ts";
import { keepShape } from "../kept-shapes.ts";

/** Says whether work goes on inside a lock; it ends with the lock, also for what was left running. */
interface Pass {
  readonly lock: SessionLock;
  /** The purpose of the code that entered. */
  readonly purpose: string;
  /** The pass in which this one was given, perhaps of another session's lock. */
  readonly around: Pass | undefined;
  valid: boolean;
}

const passes = new AsyncLocalStorage<Pass>();

/** A turn in the order of work, which those behind it wait for. */
export class Turn {
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

keepShape(new Turn());

/**
 * The order of work in one session: on one bind one thing after the other, on different binds side by side, and some
 * things, such as a commit, alone.
 */
export class SessionLock {
  readonly #lanes = new Map<Engine, Turn>();
  #everything: Turn | undefined;

  /** Whether nothing holds this lock. */
  get isFree(): boolean {
    return this.#lanes.size === 0 && this.#everything === undefined;
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
  takeNow(engine: Engine): Turn | undefined {
    if (this.#everything !== undefined || this.#lanes.has(engine)) return undefined;
    const turn = new Turn();
    this.#lanes.set(engine, turn);
    return turn;
  }

  /** Ends a turn on a bind. */
  leave(engine: Engine, turn: Turn): void {
    if (this.#lanes.get(engine) === turn) this.#lanes.delete(engine);
    turn.end();
  }

  /**
   * Runs after all that was asked for on this bind before.
   *
   * @param signal ends the wait
   */
  async onBind<T>(engine: Engine, run: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if ((this.#lanes.size > 0 || this.#everything !== undefined) && this.isInside) return run();
    const before = (this.#lanes.get(engine) ?? this.#everything)?.over;
    const turn = new Turn();
    this.#lanes.set(engine, turn);
    try {
      if (before !== undefined) await (signal === undefined ? before : unlessAborted(before, signal));
    } catch (error) {
      // Those behind still wait for those before.
      void before?.then(() => this.leave(engine, turn));
      throw error;
    }
    try {
      return await run();
    } finally {
      this.leave(engine, turn);
    }
  }

  /** Runs after all that was asked for before, and before all that is asked for later. */
  async alone<T>(run: () => Promise<T>): Promise<T> {
    if (this.isInside) return run();
    const before = [...this.#lanes.values(), ...(this.#everything === undefined ? [] : [this.#everything])];
    const turn = new Turn();
    this.#lanes.clear();
    this.#everything = turn;
    try {
      // What need not wait begins at once.
      if (before.length > 0) await Promise.all(before.map(({ over }) => over));
      return await run();
    } finally {
      if (this.#everything === turn) this.#everything = undefined;
      turn.end();
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
