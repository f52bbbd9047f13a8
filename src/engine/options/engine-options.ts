import { type Dialect, LOG_LEVELS, type LogConfig, TRANSACTION_ISOLATION_LEVELS } from "kysely";
import { InvalidOptionError, InvalidUrlError } from "../../errors/configuration.ts";
import { didYouMeanOneOf } from "../../nearest-name.ts";
import { families, familyOfDialect } from "../families.ts";
import type { EchoListener } from "../recording/echo.ts";
import { DatabaseUrl, type FamilyName } from "./database-url.ts";
import { isDriverModule } from "./driver-module.ts";
import { type Duration, milliseconds, timeout } from "./duration.ts";
import type { EngineIsolationLevel, PasswordSource, ResolvedEngineOptions } from "./resolved-options.ts";
import { SQLALCHEMY_OPTIONS } from "./sqlalchemy-options.ts";

/**
 * Options of one bind's engine. Times are seconds, fractions allowed, or text with a unit (`"500ms"`, `"2h"`).
 *
 * @see SQLAlchemy: the arguments of `create_engine`
 */
export interface EngineOptions {
  /** Where the database is. Give this or `dialect`. */
  readonly url?: string | DatabaseUrl;
  /**
   * A Kysely dialect that connects to the database, or a function that makes it at the first connection. How it connects
   * is its own business: `poolRecycle`, `poolPrePing`, `statementTimeout`, `networkTimeout`, `preparedStatements`, `driver`
   * and `driverOptions` go to the dialect itself. Its transactions are begun with `isolationLevel` and `readOnly`, which not
   * every dialect heeds.
   */
  readonly dialect?: Dialect | (() => Dialect | Promise<Dialect>);
  /** The kind of database behind `dialect`, where it cannot be seen from the dialect itself. */
  readonly family?: FamilyName;
  /**
   * The driver's module (`pg`, `mariadb` or `better-sqlite3`), for applications that a bundler packs; or `node:sqlite`, Node's
   * own SQLite, which takes the place of `better-sqlite3`.
   */
  readonly driver?: unknown;
  /** Maximum number of connections; for a SQLite file, of readers beside its one writer. Defaults to 10. */
  readonly poolSize?: number;
  /** Maximum wait for a free connection or, on SQLite, for the writer. Defaults to 30 seconds. */
  readonly poolTimeout?: Duration;
  /** Replaces a connection of this age before its next use; -1 means never. Defaults to never, and to 2 hours on MySQL and MariaDB. */
  readonly poolRecycle?: Duration;
  /** Asks a connection whether it still lives before each use. */
  readonly poolPrePing?: boolean;
  /** Writes every statement to the console, or hands it to a function. */
  readonly echo?: boolean | EchoListener;
  /** Kysely's `log`: levels, or a function that receives Kysely's events. Receives the statements of sessions as well. */
  readonly log?: LogConfig;
  /** The isolation level of transactions, instead of the database's own default. */
  readonly isolationLevel?: EngineIsolationLevel;
  /** Ends a statement on the server after this time; 0 for never, as where it is not given. SQLite has no such thing. */
  readonly statementTimeout?: Duration;
  /**
   * Bounds each wait for a lock, from the second bind on that a transaction writes, on all of its binds: another
   * transaction may wait for it on another database, where no server sees the deadlock. A shorter bound of the server, role
   * or transaction stays. Whole seconds on MySQL and MariaDB, rounded up; on SQLite the wait for the writer. 0 for no bound.
   * Defaults to 10 seconds.
   */
  readonly lockTimeout?: Duration;
  /**
   * Whether statements are prepared on PostgreSQL's connections. `false` where a transaction pooler (PgBouncer and its like) is
   * between: statements are sent without names, and settings in each transaction, since clients share the server's
   * connections. `true`: also through a pooler that keeps prepared statements apart. By default they are prepared where the
   * server is reached directly. Other databases take no `false`.
   */
  readonly preparedStatements?: boolean;
  /**
   * How long a server may say nothing to a statement that waits for it: then its address is tried anew, and the connection
   * is given up if no server answers there. A statement that takes long on a server that answers goes on. 30 seconds unless
   * given; 0 for as long as the network says nothing. SQLite has no network.
   */
  readonly networkTimeout?: Duration;
  /**
   * Shows the values of statements in the errors of the database, as the database and its driver write them: for development.
   * Defaults to `false`: errors are logged, and values are the application's data.
   */
  readonly showValues?: boolean;
  /** Refuses writes, before they are sent and on the connection itself. */
  readonly readOnly?: boolean;
  /** `false` if others own the tables: `createAll` and `dropAll` skip the database. */
  readonly managed?: boolean;
  /** `false` if the application can do without the database: `app.ping` says it, for probes that ask whether it is ready. */
  readonly required?: boolean;
  /**
   * Gives the password of each new connection, in place of one in the URL: for tokens that expire and secrets that rotate. A
   * connection that is open stays so; `poolRecycle` bounds its age.
   */
  readonly password?: PasswordSource;
  /** Handed to the driver as it is. */
  readonly driverOptions?: Readonly<Record<string, unknown>>;
}

