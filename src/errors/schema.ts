import { MultibindError, type MultibindErrorOptions } from "./multibind-error.ts";

/** A table, column or constraint is described in a way that cannot work. */
export class SchemaError extends MultibindError {
  readonly code: string = "SCHEMA";
}

/** The object that has an invalid name. */
export interface InvalidNameOptions extends MultibindErrorOptions {
  readonly identifier: string;
  readonly table?: string | undefined;
  readonly column?: string | undefined;
}

/**
 * The database cannot keep a name as it is: it is too long, has a character that the database does not take, or stands for
 * something else there already. Thrown before anything is sent.
 *
 * @see SQLAlchemy: `IdentifierError`
 */
export class InvalidNameError extends SchemaError {
  override readonly code = "INVALID_NAME";
  /** The name as it was given. */
  readonly identifier: string;
  /** The table's name, where the name is its own or that of one of its parts. */
  declare readonly table?: string;
  /** The column's property name, where the name is that of a column. */
  declare readonly column?: string;

  constructor(message: string, options: InvalidNameOptions) {
    super(message, options);
    this.identifier = options.identifier;
    if (options.table !== undefined) this.table = options.table;
    if (options.column !== undefined) this.column = options.column;
  }
}

/** Two tables of one bind have the same name. */
export class DuplicateTableError extends SchemaError {
  override readonly code = "DUPLICATE_TABLE";
}

/** A table is named that no metadata knows. */
export class UnknownTableError extends SchemaError {
  override readonly code = "UNKNOWN_TABLE";
}

/** A foreign key leads from a table of one bind to a table of another. Databases cannot hold such a key. */
export class CrossBindForeignKeyError extends SchemaError {
  override readonly code = "CROSS_BIND_FOREIGN_KEY";
}

/** A class is not mapped to a table, or not to the one that a row needs. */
export class UnmappedClassError extends MultibindError {
  readonly code = "UNMAPPED_CLASS";
}

/**
 * A model, table, column or select was made by another copy of this package than the one that it is given to. The copies
 * know nothing of each other's tables.
 */
export class DuplicatePackageError extends MultibindError {
  readonly code = "DUPLICATE_PACKAGE";

  /** @param name what was made by the other copy */
  constructor(name: string) {
    super(
      `Cannot use ${name}: another copy of the package "multibind" has made it. Load the package once in a process: ` +
        "`npm ls multibind` lists the copies; a library lists it as a peer dependency.",
    );
  }
}

/** A model class is written so that its entities could not hold the columns' values. */
export class ModelClassError extends MultibindError {
  readonly code = "MODEL_CLASS";
}
