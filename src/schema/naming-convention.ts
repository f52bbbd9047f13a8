import { InvalidOptionError } from "../errors/configuration.ts";
import { shortenedName } from "./names.ts";

/**
 * How constraints and indexes are named that have no name of their own, as templates over `{table}`, `{columns}`
 * (joined by `_`), `{column}` (the first), `{referredTable}`, `{referredColumns}`, and for checks `{name}` (the check's own
 * name) and `{condition}` (the column of an enumeration, or a hash of the condition's text). A name of more than 60 bytes is
 * shortened and ends with a hash.
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
  /**
   * Check constraints, those of enumerations included. A check's own name becomes the `{name}` of the template; a template
   * without `{name}` leaves such a check its name. For a check without a name, `{name}` is the same as `{condition}`.
   */
  readonly ck?: string;
}

/** The values of a template's placeholders. */
export interface NameParts {
  readonly table: string;
  readonly columns?: readonly string[];
  readonly referredTable?: string;
  readonly referredColumns?: readonly string[];
  readonly name?: string | undefined;
  readonly condition?: string;
}

/**
 * The naming convention of a `Multibind` that gives none.
 *
 * @see SQLAlchemy: `MetaData.naming_convention`
 */
export const DEFAULT_NAMING = Object.freeze({
  pk: "pk_{table}",
  uq: "uq_{table}_{columns}",
  ix: "ix_{table}_{columns}",
  fk: "fk_{table}_{columns}_{referredTable}",
  ck: "ck_{table}_{condition}",
}) satisfies NamingConvention;

/** Below PostgreSQL's limit of 63 bytes, the shortest of the databases. */
const LONGEST_NAME = 60;
const PLACEHOLDER = /\{(\w+)\}/g;
const PLACEHOLDERS = new Set(["table", "columns", "column", "referredTable", "referredColumns", "name", "condition"]);

/**
 * The naming convention of what a user gives: the default if nothing is given, none but that of indexes for `null`.
 *
 * @throws {InvalidOptionError} on an unknown kind or placeholder
 */
export function resolvedNaming(given: NamingConvention | null | undefined): NamingConvention {
  if (given === undefined) return DEFAULT_NAMING;
  const convention = { ix: DEFAULT_NAMING.ix, ...given };
  checkNamingConvention(convention);
  return Object.freeze(convention);
}

function checkNamingConvention(convention: NamingConvention): void {
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
    condition: parts.condition,
  };
  let complete = true;
  const name = template.replace(PLACEHOLDER, (_, placeholder: string) => {
    const value = values[placeholder];
    if (value === undefined) complete = false;
    return value ?? "";
  });
  return complete ? shortenedName(name, LONGEST_NAME) : undefined;
}
