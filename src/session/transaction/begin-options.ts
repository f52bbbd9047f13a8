import { type IsolationLevel, TRANSACTION_ISOLATION_LEVELS, type TransactionSettings } from "kysely";
import { InvalidOptionError } from "../../errors/configuration.ts";

/** How a transaction is begun, on each bind that takes part in it. */
export interface BeginOptions {
  /** The isolation level, instead of the engine's own. SQLite has one only, the strictest. */
  readonly isolationLevel?: IsolationLevel | undefined;
  /** Whether it only reads. On SQLite it reads one snapshot, beside a writer. */
  readonly readOnly?: boolean | undefined;
}

export const BEGIN_OPTIONS: readonly (keyof BeginOptions)[] = ["isolationLevel", "readOnly"];

/**
 * The same in Kysely's words.
 *
 * @throws {InvalidOptionError} on an isolation level that there is not: it becomes a part of a statement
 */
export function settingsOf({ isolationLevel, readOnly }: BeginOptions): TransactionSettings {
  if (isolationLevel !== undefined && !TRANSACTION_ISOLATION_LEVELS.includes(isolationLevel)) {
    throw new InvalidOptionError(`isolationLevel is one of ${TRANSACTION_ISOLATION_LEVELS.join(", ")}.`);
  }
  return {
    ...(isolationLevel === undefined ? {} : { isolationLevel }),
    ...(readOnly === undefined ? {} : { accessMode: readOnly ? "read only" : "read write" }),
  };
}