const FAMILY_NAMES: readonly unknown[] = ["sqlite", "postgres", "mysql"] satisfies FamilyName[];
const ISOLATION_LEVELS: readonly unknown[] = TRANSACTION_ISOLATION_LEVELS.filter((level) => level !== "snapshot");
const LOCK_TIMEOUT = 10_000;

type Check = (value: unknown, name: string) => unknown;

const CHECKS: { readonly [P in keyof Required<EngineOptions>]: Check } = {
  url: (value, name) => {
    if (value instanceof DatabaseUrl) return value;
    if (typeof value !== "string") throw new InvalidUrlError(`${name} is text, or a DatabaseUrl.`);
    return naming(name, () => DatabaseUrl.parse(value));
  },
  dialect: (value, name) => {
    if (typeof value === "function" || isDialect(value)) return value;
    throw new InvalidOptionError(`${name} is a Kysely dialect, or a function that returns one.`);
  },
  family: (value, name) => {
    if (FAMILY_NAMES.includes(value)) return value;
    throw new InvalidOptionError(`${name} is "sqlite", "postgres" or "mysql"; no other kind of database is known.`);
  },
  driver: (value) => value,
  poolSize: (value, name) => {
    const size = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
    if (typeof size === "number" && Number.isInteger(size) && size >= 1) return size;
    throw new InvalidOptionError(`${name} is an integer from 1 up.`);
  },
  poolTimeout: timeout,
  poolRecycle: (value, name) => (value === -1 || value === "-1" ? undefined : milliseconds(value, name)),
  poolPrePing: truth,
  echo: (value, name) => (typeof value === "function" ? value : truth(value, name)),
  log: (value, name) => {
    const levels: readonly unknown[] = LOG_LEVELS;
    if (typeof value === "function" || (Array.isArray(value) && value.every((level) => levels.includes(level))))
      return value;
    throw new InvalidOptionError(
      `${name} is a function, or a list of: ${LOG_LEVELS.map((level) => `"${level}"`).join(", ")}.`,
    );
  },
  isolationLevel: (value, name) => {
    const level = typeof value === "string" ? value.toLowerCase().replaceAll("_", " ") : value;
    if (ISOLATION_LEVELS.includes(level)) return level;
    throw new InvalidOptionError(`${name} is one of ${ISOLATION_LEVELS.map((one) => `"${one}"`).join(", ")}.`);
  },
  statementTimeout: (value, name) => timeout(value, name) || undefined,
  lockTimeout: (value, name) => timeout(value, name) || undefined,
  preparedStatements: truth,
  networkTimeout: (value, name) => timeout(value, name) || undefined,
  showValues: truth,
  readOnly: truth,
  managed: truth,
  required: truth,
  password: (value, name) => {
    if (typeof value === "function") return value;
    throw new InvalidOptionError(
      `Expected ${name} to be a function that returns the password, or a promise of it; a fixed password belongs into the URL.`,
    );
  },
  driverOptions: (value, name) => {
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
    throw new InvalidOptionError(`${name} is an object of options for the driver.`);
  },
};

/** Options of the binds as they may be given one over the other, for example the constructor's under a bind's own. */
export type OptionLayers = readonly (Readonly<Record<string, unknown>> | undefined)[];

/**
 * Checks the options of one engine and fills in the defaults. Later layers win.
 *
 * @param where whose options these are, for the errors
 * @throws {InvalidOptionError} on an unknown option or a value that an option does not take
 * @throws {InvalidUrlError} on a URL that cannot be read, or if neither `url` nor `dialect` is given
 */
