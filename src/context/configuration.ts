import { resolve } from "node:path";
import { type BindKey, bindLabel, notABindKey } from "../bind-key.ts";
import type { EngineDefinition } from "../engine/engine.ts";
import { families } from "../engine/families.ts";
import { DatabaseUrl } from "../engine/options/database-url.ts";
import { type EngineOptions, type OptionLayers, resolveEngineOptions } from "../engine/options/engine-options.ts";
import type { ResolvedEngineOptions } from "../engine/options/resolved-options.ts";
import type { EchoListener } from "../engine/recording/echo.ts";
import { ConfigurationError, InvalidOptionError, InvalidUrlError } from "../errors/configuration.ts";
import { isPlainObject, requireKnownOptions } from "../known-options.ts";
import { type NPlusOne, type RelationSettings, relationSettings } from "../session/relations/relation-settings.ts";
import { type CommitPolicy, requirePolicy } from "../session/transaction/commit-policy.ts";
import { NO_DECISION_BIND } from "../session/transaction/decision-log.ts";
import { decisionBindOf } from "./decision-bind.ts";
import { type OnUncommitted, requireReaction } from "./uncommitted-work.ts";

/** Where a bind's database is: a URL, or options with `url` or `dialect`. */
export type BindValue = string | DatabaseUrl | EngineOptions;

/**
 * The configuration of an application.
 *
 * @typeParam BK the bind keys that the `db` object allows
 */
export interface Configuration<BK extends string = string> {
  /** The default database's URL. */
  readonly databaseUrl?: string | DatabaseUrl | null;
  /** The same as `databaseUrl`, under Flask's name; give one of them. @see Flask-SQLAlchemy: `SQLALCHEMY_DATABASE_URI` */
  readonly databaseUri?: string | DatabaseUrl | null;
  /** Options of the default database's engine. @see Flask-SQLAlchemy: `SQLALCHEMY_ENGINE_OPTIONS` */
  readonly engineOptions?: EngineOptions;
  /** The other databases by bind key; in a `Map`, the default one too, under `null`. @see Flask-SQLAlchemy: `SQLALCHEMY_BINDS` */
  readonly binds?: { readonly [P in BK]?: BindValue } | ReadonlyMap<BK | null, BindValue>;
  /** Shows every statement of every engine. @see Flask-SQLAlchemy: `SQLALCHEMY_ECHO` */
  readonly echo?: boolean | EchoListener;
  /** Whether every session records its statements, for development. Defaults to `false`. @see Flask-SQLAlchemy: `SQLALCHEMY_RECORD_QUERIES` */
  readonly recordQueries?: boolean;
  /** The directory of relative SQLite paths. Defaults to `./instance`. @see Flask: `app.instance_path` */
  readonly instancePath?: string;
  /** The order in which binds commit. Defaults to the order of `binds`, then the default bind. */
  readonly commitOrder?: readonly (BK | null)[];
  /**
   * `"ordered"` (the default): one bind commits after the other. `"single"`: a second bind that writes is refused.
   * `"twoPhase"`: all binds commit or none, also after a crash. @see SQLAlchemy: `Session(twophase=True)`
   */
  readonly commitPolicy?: CommitPolicy;
  /**
   * The bind that keeps the decisions of two-phase commits, in a table `multibind_decision`. Defaults to the first that
   * cannot be prepared itself, such as a SQLite file; else the first in the order of commits. It has to be managed,
   * writable and not in memory.
   */
  readonly decisionBind?: BK | null;
  /** The reaction to a context that ends with uncommitted work. Defaults to `"warn"`. */
  readonly onUncommitted?: OnUncommitted;
  /** The most keys in a statement that reads a relation. Defaults to 500 on SQLite, 1,024 on MySQL and MariaDB, 10,000 on PostgreSQL. */
  readonly relationChunk?: number;
  /** For development: the reaction to a loop that loads a relation of one entity after the other. By default loads are not counted. */
  readonly nPlusOne?: NPlusOne;
}

