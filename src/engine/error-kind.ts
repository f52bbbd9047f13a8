import {
  CheckViolationError,
  DatabaseConnectionError,
  type DatabaseError,
  DatabaseTimeoutError,
  DataError,
  DeadlockError,
  ForeignKeyViolationError,
  IntegrityError,
  type IntegrityErrorOptions,
  LockTimeoutError,
  type NamedErrorOptions,
  NotNullViolationError,
  OperationalError,
  type OperationalErrorOptions,
  ProgrammingError,
  SerializationError,
  UniqueViolationError,
} from "../errors/database.ts";

/** What went wrong in a database, in the terms that all of them share. */
export type ErrorKind =
  | "unique"
  | "foreignKey"
  | "notNull"
  | "check"
  | "integrity"
  | "data"
  | "connection"
  | "timeout"
  | "lockTimeout"
  | "deadlock"
  | "serialization"
  | "operational"
  | "programming";

/** The facts that some class of errors takes. */
export type ErrorFacts = OperationalErrorOptions & IntegrityErrorOptions & NamedErrorOptions;

const CLASSES: Readonly<Record<ErrorKind, new (message: string, options: ErrorFacts) => DatabaseError>> = {
  unique: UniqueViolationError,
  foreignKey: ForeignKeyViolationError,
  notNull: NotNullViolationError,
  check: CheckViolationError,
  integrity: IntegrityError,
  data: DataError,
  connection: DatabaseConnectionError,
  timeout: DatabaseTimeoutError,
  lockTimeout: LockTimeoutError,
  deadlock: DeadlockError,
  serialization: SerializationError,
  operational: OperationalError,
  programming: ProgrammingError,
};

const RETRYABLE: ReadonlySet<ErrorKind> = new Set(["deadlock", "serialization", "lockTimeout"]);

/** The error that says what went wrong, the same on every database. */
export function databaseError(kind: ErrorKind, message: string, options: ErrorFacts): DatabaseError {
  return new CLASSES[kind](message, { ...options, retryable: RETRYABLE.has(kind) });
}

/** Codes of Node.js's own errors that mean that there is no connection, or none that is encrypted as it has to be. */
const NO_CONNECTION =
  /^(ECONN|EPIPE|ENOTFOUND|EAI_|EHOST|ENET|ETIMEDOUT|ESOCKET|ENOENT|EACCES|EPROTO|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|ERR_TLS|ERR_SSL|ERR_OSSL)/;

/** The kind of a network or file error, if it is one. */
export function systemErrorKind(error: unknown): ErrorKind | undefined {
  if (error instanceof AggregateError) return error.errors.length > 0 ? systemErrorKind(error.errors[0]) : undefined;
  const code = stringProperty(error, "code");
  return code !== undefined && NO_CONNECTION.test(code) ? "connection" : undefined;
}

/** A property of an unknown error, if it is a string. */
export function stringProperty(error: unknown, name: string): string | undefined {
  const value = typeof error === "object" && error !== null ? (error as Record<string, unknown>)[name] : undefined;
  return typeof value === "string" ? value : undefined;
}

/** A property of an unknown error, if it is a number. */
export function numberProperty(error: unknown, name: string): number | undefined {
  const value = typeof error === "object" && error !== null ? (error as Record<string, unknown>)[name] : undefined;
  return typeof value === "number" ? value : undefined;
}
