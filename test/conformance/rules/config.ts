import { posix } from "node:path";
import { errorIn, ourError } from "../compare/errors.ts";
import { type Normalisation, ofBoth, ofExpected } from "../compare/normalisation.ts";
import { WITHOUT_MEANING } from "../config/engine-options.ts";
import { isList, isObject, type Json, type JsonObject, memberOf } from "../read/json.ts";
import { mapMembers, without } from "../read/objects.ts";

/** What normalisations of a configuration case may look at. */
export interface ConfigSubject {
  /** The application as the case describes it. */
  readonly input: JsonObject;
  /** The keys that metadata had before this application was initialised. */
  readonly earlierKeys: readonly string[];
}

type ConfigNormalisation = Normalisation<JsonObject, ConfigSubject>;

/** Where multibind's configuration differs from the original's in whole classes of cases. */
export const configNormalisations: readonly ConfigNormalisation[] = [
  {
    name: "python-pools",
    why:
      "The class and the echo of SQLAlchemy's pools and the arguments of Python's drivers have no counterpart in Node: they are " +
      "left out of what is compared, and the options of that kind are refused by name. `url_form` tells strings from URL objects, which are the same here.",
    apply: ofExpected((app, { input }) => {
      const refused = [...WITHOUT_MEANING].filter((name) => JSON.stringify(input).includes(`"${name}"`));
      const made = mapMade(app, (one) => ({
        ...without(one, ["url_form"]),
        options: without(one["options"], [...WITHOUT_MEANING, "connect_args"]),
        engine: isObject(one["engine"]) ? without(one["engine"], ["pool", "pool_echo"]) : one["engine"]!,
      }));
      return refused.length === 0 ? made : { ...made, refused_by_name: refused };
    }),
  },
  {
    name: "options-reach-an-engine",
    why: "Engine options of the application without a default URL beside them reach no engine in the original, in silence. Here that is an error.",
    apply: ofExpected((app, { input }) => {
      const options = input["app_engine_options"];
      const isLost = isObject(options) && Object.keys(options).length > 0 && options["url"] === undefined;
      const made = app["made_in_order"];
      if (!isLost || (input["uri"] ?? null) !== null || !isList(made) || made.length === 0) return app;
      return { ...app, ...ourError("InvalidOptionError") };
    }),
  },
  {
    name: "failed-init-leaves-nothing",
    why: "Everything is checked in `init` before anything is made, so after an error there is no engine, no metadata of a new key and no directory.",
    apply: ({ expected, actual }, { earlierKeys }) => {
      if (errorIn(expected) === undefined || isRegisteredTwice(expected)) return { expected, actual };
      const left = {
        error: expected["error"]!,
        made_in_order: [],
        instance_directory_created: false,
        metadata_keys: earlierKeys,
      };
      return { expected: left, actual };
    },
  },
  {
    name: "init-makes-an-application",
    why: "What `init` returns is the application. There is nothing that a `db` is registered on, so initialising again makes another one.",
    apply: ofExpected((app, { input }) => {
      if (!isRegisteredTwice(app)) return app;
      const inits = typeof input["init"] === "number" ? input["init"] : 1;
      const made = app["made_in_order"] as readonly Json[];
      return { ...without(app, ["error"]), made_in_order: Array.from({ length: inits }, () => made).flat() };
    }),
  },
  {
    name: "configuration-is-an-argument",
    why: "The configuration is read and never written to, so there is nothing in it to look at afterwards; the run checks that it is as it was.",
    apply: ofExpected((app) => without(app, ["config_after"])),
  },
  {
    name: "directory-at-first-connection",
    why: "The instance directory is made at the first connection, not by `init`, which does no I/O: the run looks for it before and after connecting.",
    apply: ofExpected((app) => ({ ...app, directory_made_by_init: false })),
  },
  {
    name: "mariadb-is-mysql",
    why: "MariaDB gets the defaults that MySQL gets.",
    apply: ofExpected((app) =>
      mapMade(app, (one) => {
        const url = String(memberOf(one["options"], "url") ?? "");
        if (!/^mariadb\b/.test(url)) return one;
        return { ...one, options: withMySqlDefaults(one["options"]), engine: withMySqlDefaults(one["engine"]) };
      }),
    ),
  },
  {
    name: "false-is-false",
    why: "`uri=false` in a SQLite URL counts as true in the original; here the path is an ordinary name then.",
    apply: ofExpected((app) =>
      mapTexts(app, (text) => text.replace(/file:<instance>\/(.*[?&]uri=(?:false|0|no|off)\b)/i, "<instance>/file:$1")),
    ),
  },
  {
    name: "memory-uris-are-memory",
    why: "SQLite's own ways to write a database in memory as a URI, `file::memory:` and `mode=memory`, mean that here. The original takes the path for a file below the instance directory.",
    apply: ofExpected((app) => {
      const url = (text: string) =>
        text.replace(/^(sqlite[^:]*:\/\/\/file:)<instance>\/(:memory:\?.*uri=true.*|.*[?&]mode=memory\b.*)$/i, "$1$2");
      const changed = mapTexts(app, url);
      if (JSON.stringify(changed) === JSON.stringify(app)) return app;
      return {
        ...changed,
        instance_directory_created: JSON.stringify(changed["made_in_order"]).includes("<instance>"),
      };
    }),
  },
  {
    name: "text-values-are-read",
    why: "Options given as text are read when the engine is described, not left as text.",
    apply: ofExpected((app) =>
      mapMade(app, (one) => ({
        ...one,
        options: mapValues(one["options"], readText),
        engine: mapValues(one["engine"], readText),
      })),
    ),
  },
  {
    name: "get-engine-is-engines-get",
    why: "The original's old `get_engine` answers to `engines.get`, which nothing warns of.",
    apply: ofExpected((app) => {
      const { access } = app;
      return isObject(access) ? { ...app, access: mapValues(access, (one) => memberOf(one, "value") ?? one) } : app;
    }),
  },
  {
    name: "urls-by-their-parts",
    why: "Two URLs are the same if they name the same place: paths are resolved, parameters have no order, and an empty path is a database in memory.",
    apply: ofBoth((app) => mapTexts(app, canonicalUrl)),
  },
  {
    name: "defaults-filled-in",
    why: "An engine's options have every default filled in. Compared are those that the original's call names, and those that it reports of the engine.",
    apply: ({ expected, actual }) => {
      const named = (expected["made_in_order"] ?? []) as readonly JsonObject[];
      const picked = ((actual["made_in_order"] ?? []) as readonly JsonObject[]).map((one, index) => ({
        ...one,
        options: pick(one["options"], named[index]?.["options"]),
        engine: typeof named[index]?.["engine"] === "string" ? named[index]["engine"] : one["engine"]!,
      }));
      // A result without engines tells of none.
      return { expected, actual: { ...actual, made_in_order: picked } };
    },
  },
];