export function resolveEngineOptions(layers: OptionLayers, where: string): ResolvedEngineOptions {
  const given: Record<string, unknown> = {};
  for (const layer of layers) {
    if (layer?.["url"] !== undefined && layer["dialect"] === undefined) forget(given, "dialect", "family");
    if (layer?.["dialect"] !== undefined && layer["url"] === undefined) forget(given, "url", "family");
    for (const [name, value] of Object.entries(layer ?? {})) {
      const check = Object.hasOwn(CHECKS, name) ? CHECKS[name as keyof EngineOptions] : unknownOption(name, where);
      if (value !== undefined) given[name] = check(value, `${name} (${where})`);
    }
  }
  // Every value above went through the check of its own option.
  const { url, dialect, family: named, ...rest } = given as Partial<ResolvedEngineOptions>;
  if (url === undefined && dialect === undefined) {
    throw new InvalidUrlError(
      `There is no URL for ${where}. Give a URL, options with \`url\`, or options with \`dialect\`.`,
    );
  }
  const family = named ?? url?.family ?? familyOf(dialect, where);
  if (url !== undefined) naming(`url (${where})`, () => families[family].checkUrl?.(url));
  const defaults = dialect === undefined ? families[family].defaults : {};
  const options: ResolvedEngineOptions = {
    url,
    dialect,
    family,
    driver: rest.driver,
    poolSize: rest.poolSize ?? 10,
    poolTimeout: rest.poolTimeout ?? 30_000,
    poolRecycle: "poolRecycle" in rest ? rest.poolRecycle : defaults.poolRecycle,
    poolPrePing: rest.poolPrePing ?? false,
    echo: rest.echo ?? false,
    log: rest.log,
    isolationLevel: rest.isolationLevel,
    statementTimeout: rest.statementTimeout,
    lockTimeout: "lockTimeout" in rest ? rest.lockTimeout : LOCK_TIMEOUT,
    preparedStatements: rest.preparedStatements,
    networkTimeout: "networkTimeout" in rest ? rest.networkTimeout : defaults.networkTimeout,
    showValues: rest.showValues ?? false,
    readOnly: rest.readOnly ?? false,
    managed: rest.managed ?? true,
    required: rest.required ?? true,
    password: rest.password,
    driverOptions: rest.driverOptions ?? {},
  };
  checkCombination(options, where);
  return Object.freeze(options);
}

/** Says in an error of a URL whose URL it is. */
function naming<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof InvalidUrlError ? new InvalidUrlError(`${name}: ${error.message}`) : error;
  }
}

function forget(given: Record<string, unknown>, ...names: (keyof EngineOptions)[]): void {
  for (const name of names) delete given[name];
}

function familyOf(dialect: EngineOptions["dialect"], where: string): FamilyName {
  const family = typeof dialect === "object" ? familyOfDialect(dialect)?.name : undefined;
  if (family !== undefined) return family;
  throw new InvalidOptionError(
    `It cannot be seen what kind of database the dialect of ${where} is for. ` +
      'Say it with `family: "sqlite"`, `"postgres"` or `"mysql"`; other kinds are not supported.',
  );
}

function checkCombination(options: ResolvedEngineOptions, where: string): void {
  if (options.url !== undefined && options.dialect !== undefined) {
    throw new InvalidOptionError(
      `The options of ${where} have both \`url\` and \`dialect\`; one engine has one of them.`,
    );
  }
  if (options.url !== undefined && options.family !== options.url.family) {
    throw new InvalidOptionError(
      `The options of ${where} say family "${options.family}", and the URL is one of "${options.url.family}".`,
    );
  }
  const { driverPackage, driverMember, builtIn, checkOptions } = families[options.family];
  const { driver } = options;
  if (options.url !== undefined && driver !== undefined && !isDriverModule(driver, driverMember, builtIn)) {
    const or = builtIn === undefined ? "" : `, or ${builtIn.name}`;
    throw new InvalidOptionError(
      `driver (${where}) is not the module of "${driverPackage}"${or}: give what \`import("${driverPackage}")\` gives.`,
    );
  }
  if (options.dialect !== undefined) {
    const { poolRecycle, poolPrePing, statementTimeout, networkTimeout, preparedStatements } = options;
    const { password, driver, driverOptions } = options;
    const given = {
      poolRecycle,
      poolPrePing: poolPrePing || undefined,
      statementTimeout,
      preparedStatements,
      networkTimeout,
      password,
      driver,
      driverOptions: Object.keys(driverOptions)[0],
    };
    const [name] = Object.entries(given).find(([, value]) => value !== undefined) ?? [];
    if (name !== undefined) {
      throw new InvalidOptionError(
        `${name} has no effect on the dialect of ${where}, which connects by itself: give it to the dialect.`,
      );
    }
  }
  if (options.password !== undefined && options.url?.revealPassword() !== undefined) {
    throw new InvalidOptionError(`Two passwords are given for ${where}: leave out the URL's, or the option password.`);
  }
  checkOptions(options, where);
}

function unknownOption(name: string, where: string): never {
  const instead = Object.hasOwn(SQLALCHEMY_OPTIONS, name) ? SQLALCHEMY_OPTIONS[name] : undefined;
  throw new InvalidOptionError(
    instead === undefined
      ? `There is no engine option "${name}" (${where}).${didYouMeanOneOf(name, Object.keys(CHECKS))}`
      : `The option "${name}" (${where}) is SQLAlchemy's: ${instead}.`,
  );
}

function truth(value: unknown, name: string): boolean {
  if (typeof value === "boolean") return value;
  if (value === "true" || value === "false") return value === "true";
  throw new InvalidOptionError(`${name} is true or false.`);
}

/** Whether it is a Kysely dialect. */
export function isDialect(value: unknown): value is Dialect {
  return typeof value === "object" && value !== null && "createDriver" in value && "createQueryCompiler" in value;
}
