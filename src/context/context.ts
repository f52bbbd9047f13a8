import type { Owner } from "../engine/pool/owner.ts";
import { type Surroundings, surroundings } from "../engine/pool/owner.ts";
import type { RecordedQuery } from "../engine/recording/recorded-query.ts";
import { SessionClosedError } from "../errors/session.ts";
import type { Session } from "../session/session.ts";
import type { Application } from "./application.ts";

/**
 * A stretch of asynchronous work in which `db.session` and `db.engines` mean one application and one session.
 *
 * For frameworks: make it when a request comes, `run` the handlers in it, and `close` it when the request is over.
 * Everybody else uses `app.run`.
 *
 * @see Flask: the application context
 */
export class Context<BK extends string = string> implements Surroundings {
  readonly application: Application<BK>;
  readonly #around: Surroundings | undefined;
  readonly #makeSession: (surrounding: Owner | null) => Session<BK>;
  readonly #onClose: () => void;
  #session: Session<BK> | undefined;
  #closed = false;

  /** @internal use `app.context()` */
  constructor(
    application: Application<BK>,
    makeSession: (surrounding: Owner | null) => Session<BK>,
    onClose: () => void,
  ) {
    this.application = application;
    this.#around = surroundings.getStore();
    this.#makeSession = makeSession;
    this.#onClose = onClose;
  }

  /** The context's session, made when it is first asked for. */
  get session(): Session<BK> {
    if (this.#closed) throw new SessionClosedError("The context has ended, and its session with it.");
    this.#session ??= this.#makeSession(this.#around?.owner ?? null);
    return this.#session;
  }

  /** @internal who holds the session's connections; what runs on after the end belongs to those around */
  get owner(): Owner | undefined {
    return this.#closed ? this.#around?.owner : this.session.owner;
  }

  /** @internal the context around this one */
  get around(): Surroundings | undefined {
    return this.#around;
  }

  /** Runs a function in the context. It may be called many times. */
  run<T>(run: () => T): T {
    if (this.#closed) throw new SessionClosedError("The context has ended; nothing can run in it.");
    return surroundings.run(this, run);
  }

  /**
   * The statements that ran in the context, if queries are recorded; also after it has ended.
   *
   * @see Flask-SQLAlchemy: `get_recorded_queries`
   */
  get recordedQueries(): readonly RecordedQuery[] {
    return this.#session?.recordedQueries ?? [];
  }

  /** Whether the session has work that was never committed. */
  get hasUncommittedWork(): boolean {
    return this.#session?.hasUncommittedWork ?? false;
  }

  /** Ends the context: rolls back what was not committed, and gives every connection back. */
  close(): Promise<void> {
    return this.end();
  }

  /**
   * @internal the same
   *
   * @param judge runs after all that was asked for before, and before what was not committed is rolled back
   */
  async end(judge?: () => void): Promise<void> {
    this.#closed = true;
    this.#onClose();
    await this.#session?.end(judge);
  }

  /** The same as {@link close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** The innermost context that fulfils a condition, here and now. */
export function currentContext(fits: (context: Context) => boolean): Context | undefined {
  let here = surroundings.getStore();
  while (here instanceof Context) {
    if (fits(here)) return here;
    here = here.around;
  }
  return undefined;
}
