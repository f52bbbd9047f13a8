import { DatabaseUrl, type DatabaseUrlParts, type EngineOptions } from "../../../src/index.ts";
import { Fields } from "../read/fields.ts";
import { isObject, type Json, type JsonObject } from "../read/json.ts";
import type { Places } from "../run/places.ts";

/** Options of SQLAlchemy that are spelled otherwise here, and mean the same. */
const SPELLED: Readonly<Record<string, string>> = { connect_args: "driverOptions" };

/** Options of SQLAlchemy that mean nothing here. An engine refuses each by its name; a port leaves them out. */
export const WITHOUT_MEANING: ReadonlySet<string> = new Set([
  "echo_pool",
  "encoding",
  "execution_options",
  "future",
  "hide_parameters",
  "json_deserializer",
  "json_serializer",
  "logging_name",
  "max_overflow",
  "pool",
  "poolclass",
  "pool_events",
  "pool_logging_name",
  "pool_reset_on_return",
  "pool_use_lifo",
  "query_cache_size",
]);

/** A database's URL as a case writes it: text, or the parts of a URL object. */
export function urlOf(value: Json, places: Places): string | DatabaseUrl {
  if (typeof value === "string") return places.fill(value);
  const fields = new Fields(value, "a URL");
  const inner = fields.json("$url")!;
  fields.end();
  if (typeof inner === "string") return DatabaseUrl.parse(places.fill(inner));
  const parts = new Fields(inner, "a URL object");
  const query = parts.object("query");
  const host = parts.optionalText("host");
  const port = parts.json("port") as number | undefined;
  const database = parts.optionalText("database");
  const made: DatabaseUrlParts = {
    scheme: parts.text("drivername"),
    username: parts.optionalText("username"),
    password: parts.optionalText("password"),
    hosts: host === undefined ? [] : [port === undefined ? { host } : { host, port }],
    database: database === undefined ? undefined : places.fill(database),
    query: Object.fromEntries(Object.entries(query).map(([name, one]) => [name, String(one)])),
  };
  parts.end();
  return new DatabaseUrl(made);
}

/** Engine options in multibind's spelling; those without meaning here are left out. */
export function engineOptionsOf(options: JsonObject, places: Places): EngineOptions {
  const entries = Object.entries(options).filter(([name]) => !WITHOUT_MEANING.has(name));
  // A case may give what no engine takes: that is what it is about.
  return Object.fromEntries(
    entries.map(([name, value]) => [SPELLED[name] ?? camelCase(name), name === "url" ? urlOf(value, places) : value]),
  ) as EngineOptions;
}

/** The value of a bind: a URL, options, or whatever else a case puts there. */
export function bindValueOf(value: Json, places: Places): unknown {
  if (typeof value === "string" || (isObject(value) && Object.hasOwn(value, "$url"))) return urlOf(value, places);
  return isObject(value) ? engineOptionsOf(value, places) : value;
}

function camelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
