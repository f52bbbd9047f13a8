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

/**
 * What `pg` reads of each type, except that dates and times stay text, and that `char(n)` comes without the spaces that
 * the server fills it up with, which count for nothing there.
 */
export function losslessTypes(types: PgTypes): PgTypes {
  const special = new Map<number, Parser>();
  for (const oid of AS_TEXT) special.set(oid, unchanged);
  const texts = types.getTypeParser(TEXT_ARRAY);
  for (const oid of AS_TEXTS) special.set(oid, texts);
  special.set(BPCHAR, unpadded);
  special.set(BPCHAR_ARRAY, (text) => each(texts(text), unpadded));
  return {
    getTypeParser(oid, format) {
      const parser = format === "binary" ? undefined : special.get(oid);
      return parser ?? types.getTypeParser(oid, format);
    },
  };
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
