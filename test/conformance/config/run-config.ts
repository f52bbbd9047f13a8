import { existsSync } from "node:fs";
import {
  type Application,
  type Configuration,
  type Engine,
  type EngineOptions,
  InvalidOptionError,
  Multibind,
  sql,
} from "../../../src/index.ts";
import { Metadata } from "../../../src/schema/metadata.ts";
import { Session } from "../../../src/session/session.ts";
import { errorResult } from "../compare/errors.ts";
import type { Case } from "../read/cases.ts";
import { Fields } from "../read/fields.ts";
import { FormatError, isObject, type Json, type JsonObject } from "../read/json.ts";
import { keyOf, labelOf } from "../read/keys.ts";
import { Places } from "../run/places.ts";
import { configurationOf } from "./configuration.ts";
import { engineOptionsOf, WITHOUT_MEANING } from "./engine-options.ts";

/** Initialises the applications of a configuration case, one after the other, and tells what came of each. */
export async function runConfigCase({ inputs }: Case): Promise<JsonObject[]> {
  await using places = await Places.make();
  const fields = new Fields(inputs, "inputs");
  const common = engineOptionsOf(fields.object("engine_options"), places);
  const db = new Multibind({ engineOptions: common });
  const results: JsonObject[] = [];
  for (const app of fields.list("apps")) {
    results.push(await runApplication(db, common, new Fields(app, "an application"), places, app));
  }
  fields.end();
  return results;
}

async function runApplication(
  db: Multibind,
  common: EngineOptions,
  fields: Fields,
  places: Places,
  input: Json,
): Promise<JsonObject> {
  const inits = (fields.json("init") as number | undefined) ?? 1;
  const replaced = fields.flag("unregister_between");
  const second = fields.flag("second_instance");
  const access = fields.texts("access");
  const outside = fields.texts("access_outside");
  // What the original leaves in its configuration has no counterpart: ours is an argument.
  fields.ignore("report_config");
  const after = fields.json("after_init");
  const configuration = configurationOf(fields, places);
  fields.end();
  const before = frozenCopy(configuration);
  const directoryBefore = existsSync(places.instance);
  const applications: Application[] = [];
  const result: Record<string, Json> = { ...refusedByName(input) };
  try {
    for (let count = 0; count < inits; count++) applications.push(db.init(configuration));
    if (second) applications.push(new Multibind({ engineOptions: common }).init(configuration));
  } catch (error) {
    Object.assign(result, errorResult(error));
  }
  if (after !== undefined) Object.assign(configuration, configurationOf(settings(after), places));
  else if (!isSame(before, configuration)) result["configuration_was_changed"] = true;
  const own = second ? applications.slice(0, -1) : applications;
  const [first, last] = [own[0], own.at(-1)];
  result["directory_made_by_init"] = existsSync(places.instance) && !directoryBefore;
  result["made_in_order"] = own.flatMap((application) =>
    [...application.engines].map(([, engine]) => engineFacts(engine, places)),
  );
  if (replaced && first !== undefined && last !== undefined)
    result["default_engine_replaced"] = first.engine !== last.engine;
  if (last !== undefined) result["engine_keys"] = [...last.engines.keys()].map(labelOf);
  else if (inits === 0) result["engine_keys"] = attempt(() => [...db.engines.keys()].map(labelOf));
  result["metadata_keys"] = [...db.metadatas.keys()].map(labelOf);
  if (access.length > 0) result["access"] = await last!.run(() => accessed(db, access, places));
  if (outside.length > 0) result["access_outside"] = accessed(db, outside, places);
  for (const application of applications) await connectToFiles(application);
  result["instance_directory_created"] = existsSync(places.instance);
  for (const application of applications) await application.dispose();
  return result;
}

/** Options of the case that the port leaves out: whether each is refused by its name when it is not left out. */
function refusedByName(input: Json): JsonObject {
  const names = [...WITHOUT_MEANING].filter((name) => JSON.stringify(input).includes(`"${name}"`));
  if (names.length === 0) return {};
  const refused = names.filter((name) => {
    try {
      new Multibind().init({ databaseUri: "sqlite://", engineOptions: { [name]: {} } as EngineOptions });
      return false;
    } catch (error) {
      return error instanceof InvalidOptionError && error.message.includes(`"${name}"`);
    }
  });
  return { refused_by_name: refused };
}

function engineFacts(engine: Engine, places: Places): Json {
  const { url, options } = engine;
  const text = places.hide(url!.render({ hidePassword: false }));
  const common = {
    url: text,
    echo: options.echo === true,
    pool_pre_ping: options.poolPrePing,
    pool_recycle: options.poolRecycle === undefined ? -1 : options.poolRecycle / 1000,
  };
  return {
    key: labelOf(engine.bindKey),
    options: {
      ...common,
      pool_size: options.poolSize,
      pool_timeout: options.poolTimeout / 1000,
      isolation_level: options.isolationLevel ?? null,
    },
    engine: common,
  };
}

function accessed(db: Multibind, names: readonly string[], places: Places): JsonObject {
  const urlOf = (engine: Engine) => places.hide(engine.url!.render({ hidePassword: false }));
  return Object.fromEntries(
    names.map((name) => {
      const [what, key] = name.split(":");
      return [
        name,
        attempt(() => {
          if (what === "engine") return urlOf(db.engine);
          if (what === "engines" || what === "get_engine") return urlOf(db.engines.get(keyOf(key!)));
          if (what === "session") return db.session instanceof Session ? "scoped_session" : "no session";
          if (what === "metadata") return db.metadata instanceof Metadata ? "MetaData" : "no metadata";
          throw new FormatError(`the case looks at ${name}, which this runner does not know`);
        }),
      ];
    }),
  );
}

/** Connects to every SQLite database: that makes the instance directory where one is needed. */
async function connectToFiles(application: Application): Promise<void> {
  for (const [key, engine] of application.engines) {
    if (engine.family.name !== "sqlite") continue;
    const session = application.session();
    const { log } = console;
    // What an engine with echo says of this statement is nothing of the case's.
    if (engine.options.echo === true) console.log = () => {};
    // A file whose own directory is missing cannot be opened; only the instance directory is looked at.
    await session.execute(sql`select 1`, { bindKey: key, readOnly: true }).catch(() => {});
    console.log = log;
    await session.close();
  }
}

function settings(after: Json): Fields {
  const names: Readonly<Record<string, string>> = {
    SQLALCHEMY_DATABASE_URI: "uri",
    SQLALCHEMY_BINDS: "binds",
    SQLALCHEMY_ENGINE_OPTIONS: "app_engine_options",
    SQLALCHEMY_ECHO: "echo",
  };
  if (!isObject(after)) throw new FormatError("after_init is not an object");
  return new Fields(
    Object.fromEntries(Object.entries(after).map(([name, value]) => [names[name] ?? name, value])),
    "after_init",
  );
}

function attempt(run: () => Json): Json {
  try {
    return run();
  } catch (error) {
    if (error instanceof FormatError) throw error;
    return errorResult(error);
  }
}

function frozenCopy({ binds, ...rest }: Configuration): string {
  return JSON.stringify([rest, binds instanceof Map ? [...binds] : binds]);
}

function isSame(before: string, configuration: Configuration): boolean {
  return before === frozenCopy(configuration);
}
