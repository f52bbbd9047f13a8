import type { IsolationLevel, TransactionSettings } from "kysely";

/** How a transaction is begun, on each bind that takes part in it. */
export interface BeginOptions {
  /** The isolation level, instead of the engine's own. SQLite has one only, the strictest. */
  readonly isolationLevel?: IsolationLevel;
  /** Whether it only reads. On SQLite it reads one snapshot, beside whoever writes. */
  readonly readOnly?: boolean;
}

/** The same in Kysely's words. */
export function settingsOf({ isolationLevel, readOnly }: BeginOptions): TransactionSettings {
  return {
    ...(isolationLevel === undefined ? {} : { isolationLevel }),
    ...(readOnly === undefined ? {} : { accessMode: readOnly ? "read only" : "read write" }),
  };
}
