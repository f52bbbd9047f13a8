/** The part of `pg.types` that is used. */
export interface PgTypes {
  getTypeParser(oid: number, format?: "text" | "binary"): (text: string) => unknown;
}

/** Types whose text is kept as it is, since `pg` would lose digits or shift them into the local time zone. */
const AS_TEXT = new Set([
  1082, // date
  1083, // time
  1114, // timestamp
  1184, // timestamptz
]);

/** What `pg` reads of each type, except that dates and times stay text. */
export function losslessTypes(types: PgTypes): PgTypes {
  return {
    getTypeParser(oid, format) {
      return AS_TEXT.has(oid) && format !== "binary" ? unchanged : types.getTypeParser(oid, format);
    },
  };
}

function unchanged(text: string): string {
  return text;
}
