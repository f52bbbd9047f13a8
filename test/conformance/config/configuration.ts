import type { BindKey, Configuration } from "../../../src/index.ts";
import type { Fields } from "../read/fields.ts";
import { asObject } from "../read/json.ts";
import { keyOf } from "../read/keys.ts";
import type { Places } from "../run/places.ts";
import { bindValueOf, engineOptionsOf, urlOf } from "./engine-options.ts";

/** The configuration of an application as `db.init` takes it, from a case's `uri`, `binds` and so on. */
export function configurationOf(fields: Fields, places: Places): Configuration {
  const uri = fields.json("uri");
  const options = fields.json("app_engine_options");
  const echo = fields.json("echo");
  return {
    instancePath: places.instance,
    ...(uri === undefined ? {} : { databaseUri: uri === null ? null : urlOf(uri, places) }),
    ...(options === undefined
      ? {}
      : { engineOptions: engineOptionsOf(asObject(options, "app_engine_options"), places) }),
    ...(echo === undefined ? {} : { echo: echo as boolean }),
    recordQueries: fields.flag("record_queries"),
    ...bindsOf(fields, places),
  };
}

function bindsOf(fields: Fields, places: Places): Pick<Configuration, "binds"> {
  if (!fields.has("binds")) return {};
  const entries = Object.entries(fields.object("binds")).map(([label, value]): [BindKey, unknown] => [
    keyOf(label),
    bindValueOf(value, places),
  ]);
  // A key that is null needs a Map, and one that looks like a number an order; the others are written as most would.
  const binds = entries.some(([key]) => key === null || /^\d+$/.test(key))
    ? new Map(entries)
    : Object.fromEntries(entries);
  return { binds } as Pick<Configuration, "binds">;
}
