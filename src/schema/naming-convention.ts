import { createHash } from "node:crypto";
import { InvalidOptionError } from "../errors/configuration.ts";

/**
 * How constraints and indexes are named that have no name of their own, as templates over `{table}`, `{columns}`
 * (joined by `_`), `{column}` (the first), `{referredTable}`, `{referredColumns}` and `{name}` (a check's own name).
 *
 * A kind without template gets no name, and the database chooses one. Only indexes always need one.
 *
 * @example
 * new Multibind({ namingConvention: { pk: "pk_{table}", uq: "uq_{table}_{columns}", fk: "fk_{table}_{columns}" } })
 *
 * @see SQLAlchemy: `MetaData(naming_convention=…)`
 */
export interface NamingConvention {
  /** Primary keys. */
  readonly pk?: string;
  /** Unique constraints. */
  readonly uq?: string;
  /** Indexes. Defaults to `ix_{table}_{columns}`. */
  readonly ix?: string;
  /** Foreign keys. */
  readonly fk?: string;
  /** Check constraints; needs `{name}`. A check with a name of its own keeps it where there is no template. */
  readonly ck?: string;
}

/** The values of a template's placeholders. */
export interface NameParts {
  readonly table: string;
  readonly columns?: readonly string[];
  readonly referredTable?: string;
  readonly referredColumns?: readonly string[];
  readonly name?: string | undefined;
}

/** The shortest limit of the databases: PostgreSQL cuts identifiers behind 63 bytes. */
const LONGEST_NAME = 63;
const PLACEHOLDER = /\{(\w+)\}/g;
const PLACEHOLDERS = new Set(["table", "columns", "column", "referredTable", "referredColumns", "name"]);

/**
 * Checks a naming convention given by a user.
 *
 * @throws {InvalidOptionError} on an unknown kind or placeholder
 */
export function checkNamingConvention(convention: NamingConvention): void {
  for (const [kind, template] of Object.entries(convention)) {
    if (!["pk", "uq", "ix", "fk", "ck"].includes(kind)) {
      throw new InvalidOptionError(`The naming convention knows pk, uq, ix, fk and ck, not "${kind}".`);
    }
    if (typeof template !== "string") {
      throw new InvalidOptionError(
        `The naming convention's "${kind}" is a template such as "${kind}_{table}_{columns}".`,
      );
    }
    for (const [, placeholder] of template.matchAll(PLACEHOLDER)) {
      if (!PLACEHOLDERS.has(placeholder!)) {
        throw new InvalidOptionError(
          `The naming convention's "${kind}" names {${placeholder}}; there is ${[...PLACEHOLDERS].map((name) => `{${name}}`).join(", ")}.`,
        );
      }
    }
  }
}

/** The name that a template gives, cut to what every database takes, or `undefined` where a part is missing. */
export function conventionalName(template: string | undefined, parts: NameParts): string | undefined {
  if (template === undefined) return undefined;
  const values: Record<string, string | undefined> = {
    table: parts.table,
    columns: parts.columns?.join("_"),
    column: parts.columns?.[0],
    referredTable: parts.referredTable,
    referredColumns: parts.referredColumns?.join("_"),
    name: parts.name,
  };
  let complete = true;
  const name = template.replace(PLACEHOLDER, (_, placeholder: string) => {
    const value = values[placeholder];
    if (value === undefined) complete = false;
    return value ?? "";
  });
  return complete ? shortened(name) : undefined;
}

function shortened(name: string): string {
  if (Buffer.byteLength(name) <= LONGEST_NAME) return name;
  const digest = createHash("sha256").update(name).digest("hex").slice(0, 8);
  let kept = name;
  while (Buffer.byteLength(kept) > LONGEST_NAME - 9) kept = [...kept].slice(0, -1).join("");
  return `${kept}_${digest}`;
}
