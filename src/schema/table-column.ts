import type { BindKey } from "../bind-key.ts";
import { InvalidValueError } from "../errors/value.ts";
import { Column, type ColumnDefinition } from "./column.ts";
import { Refusal } from "./logical-type.ts";

/** The `Multibind` object that tables were defined with: a table works only with sessions and engines of its own. */
export interface TableOwner {
  /** The name of the `Multibind` object in messages. */
  readonly label: string;
}

/** The owner of columns that belong to an expression. */
export const NO_OWNER: TableOwner = { label: "no Multibind object" };

/** A column's view of its table. */
export interface ColumnTable {
  readonly owner: TableOwner;
  readonly name: string;
  readonly fullName: string;
  readonly bindKey: BindKey;
}

/** Facts that a refusal of a value adds to its reason. */
export interface RefusalOptions {
  /** 400 for a value that was given; left out for one that is stored. */
  readonly status?: 400;
  readonly ErrorClass?: typeof InvalidValueError | undefined;
}

/** A column that belongs to a table: it knows its property, its name in the database, and whom it belongs to. */
export class TableColumn<S = unknown> extends Column<S, unknown, boolean, boolean> {
  readonly table: ColumnTable;
  /** The property of entities and of rows in JavaScript. */
  readonly property: string;
  /** The column's name in the database. */
  readonly name: string;

  constructor(definition: ColumnDefinition<S>, table: ColumnTable, property: string, name: string) {
    super(definition);
    this.table = table;
    this.property = property;
    this.name = name;
    Object.freeze(this);
  }

  /**
   * Checks a value that is not null for this column and returns it in its canonical form.
   *
   * @throws {InvalidValueError} naming bind, table and column
   */
  accept(value: unknown): S {
    try {
      return this.definition.type.accept(value);
    } catch (error) {
      if (error instanceof Refusal) throw this.refusal(error.message, { status: 400 });
      throw error;
    }
  }

  /** The error for a value that this column cannot hold, for `reason`. */
  refusal(reason: string, { status, ErrorClass = InvalidValueError }: RefusalOptions = {}): InvalidValueError {
    const { bindKey, fullName } = this.table;
    const where = bindKey === null ? "the default bind" : `bind "${bindKey}"`;
    return new ErrorClass(
      `The value does not fit column "${fullName}.${this.property}" (${this.definition.type.kind}, ${where}): ${reason}.`,
      {
        bindKey,
        table: fullName,
        column: this.property,
        ...(status === undefined ? {} : { status }),
      },
    );
  }
}
