import { MultibindError } from "./multibind-error.ts";

/** A setting of `new Multibind`, `db.init` or of one bind is wrong. Thrown before anything is connected. */
export class ConfigurationError extends MultibindError {
  readonly code: string = "CONFIGURATION";
}

/** A database URL cannot be read. The message repeats it without its password. */
export class InvalidUrlError extends ConfigurationError {
  override readonly code = "INVALID_URL";
}

/** An option is unknown, or its value is not one that it takes. */
export class InvalidOptionError extends ConfigurationError {
  override readonly code = "INVALID_OPTION";
}

/** The package that talks to this kind of database is not installed. The message says what to install. */
export class MissingDriverError extends ConfigurationError {
  override readonly code = "MISSING_DRIVER";
}

/** This version of Node.js cannot run multibind. */
export class UnsupportedNodeError extends ConfigurationError {
  override readonly code = "UNSUPPORTED_NODE";
}

/** The database behind a bind cannot do what was asked. Thrown before anything is sent. */
export class UnsupportedError extends MultibindError {
  readonly code = "UNSUPPORTED";
}
