import type { AnyTable } from "../../schema/table.ts";
import { decimalArithmetic } from "./decimal-arithmetic.ts";
import { encodeSortable } from "./sortable-decimal.ts";

const NAME = String.raw`("(?:[^"]|"")+"|[a-z_]\w*)`;
const NUMBER = String.raw`('-?\d+(?:\.\d+)?'|-?\d+(?:\.\d+)?)`;
/** After a number that is an operand by itself. */
const END = String.raw`(?=\s*(?:$|\)|and\b|or\b))`;
const COMPARISON = new RegExp(
  [
    // Text is passed over.
    "'(?:[^']|'')*'",
    String.raw`${NAME}(\s*(?:<=|>=|<>|!=|==?|<|>)\s*)${NUMBER}${END}`,
    String.raw`${NAME}(\s+between\s+)${NUMBER}(\s+and\s+)${NUMBER}${END}`,
  ].join("|"),
  "gi",
);

/**
 * The condition of a check in which decimals that are compared with numbers are compared with the text of those, as the
 * column keeps it: `price > 0` would hold for zero.
 */
export function sqliteCheck(condition: string, { columnList }: AnyTable): string {
  const decimals = new Set(
    columnList
      .filter(({ definition: { type } }) => decimalArithmetic.isText(type))
      .map(({ name }) => name.toLowerCase()),
  );
  if (decimals.size === 0) return condition;
  return condition.replace(COMPARISON, (whole, compared, operator, value, between, word, low, and, high) => {
    const name: string | undefined = compared ?? between;
    if (name === undefined || !decimals.has(unquoted(name).toLowerCase())) return whole;
    return compared === undefined
      ? `${name}${word}${literal(low)}${and}${literal(high)}`
      : `${name}${operator}${literal(value)}`;
  });
}

function unquoted(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
}

function literal(number: string): string {
  return `'${encodeSortable(number.replaceAll("'", "").replace(/^(-?)0+(?=\d)/, "$1"))}'`;
}
