import { InvalidOptionError } from "../../errors/configuration.ts";

/**
 * The policy of a commit over several binds: `"ordered"` commits one after the other, `"single"` refuses a second bind that
 * writes, `"twoPhase"` commits on all of them or on none, also after a crash.
 */
export type CommitPolicy = "ordered" | "single" | "twoPhase";

const POLICIES: readonly unknown[] = ["ordered", "single", "twoPhase"] satisfies CommitPolicy[];

/** @throws {InvalidOptionError} if it is no policy */
export function requirePolicy(given: CommitPolicy): CommitPolicy {
  if (POLICIES.includes(given)) return given;
  throw new InvalidOptionError(`commitPolicy is "ordered", "single" or "twoPhase", not ${JSON.stringify(given)}.`);
}
