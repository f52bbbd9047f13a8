import { inspect } from "node:util";
import { InvalidUrlError } from "../../errors/configuration.ts";
import { requireKnownOptions } from "../../known-options.ts";
import { isFileUri } from "../sqlite/file-uri.ts";

/** The kinds of database that multibind speaks to. MariaDB is of the family `mysql`. */
export type FamilyName = "sqlite" | "postgres" | "mysql";

/** One server of a URL. */
export interface HostAddress {
  /** A name, an address (of IPv6 without brackets), or the directory of a PostgreSQL server's socket. */
  readonly host: string;
  readonly port?: number;
}

/** The parts of a database URL. */
export interface DatabaseUrlParts {
  /** `postgresql`, `postgres`, `mysql`, `mariadb` or `sqlite`, perhaps with SQLAlchemy's `+driver` behind it, which is ignored. */
  readonly scheme: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly hosts?: readonly HostAddress[] | undefined;
  /** The database's name; for SQLite the file. */
  readonly database?: string | undefined;
  readonly query?: Readonly<Record<string, string>> | undefined;
}

const FAMILIES: Readonly<Record<string, FamilyName>> = {
  sqlite: "sqlite",
  postgresql: "postgres",
  postgres: "postgres",
  mysql: "mysql",
  mariadb: "mysql",
};
const URL_TEXT = /^([a-z][a-z0-9]*)(\+[a-z0-9_]+)?:\/\/([^/?#]*)(?:\/([^?]*))?(?:\?(.*))?$/is;
const SCHEME_TEXT = /^[a-z][a-z0-9]*(\+[a-z0-9_]+)?$/i;
const HOST_TEXT = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/i;
const IPV6_TEXT = /^[0-9a-f.]*:[0-9a-f:.]*$/i;
/** Parameters of this name are passwords, or as good as one. */
const SECRET_NAME = /pass|pwd|secret|token|credential/i;
const MEMORY_PATHS: readonly unknown[] = [undefined, ":memory:"];
const MEMORY_URIS: readonly unknown[] = ["file:", "file::memory:"];

/**
 * Where a database is and who connects to it. The password is kept out of sight: `toString`, JSON and `inspect` show `***`.
 *
 * @see SQLAlchemy: `sqlalchemy.engine.URL`
 */
export class DatabaseUrl {
  /** The scheme as it was given, with a `+driver` if there was one. */
  readonly scheme: string;
  readonly family: FamilyName;
  readonly username: string | undefined;
  readonly hosts: readonly HostAddress[];
  /** The database's name; for SQLite the file's path, `undefined` for a database in memory. */
  readonly database: string | undefined;
  readonly query: Readonly<Record<string, string>>;
  readonly #password: string | undefined;

  /** @throws {InvalidUrlError} if the scheme is unknown or the parts do not go together */
  constructor(parts: DatabaseUrlParts) {
    const { scheme, username, password, hosts = [], database, query = {} } = parts;
    if (!SCHEME_TEXT.test(scheme)) throw unknownScheme("The scheme given");
    const [kind = ""] = scheme.toLowerCase().split("+");
    if (!Object.hasOwn(FAMILIES, kind)) throw unknownScheme(`"${scheme}"`);
    this.scheme = scheme.toLowerCase();
    this.family = FAMILIES[kind]!;
    this.username = username === "" ? undefined : username;
    this.#password = password;
    this.hosts = Object.freeze(hosts.map((address) => Object.freeze({ ...address })));
    this.database = database === "" ? undefined : database;
    this.query = Object.freeze({ ...query });
    if (this.family === "sqlite" && (hosts.length > 0 || this.username !== undefined || password !== undefined)) {
      throw new InvalidUrlError(
        'A SQLite URL has three slashes before a relative path and four before an absolute one: "sqlite:///app.db", "sqlite:////var/app.db".',
      );
    }
    for (const { host, port } of hosts) {
      if (host === "" || (port !== undefined && !isPort(port))) {
        throw new InvalidUrlError("A database URL has a host without name, or a port that is not from 1 to 65535.");
      }
    }
    for (const part of [
      username,
      password,
      database,
      ...hosts.map(({ host }) => host),
      ...Object.entries(query).flat(),
    ]) {
      if (part?.isWellFormed() === false) {
        throw new InvalidUrlError("A part of a database URL has half of a surrogate pair, which no URL can hold.");
      }
    }
    Object.freeze(this);
  }

  /**
   * Reads a URL such as `postgresql://user:secret@localhost:5432/main`, `mysql://localhost/users` or `sqlite:///app.db`.
   * Several hosts are separated by commas; user, password and database may be percent-encoded.
   *
   * @throws {InvalidUrlError} if it cannot be read; the message shows no password
   *
   * @see SQLAlchemy: `make_url`
   */
  static parse(text: string): DatabaseUrl {
    if (typeof text !== "string") throw new InvalidUrlError("A database URL is text.");
    const match = URL_TEXT.exec(text.trim());
    if (match === null) throw unreadable(text);
    const [, scheme = "", driver = "", authority = "", path, query = ""] = match;
    const isSqlite = scheme.toLowerCase() === "sqlite";
    // Such a "@" ends a password with a "/" or "?" in it, of which a part would pass for a port or the database's name.
    if (!isSqlite && (path?.includes("@") || query.includes("@"))) throw unescaped(text);
    const at = authority.lastIndexOf("@");
    const [username, password] = at < 0 ? [] : credentials(authority.slice(0, at), text);
    return new DatabaseUrl({
      scheme: scheme + driver,
      username,
      password,
      hosts: hostsOf(authority.slice(at + 1), text),
      database: path === undefined || isSqlite ? path : decoded(path, text),
      query: parametersOf(query, text),
    });
  }

  /** @internal for the driver alone: users get it from `render({ hidePassword: false })` */
  revealPassword(): string | undefined {
    return this.#password;
  }

  /** Whether this is a SQLite database in memory. */
  get isMemory(): boolean {
    if (this.family !== "sqlite") return false;
    if (this.query["mode"] === "memory" || MEMORY_PATHS.includes(this.database)) return true;
    return isFileUri(this) && MEMORY_URIS.includes(this.database);
  }

  /** The same place under other parts. */
  with(parts: Partial<Pick<DatabaseUrlParts, "database" | "query">>): DatabaseUrl {
    requireKnownOptions(parts, ["database", "query"], "with()");
    const { scheme, username, hosts, database, query } = this;
    return new DatabaseUrl({ scheme, username, password: this.#password, hosts, database, query, ...parts });
  }

  /**
   * The URL as text. Parameters whose names tell of a password or token are hidden like the password.
   *
   * @param options `hidePassword: false` shows the password, for handing the URL on; never for a log
   *
   * @see SQLAlchemy: `URL.render_as_string`
   */
  render(options: { readonly hidePassword?: boolean } = {}): string {
    requireKnownOptions(options, ["hidePassword"], "render()");
    const hide = options.hidePassword !== false;
    const encode = encodeURIComponent;
    const password = this.#password === undefined ? "" : `:${hide ? "***" : encode(this.#password)}`;
    const user = this.username === undefined && password === "" ? "" : `${encode(this.username ?? "")}${password}@`;
    const hosts = this.hosts.map(({ host, port }) => {
      const name = IPV6_TEXT.test(host) ? `[${host}]` : encode(host);
      return port === undefined ? name : `${name}:${port}`;
    });
    const database =
      this.database === undefined ? "" : `/${this.family === "sqlite" ? this.database : encode(this.database)}`;
    const parameters = Object.entries(this.query).map(
      ([name, value]) => `${encode(name)}=${hide && SECRET_NAME.test(name) ? "***" : encode(value)}`,
    );
    return `${this.scheme}://${user}${hosts.join(",")}${database}${parameters.length === 0 ? "" : `?${parameters.join("&")}`}`;
  }

  /** The URL with its password hidden. */
  toString(): string {
    return this.render();
  }

  /** The URL with its password hidden. */
  toJSON(): string {
    return this.render();
  }

  /** The URL with its password hidden. */
  [inspect.custom](): string {
    return this.render();
  }
}

function unknownScheme(given: string): InvalidUrlError {
  const known = Object.keys(FAMILIES).map((scheme) => `${scheme}://`);
  return new InvalidUrlError(
    `Cannot connect to ${given}: unknown kind of database. Expected a URL that begins with ${known.join(", ")}.`,
  );
}

function unescaped(text: string): InvalidUrlError {
  return new InvalidUrlError(
    `${shown(text)} has a "@" behind the host. Write special characters of user, password and parameters as escapes: ` +
      "%2F for /, %3F for ?, %23 for #, %40 for @.",
  );
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535;
}

function unreadable(text: string): InvalidUrlError {
  return new InvalidUrlError(
    `${shown(text)} is not a database URL. Examples: "postgresql://user:password@localhost:5432/main", "mysql://localhost/users", "sqlite:///app.db".`,
  );
}

/** Text that is no proper URL, with all of it hidden that could be a password. */
function shown(text: string): string {
  if (text.trim() === "") return "An empty string";
  if (!/[:@=]/.test(text)) return JSON.stringify(text);
  const scheme = /^\s*([a-z][a-z0-9+_]*):\/\//i.exec(text);
  return scheme === null ? "The text given" : `"${scheme[1]}://…"`;
}

function decoded(part: string, text: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new InvalidUrlError(`${shown(text)} has a "%" that begins no escape; write %25 for a percent sign.`);
  }
}

function credentials(part: string, text: string): [string | undefined, string | undefined] {
  const colon = part.indexOf(":");
  if (colon < 0) return [decoded(part, text), undefined];
  return [colon === 0 ? undefined : decoded(part.slice(0, colon), text), decoded(part.slice(colon + 1), text)];
}

function hostsOf(part: string, text: string): HostAddress[] {
  if (part === "") return [];
  return part.split(",").map((one) => {
    const match = HOST_TEXT.exec(one);
    if (match === null) throw unreadable(text);
    const [, address, name = "", digits] = match;
    const host = address ?? decoded(name, text);
    if (digits === undefined) return { host };
    if (!isPort(Number(digits))) throw unreadable(text);
    return { host, port: Number(digits) };
  });
}

function parametersOf(part: string, text: string): Record<string, string> {
  const parameters = new URLSearchParams(part);
  const names = [...parameters.keys()];
  if (new Set(names).size !== names.length) {
    throw new InvalidUrlError(
      `${shown(text)} has a parameter twice. Several hosts are written with commas: "host1,host2:5433".`,
    );
  }
  return Object.fromEntries(parameters);
}
