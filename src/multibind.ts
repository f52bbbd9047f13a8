import type { BindKey } from "./bind-key.ts";
import { Application } from "./context/application.ts";
import type { BindChoice, DropChoice } from "./context/bind-selection.ts";
import { type Configuration, resolveConfiguration } from "./context/configuration.ts";
import { currentContext } from "./context/context.ts";
import { type Engines, unitedEngines } from "./context/engines.ts";
import type { Engine } from "./engine/engine.ts";
import type { EngineOptions } from "./engine/options/engine-options.ts";
import { InvalidOptionError } from "./errors/configuration.ts";
import { NoContextError } from "./errors/context.ts";
import { fixProperty } from "./fixed-property.ts";
import { isPlainObject, requireKnownOptions } from "./known-options.ts";
import {
  defineAbstractModel,
  defineModel,
  defineTable,
  type ModelRegistry,
  mapTable,
  registerClass,
} from "./model/define-model.ts";
import type { Entity } from "./model/entity.ts";
import type { AbstractClass, AnyModel, ModelClass, ModelOptions, NewRootRow, Selected } from "./model/model-types.ts";
import { checkRelations, checkWhatIsDefined } from "./model/relations/check-relations.ts";
import { relate } from "./model/relations/relate.ts";
import type { Relations } from "./model/relations/relation.ts";
import type { ColumnsOf, Relater, RelationFacts, RelationNames } from "./model/relations/relation-types.ts";
import { requireSupportedNode } from "./node-version.ts";
import type { KyselyForm } from "./query/kysely-form.ts";
import { KyselyStatements } from "./query/kysely-statements.ts";
import type { UnknownParameters } from "./query/prepared/parameters.ts";
import { type Preparable, type Prepared, prepare, type StatementBuilder } from "./query/prepared/prepare.ts";
import type { Columns } from "./schema/column.ts";
import type { Metadata, Redefinition } from "./schema/metadata.ts";
import { Metadatas } from "./schema/metadatas.ts";
import { type NamingConvention, resolvedNaming } from "./schema/naming-convention.ts";
import { snakeCase } from "./schema/snake-case.ts";
import { Table, type TableOptions } from "./schema/table.ts";
import { Router } from "./session/router.ts";
import type { Session } from "./session/session.ts";
import { type SessionEvent, type SessionEventMap, SessionEvents } from "./session/session-events.ts";

requireSupportedNode();

/** Options of a `db` object, the same for all of its applications. */
export interface MultibindOptions {
  /** Options of every engine; a configuration's own go over them. @see Flask-SQLAlchemy: `SQLAlchemy(engine_options=…)` */
  readonly engineOptions?: EngineOptions;
  /** The name of this object in error messages. Defaults to `Multibind 1`, `Multibind 2`, … in the order of creation. */
  readonly name?: string;
  /**
   * The names of constraints without a name of their own, on all binds. Defaults to `pk_{table}`, `uq_{table}_{columns}`,
   * `ix_{table}_{columns}`, `fk_{table}_{columns}_{referredTable}` and `ck_{table}_{condition}`; `null` names only indexes.
   */
  readonly namingConvention?: NamingConvention | null;
  /** What columns are called in the database that have no name of their own: like the property, unless `"snake_case"`. */
  readonly columnNames?: "same" | "snake_case";
  /** What becomes of a table that is defined twice: an error, unless `"replace"`, for servers that load modules again. */
  readonly redefine?: Redefinition;
}

const OPTIONS: readonly (keyof MultibindOptions)[] = [
  "name",
  "engineOptions",
  "namingConvention",
  "columnNames",
  "redefine",
];

let multibinds = 0;

/**
 * The one object of an application for all of its databases: models and tables are defined with it, and within a
 * context it knows the session and the engines.
 *
 * @typeParam BK the allowed bind keys, as a union of strings; defaults to any string
 *
 * @example
 * export const db = new Multibind<"meta" | "auth">();
 *
 * @see Flask-SQLAlchemy: `SQLAlchemy`
 */
export class Multibind<BK extends string = string> extends KyselyStatements {
  /** The metadata of every bind key. @see Flask-SQLAlchemy: `SQLAlchemy.metadatas` */
  readonly metadatas: Metadatas;
  readonly #registry: ModelRegistry;
  readonly #events = new SessionEvents<Session>();
  readonly #engineOptions: EngineOptions;
  readonly #related = new Set<Relations>();
  /** Held weakly: an application that is forgotten without being disposed is gone. */
  #applications: readonly WeakRef<Application<BK>>[] = [];

