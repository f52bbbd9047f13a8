/**
 * The short name of a database; `null` is the default one.
 *
 * @see Flask-SQLAlchemy: the bind key, where `None` is the default.
 */
export type BindKey = string | null;

/** One bind key, a list of them, or nothing for all: what `createAll`, `dropAll` and `reflect` take. */
export type BindKeys<K extends BindKey = BindKey> = K | readonly K[];

/** The most characters of a bind key. */
const LONGEST = 64;

/** Characters of URLs, connection strings and JSON, which no short name needs. */
const NOT_IN_A_NAME = /:\/\/|[@={}\p{Cc}]/u;

const SCHEME = /^\s*([a-z][a-z0-9+.-]{0,15}):\/\//i;

/** Whether a value is a short name that messages may repeat. Connection strings are not, and may hold a password. */
export function isBindName(value: unknown): value is string {
  return typeof value === "string" && value.length <= LONGEST && !NOT_IN_A_NAME.test(value);
}

/** A bind key as messages write it: `bind "auth"`, or `the default bind`. */
export function bindLabel(bindKey: BindKey): string {
  return bindKey === null ? "the default bind" : `bind ${quotedBindKey(bindKey)}`;
}

/**
 * A value that was given as a bind key, for messages. Of one that is not a short name nothing is repeated but the scheme
 * of a URL: `"postgresql://…"`.
 */
export function quotedBindKey(value: unknown, quote = '"'): string {
  if (isBindName(value)) return `${quote}${value}${quote}`;
  if (typeof value !== "string") return kindOf(value);
  const scheme = SCHEME.exec(value)?.[1];
  return scheme === undefined ? `(text of ${value.length} characters)` : `${quote}${scheme}://…${quote}`;
}

/** A bind key as errors carry it: what is not a short name, as messages show it; undefined for what is not even text. */
export function shownBindKey(given: unknown): BindKey | undefined {
  if (given === null || isBindName(given)) return given;
  return typeof given === "string" ? quotedBindKey(given, "") : undefined;
}

/**
 * Why a value is not a bind key, as the end of a sentence that begins with "Expected"; undefined if it is one.
 *
 * @param value not undefined
 */
export function notABindKey(value: unknown): string | undefined {
  if (value === null || isBindName(value)) return undefined;
  return `a bind key to be a short name, or null for the default bind, but got ${quotedBindKey(value)}. ${BIND_KEY_HINT}`;
}

/** The way out of a bind key that is not a short name. */
export const BIND_KEY_HINT =
  'A bind key names a database, such as "auth"; its URL is the value of that key in `binds`, or `databaseUrl` for the default bind.';

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
