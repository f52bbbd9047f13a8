import { brokenName } from "../../schema/names.ts";
import type { NameRules } from "../names/name-rules.ts";

const constraints = { of: "constraint", within: "table" } as const;
/** Indexes stand in one list with tables. */
const objects = { of: "object", within: "schema" } as const;

/** Which names SQLite keeps. */
export const sqliteNames: NameRules = {
  refusal: brokenName,
  ignoresCase: { columns: true, tables: true },
  namespaces: {
    table: [objects],
    "primary key": [constraints],
    "unique constraint": [constraints],
    index: [objects],
    "foreign key": [constraints],
    check: [constraints],
  },
};
