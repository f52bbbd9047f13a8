import type { BindKey } from "../bind-key.ts";
import { createAll } from "../ddl/create-all.ts";
import { dropAll } from "../ddl/drop-all.ts";
import { reflect } from "../ddl/reflect.ts";
import type { PoolStatus } from "../engine/driver.ts";
import type { Engine } from "../engine/engine.ts";
import { type Duration, timeout } from "../engine/options/duration.ts";
import type { Owner } from "../engine/pool/owner.ts";
import { withTimeout } from "../engine/waiting/with-timeout.ts";
import { ConfigurationError, InvalidOptionError } from "../errors/configuration.ts";
import { fixProperty } from "../fixed-property.ts";
import { requireKnownOptions } from "../known-options.ts";
import type { Metadatas } from "../schema/metadatas.ts";
import type { RelationSettings } from "../session/relations/relation-settings.ts";
import type { Router } from "../session/router.ts";
import { Session, type SessionOptions } from "../session/session.ts";
import type { SessionEvents } from "../session/session-events.ts";
import { DecisionLog } from "../session/transaction/decision-log.ts";
import {
  type InDoubt,
  listInDoubt,
  type Recovery,
  type RecoveryOptions,
  recover,
} from "../session/transaction/recovery.ts";
import { requireRetries, withRetries } from "../session/transaction/retries.ts";
import { TRANSACTION_OPTIONS, type TransactionOptions } from "../session/transaction/transaction-function.ts";
import { type BindChoice, bindsToCreate, bindsToDrop, bindsToReflect, type DropChoice } from "./bind-selection.ts";
import type { ResolvedConfiguration } from "./configuration.ts";
import { Context, currentContext } from "./context.ts";
import { Engines } from "./engines.ts";
import { type BindHealth, type PingOptions, ping } from "./health.ts";
import { type OnUncommitted, requireReaction } from "./uncommitted-work.ts";

/** Options of a context. */
export interface ContextOptions extends SessionOptions {
  /** What happens when the context ends with uncommitted work, instead of the application's own. */
  readonly onUncommitted?: OnUncommitted;
  /**
   * Returns whether the work has failed although no function threw: for frameworks that catch the errors of handlers
   * themselves. Asked when the work is over; what is not committed by then is given up without a warning, and
   * `app.transaction` rolls back.
   */
  readonly failed?: () => boolean;
}

const SESSION_OPTIONS: readonly (keyof SessionOptions)[] = ["commitPolicy", "recordQueries", "signal"];
const RECOVERY_OPTIONS: readonly (keyof RecoveryOptions)[] = ["adopt"];
const CONTEXT_OPTIONS: readonly (keyof ContextOptions)[] = [...SESSION_OPTIONS, "onUncommitted", "failed"];

/** Options of `app.dispose`. */
export interface DisposeOptions {
  /** How long contexts that are open may go on, in seconds or as text with a unit. Defaults to not at all. */
  readonly timeout?: Duration | undefined;
}

const DISPOSE_OPTIONS: readonly (keyof DisposeOptions)[] = ["timeout"];
/** Options of `app.transaction`. */
export interface ApplicationTransactionOptions extends ContextOptions, TransactionOptions {}

const APPLICATION_TRANSACTION_OPTIONS: readonly (keyof ApplicationTransactionOptions)[] = [
  ...CONTEXT_OPTIONS,
  ...TRANSACTION_OPTIONS,
];

const DRAINING =
  "Cannot begin a context: the application is being disposed and waits for those that are open. Stop taking requests first.";

/** State that an application shares with the other applications of its `db`. */
export interface ApplicationOwner {
  /** The `Multibind` object. */
  readonly db: object;
  readonly metadatas: Metadatas;
  /** The listeners of all sessions. */
  readonly events: SessionEvents<Session>;
}

/**
 * One configuration of engines for a `db`. Models and metadata belong to the `db` and are the same for all of its
 * applications.
 *
 * @see Flask-SQLAlchemy: a Flask application after `init_app`
 */
