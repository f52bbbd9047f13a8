import { mkdir } from "node:fs/promises";
import {
  type Application,
  type BindKey,
  type Context,
  Multibind,
  type NestedTransaction,
  type Page,
  type Session,
} from "../../../src/index.ts";
import { configurationOf } from "../config/configuration.ts";
import { engineOptionsOf } from "../config/engine-options.ts";
import { Fields } from "../read/fields.ts";
import type { Json, JsonObject } from "../read/json.ts";
import { ChosenBinds } from "../run/chosen-binds.ts";
import { Databases } from "../run/databases.ts";
import { Objects } from "../run/objects.ts";
import { Places } from "../run/places.ts";
import { Recorder } from "../run/recorder.ts";
import { SchemaBuilder } from "../schema/builder.ts";
import { type Built, buildStatement } from "../statements/statement.ts";

/** Everything that the steps of one case work with. */
export class World implements AsyncDisposable {
  readonly db: Multibind;
  readonly schema: SchemaBuilder;
  readonly application: Application;
  readonly databases: Databases;
  readonly recorder: Recorder;
  readonly chosen: ChosenBinds;
  readonly objects = new Objects();
  /** The contexts that were entered and not left, innermost last. */
  readonly contexts: Context[] = [];
  /** The pages that were named. */
  readonly pages = new Map<string, Page<object>>();
  readonly savepoints = new Map<string, NestedTransaction>();
  /** Sessions in the order in which they were seen. */
  readonly sessions: Session[] = [];
  /** What was announced since the last look. */
  readonly signals: Json[] = [];
  /** Whether statements store what is pending before them. */
  autoflush = true;
  readonly #places: Places;

  private constructor(places: Places, databases: Databases, config: JsonObject, options: WorldOptions) {
    const fields = new Fields(config, "config");
    this.#places = places;
    this.databases = databases;
    this.db = new Multibind({ engineOptions: engineOptionsOf(fields.object("engine_options"), places) });
    this.schema = new SchemaBuilder(this.db);
    if (options.modelsFirst) this.#define(options.schema);
    this.application = this.db.init({
      ...configurationOf(fields, places),
      ...(options.twoPhase ? { commitPolicy: "twoPhase" } : {}),
    });
    // What is announced is asked for in steps, not in the configuration.
    fields.ignore("track_modifications");
    fields.end();
    if (!options.modelsFirst) this.#define(options.schema);
    this.recorder = new Recorder(this.application.engines);
    this.chosen = new ChosenBinds(this.application);
    databases.attach(this.application, this.recorder, this.chosen);
  }

  /** Makes the databases, the application and the schema of a case; throws what the schema throws. */
  static async make(config: JsonObject, options: WorldOptions): Promise<World> {
    const places = await Places.make();
    // Others than the application reach the files too, also before it does.
    await mkdir(places.instance);
    const databases = new Databases(options.twoPhase);
    try {
      return new World(places, databases, await databases.withPostgres(config), options);
    } catch (error) {
      await databases[Symbol.asyncDispose]();
      await places[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The innermost context's session; outside of every context what the `db` says to that. */
  get session(): Session {
    return this.contexts.at(-1)?.session ?? this.db.session;
  }

  /** Enters another context within the innermost. */
  enterContext(): void {
    const make = () => this.application.context();
    const around = this.contexts.at(-1);
    this.contexts.push(around === undefined ? make() : around.run(make));
  }

  /** Leaves the innermost context. */
  async exitContext(): Promise<void> {
    await this.contexts.pop()?.close();
  }

  /** Does something within the innermost context, with autoflush as the case has it. */
  inContext<T>(work: () => Promise<T>): Promise<T> {
    const context = this.contexts.at(-1);
    if (context === undefined) return work();
    return context.run(() => (this.autoflush ? work() : context.session.noAutoflush(work)));
  }

  /** Builds a statement of the case. */
  statement(value: Json, params?: Json): Built {
    return buildStatement(value, this.session, this.schema, params);
  }

  /** The binds that are configured. */
  get bindKeys(): BindKey[] {
    return [...this.application.engines.keys()];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.recorder.unseen(async () => {
      while (this.contexts.length > 0) await this.exitContext();
      await this.databases[Symbol.asyncDispose]();
    });
    await this.#places[Symbol.asyncDispose]();
  }

  #define(schema: readonly Json[]): void {
    for (const item of schema) this.schema.define(item);
  }
}

/** What else makes a world. */
export interface WorldOptions {
  readonly schema: readonly Json[];
  /** Whether the classes are there before the application is. */
  readonly modelsFirst: boolean;
  /** Whether sessions commit in two phases. */
  readonly twoPhase: boolean;
}
