import type { Entity } from "../model/entity.ts";

/** A change of an entity's row that was committed. */
export type ModelChange = readonly [entity: Entity, operation: "insert" | "update" | "delete"];

/**
 * The listeners of a session, or of a `db` for all of its sessions, by event. Listeners may be asynchronous. They run within
 * the session's lock: statements that they send run at once and without autoflush.
 *
 * @typeParam S the session
 *
 * @see SQLAlchemy: `SessionEvents`; Flask-SQLAlchemy: `models_committed`
 */
export interface SessionEventMap<S> {
  /** Something is about to be stored. An error stops it. */
  readonly beforeFlush: (session: S) => unknown;
  /** Pending work is stored, within the transaction. */
  readonly afterFlush: (session: S) => unknown;
  /** The transaction is about to be committed. An error stops it. */
  readonly beforeCommit: (session: S) => unknown;
  /** The transaction was committed on every bind. */
  readonly afterCommit: (session: S) => unknown;
  /** The transaction was rolled back. */
  readonly afterRollback: (session: S) => unknown;
  /** Entities were committed: each once, with what became of its row. */
  readonly modelsCommitted: (changes: readonly ModelChange[], session: S) => unknown;
}

/** The name of an event. */
export type SessionEvent = keyof SessionEventMap<never>;

/** Calls the listeners of one session's events. */
export interface SessionAnnouncer {
  /** Whether no listener was ever added. */
  readonly isSilent: boolean;
  /** Whether an event has listeners. */
  has(event: SessionEvent): boolean;
  /** Calls the listeners one after the other, with the session last. An error of a listener is thrown. */
  emit(event: SessionEvent, ...given: readonly unknown[]): Promise<void>;
  /** Like {@link emit}, for an event that cannot be stopped any more: an error becomes a warning of the process. */
  announce(event: SessionEvent, ...given: readonly unknown[]): Promise<void>;
}

type Listeners<S> = { [E in SessionEvent]?: SessionEventMap<S>[E][] };

/** The listeners of a session, before those of its `db`. */
export class SessionEvents<S> implements SessionAnnouncer {
  readonly #listeners: Listeners<S> = {};
  readonly #session: S | undefined;
  readonly #common: SessionEvents<S> | undefined;
  #isHeard = false;

  /** @param session the session; undefined for the listeners of all sessions */
  constructor(session?: S, common?: SessionEvents<S>) {
    this.#session = session;
    this.#common = common;
  }

  /** Adds a listener. Returns a function that removes it. */
  on<E extends SessionEvent>(event: E, listener: SessionEventMap<S>[E]): () => void {
    const listeners: SessionEventMap<S>[E][] = this.#listeners[event] ?? [];
    this.#listeners[event] = listeners as Listeners<S>[E];
    listeners.push(listener);
    this.#isHeard = true;
    return () => {
      const position = listeners.indexOf(listener);
      if (position >= 0) listeners.splice(position, 1);
    };
  }

  get isSilent(): boolean {
    return !this.#isHeard && this.#common?.isSilent !== false;
  }

  has(event: SessionEvent): boolean {
    return (this.#listeners[event]?.length ?? 0) > 0 || (this.#common?.has(event) ?? false);
  }

  async emit(event: SessionEvent, ...given: readonly unknown[]): Promise<void> {
    const all = [...given, this.#session];
    await this.#call(event, all);
    if (this.#common !== undefined) await this.#common.#call(event, all);
  }

  async announce(event: SessionEvent, ...given: readonly unknown[]): Promise<void> {
    try {
      await this.emit(event, ...given);
    } catch (error) {
      process.emitWarning(`A listener of ${event} failed: ${error instanceof Error ? error.message : String(error)}`, {
        type: "MultibindWarning",
        code: "MULTIBIND_LISTENER",
      });
    }
  }

  async #call(event: SessionEvent, given: readonly unknown[]): Promise<void> {
    // A listener of an event takes that event's parameters.
    for (const listener of [...(this.#listeners[event] ?? [])])
      await (listener as (...values: unknown[]) => unknown)(...given);
  }
}
