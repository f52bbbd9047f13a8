import type { BindKey } from "../../bind-key.ts";
import type { ResolvedEngineOptions } from "./resolved-options.ts";

/** The parts of a family's driver. */
export interface DriverConfig {
  readonly bindKey: BindKey;
  readonly options: ResolvedEngineOptions;
  /** A directory to be made before the first connection, where a SQLite file is kept in the application's own. */
  readonly directory?: string | undefined;
}
