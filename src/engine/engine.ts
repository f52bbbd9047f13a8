import { inspect } from "node:util";
import {
  CompiledQuery,
  createQueryId,
  type Dialect,
  type DialectAdapter,
  DummyDriver,
  type QueryCompiler,
  type QueryResult,
  type RootOperationNode,
} from "kysely";
import { type BindKey, bindLabel } from "../bind-key.ts";
import { InvalidOptionError, UnsupportedError } from "../errors/configuration.ts";
import { OperationalError, ProgrammingError } from "../errors/database.ts";
import { MultibindError } from "../errors/multibind-error.ts";
import { PrecisionError } from "../errors/value.ts";
import type { ModelKysely } from "../model/models-as-tables.ts";
import type { LogicalType } from "../schema/logical-type.ts";
import type { Metadata } from "../schema/metadata.ts";
import type { ColumnTable, TableColumn } from "../schema/table-column.ts";
import { Connection } from "./connection.ts";
import { completed } from "./constraint-violation.ts";
import { dialectCodec } from "./dialect/dialect-codec.ts";
import { DialectDriver } from "./dialect/dialect-driver.ts";
import type { AcquireOptions, EngineDriver, EngineQuery, PoolStatus, ServerLacks } from "./driver.ts";
import { engineKysely } from "./engine-kysely.ts";
import { databaseError, type ErrorKind, stringProperty, systemErrorKind } from "./error-kind.ts";
import { families } from "./families.ts";
import type { Family, WriteKind } from "./family.ts";
import { hideValues } from "./hidden-values.ts";
import { helpFor, type MissingNamePlace } from "./missing-name.ts";
import { refusingNames } from "./names/statement-names.ts";
import { requireColumnCase, requireColumnName } from "./names/table-names.ts";
import type { DatabaseUrl } from "./options/database-url.ts";
import { requireDriver } from "./options/driver-module.ts";
import { isDialect } from "./options/engine-options.ts";
import type { ResolvedEngineOptions } from "./options/resolved-options.ts";
import type { Owner } from "./pool/owner.ts";
import {
  type EchoListener,
  echoToConsole,
  type FinishedStatementEvent,
  type StatementListener,
} from "./recording/echo.ts";
import { kyselyLog } from "./recording/kysely-log.ts";
import { lackedFeature } from "./statement/features.ts";
import type { TwoPhase } from "./two-phase/two-phase.ts";
import type { Codec } from "./values/codec.ts";
import { ColumnConverter } from "./values/column-converter.ts";
import { PrecisionRefusal } from "./values/refusals.ts";
import { givenUp } from "./waiting/given-up.ts";
import { withTimeout } from "./waiting/with-timeout.ts";

/** Isolation levels under which all statements of a transaction see the same. */
const SAME_VIEW = new Set(["repeatable read", "serializable", "snapshot"]);

/** Kinds of error of which databases name the table and columns. */
const OF_COLUMNS: ReadonlySet<ErrorKind> = new Set(["unique", "foreignKey", "notNull", "check", "integrity", "data"]);

const unchanged = (text: string): string => text;

/** The parts of an engine. */
export interface EngineDefinition {
  readonly bindKey: BindKey;
  readonly options: ResolvedEngineOptions;
  /** A directory to be made before the first connection. */
  readonly directory?: string | undefined;
  /** The tables of the bind, for statements that name them only by strings. */
  readonly metadata?: (() => Metadata | undefined) | undefined;
}

/**
 * One database of one application: how to reach it, and the connections to it. Nothing is connected before the first
 * statement.
 *
 * Run statements through the session, not on the engine, unless they have nothing to do with its transaction.
 *
 * @see SQLAlchemy: `Engine`
 */
export class Engine {
  /** The bind that this engine serves; `null` is the default one. */
  readonly bindKey: BindKey;
  /** The kind of database, and all that is particular to it. */
  readonly family: Family;
  /** The engine's options, defaults filled in, times in milliseconds; without what is only the driver's business. */
  readonly options: Omit<ResolvedEngineOptions, "dialect" | "driver" | "driverOptions" | "password">;
  /** @internal whether even a read belongs into a transaction, to see the same as the next one */
  readonly readsInTransaction: boolean;
  readonly #definition: EngineDefinition;
  readonly #converters = new Map<TableColumn, ColumnConverter>();
  /** Tables whose columns' names were compared. */
  readonly #named = new WeakSet<ColumnTable>();
  readonly #before: StatementListener[] = [];
  readonly #after: EchoListener[] = [];
  /** What stands for its database, once it was looked for; null where there is no such thing. */
  #place: object | null | undefined;
  #compiler: QueryCompiler | undefined;
  #driver: EngineDriver | undefined;
  #connecting: Promise<EngineDriver> | undefined;
  #closed = false;