export class Application<BK extends string = string> {
  /** The engines by bind key. */
  readonly engines: Engines<BK>;
  /** The metadata by bind key, shared by all applications of the `db`. */
  readonly metadatas: Metadatas;
  /** @internal the `Multibind` object that this is an application of */
  readonly db: object;
  /** @internal */
  readonly events: SessionEvents<Session>;
  readonly #configuration: ResolvedConfiguration;
  readonly #commitRanks: ReadonlyMap<BindKey, number>;
  /** @internal where the decisions of two-phase commits are kept */
  readonly decisions: DecisionLog | undefined;
  readonly #contexts = new Set<Context<BK>>();
  #disposed = false;
  /** Resolved when the last context has ended, once no new ones are let in. */
  #draining: PromiseWithResolvers<void> | undefined;

  /** @internal use `db.init` */
  constructor(configuration: ResolvedConfiguration, { db, metadatas, events }: ApplicationOwner) {
    this.db = db;
    this.events = events;
    this.#configuration = configuration;
    this.metadatas = metadatas;
    const tablesOf = (bindKey: BindKey) => (metadatas.has(bindKey) ? metadatas.get(bindKey) : undefined);
    this.engines = new Engines(
      configuration.engines.map((definition) => ({ ...definition, metadata: () => tablesOf(definition.bindKey) })),
      metadatas,
    );
    const { decisionBind } = configuration;
    // The configuration was checked against the keys where it was written.
    if (decisionBind !== undefined) this.decisions = new DecisionLog(this.engines.get(decisionBind as BK | null));
    this.#commitRanks = new Map(configuration.commitOrder.map((key, rank) => [key, rank]));
    // Which databases an application has is said once.
    for (const name of ["engines", "metadatas", "db"] as const) fixProperty(this, name);
  }

  /** The default engine. @see Flask-SQLAlchemy: `SQLAlchemy.engine` */
  get engine(): Engine {
    return this.engines.get(null);
  }

  /**
   * Runs a function in a context of its own and returns what it returns. Nothing is committed: uncommitted work is
   * rolled back when the context ends, with a warning.
   *
   * @throws {UncommittedError} with `onUncommitted: "throw"`, if there is such work
   *
   * @example
   * await app.run(async () => {
   *   db.session.add(new User({ name: "ada" }));
   *   await db.session.commit();
   * });
   *
   * @see Flask: `with app.app_context()`
   */
  async run<T>(run: () => T | Promise<T>, options: ContextOptions = {}): Promise<T> {
    const context = this.context(options);
    let result: T;
    try {
      result = await context.enter(run);
    } catch (error) {
      await context.close({ failed: true });
      throw error;
    }
    await context.close({ failed: options.failed?.() ?? false });
    return result;
  }

  /**
   * Runs a function in a context of its own and commits; if it throws, everything is rolled back. With `retries` it runs again
   * after a deadlock, a lock timeout or a serialization failure, each time in a new context with a new session.
   *
   * @throws {PartialCommitError} if the commit succeeded on some binds only; that is never tried again
   *
   * @example
   * await app.transaction(
   *   async () => {
   *     const account = await db.session.getOne(Account, 1);
   *     account.visits += 1;
   *   },
   *   { isolationLevel: "serializable", retries: 3 },
   * );
   *
   * @see SQLAlchemy: `with Session.begin()`
   */
  async transaction<T>(run: () => T | Promise<T>, options: ApplicationTransactionOptions = {}): Promise<T> {
    requireKnownOptions(options, APPLICATION_TRANSACTION_OPTIONS, "transaction()");
    requireRetries(options.retries);
    const { isolationLevel, readOnly, retries, ...contextOptions } = options;
    const attempt = () =>
      this.run(async () => {
        const { session } = currentContext((context) => context.application === (this as unknown))!;
        if (isolationLevel !== undefined || readOnly !== undefined) session.begin({ isolationLevel, readOnly });
        const result = await run();
        if (options.failed?.() !== true) await session.commit();
        return result;
      }, contextOptions);
    return await withRetries(attempt, options);
  }

