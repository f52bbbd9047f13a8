import type { Difference } from "../differences.ts";
import type { Case } from "../read/cases.ts";

/** What became of a case. */
export interface Verdict {
  readonly case: Case;
  readonly outcome: "passed" | "failed" | "skipped";
  /** What differed, or why it was not run; for people. */
  readonly messages: readonly string[];
  /** The normalisations that changed something. */
  readonly normalisations: readonly string[];
  /** The reviewed difference by which the case was judged. */
  readonly difference: Difference | undefined;
}

/** What was found by comparing. */
export interface Findings {
  readonly messages: readonly string[];
  readonly normalisations: readonly string[];
}
