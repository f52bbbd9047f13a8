import { brokenName, bytesBeyond } from "../../schema/names.ts";
import type { NameRules } from "../names/name-rules.ts";

const MOST_CHARACTERS = 64;
/** In bytes: MariaDB cuts aliases after 255 in silence, and of more than 250 the driver misreads the length. */
const LONGEST_ALIAS = 250;
/** Above all texts that begin with a space or a control character. */
const LAST_SPACE = " \uffff";

const indexes = { of: "index", within: "table" } as const;

/** Which names MySQL and MariaDB keep. */
export const mysqlNames: NameRules = {
  refusal,
  storedRefusal: mysqlStoredRefusal,
  // Spaces and control characters at the beginning of an alias are dropped in silence.
  aliasRefusal: (name) =>
    (name !== "" && name <= LAST_SPACE) || name.startsWith("\x7f")
      ? "it begins with a space, which MySQL and MariaDB drop from an alias"
      : undefined,
  ignoresCase: { columns: true, tables: false },
  namespaces: {
    table: [],
    // It is always called PRIMARY.
    "primary key": [],
    "unique constraint": [indexes],
    index: [indexes],
    // A foreign key makes an index of its own name if it has none.
    "foreign key": [indexes, { of: "foreign key", within: "schema" }],
    check: [{ of: "check", within: "table" }],
  },
};

function refusal(name: string): string | undefined {
  const bytes = bytesBeyond(LONGEST_ALIAS, name);
  if (bytes !== undefined) return `it has ${bytes} bytes, and ${LONGEST_ALIAS} are the most on MySQL and MariaDB`;
  const broken = brokenName(name);
  if (broken !== undefined) return broken;
  return /[\ud800-\udfff]/.test(name)
    ? "it contains a character beyond U+FFFF, which MySQL and MariaDB do not take in names"
    : undefined;
}

/** Why MySQL and MariaDB do not keep a name of a table, column, constraint or database. */
export function mysqlStoredRefusal(name: string): string | undefined {
  if (name === "") return "it is empty";
  if (name.length > MOST_CHARACTERS)
    return `it has ${name.length} characters, and MySQL and MariaDB take at most ${MOST_CHARACTERS}`;
  return name.endsWith(" ") ? "it ends with a space, which MySQL and MariaDB do not take" : refusal(name);
}
