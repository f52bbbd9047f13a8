import { InvalidOptionError } from "../../errors/configuration.ts";
import { requireKnownOptions } from "../../known-options.ts";

/** The reaction to loads of one relation that one line of the application asks for again and again. */
export interface NPlusOne {
  /** How many loads of a relation from one line, in one session, are too many. Defaults to 10. */
  readonly threshold?: number;
  /** Whether to warn, once for each line, or to refuse the load. Defaults to `"warn"`. */
  readonly action?: "warn" | "throw";
}

/** How the sessions of an application read relations. */
export interface RelationSettings {
  /** The most keys of one statement; undefined where each family of databases decides. */
  readonly chunk: number | undefined;
  /** Undefined where loads are not counted. */
  readonly nPlusOne: Required<NPlusOne> | undefined;
}

const N_PLUS_ONE: readonly (keyof NPlusOne)[] = ["threshold", "action"];

/**
 * Checks the settings.
 *
 * @throws {InvalidOptionError}
 */
export function relationSettings(chunk: number | undefined, nPlusOne: NPlusOne | undefined): RelationSettings {
  if (chunk !== undefined && !isCount(chunk))
    throw new InvalidOptionError("Expected relationChunk to be an integer from 1 up: the most keys of one statement.");
  if (nPlusOne === undefined) return { chunk, nPlusOne };
  requireKnownOptions(nPlusOne, N_PLUS_ONE, "nPlusOne");
  const { threshold = 10, action = "warn" } = nPlusOne;
  if (!isCount(threshold))
    throw new InvalidOptionError("Expected the threshold of nPlusOne to be an integer from 1 up.");
  if (action !== "warn" && action !== "throw")
    throw new InvalidOptionError('Expected the action of nPlusOne to be one of: "warn", "throw".');
  return { chunk, nPlusOne: { threshold, action } };
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}
