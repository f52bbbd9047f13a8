import type { Feature } from "../statement/feature.ts";
import type { KnownWords } from "../statement/used-features.ts";

const FOREIGN_OPERATORS = [
  ...["^@", "&&", "!<", "!>", "<=>", "!~", "~", "~*", "!~*", "@@", "@@@", "!!", "<->", "@>", "<@", "?", "?&", "?|"],
  ...["^", "#"],
];

/** What SQLite lacks. */
export const sqliteLacks: ReadonlySet<Feature> = new Set<Feature>([
  ...(["mergeInto", "onDuplicateKeyUpdate", "onConflict by constraint", "distinctOn", "top", "fetch"] as const),
  ...(["offset without limit", "output", "intersectAll", "exceptAll", "countAll of a table", "withinGroup"] as const),
  ...(["parentheses around a part of a union", "fn.jsonAgg and fn.toJson", "fn.any"] as const),
  ...(["a lateral join", "crossApply and outerApply", "a write in a common table expression"] as const),
  ...(["an update of several tables", "delete … using", "a delete from several tables"] as const),
  ...(["a join in a delete", "row locks within a statement", "skipLocked and noWait without a lock"] as const),
  ...(["formats and options of explain", "between symmetric", "ilike", "operators of this name"] as const),
]);

/** The operators and functions of SQLite. An application may define functions for `match` and `regexp`. */
export const sqliteWords: KnownWords = {
  operators: new Map<string, Feature>([
    ...FOREIGN_OPERATORS.map((operator) => [operator, "operators of this name"] as const),
    ["between symmetric", "between symmetric"],
    ["ilike", "ilike"],
    ["not ilike", "ilike"],
  ]),
  orderedFunctions: /./,
};
