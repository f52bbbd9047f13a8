import { InexactJson } from "../values/codec.ts";
import { parseJson } from "../values/exact-json.ts";
import { PrecisionRefusal } from "../values/refusals.ts";

/** The part of `pg.types` that is used. */
export interface PgTypes {
  getTypeParser(oid: number, format?: "text" | "binary"): (text: string) => unknown;
}

type Parser = (text: string) => unknown;

const [BPCHAR, BPCHAR_ARRAY, TEXT_ARRAY] = [1042, 1014, 1009];

/** Types whose text is kept as it is, since `pg` would lose digits or shift them into the local time zone. */
const AS_TEXT = new Set([
  1082, // date
  1083, // time
  1114, // timestamp
  1184, // timestamptz
]);

/** Arrays of such types and of decimals: their elements are text. */
const AS_TEXTS = new Set([
  1115, // timestamp[]
  1182, // date[]
  1183, // time[]
  1185, // timestamptz[]
  1231, // numeric[]
]);

const JSONS = [114, 3802] as const; // json, jsonb
const JSON_ARRAYS = [199, 3807] as const;

/**
 * What `pg` reads of each type, except that dates and times stay text, and that `char(n)` comes without the spaces that
 * the server fills it up with, which count for nothing there, and that JSON with numbers which JavaScript does not hold
 * exactly is an {@link InexactJson}.
 */
export function losslessTypes(types: PgTypes): PgTypes {
  const special = new Map<number, Parser>();
  for (const oid of AS_TEXT) special.set(oid, unchanged);
  const texts = types.getTypeParser(TEXT_ARRAY);
  for (const oid of AS_TEXTS) special.set(oid, texts);
  special.set(BPCHAR, unpadded);
  special.set(BPCHAR_ARRAY, (text) => each(texts(text), unpadded));
  const json: Parser = (text) => {
    try {
      return parseJson(text);
    } catch (error) {
      if (!(error instanceof PrecisionRefusal)) throw error;
      return new InexactJson(error);
    }
  };
  for (const oid of JSONS) special.set(oid, json);
  for (const oid of JSON_ARRAYS) special.set(oid, (text) => each(texts(text), json));
  return {
    getTypeParser(oid, format) {
      const parser = format === "binary" ? undefined : special.get(oid);
      return parser ?? types.getTypeParser(oid, format);
    },
  };
}

/**
 * Refuses rows that have JSON with numbers which JavaScript does not hold exactly, where no column will.
 *
 * @throws {PrecisionRefusal} naming the column of the result
 */
export function requireExactJson(rows: readonly unknown[]): void {
  // The driver makes a row an object with a value for each column.
  for (const [index, row] of (rows as readonly Record<string, unknown>[]).entries()) {
    for (const [name, value] of Object.entries(row)) {
      const inexact = (Array.isArray(value) ? value.flat(Number.POSITIVE_INFINITY) : [value]).find(
        (one) => one instanceof InexactJson,
      );
      if (inexact === undefined) continue;
      throw new PrecisionRefusal(`In "${name}" of row ${index + 1} of the result, ${inexact.refusal.message}`);
    }
  }
}

function unchanged(text: string): string {
  return text;
}

function unpadded(text: string): string {
  let end = text.length;
  while (text.charCodeAt(end - 1) === 32) end--;
  return text.slice(0, end);
}

/** What becomes of each text in an array of any depth. */
function each(value: unknown, parse: Parser): unknown {
  if (Array.isArray(value)) return value.map((item) => each(item, parse));
  return typeof value === "string" ? parse(value) : value;
}