function isRegisteredTwice(app: JsonObject): boolean {
  return /already been registered/.test(String(memberOf(app["error"], "message") ?? ""));
}

function withMySqlDefaults(options: Json | undefined): Json {
  if (!isObject(options)) return options ?? null;
  const url = String(options["url"]);
  const charset = /[?&]charset=/.test(url) ? url : `${url}${url.includes("?") ? "&" : "?"}charset=utf8mb4`;
  const recycle =
    options["pool_recycle"] === undefined || options["pool_recycle"] === -1 ? 7200 : options["pool_recycle"];
  return { ...options, url: charset, pool_recycle: recycle };
}

function readText(value: Json): Json {
  if (value === "true" || value === "false") return value === "true";
  return typeof value === "string" && /^-?\d+$/.test(value) ? Number(value) : value;
}

function canonicalUrl(text: string): string {
  const match = /^([a-z][a-z0-9+]*):\/\/([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/.exec(text);
  if (match === null) return text;
  const [, scheme = "", authority = "", path = "", query = ""] = match;
  const [, prefix = "", rest = ""] = /^(file:)?(.*)$/.exec(path)!;
  const resolved =
    scheme.startsWith("sqlite") && rest !== "" ? posix.normalize(rest.replace("<instance>", "<tmp>/instance")) : rest;
  const parameters = query.split("&").sort().join("&");
  const place = prefix + resolved === "" ? "" : `/${prefix}${resolved}`;
  return `${scheme}://${authority}${place}${parameters === "" ? "" : `?${parameters}`}`;
}

function mapMade(app: JsonObject, change: (made: JsonObject) => JsonObject): JsonObject {
  const made = app["made_in_order"];
  return isList(made) ? { ...app, made_in_order: made.map((one) => (isObject(one) ? change(one) : one)) } : app;
}

function mapValues(value: Json | undefined, change: (one: Json) => Json): Json {
  return isObject(value) ? mapMembers(value, change) : (value ?? null);
}

function mapTexts<J extends Json>(value: J, change: (text: string) => string): J {
  if (typeof value === "string") return change(value) as J;
  if (isList(value)) return value.map((one) => mapTexts(one, change)) as Json as J;
  return isObject(value) ? (mapValues(value, (one) => mapTexts(one, change)) as J) : value;
}

function pick(value: Json | undefined, names: Json | undefined): Json {
  if (!isObject(value) || !isObject(names)) return value ?? null;
  return Object.fromEntries(Object.entries(value).filter(([name]) => Object.hasOwn(names, name)));
}
