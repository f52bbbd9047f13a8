import { MultibindError } from "./multibind-error.ts";

/** A table, column or constraint is described in a way that cannot work. */
export class SchemaError extends MultibindError {
  readonly code: string = "SCHEMA";
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
