import { brokenName } from "../../schema/names.ts";
import type { NameRules } from "../names/name-rules.ts";

/** PostgreSQL cuts longer names in silence. */
const MOST_BYTES = 63;

const constraints = { of: "constraint", within: "table" } as const;
/** Indexes are relations, as tables are. */
const relations = { of: "relation", within: "schema" } as const;

/** Which names PostgreSQL keeps. */
export const postgresNames: NameRules = {
  refusal: postgresNameRefusal,
  ignoresCase: { columns: false, tables: false },
  namespaces: {
    table: [relations],
    "primary key": [constraints, relations],
    "unique constraint": [constraints, relations],
    index: [relations],
    "foreign key": [constraints],
    check: [constraints],
  },
};

/** Why PostgreSQL does not keep a name. */
export function postgresNameRefusal(name: string): string | undefined {
  if (name === "") return "it is empty";
  // No character takes more than three bytes for each of its UTF-16 units.
  const bytes = name.length * 3 <= MOST_BYTES ? 0 : Buffer.byteLength(name);
  if (bytes > MOST_BYTES) return `it has ${bytes} bytes, and PostgreSQL cuts names after ${MOST_BYTES} bytes`;
  return brokenName(name);
}
