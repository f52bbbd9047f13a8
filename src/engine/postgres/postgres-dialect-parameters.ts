import { type EngineQuery, withParameters } from "../driver.ts";
import { LruCache } from "../lru-cache.ts";
import { postgresNative } from "./postgres-parameters.ts";

/**
 * JSON text as a parameter of a dialect. Some drivers make JSON of every value that they send to a parameter of a JSON type,
 * also of text that is JSON already; so it is sent as text, and cast on the server.
 */
export class JsonParameter {
  readonly text: string;
  readonly type: "json" | "jsonb";

  constructor(text: string, type: "json" | "jsonb") {
    this.text = text;
    this.type = type;
  }

  /** The text, for messages and listeners. */
  toString(): string {
    return this.text;
  }
}

const MOST_KNOWN = 256;
const known = new LruCache<string, string>(MOST_KNOWN);

/** Literals, quoted names and comments, in which no placeholder stands, or a placeholder. */
const LEXEMES =
  /[eE]'(?:\\[\s\S]|''|[^'\\])*'|'(?:''|[^'])*'|"(?:""|[^"])*"|\$([A-Za-z_]\w*)?\$[\s\S]*?\$\1\$|--[^\n]*|\/\*[\s\S]*?\*\/|\$(\d+)/g;

/**
 * A statement as any driver sends it rightly: JSON parameters are text that is cast, and arrays are text, since a driver may
 * take the type of an array from its first element.
 */
export function withPlainParameters<R>(query: EngineQuery<R>): EngineQuery<R> {
  const { parameters } = query;
  if (!parameters.some((value) => value instanceof JsonParameter || Array.isArray(value))) return query;
  const casts = parameters.map((value) => (value instanceof JsonParameter ? value.type : ""));
  const sql = casts.every((cast) => cast === "") ? query.sql : castsIn(query.sql, casts);
  return { ...withParameters(query, parameters.map(plain)), sql };
}

function plain(value: unknown): unknown {
  if (value instanceof JsonParameter) return value.text;
  return Array.isArray(value) ? postgresNative(value.map(elementOf)) : value;
}

function elementOf(value: unknown): unknown {
  if (value instanceof JsonParameter) return value.text;
  return Array.isArray(value) ? value.map(elementOf) : value;
}

function castsIn(sql: string, casts: readonly string[]): string {
  const key = `${casts.join()} ${sql}`;
  let cast = known.get(key);
  if (cast === undefined) {
    cast = sql.replace(LEXEMES, (lexeme: string, _tag: unknown, number?: string) => {
      const type = number === undefined ? "" : casts[Number(number) - 1];
      return type === undefined || type === "" ? lexeme : `${lexeme}::text::${type}`;
    });
    known.set(key, cast);
  }
  return cast;
}
