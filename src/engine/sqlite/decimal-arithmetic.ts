import { type OperationNode, RawNode } from "kysely";
import type { LogicalType } from "../../schema/logical-type.ts";
import type { DecimalArithmetic } from "../family.ts";

/** The most digits that SQLite's integers hold. */
const MOST_INTEGER_DIGITS = 18;

/** The most digits that SQLite's floating-point numbers hold exactly. */
const MOST_FLOAT_DIGITS = 15;

/** How SQLite calculates with the sortable text that it keeps decimals as. */
export const decimalArithmetic: DecimalArithmetic = Object.freeze({
  isText: ({ kind, declared, precision = 0, scale = 0 }: LogicalType) =>
    kind === "numeric" && declared === undefined && digitsOf(precision, scale).digits <= MOST_INTEGER_DIGITS,

  units({ precision = 0, scale = 0 }: LogicalType, value: OperationNode) {
    const { digits, width } = digitsOf(precision, scale);
    const nines = "9".repeat(digits);
    // Text of another width was written by another program, as the number that it says.
    const fragments = [
      "(case when substr(",
      ", 1, 1) = '!' then cast(replace(substr(",
      `, 2), '.', '') as integer) - ${nines} when length(`,
      `) = ${width} then cast(replace(`,
      ", '.', '') as integer) else cast(round(",
      ` * 1${"0".repeat(scale)}) as integer) end)`,
    ];
    return RawNode.create(fragments, new Array<OperationNode>(fragments.length - 1).fill(value));
  },

  fromUnits({ scale = 0 }: LogicalType, units: OperationNode) {
    return scale === 0 ? units : RawNode.create(["(", ` / 1${"0".repeat(scale)}.0)`], [units]);
  },

  text({ precision = 0, scale = 0 }: LogicalType, value: OperationNode) {
    const { digits, width } = digitsOf(precision, scale);
    if (digits > MOST_FLOAT_DIGITS) return undefined;
    const format = `printf('%0${width}.${scale}f', `;
    const nines = `${"9".repeat(digits - scale)}${scale === 0 ? "" : `.${"9".repeat(scale)}`}`;
    return RawNode.create(
      ["(case when ", ` < 0 then '!' || ${format}${nines} + `, `) else ${format}`, ") end)"],
      [value, value, value],
    );
  },
});

function digitsOf(precision: number, scale: number): { readonly digits: number; readonly width: number } {
  const digits = Math.max(precision - scale, 1) + scale;
  return { digits, width: digits + (scale === 0 ? 0 : 1) };
}
