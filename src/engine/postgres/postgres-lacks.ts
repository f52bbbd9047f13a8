import type { Feature } from "../statement/feature.ts";
import type { KnownWords } from "../statement/used-features.ts";

/** What PostgreSQL lacks. */
export const postgresLacks: ReadonlySet<Feature> = new Set<Feature>([
  ...(["replaceInto", "onDuplicateKeyUpdate", "insert ignore", "insert or …", "top", "output"] as const),
  ...(["onConflict with an update and no columns", "limit and orderBy of a write"] as const),
  ...(["crossApply and outerApply", "an update of several tables", "a delete from several tables"] as const),
  ...(["a join in a delete", "skipLocked and noWait without a lock", "->$"] as const),
  ...(["==", "match", "regexp", "operators of this name"] as const),
]);

/** The operators and functions of PostgreSQL. Extensions define operators of other signs. */
export const postgresWords: KnownWords = {
  operators: new Map<string, Feature>([
    ["==", "=="],
    ["match", "match"],
    ["regexp", "regexp"],
    ["!<", "operators of this name"],
    ["!>", "operators of this name"],
  ]),
  orderedFunctions: /./,
};
