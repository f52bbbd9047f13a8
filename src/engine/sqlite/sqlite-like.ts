import { RawNode } from "kysely";
import type { PatternMatching } from "../family.ts";

/** Characters that mean something in a pattern of `glob`. */
const GLOB_SPECIAL = /[[*?]/;

type Replacement = readonly [string, string];

const LITERAL: readonly Replacement[] = [
  ["[", "[[]"],
  ["*", "[*]"],
  ["?", "[?]"],
];

/**
 * After those, "[" stands only before "[", "*" and "?": so "[b]", "[p]", "[u]" can stand for an escaped "\\", "%", "_", and
 * "[e]" for the end.
 */
const ESCAPED: readonly Replacement[] = [
  ["\\\\", "[b]"],
  ["\\%", "[p]"],
  ["\\_", "[u]"],
  ["\\[e]", "[b]"],
  ["[e]", ""],
  ["\\", ""],
  ["%", "*"],
  ["_", "?"],
  ["[b]", "\\"],
  ["[p]", "%"],
  ["[u]", "_"],
];

/**
 * SQLite's own `like` ignores the case of ASCII letters and knows no escape. `glob` heeds case, uses an index for a prefix,
 * and takes any character literally in brackets.
 */
export const sqliteLike: PatternMatching = {
  operators: { like: "glob", "not like": "not glob" },

  pattern(like) {
    let glob = "";
    for (let index = 0; index < like.length; index++) {
      const character = like[index]!;
      const isEscape = character === "\\" && index + 1 < like.length;
      if (isEscape) glob += literal(like[++index]!);
      else if (character === "%") glob += "*";
      else if (character === "_") glob += "?";
      else glob += literal(character);
    }
    return glob;
  },

  expression(like) {
    const [before, after] = replacing(replacing(["", ""], LITERAL, " || '[e]'"), ESCAPED);
    return RawNode.create([before, after], [like]);
  },
};

/** The SQL around an expression in which texts are replaced, one after the other. */
function replacing(
  around: readonly [string, string],
  replacements: readonly Replacement[],
  end = "",
): readonly [string, string] {
  return replacements.reduce(([before, after], [from, to], index) => {
    const isLast = index === replacements.length - 1;
    return [`replace(${before}`, `${after}, '${from}', '${to}')${isLast ? end : ""}`];
  }, around);
}

function literal(character: string): string {
  return GLOB_SPECIAL.test(character) ? `[${character}]` : character;
}