  /** @internal use `db.init` */
  constructor(definition: EngineDefinition) {
    const { bindKey, options } = definition;
    this.bindKey = bindKey;
    this.#definition = definition;
    this.family = families[options.family];
    const {
      dialect: _dialect,
      driver: _driver,
      driverOptions: _driverOptions,
      password: _password,
      ...shown
    } = options;
    this.options = Object.freeze(shown);
    this.readsInTransaction = SAME_VIEW.has(options.isolationLevel ?? "");
    if (options.url !== undefined && options.driver === undefined)
      requireDriver(this.family.driverPackage, this.family.builtIn?.name, bindKey);
    if (options.echo === true) this.#after.push(echoToConsole);
    else if (typeof options.echo === "function") this.#after.push(options.echo);
    if (options.log !== undefined) this.#after.push(kyselyLog(options.log));
    // Statements are routed by the bind key and compiled for the family: neither can ever change.
    Object.freeze(this);
  }

  /** Where the database is; its password never shows. Absent where the bind was given a dialect. */
  get url(): DatabaseUrl | undefined {
    return this.#definition.options.url;
  }

  /**
   * A whole Kysely on this engine, outside of any session: each statement commits by itself, or in Kysely's own
   * transactions.
   *
   * @example
   * await app.engines.get("auth").kysely.selectFrom(User).selectAll().execute();
   */
  get kysely(): ModelKysely<Record<never, never>> {
    return engineKysely(this, this.#definition.metadata ?? (() => undefined));
  }

  /** How many connections there are. */
  status(): PoolStatus {
    return this.#driver?.status() ?? { size: this.#definition.options.poolSize, inUse: 0, idle: 0, waiting: 0 };
  }

  /**
   * @internal asks the database whether it answers, on a connection that waits for no other
   *
   * @param limit how long that may take, in milliseconds
   */
  async ping(limit: number): Promise<void> {
    try {
      const driver = this.#driver ?? (await this.#open());
      await withTimeout(driver.ping(limit), limit);
    } catch (error) {
      throw this.databaseError(error);
    }
  }

  /**
   * Shows each statement to a listener just before it is sent; what the listener throws, the statement throws.
   *
   * @returns a function that takes the listener away again
   *
   * @see SQLAlchemy: the event `before_cursor_execute`
   */
  onStatement(listener: StatementListener): () => void {
    return listen(this.#before, listener);
  }

  /**
   * Shows each statement to a listener when it is done, with its duration and error. The statement stays done whatever
   * the listener throws, which becomes a warning.
   *
   * @returns a function that takes the listener away again
   *
   * @see SQLAlchemy: the event `after_cursor_execute`
   */
  onStatementFinished(listener: EchoListener): () => void {
    return listen(this.#after, listener);
  }

  /**
   * Closes every connection that is not in use, and those in use when they are given back. The next statement connects
   * anew.
   *
   * @see SQLAlchemy: `Engine.dispose`
   */
  async dispose(): Promise<void> {
    // Who connects is told why that failed.
    const driver = await this.#connecting?.catch(() => undefined);
    this.#connecting = undefined;
    this.#driver = undefined;
    await driver?.destroy();
  }

  /** The same as {@link dispose}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  /** The engine and its database, the password hidden. */
  toString(): string {
    return `Engine(${bindLabel(this.bindKey)}, ${this.url ?? this.family.label})`;
  }

  /** The same as {@link toString}, for `console.log`. */
  [inspect.custom](): string {
    return this.toString();
  }

  /** @internal like {@link dispose}, but the engine cannot be used again */
  async close(): Promise<void> {
    this.#closed = true;
    await this.dispose();
  }

  /** @internal how transactions are prepared here; undefined where they cannot be, as behind a dialect */
  get twoPhase(): TwoPhase | undefined {
    return this.#definition.options.dialect === undefined ? this.family.twoPhase : undefined;
  }

  /** @internal the engine's parts as Kysely wants them; connections are taken elsewhere */
  get dialect(): Dialect {
    const { dialect } = this.#definition.options;
    if (typeof dialect === "object") return dialect;
    return {
      createAdapter: () => this.family.createAdapter(),
      createDriver: () => new DummyDriver(),
      createQueryCompiler: () => this.family.createCompiler(),
      createIntrospector: (db) => this.family.createIntrospector(db),
    };
  }

  /** @internal what Kysely's builders need to know of the dialect */
  get adapter(): DialectAdapter {
    return this.dialect.createAdapter();
  }

  /**
   * @internal whether another engine has the same database, of which there is one writer: a session has one transaction
   * on both
   */
  sharesWriterWith(other: Engine): boolean {
    return this === other || (this.place !== undefined && this.place === other.place);
  }

  /** @internal what stands for the database, where there is one writer of it in this process */
  get place(): object | undefined {
    if (this.#place === undefined) this.locate();
    return this.#place ?? undefined;
  }

  /** @internal looks anew where the database is: a link may lead elsewhere now */
  locate(): void {
    const { dialect, url } = this.#definition.options;
    this.#place = (dialect === undefined ? this.family.place?.(url!, this.bindKey) : undefined) ?? null;
  }

  /** @internal after which time the server ends a statement, in milliseconds */
  get statementTimeout(): number | undefined {
    return this.#definition.options.statementTimeout;
  }

  /** @internal compiles a statement's tree as it is */
  readonly compileQuery = (node: RootOperationNode, queryId = createQueryId()): CompiledQuery => {
    this.#compiler ??= refusingNames(this.dialect.createQueryCompiler(), this);
    return this.#compiler.compileQuery(node, queryId);
  };

  #requireName(column: TableColumn): void {
    requireColumnName(column, this);
    if (this.#named.has(column.table)) return;
    const table = this.#definition.metadata?.()?.tables.get(column.table.fullName);
    if (table !== undefined) requireColumnCase(table, this);
    this.#named.add(column.table);
  }

  /** @internal SQL text in the form of a compiled query */
  rawQuery(sql: string): CompiledQuery {
    return CompiledQuery.raw(sql);
  }

  /** @internal whether a write can give back rows; known for certain once there was a connection */
  supportsReturning(kind: WriteKind): boolean {
    return this.family.supportsReturning(kind) && this.#driver?.lacksReturning !== true;
  }

  /** @internal what the server was found to lack; known once there was a connection */
  get lacksHere(): ServerLacks | undefined {
    return this.#driver?.lacks;
  }

  /** @internal how values of a column are written and read here */
  converter(column: TableColumn): ColumnConverter {
    let converter = this.#converters.get(column);
    if (converter === undefined) {
      this.#requireName(column);
      converter = new ColumnConverter(column, this);
      this.#converters.set(column, converter);
    }
    return converter;
  }

  /** @internal how values of a type are written and read here */
  codec(type: LogicalType): Codec {
    if (this.#definition.options.dialect === undefined) return this.family.codec(type);
    return dialectCodec(this.family, type, () =>
      this.#driver instanceof DialectDriver ? this.#driver.findings : undefined,
    );
  }

  /**
   * @internal refuses a write where the bind is read-only
   *
   * @throws {UnsupportedError}
   */
  requireWritable(writes: boolean): void {
    if (!writes || !this.#definition.options.readOnly) return;
    throw new UnsupportedError(
      `${bindLabel(this.bindKey)} is configured with readOnly, and the statement writes or locks. Nothing was sent.`,
      {
        bindKey: this.bindKey,
      },
    );
  }

  /**
   * @internal the error of a statement that has more parameters than the database counts, or needs what the server lacks;
   * undefined for others
   */
  refusalOf({ sql, parameters, needs }: EngineQuery): ProgrammingError | UnsupportedError | undefined {
    const { label, mostParameters } = this.family;
    if (parameters.length <= mostParameters) return needs === undefined ? undefined : lackedFeature(this, needs);
    return new ProgrammingError(
      `Cannot send the statement to ${bindLabel(this.bindKey)}: it has ${parameters.length} parameters, and ${label} takes ${mostParameters}. ` +
        "Split the list into several statements, or give it as one parameter: an array or JSON.",
      { sql, bindKey: this.bindKey },
    );
  }

  /** @internal whether the database says that SQL text only reads */
  async onlyReads(sql: string): Promise<boolean> {
    const driver = this.#driver ?? (await this.#open());
    return (await driver.onlyReads?.(sql)) === true;
  }

  /** @internal takes a connection; the caller returns it */
  async connect(options: AcquireOptions): Promise<Connection> {
    const { owner, signal = owner?.signal } = options;
    signal?.throwIfAborted();
    const heeded = signal === undefined ? options : { ...options, signal };
    const driver = this.#driver ?? (await this.#open());
    try {
      return new Connection(this, driver, await driver.acquireConnection(heeded), owner);
    } catch (error) {
      throw signal?.aborted === true && error === signal.reason ? error : this.databaseError(error);
    }
  }

  /**
   * @internal closes the connections that an owner does not return in time, where nothing can be lost by it
   *
   * @returns a function that stops this
   */
  giveUpLate(owner: Owner, reason: unknown): (() => void) | undefined {
    const driver = this.#driver;
    if (driver?.hasLentTo?.(owner) !== true) return undefined;
    const { poolTimeout } = this.options;
    const why = givenUp(`The server did not answer within ${poolTimeout / 1000} seconds`, reason);
    const timer = setTimeout(() => driver.giveUp?.(owner, why), poolTimeout);
    return () => clearTimeout(timer);
  }

  /** @internal takes a connection at once; `undefined` where anything has to be waited for */
  connectNow(options: AcquireOptions): Connection | undefined {
    const driver = this.#driver;
    const { owner, signal = owner?.signal } = options;
    const raw = signal?.aborted === true ? undefined : driver?.acquireNow?.(options);
    return raw === undefined ? undefined : new Connection(this, driver!, raw, owner);
  }

  /** @internal runs one statement on a connection of its own */
  async execute<R>(query: EngineQuery<R>, options: AcquireOptions): Promise<QueryResult<R>> {
    const connection = await this.connect(options);
    try {
      return await connection.execute(query, options.signal);
    } finally {
      await connection.release();
    }
  }

  /** @internal whether transactions can run without a promise: the database is in this process, and open */
  get runsAtOnce(): boolean {
    return this.#driver?.beginNow !== undefined;
  }

  /** @internal runs a statement that only reads, at once; `undefined` if it must wait, or a listener must see it */
  readNow<R>(query: EngineQuery<R>, owner: Owner): QueryResult<R> | undefined {
    if (this.#driver?.readNow === undefined || this.#isSeen(owner)) return undefined;
    const refusal = this.refusalOf(query);
    if (refusal !== undefined) throw refusal;
    try {
      return this.#driver.readNow(query);
    } catch (error) {
      throw this.databaseError(error, query.sql);
    }
  }

  /** @internal runs a statement that is a whole transaction, at once, as {@link readNow} does */
  writeNow<R>(query: EngineQuery<R>, owner: Owner): QueryResult<R> | undefined {
    if (this.#driver?.writeNow === undefined || this.#isSeen(owner)) return undefined;
    const refusal = this.refusalOf(query);
    if (refusal !== undefined) throw refusal;
    try {
      return this.#driver.writeNow(query);
    } catch (error) {
      throw this.databaseError(error, query.sql);
    }
  }

  /** Whether a listener sees the statements of an owner. */
  #isSeen({ record }: Owner): boolean {
    return this.isObserved || record !== undefined;
  }

  /** @internal whether listeners are to see every statement */
  get isObserved(): boolean {
    return this.#before.length > 0 || this.#after.length > 0;
  }

  /** @internal runs a connection's statement in sight of the listeners, and wraps its errors */
  async observe<T>(
    { sql, parameters }: { readonly sql: string; readonly parameters: readonly unknown[] },
    run: () => Promise<T>,
    connection: Connection,
  ): Promise<T> {
    const event = { bindKey: this.bindKey, sql, parameters };
    for (const listener of this.#before) listener(event);
    const start = this.#after.length === 0 ? 0 : performance.now();
    try {
      const result = await run();
      if (this.#after.length > 0) this.#finish({ ...event, duration: performance.now() - start });
      return result;
    } catch (cause) {
      const error = await connection.errorOf(cause, sql);
      if (this.#after.length > 0) this.#finish({ ...event, duration: performance.now() - start, error });
      throw error;
    }
  }

  #finish(event: FinishedStatementEvent): void {
    for (const listener of this.#after) {
      try {
        listener(event);
      } catch (error) {
        const message = `A listener to the statements of ${bindLabel(this.bindKey)} failed: ${error}`;
        process.emitWarning(message, { type: "MultibindWarning", code: "MULTIBIND_LISTENER" });
      }
    }
  }

  /**
   * @internal the error of ours that says what an error of the driver says
   *
   * @param lockTimeout the bound of waits for locks in a transaction that writes on several binds, in milliseconds
   */
  databaseError(thrown: unknown, sql?: string, lockTimeout?: number): unknown {
    if (thrown instanceof MultibindError || !(thrown instanceof Error) || thrown.name === "AbortError") return thrown;
    if (thrown instanceof PrecisionRefusal)
      return new PrecisionError(`${thrown.message} (${bindLabel(this.bindKey)}).`, { bindKey: this.bindKey });
    const kind = systemErrorKind(thrown) ?? this.family.errorKind(thrown);
    const isViolation = OF_COLUMNS.has(kind);
    const violation = isViolation
      ? completed(kind, this.family.violation(thrown, sql), this.#definition.metadata?.())
      : {};
    const missing = this.family.missingName(thrown);
    const hide = this.family.hideValues?.(thrown) ?? unchanged;
    const cause = this.options.showValues ? thrown : hideValues(thrown, hide);
    const message = this.family.errorMessage?.(cause) ?? stringProperty(cause, "message") ?? "unknown error";
    const text = message === "" ? (stringProperty(cause, "code") ?? cause.name) : message;
    const where = this.url === undefined ? bindLabel(this.bindKey) : `${bindLabel(this.bindKey)}, ${this.url}`;
    const hint = kind === "lockTimeout" && lockTimeout !== undefined ? crossServerHint(lockTimeout) : "";
    const help = missing === undefined ? undefined : helpFor(missing, this.#placeOf(sql));
    return databaseError(kind, `${text} (${where})${help === undefined ? hint : `.${help.hint}`}`, {
      ...violation,
      ...(help === undefined ? {} : { table: help.table, column: help.column }),
      cause,
      sql,
      bindKey: this.bindKey,
    });
  }

  #placeOf(sql: string | undefined): MissingNamePlace {
    const { bindKey, options } = this;
    return { bindKey, managed: options.managed, metadata: this.#definition.metadata?.(), sql };
  }

  #open(): Promise<EngineDriver> {
    if (this.#closed) {
      throw new OperationalError(
        `The application of ${bindLabel(this.bindKey)} was disposed; its engines connect no more.`,
        {
          bindKey: this.bindKey,
        },
      );
    }
    this.#connecting ??= this.#createDriver().catch((error: unknown) => {
      this.#connecting = undefined;
      throw this.databaseError(error);
    });
    return this.#connecting;
  }

  async #createDriver(): Promise<EngineDriver> {
    const { bindKey, options } = this.#definition;
    const { dialect } = options;
    if (dialect === undefined) {
      this.#driver = this.family.createDriver(this.#definition);
    } else {
      const made = typeof dialect === "function" ? await dialect() : dialect;
      if (!isDialect(made)) {
        throw new InvalidOptionError(
          `The function in \`dialect\` of ${bindLabel(bindKey)} returned no Kysely dialect.`,
          { bindKey },
        );
      }
      this.#driver = new DialectDriver(made, {
        ...options,
        bindKey,
        family: this.family,
        metadata: this.#definition.metadata ?? (() => undefined),
      });
    }
    return this.#driver;
  }
}

function crossServerHint(lockTimeout: number): string {
  return (
    ". Another transaction holds the lock and may wait for this one on another database, where no server sees the deadlock: " +
    `in a transaction that writes to several databases a wait ends after ${lockTimeout / 1000} s (lockTimeout). ` +
    "Roll back and run the transaction again."
  );
}

function listen<L>(listeners: L[], listener: L): () => void {
  listeners.push(listener);
  return () => {
    const position = listeners.indexOf(listener);
    if (position >= 0) listeners.splice(position, 1);
  };
}
