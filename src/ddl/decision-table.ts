/** The table in which multibind keeps the decisions of two-phase commits. `reflect` skips it, so that `dropAll` never drops it. */
export const DECISION_TABLE = "multibind_decision";
