import { bindLabel } from "../bind-key.ts";
import { inBind } from "../errors/multibind-error.ts";
import { CrossBindForeignKeyError, SchemaError, UnknownTableError } from "../errors/schema.ts";
import type { ReferenceOptions, ReferentialAction } from "./reference-options.ts";
import type { AnyTable } from "./table.ts";
import { TableColumn, type TableOwner } from "./table-column.ts";
import { requireOwner } from "./table-owner.ts";

/** The table and columns that a foreign key leads to, by their names. */
export interface ForeignKeyTarget {
  readonly table: string;
  readonly columns: readonly string[];
}

/** Where a foreign key leads once it is resolved. */
export interface ResolvedForeignKey {
  readonly table: AnyTable;
  readonly columns: readonly TableColumn[];
}

/** Finds tables by name: in one bind's metadata, and all that bear the name in any bind. */
export interface TableDirectory extends TableOwner {
  find(bindKey: TableColumn["table"]["bindKey"], name: string): AnyTable | undefined;
  named(name: string): readonly AnyTable[];
}

/**
 * A reference from columns of one table to columns of a table of the same bind.
 *
 * @see SQLAlchemy: `ForeignKeyConstraint`
 */
export class ForeignKey {
  readonly columns: readonly TableColumn[];
  readonly target: ForeignKeyTarget;
  readonly onDelete: ReferentialAction | undefined;
  readonly onUpdate: ReferentialAction | undefined;
  readonly name: string | undefined;

  constructor(columns: readonly TableColumn[], target: ForeignKeyTarget, options: ReferenceOptions) {
    if (columns.length !== target.columns.length) {
      const { table } = columns[0]!;
      throw new SchemaError(
        `A foreign key of ${inBind(`table "${table.fullName}"`, table.bindKey)} has ${columns.length} columns and refers to ${target.columns.length}.`,
        { bindKey: table.bindKey },
      );
    }
    this.columns = columns;
    this.target = target;
    this.onDelete = options.onDelete;
    this.onUpdate = options.onUpdate;
    this.name = options.name;
  }

  /** The foreign key that a column's `references` makes, if it has one. */
  static ofColumn(column: TableColumn): ForeignKey[] {
    const { reference } = column.definition;
    if (reference === undefined) return [];
    return [new ForeignKey([column], targetOf(column, reference.target), reference)];
  }

  /**
   * Finds the table and columns that the key leads to.
   *
   * @throws {CrossBindForeignKeyError} if only another bind has the table
   * @throws {UnknownTableError} if no bind has it
   * @throws {SchemaError} if it has no such column
   */
  resolve(directory: TableDirectory): ResolvedForeignKey {
    const { table } = this.columns[0]!;
    const found = directory.find(table.bindKey, this.target.table);
    if (found === undefined) throw this.#unresolved(directory.named(this.target.table));
    const columns = this.target.columns.map((name) => {
      const column = found.findColumn(name);
      if (column !== undefined) return column;
      throw new SchemaError(
        `${this.#label} refers to "${found.fullName}.${name}", and ${found.label} has no such column.`,
        {
          bindKey: table.bindKey,
        },
      );
    });
    return { table: found, columns };
  }

  get #label(): string {
    const { table } = this.columns[0]!;
    return `The foreign key of ${inBind(`"${table.fullName}.${this.columns.map(({ property }) => property).join(", ")}"`, table.bindKey)}`;
  }

  #unresolved(elsewhere: readonly AnyTable[]): Error {
    const { bindKey } = this.columns[0]!.table;
    if (elsewhere.length === 0) {
      return new UnknownTableError(
        `${this.#label} refers to table "${this.target.table}", which is not defined in any bind. Correct the name, or import the module that defines the table.`,
        { bindKey },
      );
    }
    const binds = elsewhere.map((table) => bindLabel(table.bindKey)).join(" and ");
    return new CrossBindForeignKeyError(
      `${this.#label} refers to table "${this.target.table}", which is in ${binds}. A database cannot check a key of another one: ` +
        "leave `references` out and keep the value in a plain column, or move one of the tables.",
      { bindKey },
    );
  }
}

function targetOf(column: TableColumn, target: unknown): ForeignKeyTarget {
  const { table } = column;
  if (target instanceof TableColumn) {
    requireOwner(target.table, table.owner);
    if (target.table.bindKey !== table.bindKey) {
      throw new CrossBindForeignKeyError(
        `Column ${inBind(`"${table.fullName}.${column.property}"`, table.bindKey)} refers to ` +
          `${inBind(`"${target.table.fullName}.${target.property}"`, target.table.bindKey)}. A database cannot check a key of another one.`,
        { bindKey: table.bindKey },
      );
    }
    return { table: target.table.fullName, columns: [target.property] };
  }
  const parts = typeof target === "string" ? target.split(".") : [];
  const name = parts.pop();
  if (name === undefined || name === "" || parts.length === 0 || parts.includes("")) {
    throw new SchemaError(
      `Column ${inBind(`"${table.fullName}.${column.property}"`, table.bindKey)} refers to something that is not ` +
        'a column: give "table.column", or a column of a table such as `User.columns.id`.',
      { bindKey: table.bindKey },
    );
  }
  return { table: parts.join("."), columns: [name] };
}
