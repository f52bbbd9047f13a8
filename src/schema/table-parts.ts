import { quotedName } from "../errors/name-list.ts";
import { InvalidNameError, SchemaError } from "../errors/schema.ts";
import type { AnyColumn, Columns } from "./column.ts";
import type { CheckConstraint, Constraint, ForeignKeyConstraint, Index, UniqueConstraint } from "./constraint.ts";
import { ForeignKey } from "./foreign-key.ts";
import { brokenName } from "./names.ts";
import { requireThisCopy } from "./package-copy.ts";
import { type ColumnTable, TableColumn } from "./table-column.ts";

/** How columns are called in the database that have no name of their own. */
export type ColumnNaming = (property: string) => string;

/** The parts of a table; its aliases share them. */
export class TableParts {
  readonly columns: Record<string, TableColumn> = {};
  readonly byName = new Map<string, TableColumn>();
  readonly primaryKey: TableColumn[] = [];
  readonly foreignKeys: ForeignKey[] = [];
  readonly uniques: UniqueConstraint[] = [];
  readonly indexTexts: string[] = [];
  readonly indexes: Index[] = [];
  readonly checks: CheckConstraint[] = [];
  readonly #owner: ColumnTable;
  readonly #label: string;

  constructor(owner: ColumnTable, label: string) {
    this.#owner = owner;
    this.#label = label;
  }

  /** Binds columns to the table, with the constraints that they bring. */
  addColumns(columns: Columns, naming: ColumnNaming): TableColumn[] {
    if (typeof columns !== "object" || columns === null) throw this.#error("has no columns: give an object with some");
    let versions = 0;
    return Object.entries<AnyColumn | undefined>(columns).map(([property, given]) => {
      const definition = given?.definition;
      if (definition === undefined) throw this.#error(`has no column in "${property}": give one such as \`integer()\``);
      requireThisCopy(given, `the column "${property}" of table ${this.#label}`);
      const name = definition.name ?? naming(property);
      this.#requireName(name, `the column ${quotedName(property)}`, property);
      if (this.byName.has(name)) throw this.#error(`has two columns named "${name}"`);
      const column = new TableColumn(definition, this.#owner, property, name);
      this.byName.set(name, column);
      this.columns[property] = column;
      if (definition.primaryKey === true) this.primaryKey.push(column);
      if (definition.version === true && versions++ > 0) throw this.#error("has two columns that count versions");
      if (definition.unique === true) this.uniques.push({ kind: "unique", columns: [property] });
      if (definition.index === true) this.indexes.push({ kind: "index", columns: [property], unique: false });
      for (const check of definition.checks ?? []) {
        if (check.name !== undefined) this.#requireName(check.name, "a check");
        this.checks.push({ kind: "check", ...check });
      }
      if (definition.reference?.name !== undefined) this.#requireName(definition.reference.name, "a foreign key");
      this.foreignKeys.push(...ForeignKey.ofColumn(column));
      return column;
    });
  }

  /** Adds constraints over several columns. */
  addConstraints(constraints: readonly Constraint[]): void {
    if (!Array.isArray(constraints)) throw this.#error("has constraints that are not a list");
    for (const constraint of constraints) {
      const { name } = constraint ?? {};
      if (name !== undefined) this.#requireName(name, "a constraint");
      switch (constraint.kind) {
        case "unique":
          this.#columnsOf(constraint.columns);
          this.uniques.push(constraint);
          break;
        case "index":
          this.#columnsOf(constraint.columns);
          this.indexes.push(constraint);
          break;
        case "check":
          this.checks.push(constraint);
          break;
        case "foreignKey":
          this.foreignKeys.push(this.#foreignKey(constraint));
          break;
        default:
          throw this.#error("has an invalid constraint. Use unique(), index(), check() or foreignKey()");
      }
    }
  }

  /** Puts the columns of the primary key into this order. */
  orderKey(names: readonly string[]): void {
    this.primaryKey.sort((one, other) => names.indexOf(one.name) - names.indexOf(other.name));
  }

  /** The column that a reference means: by property, else by name in the database. */
  find(name: string): TableColumn | undefined {
    return Object.hasOwn(this.columns, name) ? this.columns[name] : this.byName.get(name);
  }

  #foreignKey(constraint: ForeignKeyConstraint): ForeignKey {
    const target = { table: constraint.table, columns: constraint.references };
    return new ForeignKey(this.#columnsOf(constraint.columns), target, constraint);
  }

  #columnsOf(properties: readonly string[]): TableColumn[] {
    if (properties.length === 0) throw this.#error("has a constraint over no column");
    return properties.map((property) => {
      const column = this.find(property);
      if (column === undefined)
        throw this.#error(`has a constraint over "${property}", which is not one of its columns`);
      return column;
    });
  }

  /** @throws {InvalidNameError} if no database keeps the name of `what` */
  #requireName(name: unknown, what: string, column?: string): void {
    const reason = typeof name !== "string" ? "it is not a string" : name === "" ? "it is empty" : brokenName(name);
    if (reason === undefined) return;
    const { fullName: table, bindKey } = this.#owner;
    throw new InvalidNameError(
      `Cannot use the name ${quotedName(String(name))} for ${what} of table ${this.#label}: ${reason}.`,
      { bindKey, identifier: String(name), table, column },
    );
  }

  #error(what: string): SchemaError {
    return new SchemaError(`Table ${this.#label} ${what}.`, { bindKey: this.#owner.bindKey });
  }
}
