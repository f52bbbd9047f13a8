import type { QueryResult } from "kysely";
import { type Awaitable, promised } from "../awaitable.ts";
import type { BindKey } from "../bind-key.ts";
import type { Engine } from "../engine/engine.ts";
import { Owner } from "../engine/pool/owner.ts";
import type { RecordedQuery } from "../engine/recording/recorded-query.ts";
import { InvalidOptionError } from "../errors/configuration.ts";
import { NoResultError, NotFoundError, SessionClosedError, SessionError } from "../errors/session.ts";
import { pinHiddenClass } from "../hidden-class.ts";
import { NO_OPTIONS, requireKnownOptions } from "../known-options.ts";
import { type Entity, type EntityState, stateOf } from "../model/entity.ts";
import { mapperOfClass } from "../model/mapper.ts";
import type { AnyModel, PrimaryKeyOf } from "../model/model-types.ts";
import type { ModelKysely } from "../model/models-as-tables.ts";
import type { IncludeOf, Loaded, OnlyRelations } from "../model/relations/relation-types.ts";
import { resolveMapper, resolveMapperOfEntity } from "../model/resolve-mapper.ts";
import { type KyselyForm, kyselyForm } from "../query/kysely-form.ts";
import { KyselyStatements } from "../query/kysely-statements.ts";
import type { PreparedRunner } from "../query/prepared/prepared-runner.ts";
import { includePlan, includeTree } from "../query/select/include.ts";
import { NOT_FOUND_OPTIONS, type NotFoundOptions } from "../query/select/runnable-select.ts";
import { Select, select } from "../query/select/select.ts";
import { READ_OPTIONS, type ReadOptions } from "../query/select/select-runner.ts";
import type { AnyAlias, SelectOf } from "../query/select/select-types.ts";
import { Metadatas } from "../schema/metadatas.ts";
import { withoutAutoflush } from "./autoflush-scope.ts";
import { mayBeKey } from "./entities/identity-key.ts";
import { PendingCopy } from "./entities/pending-copy.ts";
import { UnitOfWork } from "./entities/unit-of-work.ts";
import { FlushCoordinator, type FlushHost } from "./flush-coordinator.ts";
import { EntityReader, GET_OPTIONS, type GetOptions } from "./reading/entity-reader.ts";
import { PreparedStatements } from "./reading/prepared-statements.ts";
import { type SelectHost, SelectReader } from "./reading/select-reader.ts";
import type { KeyReader } from "./relations/key-reader.ts";
import { LOAD_OPTIONS, type LoadOptions, rootsOf } from "./relations/load.ts";
import { LoadGatherer } from "./relations/load-gatherer.ts";
import type { RelationSettings } from "./relations/relation-settings.ts";
import { type BindTarget, Router, type Statement } from "./router.ts";
import { type SessionEvent, type SessionEventMap, SessionEvents } from "./session-events.ts";
import { SessionExecutor } from "./session-executor.ts";
import { sessionKysely } from "./session-kysely.ts";
import { SessionLock } from "./session-lock.ts";
import { type RunOptions, type StatementHost, StatementRunner } from "./statement-runner.ts";
import { BEGIN_OPTIONS, type BeginOptions, settingsOf } from "./transaction/begin-options.ts";
import { type CommitPolicy, requirePolicy } from "./transaction/commit-policy.ts";
import { type DecisionLog, NO_DECISION_BIND } from "./transaction/decision-log.ts";
import { NestedTransaction } from "./transaction/nested-transaction.ts";
import { TransactionFunctions, type TransactionOptions } from "./transaction/transaction-function.ts";
import { Transactions } from "./transaction/transactions.ts";
import { type UncommittedWork, uncommittedWork } from "./uncommitted-work.ts";

const EXECUTE_OPTIONS: readonly string[] = ["autoflush", "bindKey", "readOnly", "signal"];
const GET_OR_404_OPTIONS: readonly string[] = [...new Set([...GET_OPTIONS, ...NOT_FOUND_OPTIONS, "include"])];
const REFRESH_OPTIONS: readonly string[] = [...READ_OPTIONS, "include"];