  /** Opens a context that the caller enters and closes, for frameworks. */
  context(options: ContextOptions = {}): Context<BK> {
    this.#requireOpen();
    if (this.#draining !== undefined) throw new ConfigurationError(DRAINING);
    requireKnownOptions(options, CONTEXT_OPTIONS, "a context");
    if (options.onUncommitted !== undefined) requireReaction(options.onUncommitted);
    const context: Context<BK> = new Context(
      this,
      (surrounding) => this.#newSession(options, surrounding),
      { onUncommitted: options.onUncommitted ?? this.#configuration.onUncommitted, hasFailed: options.failed },
      () => this.#forget(context),
    );
    this.#contexts.add(context);
    return context;
  }

  /** Opens a session outside of any context. The caller closes it. */
  session(options: SessionOptions = {}): Session<BK> {
    requireKnownOptions(options, SESSION_OPTIONS, "a session");
    return this.#newSession(options);
  }

  /**
   * Creates the tables that are not there yet, on all binds or those named.
   *
   * @throws {DdlError} if it fails on a bind, saying what became of the others
   * @throws {UnboundExecutionError} if a bind has no engine, before anything is done
   *
   * @example
   * await app.createAll();                                // all binds
   * await app.createAll({ bindKey: [null, "auth"] });     // the default and "auth"
   *
   * @see Flask-SQLAlchemy: `SQLAlchemy.create_all`
   */
  async createAll(choice: BindChoice<BK | null> = {}): Promise<void> {
    this.#requireOpen();
    await createAll(bindsToCreate(choice, this.engines, this.metadatas), this.metadatas);
  }

  /**
   * Drops the tables that were defined here, on all binds or those named. Tables that `reflect` found stay, unless
   * `reflected` is true.
   *
   * @throws {DdlError} if it fails on a bind, saying what became of the others; if a table that stays has a foreign key to one
   * of the bind's tables, no table of that bind is dropped
   *
   * @example
   * await app.dropAll();
   * await app.dropAll({ bindKey: "meta", reflected: true });
   *
   * @see Flask-SQLAlchemy: `SQLAlchemy.drop_all`
   */
  async dropAll(choice: DropChoice<BK | null> = {}): Promise<void> {
    this.#requireOpen();
    const { targets, reflected } = bindsToDrop(choice, this.engines, this.metadatas);
    await dropAll(targets, this.metadatas, { reflected });
  }

  /**
   * Reads tables from the databases into the metadata; tables that are defined there stay as they are.
   *
   * @see Flask-SQLAlchemy: `SQLAlchemy.reflect`
   */
  async reflect(choice: BindChoice<BK | null> = {}): Promise<void> {
    this.#requireOpen();
    await reflect(bindsToReflect(choice, this.engines, this.metadatas));
  }

  /**
   * Checks the models against this application: every foreign key leads to a table, and every bind key of a table has an
   * engine. `db.init` checks the same, but only warns of a bind key without engine, with the code
   * `MULTIBIND_UNBOUND_MODELS`: models are shared, and another application may have it.
   *
   * @throws {CrossBindForeignKeyError | UnknownTableError} if a foreign key leads nowhere
   * @throws {UnboundExecutionError} if tables have bind keys without an engine; the message lists both, and the keys that are
   * configured
   *
   * @example
   * app.check();
   *
   * @see Flask-SQLAlchemy: none; there the first statement finds it
   */
  check(): void {
    this.metadatas.check();
    this.router.check();
  }

  /**
   * Ends the transactions that a two-phase commit left prepared when a process or a server failed during it: commits one if the
   * decision bind has committed, else rolls it back. Run it when the application starts, and now and then: it may run
   * beside processes that commit, and leaves alone what they are about to end and what is not this application's.
   *
   * @returns what was done
   * @throws {OperationalError} if the decision bind cannot be reached; other binds are named in the result
   * @throws {DecisionsLostError} if the decision bind has lost the name of its decisions, for example by being restored
   *
   * @example
   * const { committed, rolledBack, left } = await app.recover();
   */
  async recover(options: RecoveryOptions = {}): Promise<Recovery> {
    this.#requireOpen();
    requireKnownOptions(options, RECOVERY_OPTIONS, "recover");
    const { adopt = [] } = options;
    if (!Array.isArray(adopt) || adopt.some((one) => typeof one !== "string")) {
      throw new InvalidOptionError(
        "Expected the option adopt of recover to be a list of names, as `refused` gives them.",
      );
    }
    if (this.decisions !== undefined) return recover(this.#engineList, this.decisions, adopt);
    return { committed: [], rolledBack: [], left: [], unreachable: [] };
  }

  /**
   * The prepared transactions on the binds that wait for {@link recover}, or for the process that is committing them.
   *
   * @throws {OperationalError} if a bind cannot be reached
   */
  async inDoubt(): Promise<readonly InDoubt[]> {
    this.#requireOpen();
    return this.decisions === undefined ? [] : listInDoubt(this.#engineList, this.decisions);
  }

  /**
   * Asks every database side by side whether it answers, each on a connection of its own that waits for no free one. A
   * database that does not answer is in the result like the others: this throws for none of them.
   *
   * @param options `timeout`: how long each may take, in seconds or as text with a unit (5 seconds by default); `bindKey`: the
   * binds to ask (all by default)
   * @returns the answers by bind key, in the order of configuration
   * @throws {UnboundExecutionError} if a bind has no engine
   *
   * @example
   * const health = await app.ping({ timeout: "2s" });
   * const ready = [...health.values()].every(({ ok, required }) => ok || !required);
   *
   * @see SQLAlchemy: `pool_pre_ping`, which asks before a use; there is no such call
   */
  async ping(options: PingOptions<BK | null> = {}): Promise<ReadonlyMap<BK | null, BindHealth>> {
    this.#requireOpen();
    return ping(this.engines, options);
  }

  /**
   * The connections of every engine, by bind key. Nothing is asked.
   *
   * @example
   * for (const [bindKey, { inUse, waiting }] of app.status()) console.log(bindKey ?? "default", inUse, waiting);
   *
   * @see SQLAlchemy: `Pool.status`
   */
  status(): ReadonlyMap<BK | null, PoolStatus> {
    return new Map([...this.engines].map(([bindKey, engine]) => [bindKey, engine.status()]));
  }

  /**
   * Ends every context, closes every connection. The application cannot be used after it.
   *
   * @param options `timeout`: how long contexts that are open may go on, in seconds or as text with a unit; new ones are refused
   * at once, and what is open afterwards is ended. By default they are ended at once.
   *
   * @example
   * process.once("SIGTERM", () => app.dispose({ timeout: "10s" }));
   */
  async dispose(options: DisposeOptions = {}): Promise<void> {
    requireKnownOptions(options, DISPOSE_OPTIONS, "dispose");
    if (options.timeout !== undefined) await this.#drain(timeout(options.timeout, "timeout of dispose"));
    this.#disposed = true;
    await Promise.allSettled([...this.#contexts].map((context) => context.close({ failed: true })));
    // Rows that stay need space and nothing else.
    const { decisions } = this;
    if (decisions !== undefined)
      await withTimeout(decisions.flush(), decisions.engine.options.poolTimeout).catch(() => {});
    await Promise.all([...this.engines].map(([, engine]) => engine.close()));
  }

  /** The same as {@link dispose}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  /** @internal */
  get isDisposed(): boolean {
    return this.#disposed;
  }

  /** @internal finds the engine of anything that runs */
  get router(): Router {
    return this.engines.router;
  }

  /** @internal */
  get relations(): RelationSettings {
    return this.#configuration.relations;
  }

  /** @internal */
  commitRank(bindKey: BindKey): number {
    return this.#commitRanks.get(bindKey) ?? this.#commitRanks.size;
  }

  get #engineList(): Engine[] {
    return [...this.engines].map(([, engine]) => engine);
  }

  #newSession(options: SessionOptions, surrounding?: Owner | null): Session<BK> {
    this.#requireOpen();
    const { commitPolicy, recordQueries } = this.#configuration;
    return new Session<BK>(this, { commitPolicy, recordQueries, ...options }, surrounding);
  }

  /** Waits until the contexts that are open have ended, no longer than a time; new ones are refused. */
  async #drain(time: number): Promise<void> {
    this.#draining ??= Promise.withResolvers();
    if (this.#contexts.size === 0 || time === 0) return;
    await withTimeout(this.#draining.promise, time).catch(() => {});
  }

  #forget(context: Context<BK>): void {
    this.#contexts.delete(context);
    if (this.#contexts.size === 0) this.#draining?.resolve();
  }

  #requireOpen(): void {
    if (this.#disposed) throw new ConfigurationError("The application was disposed. Make another one with `db.init`.");
  }
}
