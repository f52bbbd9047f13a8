import type { Owner } from "../engine/pool/owner.ts";
import { type ExecutionContext, executionContext } from "../engine/pool/owner.ts";
import { callSite } from "../engine/recording/call-site.ts";
import type { RecordedQuery } from "../engine/recording/recorded-query.ts";
import { SessionClosedError } from "../errors/session.ts";
import { NO_OPTIONS, requireKnownOptions } from "../known-options.ts";
import type { Session } from "../session/session.ts";
import type { Application } from "./application.ts";
import { type OnUncommitted, reportUncommittedWork } from "./uncommitted-work.ts";

/** How uncommitted work is judged at the end of a context. */
export interface ContextEnding {
  readonly onUncommitted: OnUncommitted;
  /** Whether the work has failed although no function threw. */
  readonly hasFailed: (() => boolean) | undefined;
}

/** How a context is closed. */
export interface CloseOptions {
  /** Whether the work in the context has failed, so that what is not committed is given up. */
  readonly failed?: boolean;
}

/**
 * A stretch of asynchronous work in which `db.session` and `db.engines` mean one application and one session.
 *
 * For frameworks: make it when a request comes, `run` the handlers in it, and `close` it when the request is over.
 * Everybody else uses `app.run`.
 *
 * @see Flask: the application context
 */
export class Context<BK extends string = string> {
  readonly #application: Application<BK>;
  readonly #around: ExecutionContext | undefined;
  readonly #makeSession: (surrounding: Owner | null) => Session<BK>;
  readonly #ending: ContextEnding;
  readonly #onClose: () => void;
  #session: Session<BK> | undefined;
  #closed = false;
  #failed = false;

  /** @internal use `app.context()` */
  constructor(
    application: Application<BK>,
    makeSession: (surrounding: Owner | null) => Session<BK>,
    ending: ContextEnding,
    onClose: () => void,
  ) {
    this.#application = application;
    this.#around = executionContext.getStore();
    this.#makeSession = makeSession;
    this.#ending = ending;
    this.#onClose = onClose;
  }

  /** The application that `db.session` and `db.engines` mean in this context. */
  get application(): Application<BK> {
    return this.#application;
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
  get around(): ExecutionContext | undefined {
    return this.#around;
  }

  /** Runs a function in the context. It may be called many times. */
  run<T>(run: () => T): T {
    try {
      const result = this.enter(run);
      if (result instanceof Promise) {
        result.catch(() => {
          this.#failed = true;
        });
      }
      return result;
    } catch (error) {
      this.#failed = true;
      throw error;
    }
  }

  /** @internal the same, for callers that close the context by how the function ends */
  enter<T>(run: () => T): T {
    if (this.#closed) throw new SessionClosedError("The context has ended; nothing can run in it.");
    return executionContext.run(this, run);
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

  /**
   * Ends the context: rolls back what was not committed, and gives every connection back.
   *
   * @param options `failed`: whether the work has failed, so that it is given up without a warning. Defaults to whether a
   * function that ran in the context threw, or the context's own option `failed` returns true.
   * @throws {UncommittedError} with `onUncommitted: "throw"`, if there is uncommitted work that has not failed
   *
   * @example
   * response.on("close", () => void context.close({ failed: response.statusCode >= 400 }));
   */
  async close(options: CloseOptions = NO_OPTIONS): Promise<void> {
    requireKnownOptions(options, ["failed"], "close()");
    const { failed } = options;
    if (this.#closed) return;
    const { onUncommitted, hasFailed } = this.#ending;
    const isGivenUp = onUncommitted === "ignore" || (failed ?? (this.#failed || hasFailed?.() === true));
    this.#closed = true;
    this.#onClose();
    const session = this.#session;
    if (session === undefined) return;
    let report: (() => void) | undefined;
    // The work is judged after everything that was asked for before, and before it is rolled back.
    await session.end(() => {
      const lost = isGivenUp ? undefined : session.uncommittedWork;
      if (lost === undefined) return;
      const location = callSite();
      report = () => reportUncommittedWork(onUncommitted, lost, location);
    });
    report?.();
  }

  /** The same as {@link close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** The innermost context that fulfils a condition, here and now. */
export function currentContext(fits: (context: Context) => boolean): Context | undefined {
  let here = executionContext.getStore();
  while (here instanceof Context) {
    if (fits(here)) return here;
    here = here.around;
  }
  return undefined;
}