  /** @throws {InvalidOptionError} on an unknown option or value */
  constructor(options: MultibindOptions = {}) {
    super();
    requireKnownOptions(options, OPTIONS, "Multibind");
    const { name, columnNames = "same", redefine = "error" } = options;
    if (!["same", "snake_case"].includes(columnNames))
      throw new InvalidOptionError('columnNames is "same" or "snake_case".');
    if (!["error", "replace"].includes(redefine)) throw new InvalidOptionError('redefine is "error" or "replace".');
    if (options.engineOptions !== undefined && !isPlainObject(options.engineOptions))
      throw new InvalidOptionError("Expected engineOptions to be a plain object with options of every engine.");
    const namingConvention = resolvedNaming(options.namingConvention);
    if (name !== undefined && (typeof name !== "string" || name === ""))
      throw new InvalidOptionError("Expected the name of a Multibind object to be a non-empty string.");
    this.metadatas = new Metadatas(name ?? `Multibind ${++multibinds}`, { namingConvention, redefine });
    fixProperty(this, "metadatas");
    this.#registry = {
      metadatas: this.metadatas,
      columnName: columnNames === "snake_case" ? snakeCase : undefined,
      redefine,
    };
    this.#engineOptions = { ...options.engineOptions };
  }

  /** The default bind's metadata. @see Flask-SQLAlchemy: `SQLAlchemy.metadata` */
  get metadata(): Metadata {
    return this.metadatas.get(null);
  }

  /**
   * Describes a table without a class. The bind key is fixed for good.
   *
   * @throws {DuplicateTableError} if the bind has a table of this name
   *
   * @example
   * const tag = db.table("tag", { id: integer().primaryKey(), label: text() }, { bindKey: "meta" });
   *
   * @see Flask-SQLAlchemy: `db.Table(…, bind_key=…)`
   */
  table<N extends string, C extends Columns, K extends BK | null = null>(
    name: N,
    columns: C,
    options: TableOptions<keyof C & string> & { readonly bindKey?: K } = {},
  ): Table<C, N, K> {
    // The untyped function makes what its arguments say.
    return defineTable(this.#registry, name, columns, options) as unknown as Table<C, N, K>;
  }

  /**
   * Makes the class of a model, to be extended by the application's own; or maps one to a table that is there already,
   * such as a reflected one. The bind key is fixed for good.
   *
   * @throws {DuplicateTableError} if the bind has a table of this name
   * @throws {SchemaError} if the table has no primary key
   *
   * @example
   * class User extends db.model("user", { id: integer().primaryKey(), name: varchar(80) }, { bindKey: "auth" }) {
   *   get initials() { return this.name.slice(0, 1); }
   * }
   *
   * @see Flask-SQLAlchemy: `class User(db.Model)` with `__bind_key__`
   */
  model<
    N extends string,
    C extends Columns,
    K extends BK | null = null,
    D extends keyof C & string = never,
    I extends Selected<C[D]> = never,
  >(
    name: N,
    columns: C,
    options?: ModelOptions<K, D, I, keyof C & string>,
  ): ModelClass<C, N, K, BK, D, NewRootRow<C, D, I>>;
  model<C extends Columns, N extends string, K extends BindKey>(table: Table<C, N, K>): ModelClass<C, N, K, BK, never>;
  model(
    given: string | Table,
    columns: Columns = {},
    options: ModelOptions<BK | null, string, unknown, string> = {},
  ): never {
    const model =
      given instanceof Table
        ? mapTable(this.#registry, given, {})
        : defineModel(this.#registry, given, columns, options);
    // The untyped functions make what their arguments say; the overloads say it in types.
    return model as never;
  }

  /**
   * Makes a base without a table: models that extend it get its columns, and its bind key unless they say otherwise.
   *
   * @example
   * const Audited = db.abstractModel({ createdAt: timestamp().default(() => new Date()) }, { bindKey: "meta" });
   * class Event extends Audited.extend("event", { id: integer().primaryKey() }) {}
   *
   * @see Flask-SQLAlchemy: `__abstract__ = True` with `__bind_key__`
   */
  abstractModel<C extends Columns, K extends BK | null = null>(
    columns: C,
    options: { readonly bindKey?: K } = {},
  ): AbstractClass<typeof Entity, C, K, BK, C> {
    requireKnownOptions(options, ["bindKey"], "an abstract model");
    // The untyped function makes what its arguments say.
    return defineAbstractModel(this.#registry, columns, options.bindKey ?? null) as unknown as AbstractClass<
      typeof Entity,
      C,
      K,
      BK,
      C
    >;
  }

  /**
   * Makes a class known as the one that rows of its model become, for classes that are read through their parent.
   *
   * @example
   * class Car extends Vehicle.extend({ doors: integer() }, { identity: "car" }) { static { db.register(this); } }
   *
   * @throws {ModelClassError} if the model has another class
   */
  register(model: AnyModel): void {
    registerClass(model);
  }

  /**
   * Checks all models that are defined by now: every foreign key leads to a table of its bind, and every bind key of a
   * table has an engine. Within a context the engine must be one of the context's application, as `app.check()` checks;
   * outside of one, of any application of this object. Before the first `init` only foreign keys are checked.
   *
   * @throws {CrossBindForeignKeyError} if a foreign key leads to a table of another bind
   * @throws {UnknownTableError} if one leads nowhere
   * @throws {UnboundExecutionError} if tables have bind keys without an engine
   *
   * @example
   * test("every model has a database", () => db.check());
   *
   * @see SQLAlchemy: `configure_mappers`, which checks the models but not their binds
   */
  check(): void {
    for (const relations of this.#relations()) checkRelations(relations);
    const here = this.#currentContext();
    if (here !== undefined) {
      here.application.check();
      return;
    }
    this.metadatas.check();
    const engines = this.#openApplications().map((application) => application.engines);
    if (engines.length > 0) new Router(this.metadatas, unitedEngines(engines)).check();
  }

  /**
   * Makes an application: checks a configuration and prepares its engines. Nothing is connected before the first
   * statement, and a database that is down does not stop the others.
   *
   * @throws {ConfigurationError} saying what is wrong, before any I/O
   *
   * @example
   * const app = db.init({
   *   databaseUrl: "postgresql:///main",
   *   binds: { meta: "sqlite:////path/to/meta.db", auth: { url: "mysql://localhost/users", poolRecycle: 3600 } },
   * });
   *
   * @see Flask-SQLAlchemy: `SQLAlchemy.init_app`
   */
  init(configuration: Configuration<BK>): Application<BK> {
    const resolved = resolveConfiguration(configuration, this.#engineOptions);
    const application = new Application<BK>(resolved, { db: this, metadatas: this.metadatas, events: this.#events });
    for (const { bindKey } of resolved.engines) this.metadatas.ensure(bindKey);
    this.metadatas.check();
    for (const relations of this.#relations()) checkWhatIsDefined(relations);
    const { problem } = application.router;
    if (problem !== undefined)
      process.emitWarning(problem, { type: "MultibindWarning", code: "MULTIBIND_UNBOUND_MODELS" });
    this.#applications = [...this.#openApplications(), application].map((one) => new WeakRef(one));
    return application;
  }

  /**
   * Says how the relations are stored that a model's class declares: by which columns, in whatever bind. Targets are
   * functions, so that modules may import each other; they are asked for by `init`, or at the first use.
   *
   * @param model the application's class
   * @param say makes the facts, one for each relation that the class declares
   * @throws {SchemaError} if a relation has the name of another member, or was said before
   *
   * @example
   * class User extends db.model("user", { id: integer().primaryKey(), name: varchar(80) }, { bindKey: "auth" }) {
   *   declare readonly posts: ToMany<Post>;
   *   static { db.relate(this, (r) => ({ posts: r.hasMany(() => Post, "authorId") })); }
   * }
   *
   * @see SQLAlchemy: `relationship()`
   */
  relate<M extends AnyModel>(model: M, say: (r: Relater<ColumnsOf<M>>) => RelationFacts<InstanceType<M>>): void;
  /**
   * Says the relations of a child that its parent does not have.
   *
   * @param model the child's class
   * @param parent a class that it extends, whose relations are the child's too
   * @param say makes the facts, one for each relation that the child adds
   * @throws {SchemaError} also if the child's rows are not rows of the parent, as those of a concrete child are not
   *
   * @example
   * class Car extends Vehicle.extend({ doors: integer() }, { identity: "car" }) {
   *   declare readonly garage: ToOne<Garage | null>;
   *   static { db.relate(this, Vehicle, (r) => ({ garage: r.hasOne(() => Garage, "carId") })); }
   * }
   */
  relate<M extends AnyModel, P extends AnyModel>(
    model: M,
    parent: P,
    say: (r: Relater<ColumnsOf<M>>) => Omit<RelationFacts<InstanceType<M>>, RelationNames<InstanceType<P>>>,
  ): void;
  relate(model: AnyModel, ...given: readonly unknown[]): void {
    this.#related.add(relate(model, given));
  }

  /** The relations of classes that were not defined anew since. */
  #relations(): Iterable<Relations> {
    for (const relations of this.#related) {
      const { owner } = relations;
      const isDefined = this.metadatas.find(owner.table.bindKey, owner.table.fullName) === owner.table;
      if (!isDefined || ![...owner.root.family()].includes(owner)) this.#related.delete(relations);
    }
    return this.#related;
  }

  /** The context's application. @throws {NoContextError} outside of a context */
  get application(): Application<BK> {
    return this.#application("db.application");
  }

  /** The context's session. @throws {NoContextError} outside of a context @see Flask-SQLAlchemy: `SQLAlchemy.session` */
  get session(): Session<BK> {
    return this.#sessionFor("db.session");
  }

  /** The engines of the context's application. @throws {NoContextError} outside of a context @see Flask-SQLAlchemy: `SQLAlchemy.engines` */
  get engines(): Engines<BK> {
    return this.#application("db.engines").engines;
  }

  /** The default engine of the context's application. @throws {NoContextError} outside of a context @see Flask-SQLAlchemy: `SQLAlchemy.engine` */
  get engine(): Engine {
    return this.#application("db.engine").engine;
  }

  /** Creates tables, see {@link Application.createAll}. @throws {NoContextError} outside of a context */
  async createAll(choice?: BindChoice<BK | null>): Promise<void> {
    await this.#application("db.createAll").createAll(choice);
  }

  /** Drops tables, see {@link Application.dropAll}. @throws {NoContextError} outside of a context */
  async dropAll(choice?: DropChoice<BK | null>): Promise<void> {
    await this.#application("db.dropAll").dropAll(choice);
  }

  /** Reads tables from the databases, see {@link Application.reflect}. @throws {NoContextError} outside of a context */
  async reflect(choice?: BindChoice<BK | null>): Promise<void> {
    await this.#application("db.reflect").reflect(choice);
  }

  /** A statement that reads entities, see {@link Session.select}. @throws {NoContextError} outside of a context */
  get select(): Session<BK>["select"] {
    const session = this.#sessionFor("db.select");
    return session.select.bind(session) as Session<BK>["select"];
  }

  /** Reads an entity that has to be there, see {@link Session.getOr404}. @throws {NoContextError} outside of a context */
  get getOr404(): Session<BK>["getOr404"] {
    const session = this.#sessionFor("db.getOr404");
    return session.getOr404.bind(session);
  }

  /**
   * Prepares a statement: it is built here, compiled once for each engine, and run many times with other values, by the
   * session of the context. Running it converts the values and sends them, and does nothing else.
   *
   * @param build gets `p`, which names a parameter where a value may stand, and `qb`, which begins statements of Kysely's
   * form. The type that its `p` is given says what parameters there are; without one their names and values are checked
   * only when the statement runs.
   *
   * @example
   * const userById = db.prepare((p: Params<{ id: number }>) => select(User).where("id", "=", p("id")));
   * await userById.one({ id: 1 });
   *
   * const rename = db.prepare((p: Params<{ id: number; name: string }>, qb) =>
   *   qb.updateTable(User).set({ name: p("name") }).where("id", "=", p("id")));
   * await rename.execute({ id: 1, name: "ada" });
   *
   * @see SQLAlchemy: `bindparam`; the cache of compiled statements
   */
  prepare<S extends Preparable, P extends object = UnknownParameters>(build: StatementBuilder<S, P>): Prepared<S, P> {
    return prepare(build, () => this.#sessionFor("a prepared statement").preparedRunner);
  }

  /**
   * Adds a listener of what all sessions do, in every application.
   *
   * @returns a function that takes it away again
   *
   * @see Flask-SQLAlchemy: `models_committed.connect`
   */
  on<E extends SessionEvent>(event: E, listener: SessionEventMap<Session>[E]): () => void {
    return this.#events.on(event, listener);
  }

  /** @internal */
  protected override kyselyForm(method: keyof KyselyForm): KyselyForm {
    return this.#sessionFor(`db.${method}`);
  }

  /** The applications that are in use. */
  #openApplications(): Application<BK>[] {
    return this.#applications.flatMap((reference) => {
      const application = reference.deref();
      return application === undefined || application.isDisposed ? [] : [application];
    });
  }

  #currentContext() {
    return currentContext(({ application }) => application.db === this);
  }

  #context(what: string) {
    const context = this.#currentContext();
    if (context === undefined) throw new NoContextError(what);
    return context;
  }

  #application(what: string): Application<BK> {
    // The context's application is one of this object's own.
    return this.#context(what).application as unknown as Application<BK>;
  }

  #sessionFor(what: string): Session<BK> {
    return this.#context(what).session as unknown as Session<BK>;
  }
}