/** A session's view of its application. */
export interface SessionHost {
  /** Where its engines are found. */
  readonly router: Router;
  /** The listeners of all sessions. */
  readonly events: SessionEvents<Session>;
  /** All that there are. */
  readonly engines: Iterable<readonly [BindKey, Engine]>;
  /** Where the decisions of two-phase commits are kept; undefined where no bind can keep them. */
  readonly decisions: DecisionLog | undefined;
  /** How relations are read. */
  readonly relations: RelationSettings;
  /** A bind's place in the order of commits. */
  commitRank(bindKey: BindKey): number;
}

/** Options of a session. */
export interface SessionOptions {
  /** The policy of a commit over several binds, instead of the application's. */
  readonly commitPolicy?: CommitPolicy;
  /** Whether the session keeps a record of its statements, instead of the application's own choice. */
  readonly recordQueries?: boolean;
  /**
   * When it is aborted, statements that run are ended, on the servers too where they can, and everything but `rollback`
   * and `close` throws the signal's reason. A commit that has begun is not stopped, but not waited for without end either. For the signal of a web request.
   */
  readonly signal?: AbortSignal | undefined;
}

/** The names of an entity's columns, with those of its other members. */
export type ColumnOf<E extends Entity> = Exclude<keyof E, keyof Entity> & string;

/** The position of an unused session. */
const NOWHERE: SessionHost = {
  router: new Router(new Metadatas("no Multibind", { namingConvention: {}, redefine: "error" }), {
    find: () => undefined,
    keys: () => [],
  }),
  events: new SessionEvents(),
  engines: [],
  decisions: undefined,
  relations: { chunk: undefined, nPlusOne: undefined },
  commitRank: () => 0,
};

let sessions = -1;

/**
 * A unit of work over all binds: an identity map, pending changes, and one transaction per bind, begun when it is first
 * needed.
 *
 * @see SQLAlchemy: `Session`; Flask-SQLAlchemy: `db.session`
 */
export class Session<BK extends string = string> extends KyselyStatements {
  readonly #host: SessionHost;
  readonly #owner: Owner;
  readonly #work: UnitOfWork;
  readonly #lock = new SessionLock();
  readonly #events: SessionEvents<Session>;
  readonly #transactions: Transactions;
  readonly #flow: FlushCoordinator;
  readonly #runner: StatementRunner;
  readonly #shared: FlushHost & StatementHost & SelectHost;
  #readerOfKeys: EntityReader | undefined;
  #readerOfSelects: SelectReader | undefined;
  #gatheredLoads: LoadGatherer | undefined;
  #transactionFunctions: TransactionFunctions | undefined;
  #form: KyselyForm | undefined;
  #prepared: PreparedStatements | undefined;
  #closed = false;

