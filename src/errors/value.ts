import type { BindKey } from "../bind-key.ts";
import { MultibindError } from "./multibind-error.ts";

/** Which column a value was meant for or came from. */
export interface ValueErrorOptions extends ErrorOptions {
  readonly bindKey?: BindKey | undefined;
  readonly table?: string | undefined;
  readonly column?: string | undefined;
  readonly row?: string | undefined;
  /** 400 where the value may have come with a request. */
  readonly status?: 400 | undefined;
}

/** A value does not fit its column. Thrown before anything is sent, or when a stored value cannot be given back exactly. */
export class InvalidValueError extends MultibindError {
  readonly code: string = "INVALID_VALUE";
  /** The table's name, where it is known. */
  declare readonly table?: string;
  /** The column's property name, where it is known. */
  declare readonly column?: string;
  /** The row that the value is stored in, such as `id = 5`, where it was read. */
  declare readonly row?: string;
  /**
   * The status of the response to a request that gave the value: 400. Absent where a stored value cannot be read, and where
   * the program itself is wrong. Web frameworks that look at an error's `status` answer with it.
   */
  declare readonly status?: 400;

  constructor(message: string, options: ValueErrorOptions = {}) {
    super(message, options);
    if (options.table !== undefined) this.table = options.table;
    if (options.column !== undefined) this.column = options.column;
    if (options.row !== undefined) this.row = options.row;
    if (options.status !== undefined) this.status = options.status;
  }

  /** @internal the same error of a value that is stored in a row */
  inRow(row: string): InvalidValueError {
    // Classes of these errors are all made of a message and options.
    const ErrorClass = this.constructor as typeof InvalidValueError;
    const { bindKey, table, column } = this;
    return new ErrorClass(`${this.message} It is in the row ${row}.`, { bindKey, table, column, row, cause: this });
  }
}

/** A column was set to `undefined` in an update, where that could mean either "leave it" or "make it null". */
export class UndefinedValueError extends InvalidValueError {
  override readonly code = "UNDEFINED_VALUE";

  constructor(message: string, options: ValueErrorOptions = {}) {
    super(message, { status: 400, ...options });
  }
}

/** A stored value is finer or larger than the column's JavaScript type can hold without loss. */
export class PrecisionError extends InvalidValueError {
  override readonly code = "PRECISION";
}

/** A cursor of `keyset()` is invalid, or belongs to another order. */
export class InvalidCursorError extends InvalidValueError {
  override readonly code = "INVALID_CURSOR";

  constructor(message: string, options: ValueErrorOptions = {}) {
    super(message, { status: 400, ...options });
  }
}
