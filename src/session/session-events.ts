import type { Entity } from "../model/entity.ts";
import type { Session } from "./session.ts";

/** The change that a commit has stored of an entity. */
export type ModelChange = readonly [entity: Entity, operation: "insert" | "update" | "delete"];

/**
 * What can be listened to on a session, or on a `db` for all of its sessions. Listeners may be asynchronous; they run
 * within the session's lock, so what they ask of the session runs at once and without autoflush.
 *
 * @see SQLAlchemy: `SessionEvents`; Flask-SQLAlchemy: `models_committed`
 */
export interface SessionEventMap {
  /** Something is about to be stored. An error stops it. */
  readonly beforeFlush: (session: Session) => unknown;
  /** Pending work is stored, within the transaction. */
  readonly afterFlush: (session: Session) => unknown;
  /** The transaction is about to be committed. An error stops it. */
  readonly beforeCommit: (session: Session) => unknown;
  /** The transaction was committed on every bind. */
  readonly afterCommit: (session: Session) => unknown;
  /** The transaction was rolled back. */
  readonly afterRollback: (session: Session) => unknown;
  /** Entities were committed: each once, with what became of its row. */
  readonly modelsCommitted: (changes: readonly ModelChange[], session: Session) => unknown;
}

/** The name of an event. */
export type SessionEvent = keyof SessionEventMap;

type Listeners = { [E in SessionEvent]?: SessionEventMap[E][] };

/** The listeners of a session, in front of those of its `db`. */
export class SessionEvents {
  readonly #listeners: Listeners = {};
  readonly #common: SessionEvents | undefined;
  #isHeard = false;

  constructor(common?: SessionEvents) {
    this.#common = common;
  }

  /** Adds a listener. Returns a function that takes it away again. */
  on<E extends SessionEvent>(event: E, listener: SessionEventMap[E]): () => void {
    const listeners: SessionEventMap[E][] = this.#listeners[event] ?? [];
    this.#listeners[event] = listeners as Listeners[E];
    listeners.push(listener);
    this.#isHeard = true;
    return () => {
      const position = listeners.indexOf(listener);
      if (position >= 0) listeners.splice(position, 1);
    };
  }

  /** Whether no listener was ever added. */
  get isSilent(): boolean {
    return !this.#isHeard && this.#common?.isSilent !== false;
  }

  /** Whether an event has listeners. */
  has(event: SessionEvent): boolean {
    return (this.#listeners[event]?.length ?? 0) > 0 || (this.#common?.has(event) ?? false);
  }

  /** Calls the listeners one after the other. An error of one is thrown. */
  async emit<E extends SessionEvent>(event: E, ...given: Parameters<SessionEventMap[E]>): Promise<void> {
    for (const listener of [...(this.#listeners[event] ?? [])]) {
      // A listener of an event takes that event's parameters.
      await (listener as (...values: unknown[]) => unknown)(...given);
    }
    await this.#common?.emit(event, ...given);
  }

  /** The same for what has happened already and cannot be stopped: an error becomes a warning of the process. */
  async announce<E extends SessionEvent>(event: E, ...given: Parameters<SessionEventMap[E]>): Promise<void> {
    try {
      await this.emit(event, ...given);
    } catch (error) {
      process.emitWarning(`A listener of ${event} failed: ${error instanceof Error ? error.message : String(error)}`, {
        type: "MultibindWarning",
        code: "MULTIBIND_LISTENER",
      });
    }
  }
}