  /**
   * @internal use `app.run`, `app.context` or `app.session`
   *
   * @param surrounding the owner that waits until the session is done; defaults to that of the code that runs now, null for none
   */
  constructor(host: SessionHost, options: SessionOptions = {}, surrounding?: Owner | null) {
    super();
    const label = `session ${++sessions}`;
    this.#host = host;
    this.#owner = new Owner(label, surrounding);
    this.#owner.record = options.recordQueries === true ? [] : undefined;
    this.#owner.signal = options.signal;
    this.#owner.begin();
    this.#work = new UnitOfWork(label, host.router.metadatas);
    // Listeners do not depend on the bind keys.
    this.#events = new SessionEvents(this as unknown as Session, host.events);
    this.#transactions = new Transactions({
      owner: this.#owner,
      work: this.#work,
      ...policyOf(options.commitPolicy ?? "ordered", host),
      commitRank: (key) => host.commitRank(key),
    });
    // A session is made for each request, so its parts share one object, and those that few sessions need are made later.
    this.#shared = {
      session: this,
      owner: this.#owner,
      work: this.#work,
      lock: this.#lock,
      router: host.router,
      events: this.#events,
      transactions: this.#transactions,
      relations: host.relations,
      requireOpen: () => this.#requireNotEnded(),
      requireLive: () => this.#transactionFunctions?.requireLive(),
    };
    this.#flow = new FlushCoordinator(this.#shared);
    this.#runner = new StatementRunner(this.#shared, this.#flow);
  }

  /** @internal who holds this session's connections */
  get owner(): Owner {
    return this.#owner;
  }

  /**
   * The statements of this session in the order in which they were done, if it was made with `recordQueries`, else none.
   * The session of a context has those that ran beside it in that context too, on engines and for `createAll`. They can
   * be looked at after `close`.
   *
   * @see Flask-SQLAlchemy: `get_recorded_queries`
   */
  get recordedQueries(): readonly RecordedQuery[] {
    return this.#owner.record ?? [];
  }

  /** @internal who runs prepared statements on this session */
  get preparedRunner(): PreparedRunner {
    this.#requireOpen();
    this.#prepared ??= new PreparedStatements({ runner: this.#runner, selects: this.#selects });
    return this.#prepared;
  }

  /** @internal what reads entities by many keys on this session */
  get keyReader(): KeyReader {
    this.#requireOpen();
    return this.#selects.keys;
  }

  /** Whether the session was closed for good. */
  get isClosed(): boolean {
    return this.#closed;
  }

  /** The entities that will be inserted. @see SQLAlchemy: `Session.new` */
  get new(): ReadonlySet<Entity> {
    return new Set(this.#work.added);
  }

  /** The entities that differ from their rows. @see SQLAlchemy: `Session.dirty` */
  get dirty(): ReadonlySet<Entity> {
    return new Set(this.#work.pending().changed);
  }

  /** The entities that will be deleted. @see SQLAlchemy: `Session.deleted` */
  get deleted(): ReadonlySet<Entity> {
    return new Set(this.#work.deleted);
  }

  /** Whether there is work that is neither stored nor discarded. */
  get hasUncommittedWork(): boolean {
    return this.uncommittedWork !== undefined;
  }

  /** @internal the work that would be lost if the session ended now */
  get uncommittedWork(): UncommittedWork | undefined {
    return uncommittedWork(this.#work, this.#transactions);
  }

  /**
   * Whether a transaction has begun and not ended: by `begin`, `beginNested` or `transaction(fn)`, or on some bind by a
   * statement that needed one.
   *
   * @see SQLAlchemy: `Session.in_transaction`
   */
  get inTransaction(): boolean {
    return this.#transactions.isExplicit || this.#transactions.isOpen || !this.isActive;
  }

  /** Whether a nested transaction has begun and not ended. @see SQLAlchemy: `Session.in_nested_transaction` */
  get inNestedTransaction(): boolean {
    return this.#transactions.depth > 1;
  }

  /**
   * Whether the transaction, or one to begin, can go on; `false` after a failure, until `rollback`, or the end of the
   * nested transaction that it happened in.
   *
   * @see SQLAlchemy: `Session.is_active`
   */
  get isActive(): boolean {
    return this.#transactions.isSound;
  }

  /** The state of an entity: transient, pending, persistent, deleted or detached. */
  stateOf(entity: Entity): EntityState {
    return stateOf(entity);
  }

  /** Whether an entity belongs to this session. @see SQLAlchemy: `obj in session` */
  contains(entity: Entity): boolean {
    return this.#work.owns(entity);
  }

  /**
   * The engine for a model, a table, a statement or a bind key: all that is named has to agree.
   *
   * @throws {CrossBindError} if it does not
   * @throws {UnboundExecutionError} if no engine is configured for the bind
   *
   * @see SQLAlchemy: `Session.get_bind`
   */
  getBind(target: BindTarget<BK | null> = NO_OPTIONS): Engine {
    return this.#host.router.route(target);
  }

  /**
   * Takes an entity in, to be inserted by the next flush. Client defaults get their values now.
   *
   * @throws {SessionError} if it belongs to another session
   *
   * @see SQLAlchemy: `Session.add`
   */
  add(entity: Entity): void {
    this.#requireOpen();
    this.#work.add(entity);
  }

  /** Takes entities in. @see SQLAlchemy: `Session.add_all` */
  addAll(entities: Iterable<Entity>): void {
    for (const entity of entities) this.add(entity);
  }

  /**
   * Marks an entity's row to be deleted by the next flush.
   *
   * @throws {SessionError} if it is not stored, or belongs to another session
   *
   * @see SQLAlchemy: `Session.delete`
   */
  delete(entity: Entity): void {
    this.#requireOpen();
    this.#work.delete(entity);
  }

  /**
   * Loads relations of entities that are there already, one statement for each relation. Relations that are loaded and fresh are not
   * asked for again.
   *
   * @param entities an entity of this session, or a list
   * @param include relations by name, each `true` or an object of further ones
   * @param options `refresh`: whether to read again what is loaded
   * @returns the same entities, with types that say what is loaded
   * @throws {InvalidOptionError} if a name is no relation
   * @throws {SessionError} if an entity does not belong to this session
   *
   * @example
   * const post = await session.load(await session.getOne(Post, 7), { author: { profile: true } });
   * print(post.author.name);
   *
   * @see SQLAlchemy: `AsyncAttrs.awaitable_attrs`
   */
  load<E extends Entity, const I extends IncludeOf<E>>(
    entities: readonly E[],
    include: I & OnlyRelations<I, E>,
    options?: LoadOptions,
  ): Promise<Loaded<E, I>[]>;
  load<E extends Entity, const I extends IncludeOf<E>>(
    entity: E,
    include: I & OnlyRelations<I, E>,
    options?: LoadOptions,
  ): Promise<Loaded<E, I>>;
  async load(given: unknown, include: unknown, options: LoadOptions = NO_OPTIONS): Promise<unknown> {
    requireKnownOptions(options, LOAD_OPTIONS, "load()");
    this.#requireOpen();
    const { refresh = false, signal, autoflush } = options;
    await this.#loads.load(rootsOf(this.#work, given, include), { refresh, signal, autoflush });
    return given;
  }

  /**
   * Copies an entity's values onto the one with the same key in this session, read from the database if need be; if there
   * is no such row, onto a new one. The entity itself stays where it is. Values that are `undefined` are not copied.
   *
   * @returns the entity of this session
   *
   * @see SQLAlchemy: `Session.merge`
   */
  async merge<E extends Entity>(entity: E, options: ReadOptions = NO_OPTIONS): Promise<E> {
    requireKnownOptions(options, READ_OPTIONS, "merge()");
    this.#requireOpen();
    // The merged entity is of the same class.
    return (await this.#reader.merge(entity, options)) as E;
  }

  /** Whether an entity differs from its row, or has none. @see SQLAlchemy: `Session.is_modified` */
  isModified(entity: Entity): boolean {
    return this.#work.isModified(entity);
  }

  /**
   * Makes columns of an entity count as changed, so that the next flush stores their values though they are those that the
   * session last saw: for a value that others may have changed meanwhile. A rollback, `refresh` or `expunge` takes it back.
   *
   * @param columns the properties; at least one
   * @throws {SessionError} if the entity is not persistent in this session
   * @throws {InvalidValueError} for a name that is not that of a column, and for keys, versions and generated columns
   *
   * @example
   * const account = await session.getOne(Account, 1);
   * account.status = "open";                 // the entity shows "open" already, and another session may have closed it
   * session.touch(account, "status");
   * await session.commit();                  // update "account" set "status" = 'open' …
   *
   * @see SQLAlchemy: `flag_modified`
   */
  touch<E extends Entity>(entity: E, ...columns: readonly [ColumnOf<E>, ...ColumnOf<E>[]]): void {
    this.#requireOpen();
    this.#work.touch(entity, columns);
  }

  /** Removes an entity; changes that were not stored are lost. @see SQLAlchemy: `Session.expunge` */
  expunge(entity: Entity): void {
    this.#requireOpen();
    this.#work.expunge(entity);
  }

  /** Removes all entities. @see SQLAlchemy: `Session.expunge_all` */
  expungeAll(): void {
    this.#requireOpen();
    this.#work.clear();
  }

  /**
   * The entity with a key, from the identity map if it is there, else from the database; null if there is no row.
   *
   * @param key the key's value, or for a composite key an object with each part
   * @throws {InvalidValueError} if the key is not one of the model's
   *
   * @example
   * await session.get(User, 1);
   * await session.get(Member, { userId: 1, groupId: 2 });
   *
   * @see SQLAlchemy: `Session.get`
   */
  get<M extends AnyModel>(
    model: M,
    key: PrimaryKeyOf<M>,
    options: GetOptions = NO_OPTIONS,
  ): Promise<InstanceType<M> | null> {
    return promised(() => {
      requireKnownOptions(options, GET_OPTIONS, "get()");
      this.#requireOpen();
      // The reader gives back an instance of the model that it was asked for.
      return this.#reader.get(resolveMapper(model), key, options) as Awaitable<InstanceType<M> | null>;
    });
  }

  /**
   * The same as {@link get}, where there has to be a row.
   *
   * @throws {NoResultError} if there is no such row
   *
   * @see SQLAlchemy: `Session.get_one`
   */
  async getOne<M extends AnyModel>(
    model: M,
    key: PrimaryKeyOf<M>,
    options: GetOptions = NO_OPTIONS,
  ): Promise<InstanceType<M>> {
    const entity = await this.get(model, key, options);
    if (entity !== null) return entity;
    const mapper = mapperOfClass(model);
    const { label, table } = mapper;
    throw new NoResultError(`Expected a row of ${label} with the given key, but found none.`, {
      bindKey: table.bindKey,
    });
  }

  /**
   * The same as {@link get}, where a row that is not there is the answer 404 to a request. That includes a key
   * that no row can have: a number out of range, text for a number, a malformed UUID.
   *
   * @param options `description`: what to tell the one who asked; `include`: relations to load with it
   * @throws {NotFoundError} if there is no such row
   *
   * @example
   * const user = await session.getOr404(User, Number(params.id), { description: "There is no such user." });
   *
   * @see Flask-SQLAlchemy: `db.get_or_404`
   */
  getOr404<M extends AnyModel>(
    model: M,
    key: PrimaryKeyOf<M>,
    options?: GetOptions & NotFoundOptions,
  ): Promise<InstanceType<M>>;
  getOr404<M extends AnyModel, const I extends IncludeOf<InstanceType<M>>>(
    model: M,
    key: PrimaryKeyOf<M>,
    options: GetOptions & NotFoundOptions & { readonly include: I & OnlyRelations<I, InstanceType<M>> },
  ): Promise<Loaded<InstanceType<M>, I>>;
  async getOr404<M extends AnyModel>(
    model: M,
    key: PrimaryKeyOf<M>,
    options: GetOptions & NotFoundOptions & { readonly include?: unknown } = NO_OPTIONS,
  ): Promise<InstanceType<M>> {
    requireKnownOptions(options, GET_OR_404_OPTIONS, "getOr404()");
    this.#requireOpen();
    const { description, include, ...read } = options;
    const mapper = resolveMapper(model);
    if (include !== undefined) includePlan(mapper, includeTree(include));
    const entity = mayBeKey(mapper, key) ? await this.get(model, key, read) : null;
    if (entity !== null) {
      if (include !== undefined) await this.#include(entity, include, read);
      return entity;
    }
    throw new NotFoundError(`There is no such ${mapper.name}.`, { bindKey: mapper.table.bindKey, description });
  }

  /**
   * Reads an entity's row again, also where the entity was changed.
   *
   * @param options `include`: relations to read again with it
   * @throws {SessionError} if the entity is not persistent here, or its row is gone
   *
   * @example
   * const user = await session.getOne(User, 7);
   * await session.refresh(user, { include: { posts: true } });
   *
   * @see SQLAlchemy: `Session.refresh`
   */
  async refresh<E extends Entity, const I extends IncludeOf<E> = IncludeOf<E>>(
    entity: E,
    options: ReadOptions & { readonly include?: (I & OnlyRelations<I, E>) | undefined } = NO_OPTIONS,
  ): Promise<void> {
    requireKnownOptions(options, REFRESH_OPTIONS, "refresh()");
    this.#requireOpen();
    const { include, ...read } = options;
    if (include !== undefined) includePlan(resolveMapperOfEntity(entity), includeTree(include));
    await this.#reader.refresh(entity, read);
    if (include !== undefined) await this.#include(entity, include, read);
  }

  /**
   * A statement that reads entities of a model, or a detached statement to be run here.
   *
   * @example
   * await session.select(User).where("name", "like", "a%").orderBy("id").limit(10).all();
   *
   * @see SQLAlchemy: `select(Model)`
   */
  select<M extends AnyModel | AnyAlias>(model: M): SelectOf<M>;
  select<DB, TB extends keyof DB, E, K extends BindKey, C>(statement: Select<DB, TB, E, K, C>): Select<DB, TB, E, K, C>;
  select(given: unknown): unknown {
    this.#requireOpen();
    // An argument that is not a select is a model, as the overloads say; `select` refuses everything else.
    const statement: { on(runner: SelectReader): unknown } =
      given instanceof Select ? given : select(given as AnyModel);
    return statement.on(this.#selects);
  }

  /**
   * A whole Kysely on one bind of this session: its statements run on the session's own connection, in its transaction.
   *
   * @throws {UnboundExecutionError} if no engine is configured for the bind
   *
   * @example
   * await session.kysely<AuthTables>("auth").selectFrom("user").selectAll().execute();
   */
  kysely<DB = Record<never, never>>(bindKey: BK | null): ModelKysely<DB> {
    this.#requireOpen();
    return sessionKysely(this.#host.router.forKey(bindKey), new SessionExecutor(this.#runner, bindKey));
  }

  /**
   * Runs any statement of Kysely's, SQL text included, on the engine of the tables in it; SQL text without tables runs
   * on the bind that is named, else on the default one. SQL text begins a transaction, unless `readOnly` says that it only
   * reads.
   *
   * @example
   * await session.execute(sql`select now()`, { bindKey: "auth", readOnly: true });
   *
   * @see SQLAlchemy: `Session.execute`
   */
  async execute<R = unknown>(
    statement: Statement & { readonly expressionType?: R | undefined },
    options: RunOptions & { readonly bindKey?: BK | null } = NO_OPTIONS,
  ): Promise<QueryResult<R>> {
    requireKnownOptions(options, EXECUTE_OPTIONS, "execute()");
    this.#requireOpen();
    const routed = this.#runner.prepareAny<R>(statement, options.bindKey);
    return this.#runner.run(routed, options);
  }

  /**
   * Stores what is pending, within the transaction.
   *
   * @throws {InvalidValueError | NotNullViolationError} for a value that a column cannot hold, before anything is sent
   * @throws {IntegrityError | OperationalError} what a database reports; then everything is rolled back
   *
   * @see SQLAlchemy: `Session.flush`
   */
  flush(): Promise<void> {
    return promised(() => {
      this.#requireOpen();
      this.#refuseInListener("flush()", ["beforeFlush", "afterFlush"]);
      const done = this.#lock.isFree && this.#flow.tryFlush();
      if (done === true) return undefined;
      return done === false ? this.#lock.runExclusive(() => this.#flow.flush()) : done;
    });
  }

  /**
   * Stores what is pending and commits every bind that has a transaction, in the order of configuration.
   *
   * @throws {PartialCommitError} if some binds committed and others did not
   *
   * @see SQLAlchemy: `Session.commit`
   */
  commit(): Promise<void> {
    return promised(() => {
      this.#requireOpen();
      this.#refuseInListener("commit()");
      this.#transactionFunctions?.requireNone("commit()");
      const done = this.#lock.isFree && this.#flow.tryCommit();
      if (done === true) return undefined;
      return done === false ? this.#lock.runExclusive(() => this.#flow.commit()) : done;
    });
  }

  /**
   * Rolls every bind back, and entities with them: new ones leave, changed ones are what they were.
   *
   * @see SQLAlchemy: `Session.rollback`
   */
  async rollback(): Promise<void> {
    this.#requireNotClosed();
    this.#refuseInListener("rollback()");
    this.#transactionFunctions?.requireNone("rollback()");
    await this.#lock.runExclusive(() => this.#flow.rollback());
  }

  /**
   * Begins a transaction to which every statement belongs from now on, on whatever bind, until `commit` or `rollback`.
   *
   * @throws {SessionError} if one has begun
   * @throws {FailedTransactionError} if a flush failed and `rollback` was not called since
   *
   * @see SQLAlchemy: `Session.begin`
   */
  begin(options: BeginOptions = NO_OPTIONS): void {
    requireKnownOptions(options, BEGIN_OPTIONS, "begin()");
    this.#requireOpen();
    this.#refuseInListener("begin()");
    this.#transactionFunctions?.requireNone("begin()");
    this.#begin(options);
  }

  /**
   * Begins a nested transaction over all binds: work within it can be undone alone. Pending work is stored
   * before.
   *
   * @see SQLAlchemy: `Session.begin_nested`
   */
  async beginNested(): Promise<NestedTransaction> {
    this.#requireOpen();
    this.#refuseInListener("beginNested()");
    this.#functions.requireOwn("beginNested()");
    return this.#beginNested();
  }

  /**
   * Runs a function in a transaction: commits when it returns, rolls back when it throws. Within such a function it is
   * a nested transaction. No database is named: each bind takes part from its first statement on.
   *
   * @param run gets the session
   * @returns what the function returns
   * @throws {ConcurrentTransactionError} if a transaction function runs on this session in other code
   *
   * @example
   * await session.transaction(async (tx) => {
   *   const from = await tx.getOne(Account, 1, { lock: true });
   *   from.balance -= 10n;
   * }, { retries: 3 });
   *
   * @see SQLAlchemy: `with session.begin():`
   */
  async transaction<T>(run: (tx: this) => Promise<T>, options: TransactionOptions = NO_OPTIONS): Promise<T> {
    // Code of a function that has ended may begin a transaction of its own.
    this.#requireNotEnded();
    this.#refuseInListener("transaction()");
    // A function that is not asynchronous may throw at once.
    return this.#functions.run(async () => run(this), options);
  }

  /**
   * Adds a listener of this session's doings.
   *
   * @returns a function that takes it away again
   *
   * @see SQLAlchemy: `event.listen(session, …)`
   */
  on<E extends SessionEvent>(event: E, listener: SessionEventMap<Session>[E]): () => void {
    return this.#events.on(event, listener);
  }

  /**
   * Runs a function without storing what is pending before the statements in it.
   *
   * @see SQLAlchemy: `Session.no_autoflush`
   */
  async noAutoflush<T>(run: () => T | Promise<T>): Promise<T> {
    return withoutAutoflush(this, run);
  }

  /**
   * Rolls back and removes all entities; the session stays usable.
   *
   * @see SQLAlchemy: `Session.close`
   */
  async reset(): Promise<void> {
    this.#requireNotClosed();
    this.#refuseInListener("reset()");
    this.#transactionFunctions?.requireNone("reset()");
    await this.#reset();
  }

  /**
   * Rolls back, removes all entities and returns every connection. The session cannot be used after it; statements
   * that run are ended, on the servers too where they can, what waits for its turn is refused, and a `transaction(fn)`
   * that is running fails. A flush or commit that has begun is finished before; if a server does not answer within its
   * `poolTimeout`, the connection is given up.
   */
  close(): Promise<void> {
    return this.end();
  }

  /**
   * @internal the same
   *
   * @param judge runs after all that was asked for before, and before what was not committed is rolled back
   */
  async end(judge?: () => void): Promise<void> {
    if (this.#closed) return;
    this.#refuseInListener("close()");
    this.#closed = true;
    const stop = this.#lock.isFree ? undefined : this.#giveUpLate();
    try {
      if (this.#isIdle) {
        this.#forget(judge);
      } else {
        this.#runner.interrupt(this.#closedError());
        await this.#reset(judge);
      }
    } finally {
      stop?.();
      this.#owner.end();
    }
  }

  /** The same as {@link close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @internal */
  protected override kyselyForm(): KyselyForm {
    this.#requireOpen();
    this.#form ??= kyselyForm(new SessionExecutor(this.#runner));
    return this.#form;
  }

  /** Reads relations of an entity, whether they are loaded or not. */
  #include(entity: Entity, include: unknown, { signal, autoflush }: ReadOptions): Promise<void> {
    return this.#selects.relations.load(rootsOf(this.#work, entity, include), { signal, autoflush, refresh: true });
  }

  get #reader(): EntityReader {
    this.#readerOfKeys ??= new EntityReader(this.#shared, this.#runner);
    return this.#readerOfKeys;
  }

  get #selects(): SelectReader {
    this.#readerOfSelects ??= new SelectReader(this.#shared, this.#runner);
    return this.#readerOfSelects;
  }

  get #loads(): LoadGatherer {
    this.#gatheredLoads ??= new LoadGatherer(this.#shared, this.#selects.relations);
    return this.#gatheredLoads;
  }

  get #functions(): TransactionFunctions {
    this.#transactionFunctions ??= new TransactionFunctions(this, {
      label: this.#owner.label,
      owner: this.#owner,
      begin: (settings) => this.#begin(settings),
      commit: () => {
        this.#requireNotEnded();
        const done = this.#lock.isFree && this.#flow.tryCommit();
        if (done === true) return undefined;
        if (done !== false) return done;
        return this.#lock.runExclusive(async () => {
          this.#requireNotEnded();
          await this.#flow.commit();
        });
      },
      rollback: () => this.#lock.runExclusive(() => this.#flow.rollback()),
      copyPending: () => {
        const copy = new PendingCopy(this.#work);
        return () => copy.restore();
      },
      beginNested: () => this.#beginNested(),
    });
    return this.#transactionFunctions;
  }

  #requireOpen(): void {
    this.#requireNotEnded();
    this.#transactionFunctions?.requireLive();
  }

  #requireNotEnded(): void {
    if (this.#closed) throw this.#closedError();
    this.#owner.signal?.throwIfAborted();
  }

  /** The same, also after the signal was aborted. */
  #requireNotClosed(): void {
    if (this.#closed) throw this.#closedError();
    this.#transactionFunctions?.requireLive();
  }

  #closedError(): SessionClosedError {
    return new SessionClosedError(`${this.#owner.label} was closed. A context's session ends with the context.`);
  }

  /** @throws {SessionError} if a listener of these events, of any by default, starts the work that surrounds it */
  #refuseInListener(what: string, events?: readonly string[]): void {
    if (this.#lock.isFree) return;
    for (const event of this.#lock.purposes) {
      if (events !== undefined && !events.includes(event)) continue;
      throw new SessionError(
        `${what} in a listener of ${event}, which runs within it. Listeners may read and change entities; what they change is stored in turn.`,
      );
    }
  }

  #begin(options: BeginOptions): void {
    if (this.#transactions.isExplicit || this.#transactions.isOpen) {
      throw new SessionError("A transaction has begun already. Commit or roll back first, or use `beginNested()`.");
    }
    this.#transactions.begin(settingsOf(options));
  }

  #beginNested(): Promise<NestedTransaction> {
    return this.#lock.runExclusive(async () => {
      this.#requireNotEnded();
      await this.#flow.flush();
      return new NestedTransaction(this.#transactions, this.#lock, () => this.#flow.flush());
    });
  }

  /** Whether nothing goes on, and there is no transaction. */
  get #isIdle(): boolean {
    const { isOpen, isExplicit } = this.#transactions;
    return this.#lock.isFree && !this.#runner.isRunning && !isOpen && !isExplicit;
  }

  /** Sets a limit to the wait for what goes on. Returns a function that takes it away. */
  #giveUpLate(): () => void {
    const limits = [...this.#host.engines].map(([, engine]) => engine.giveUpLate(this.#owner, this.#closedError()));
    return () => {
      for (const stop of limits) stop?.();
    };
  }

  #forget(judge: (() => void) | undefined): void {
    judge?.();
    this.#work.discardPending(() => true);
    this.#work.clear(true);
  }

  async #reset(judge?: () => void): Promise<void> {
    await this.#runner.endStreams();
    await this.#lock.runExclusive(async () => {
      judge?.();
      try {
        await this.#transactions.rollback();
      } finally {
        this.#work.clear(this.#closed);
      }
    });
  }

  static {
    const exemplar = new Session(NOWHERE);
    pinHiddenClass([exemplar, exemplar.#reader, exemplar.#selects, exemplar.preparedRunner]);
  }
}

function policyOf(
  policy: CommitPolicy,
  { decisions }: SessionHost,
): { readonly policy: CommitPolicy; readonly decisions: DecisionLog | undefined } {
  if (requirePolicy(policy) !== "twoPhase") return { policy, decisions: undefined };
  if (decisions !== undefined) return { policy, decisions };
  throw new InvalidOptionError(NO_DECISION_BIND);
}
