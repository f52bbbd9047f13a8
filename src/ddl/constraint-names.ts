import { conventionalName, type NamingConvention } from "../schema/naming-convention.ts";

const DEFAULT_INDEX = "ix_{table}_{columns}";
const OWN_NAME = "{name}";

/** The names that a naming convention gives, made of names in the database. A kind without template gives none. */
export class ConstraintNames {
  readonly #convention: NamingConvention;

  constructor(convention: NamingConvention) {
    this.#convention = convention;
  }

  primaryKey(table: string, columns: readonly string[]): string | undefined {
    return conventionalName(this.#convention.pk, { table, columns });
  }

  unique(table: string, columns: readonly string[]): string | undefined {
    return conventionalName(this.#convention.uq, { table, columns });
  }

  /** Indexes always have a name. */
  index(table: string, columns: readonly string[]): string {
    const parts = { table, columns };
    return conventionalName(this.#convention.ix, parts) ?? conventionalName(DEFAULT_INDEX, parts)!;
  }

  foreignKey(
    table: string,
    columns: readonly string[],
    referredTable: string,
    referredColumns: readonly string[],
  ): string | undefined {
    return conventionalName(this.#convention.fk, { table, columns, referredTable, referredColumns });
  }

  /** A check's own name is the `{name}` of the template; without a template it is the whole name. */
  check(table: string, name: string | undefined): string | undefined {
    return conventionalName(this.#convention.ck, { table, name }) ?? name;
  }

  /** The check of an enumeration has no name of its own: the column's stands for it in the template. */
  enumeration(table: string, column: string): string | undefined {
    return conventionalName(this.#convention.ck, { table, columns: [column], name: column });
  }

  /** The own name that {@link check} has made a check's whole name of. */
  ownCheckName(table: string, name: string | undefined): string | undefined {
    const [before = "", after] = this.#convention.ck?.split(OWN_NAME) ?? [];
    const prefix = conventionalName(before, { table });
    const suffix = conventionalName(after, { table });
    if (name === undefined || prefix === undefined || suffix === undefined) return name;
    const isMade = name.length > prefix.length + suffix.length && name.startsWith(prefix) && name.endsWith(suffix);
    return isMade ? name.slice(prefix.length, name.length - suffix.length) : name;
  }
}