/** A configuration that was checked. */
export interface ResolvedConfiguration {
  readonly engines: readonly EngineDefinition[];
  readonly commitOrder: readonly BindKey[];
  readonly commitPolicy: CommitPolicy;
  /** The bind that keeps the decisions of two-phase commits; undefined if none can. */
  readonly decisionBind: BindKey | undefined;
  readonly onUncommitted: OnUncommitted;
  readonly recordQueries: boolean;
  readonly relations: RelationSettings;
}

const OPTIONS: readonly (keyof Configuration)[] = [
  "databaseUrl",
  "databaseUri",
  "engineOptions",
  "binds",
  "echo",
  "recordQueries",
  "instancePath",
  "commitOrder",
  "commitPolicy",
  "decisionBind",
  "onUncommitted",
  "relationChunk",
  "nPlusOne",
];
const INTEGER_LIKE = /^(0|[1-9]\d*)$/;

type Layer = Readonly<Record<string, unknown>>;

/**
 * Checks a configuration and works out the options of every engine. Nothing is connected and nothing is written.
 *
 * @param common options of every engine, which the configuration's own go over
 * @throws {ConfigurationError} saying what is wrong
 */
export function resolveConfiguration(configuration: Configuration, common: EngineOptions): ResolvedConfiguration {
  requireKnownOptions(configuration, OPTIONS, "a configuration");
  const { engineOptions = {}, echo = false, instancePath = "instance" } = configuration;
  const databaseUrl = databaseUrlOf(configuration);
  const { commitPolicy = "ordered", onUncommitted = "warn", recordQueries = false } = configuration;
  if (!isPlainObject(engineOptions)) {
    throw new InvalidOptionError(
      "Expected engineOptions to be a plain object with options of the default bind's engine.",
    );
  }
  if (typeof instancePath !== "string") throw new InvalidOptionError("instancePath is the path of a directory.");
  const binds = entriesOf(configuration);
  const layers = new Map<BindKey, OptionLayers>();
  for (const [key, value] of binds) layers.set(key, [{ echo }, asLayer(common), layerOf(key, value)]);

  const own: Layer = {
    ...engineOptions,
    ...(databaseUrl === undefined ? {} : { url: databaseUrl }),
  };
  const located = [own, asLayer(common)].some((layer) => layer["url"] !== undefined || layer["dialect"] !== undefined);
  if (located) layers.set(null, [...(layers.get(null) ?? [{ echo }, asLayer(common)]), own]);
  if (layers.size === 0) throw new ConfigurationError("Either 'databaseUrl' or 'binds' must be set.");
  if (!located && Object.keys(engineOptions).length > 0) {
    throw new InvalidOptionError(
      "Cannot apply engineOptions: they belong to the default database, which neither databaseUrl nor a URL in them names. Set " +
        "databaseUrl, put the options into the bind's own entry of binds, or give options for every engine to the constructor: " +
        "new Multibind({ engineOptions }).",
      { bindKey: null },
    );
  }

  const directory = resolve(instancePath);
  const engines = [...layers].map(([bindKey, its]) =>
    ofBind(bindKey, () => locate(bindKey, resolveEngineOptions(its, bindLabel(bindKey)), directory)),
  );
  const commitOrder = commitOrderOf(configuration, [...layers.keys()]);
  const byKey = new Map(engines.map((engine) => [engine.bindKey, engine]));
  const inOrder = commitOrder.flatMap((key) => byKey.get(key) ?? []);
  const decisionBind = decisionBindOf(inOrder, configuration.decisionBind);
  if (commitPolicy === "twoPhase" && decisionBind === undefined) throw new InvalidOptionError(NO_DECISION_BIND);
  return {
    engines,
    commitOrder,
    decisionBind,
    commitPolicy: requirePolicy(commitPolicy),
    onUncommitted: requireReaction(onUncommitted),
    recordQueries: oneOf([true, false], recordQueries, "recordQueries"),
    relations: relationSettings(configuration.relationChunk, configuration.nPlusOne),
  };
}

