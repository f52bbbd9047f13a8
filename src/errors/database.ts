import type { BindKey } from "../bind-key.ts";
import { MultibindError } from "./multibind-error.ts";

/** Facts about a statement that a database refused. */
export interface DatabaseErrorOptions extends ErrorOptions {
  readonly bindKey?: BindKey | undefined;
  readonly sql?: string | undefined;
}

/**
 * A database or its driver reported an error; `cause` is that error as the driver threw it.
 *
 * The class is the same on every database for the same cause.
 *
 * @see SQLAlchemy: `sqlalchemy.exc.DBAPIError`
 */
export abstract class DatabaseError extends MultibindError {
  /** The statement that failed, where there was one. Parameters are left out: they are the application's data. */
  declare readonly sql?: string;

  constructor(message: string, options: DatabaseErrorOptions = {}) {
    super(message, options);
    if (options.sql !== undefined) this.sql = options.sql;
  }
}

/** Facts that an {@link IntegrityError} adds to those of a failed statement. */
export interface IntegrityErrorOptions extends DatabaseErrorOptions {
  readonly table?: string | undefined;
  readonly columns?: readonly string[] | undefined;
  readonly constraint?: string | undefined;
}

/** A constraint of the database was violated. Its fields are absent where the database does not name them. */
export class IntegrityError extends DatabaseError {
  readonly code: string = "INTEGRITY";
  /** The table whose constraint it is. */
  declare readonly table?: string;
  /** The sole column of the constraint: its property, where the table is known. */
  declare readonly column?: string;
  /** The columns of the constraint: their properties, where the table is known. */
  declare readonly columns?: readonly string[];
  /** The constraint's name in the database. */
  declare readonly constraint?: string;

  constructor(message: string, options: IntegrityErrorOptions = {}) {
    super(message, options);
    const { table, columns, constraint } = options;
    if (table !== undefined) this.table = table;
    if (columns?.length === 1) this.column = columns[0]!;
    if (columns !== undefined) this.columns = columns;
    if (constraint !== undefined) this.constraint = constraint;
  }
}

/** Facts that a {@link DataError} or {@link ProgrammingError} adds to those of a failed statement. */
export interface NamedErrorOptions extends DatabaseErrorOptions {
  readonly table?: string | undefined;
  readonly column?: string | undefined;
  readonly columns?: readonly string[] | undefined;
}

/**
 * The database refused a value: text that is too long, a number out of range, text that is not of the column's type, a
 * division by zero.
 *
 * @see SQLAlchemy: `sqlalchemy.exc.DataError`
 */
export class DataError extends DatabaseError {
  readonly code = "DATA";
  /** The status of the response to a request that gave the value. */
  readonly status = 400;
  /** The table that was written, where the database names it or the column. */
  declare readonly table?: string;
  /** The column that cannot hold the value: its property, where the table is known; absent where the database does not name it. */
  declare readonly column?: string;

  constructor(message: string, options: NamedErrorOptions = {}) {
    super(message, options);
    const { table, columns, column = columns?.[0] } = options;
    if (table !== undefined) this.table = table;
    if (column !== undefined) this.column = column;
  }
}

/** A value that must be unique is already there. */
export class UniqueViolationError extends IntegrityError {
  override readonly code = "UNIQUE_VIOLATION";
}

/** A foreign key names a row that does not exist, or a row is still referred to. */
export class ForeignKeyViolationError extends IntegrityError {
  override readonly code = "FOREIGN_KEY_VIOLATION";
}

/** A column that must have a value got none. */
export class NotNullViolationError extends IntegrityError {
  override readonly code = "NOT_NULL_VIOLATION";
}

/** A check constraint refused a row. */
export class CheckViolationError extends IntegrityError {
  override readonly code = "CHECK_VIOLATION";
}

/** Facts that an {@link OperationalError} adds to those of a failed statement. */
export interface OperationalErrorOptions extends DatabaseErrorOptions {
  readonly retryable?: boolean | undefined;
}

/** The database could not do its work just then: connection, timeout, lock, serialization, resources. */
export class OperationalError extends DatabaseError {
  readonly code: string = "OPERATIONAL";
  /** Whether the same work may succeed if it is begun anew: after a deadlock, a serialization failure or a lock timeout. */
  readonly retryable: boolean;

  constructor(message: string, options: OperationalErrorOptions = {}) {
    super(message, options);
    this.retryable = options.retryable ?? false;
  }
}

/** The connection to the database could not be made, or was lost. */
export class DatabaseConnectionError extends OperationalError {
  override readonly code = "CONNECTION";
}

/** A statement, a lock or a connection was not to be had in the time given. */
export class DatabaseTimeoutError extends OperationalError {
  override readonly code: string = "TIMEOUT";
}

/**
 * A statement waited too long for a lock that another transaction holds. `retryable` is true: roll back and run the
 * transaction again.
 */
export class LockTimeoutError extends DatabaseTimeoutError {
  override readonly code = "LOCK_TIMEOUT";
}

/** The work waits for itself: for a connection or lock that its own surroundings hold. Thrown at once, never after a wait. */
export class SelfDeadlockError extends OperationalError {
  override readonly code = "SELF_DEADLOCK";
}

/** Two pieces of work each held what the other waited for, and this one was chosen to give way. Begin it anew. */
export class DeadlockError extends OperationalError {
  override readonly code = "DEADLOCK";
}

/** Two transactions could not have run one after the other with the same outcome. Begin this one anew. */
export class SerializationError extends OperationalError {
  override readonly code = "SERIALIZATION";
}

/** The statement itself is wrong: its syntax, a name in it, or the right to run it is missing. */
export class ProgrammingError extends DatabaseError {
  readonly code = "PROGRAMMING";
  /** The table that does not exist, or that lacks the column. */
  declare readonly table?: string;
  /** The column that does not exist, or that several tables have. */
  declare readonly column?: string;

  constructor(message: string, options: NamedErrorOptions = {}) {
    super(message, options);
    const { table, column } = options;
    if (table !== undefined) this.table = table;
    if (column !== undefined) this.column = column;
  }
}
