import { MultibindError } from "./multibind-error.ts";

/**
 * A statement is not built as it has to be: one of Kysely's methods got arguments that it does not take, a part is missing,
 * or the builder was awaited instead of executed. Thrown before anything is sent.
 */
export class InvalidStatementError extends MultibindError {
  readonly code = "INVALID_STATEMENT";
}
