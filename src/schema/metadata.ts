import { inspect } from "node:util";
import { type BindKey, bindLabel } from "../bind-key.ts";
import { DuplicateTableError } from "../errors/schema.ts";
import type { Columns } from "./column.ts";
import type { TableDirectory } from "./foreign-key.ts";
import type { NamingConvention } from "./naming-convention.ts";
import type { AnyTable } from "./table.ts";
import type { ColumnNaming } from "./table-parts.ts";

/** What becomes of a table that is defined a second time in one bind. */
export type Redefinition = "error" | "replace";

/**
 * The tables of one bind.
 *
 * @see SQLAlchemy: `MetaData`
 */
export class Metadata {
  /** @internal the `Multibind` object that the tables were defined with */
  readonly owner: TableDirectory;
  /** The bind whose tables these are; `null` is the default one. */
  readonly bindKey: BindKey;
  /** How unnamed constraints are named, the same for all binds. */
  readonly namingConvention: NamingConvention;
  readonly #tables = new Map<string, AnyTable>();
  readonly #reflected = new WeakSet<AnyTable>();
  readonly #redefinition: Redefinition;
  #revision = 0;

  /** @internal use `db.metadatas` */
  constructor(
    owner: TableDirectory,
    bindKey: BindKey,
    options: { readonly namingConvention: NamingConvention; readonly redefine: Redefinition },
  ) {
    this.owner = owner;
    this.bindKey = bindKey;
    this.namingConvention = options.namingConvention;
    this.#redefinition = options.redefine;
    Object.freeze(this);
  }

  /** The tables by name, with the schema in front where a table has one; in the order of definition. */
  get tables(): ReadonlyMap<string, AnyTable> {
    return this.#tables;
  }

  /** The bind and the names of its tables. */
  toString(): string {
    return `Metadata(${bindLabel(this.bindKey)}: ${[...this.#tables.keys()].join(", ") || "no tables"})`;
  }

  /** The same as {@link toString}, for `console.log`. */
  [inspect.custom](): string {
    return this.toString();
  }

  /**
   * Takes in a table.
   *
   * @throws {DuplicateTableError} if the bind has a table of this name
   */
  add(table: AnyTable): void {
    if (this.#redefinition === "error" && this.#tables.has(table.fullName)) {
      throw new DuplicateTableError(
        `Table ${table.label} is defined twice. Give one of them another name or bind key, ` +
          'or construct with `new Multibind({ redefine: "replace" })` if a development server loads modules again.',
        { bindKey: this.bindKey },
      );
    }
    this.#tables.set(table.fullName, table);
    this.#revision++;
  }

  /** @internal adds a table that was found in the database: it was not defined here */
  addReflected(table: AnyTable): void {
    this.add(table);
    this.#reflected.add(table);
  }

  /** Whether a table was read from the database by `reflect` instead of being defined; also if a model was mapped to it. */
  isReflected(table: AnyTable): boolean {
    return this.#reflected.has(table);
  }

  /** @internal adds the columns of a child that lives in one of the tables */
  grow(table: AnyTable, columns: Columns, naming?: ColumnNaming): void {
    table.grow(columns, naming);
    this.#revision++;
  }

  /** @internal grows with each table that comes, is replaced or gets more columns: what was made of them is out of date */
  get revision(): number {
    return this.#revision;
  }
}
