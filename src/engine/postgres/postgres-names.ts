import { brokenName, bytesBeyond } from "../../schema/names.ts";
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
  const bytes = bytesBeyond(MOST_BYTES, name);
  if (bytes !== undefined) return `it has ${bytes} bytes, and PostgreSQL cuts names after ${MOST_BYTES} bytes`;
  return brokenName(name);
}