/** @throws {InvalidOptionError} if both names are given */
function databaseUrlOf({ databaseUrl, databaseUri }: Configuration): string | DatabaseUrl | undefined {
  const isTwice = (databaseUrl ?? undefined) !== undefined && (databaseUri ?? undefined) !== undefined;
  if (isTwice)
    throw new InvalidOptionError("databaseUrl and databaseUri are two names of one setting: give one of them.");
  return databaseUrl ?? databaseUri ?? undefined;
}

/** Puts the bind key into the errors of a bind's options. */
function ofBind<T>(bindKey: BindKey, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof InvalidUrlError) throw new InvalidUrlError(error.message, { bindKey });
    if (error instanceof InvalidOptionError) throw new InvalidOptionError(error.message, { bindKey });
    throw error;
  }
}

function entriesOf({ binds, commitOrder }: Configuration): [BindKey, BindValue | undefined][] {
  if (binds === undefined) return [];
  if (binds instanceof Map) {
    requireBindKeys(binds.keys());
    return [...binds];
  }
  if (typeof binds !== "object" || binds === null || Array.isArray(binds)) {
    throw new InvalidOptionError("binds is an object or a Map of bind keys to URLs or options.");
  }
  const entries: [BindKey, BindValue | undefined][] = Object.entries(binds);
  requireBindKeys(Object.keys(binds));
  if (commitOrder === undefined && entries.length > 1 && entries.some(([key]) => INTEGER_LIKE.test(key ?? ""))) {
    throw new InvalidOptionError(
      "A bind key looks like a number, and JavaScript objects put such keys first, whatever order they were written in. " +
        "Give `binds` as a Map, or say the order with `commitOrder`.",
    );
  }
  return entries;
}

/** @throws {InvalidOptionError} if one is not a bind key, such as a URL that was written in its place */
function requireBindKeys(keys: Iterable<unknown>): void {
  for (const key of keys) {
    const refusal = notABindKey(key);
    if (refusal !== undefined) throw new InvalidOptionError(`Cannot read binds: expected ${refusal}`);
  }
}

function layerOf(key: BindKey, value: unknown): Layer {
  if (typeof value === "string" || value instanceof DatabaseUrl) return { url: value };
  if (isPlainObject(value)) return value;
  throw new InvalidOptionError(`The value of ${bindLabel(key)} is a URL, or options with \`url\` or \`dialect\`.`, {
    bindKey: key,
  });
}

function asLayer(options: EngineOptions): Layer {
  return options as Layer;
}

/** Puts relative paths below the application's folder. */
function locate(bindKey: BindKey, options: ResolvedEngineOptions, instance: string): EngineDefinition {
  const located = options.url && families[options.family].locate?.(options.url, instance);
  if (located === undefined) return { bindKey, options };
  const { url, directory } = located;
  return { bindKey, options: { ...options, url }, ...(directory === undefined ? {} : { directory }) };
}

function commitOrderOf({ commitOrder }: Configuration, keys: readonly BindKey[]): readonly BindKey[] {
  if (commitOrder === undefined) return [...keys.filter((key) => key !== null), null];
  if (!Array.isArray(commitOrder) || new Set(commitOrder).size !== commitOrder.length) {
    throw new InvalidOptionError("commitOrder is a list of bind keys, each once; null is the default one.");
  }
  for (const key of commitOrder) {
    if (!keys.includes(key))
      throw new InvalidOptionError(`commitOrder names ${bindLabel(key)}, which is not configured.`);
  }
  for (const key of keys) {
    if (!commitOrder.includes(key)) throw new InvalidOptionError(`commitOrder leaves out ${bindLabel(key)}.`);
  }
  return commitOrder;
}

function oneOf<T>(allowed: readonly unknown[], value: T, name: string): T {
  if (allowed.includes(value)) return value;
  throw new InvalidOptionError(`${name} is one of ${allowed.map((one) => JSON.stringify(one)).join(", ")}.`);
}
