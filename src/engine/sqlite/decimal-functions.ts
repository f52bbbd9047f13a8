import { type ExactDecimal, exactly, float, numberOf, plainText, rounded, sortable, unitsAt } from "./exact-decimal.ts";
import { plainDecimal } from "./sortable-decimal.ts";

/** The part of a database of `better-sqlite3` or `node:sqlite` that functions are given to. */
export interface FunctionHolder {
  function(name: string, options: object, run: (...values: unknown[]) => unknown): unknown;
  aggregate(name: string, options: object): unknown;
}

/** The state of a sum. */
interface Total {
  exact: ExactDecimal;
  float: number;
  floats: number;
  count: number;
}

/** Functions are given every integer as a bigint: the first is the name in `better-sqlite3`, the other in `node:sqlite`. */
const EXACT_INTEGERS = { safeIntegers: true, useBigIntArguments: true };

/** The digits that a quotient has beyond those of its operands. */
const QUOTIENT_DIGITS = 16;

type Exact = (one: ExactDecimal, other: ExactDecimal) => ExactDecimal | undefined;

const sumOf: Exact = (one, other) => {
  const scale = Math.max(one.scale, other.scale);
  return { units: unitsAt(one, scale) + unitsAt(other, scale), scale };
};

const differenceOf: Exact = (one, other) => sumOf(one, { units: -other.units, scale: other.scale });

const productOf: Exact = (one, other) => ({ units: one.units * other.units, scale: one.scale + other.scale });

const quotientOf: Exact = (one, other) => {
  if (other.units === 0n) return undefined;
  const scale = Math.max(one.scale, other.scale) + QUOTIENT_DIGITS;
  return { units: rounded(unitsAt(one, scale + other.scale), other.units), scale };
};

const remainderOf: Exact = (one, other) => {
  const scale = Math.max(one.scale, other.scale);
  return other.units === 0n ? undefined : { units: unitsAt(one, scale) % unitsAt(other, scale), scale };
};

/** The functions of one row. Null gives null; a floating-point operand makes the result one. */
const FUNCTIONS: Readonly<Record<string, readonly [parameters: number, run: (...values: unknown[]) => unknown]>> = {
  decimal: [1, (value) => sortable(exactly(numberOf(value)))],
  round: [2, (value, scale) => sortable(atScale(value, scale))],
  real: [1, (value) => float(numberOf(value))],
  integer: [2, (value, bits) => storedInteger(unitsAt(exactly(numberOf(value)), 0), Number(bits))],
  text: [2, (value, scale) => plainText(atScale(value, scale))],
  plain: [1, (value) => plainOf(exactly(numberOf(value)))],
  add: [2, calculation(sumOf, (one, other) => one + other)],
  subtract: [2, calculation(differenceOf, (one, other) => one - other)],
  multiply: [2, calculation(productOf, (one, other) => one * other)],
  divide: [2, calculation(quotientOf, (one, other) => (other === 0 ? null : one / other))],
  remainder: [2, calculation(remainderOf, (one, other) => (other === 0 ? null : one % other))],
  negative: [
    1,
    (value) =>
      changed(
        value,
        (units) => -units,
        (number) => -number,
      ),
  ],
  absolute: [1, (value) => changed(value, (units) => (units < 0n ? -units : units), Math.abs)],
};

/**
 * Gives a database of `better-sqlite3` or `node:sqlite` the functions that statements with decimals call. Connections that multibind opens
 * have them; call it for a database that you hand to a dialect of your own.
 *
 * @example
 * const database = new Database("shop.db");
 * defineDecimalFunctions(database);
 * db.init({ binds: { shop: { dialect: new SqliteDialect({ database }) } } });
 */
export function defineDecimalFunctions(database: FunctionHolder): void {
  for (const [name, [parameters, run]] of Object.entries(FUNCTIONS)) {
    const nullSafe = (...values: unknown[]) => (values.includes(null) ? null : run(...values));
    // SQLite takes the number of parameters from the function's own.
    Object.defineProperty(nullSafe, "length", { value: parameters });
    database.function(`multibind_${name}`, { ...EXACT_INTEGERS, deterministic: true }, nullSafe);
  }
  const total = {
    ...EXACT_INTEGERS,
    start: (): Total => ({ exact: { units: 0n, scale: 0 }, float: 0, floats: 0, count: 0 }),
    step: (sum: Total, value: unknown) => counted(sum, value, 1),
    inverse: (sum: Total, value: unknown) => counted(sum, value, -1),
  };
  database.aggregate("multibind_sum", {
    ...total,
    result: (sum: Total) => (sum.count === 0 ? null : stored(totalOf(sum))),
  });
  database.aggregate("multibind_avg", {
    ...total,
    result(sum: Total) {
      if (sum.count === 0) return null;
      const whole = totalOf(sum);
      if (typeof whole === "number") return whole / sum.count;
      return stored(quotientOf(whole, { units: BigInt(sum.count), scale: 0 }) ?? 0);
    },
  });
}

function calculation(exact: Exact, ofFloats: (one: number, other: number) => number | null) {
  return (left: unknown, right: unknown): unknown => {
    const [one, other] = [numberOf(left), numberOf(right)];
    if (typeof one === "number" || typeof other === "number") return ofFloats(float(one), float(other));
    const result = exact(one, other);
    return result === undefined ? null : sortable(result);
  };
}

function changed(value: unknown, ofUnits: (units: bigint) => bigint, ofFloat: (number: number) => number): unknown {
  const number = numberOf(value);
  return typeof number === "number" ? ofFloat(number) : sortable({ units: ofUnits(number.units), scale: number.scale });
}

function atScale(value: unknown, wanted: unknown): ExactDecimal {
  const scale = Number(wanted);
  const decimal = exactly(numberOf(value));
  if (scale >= 0) return { units: unitsAt(decimal, scale), scale };
  return { units: unitsAt(decimal, scale) * 10n ** BigInt(-scale), scale: 0 };
}

function plainOf(decimal: ExactDecimal): string {
  // Of what is sortable there is plain text.
  return plainDecimal(sortable(decimal))!;
}

function storedInteger(value: bigint, bits: number): bigint {
  if (BigInt.asIntN(bits, value) === value) return value;
  throw new RangeError(`A decimal is too large for an integer of ${bits} bits`);
}

function counted(sum: Total, value: unknown, sign: 1 | -1): Total {
  if (value === null) return sum;
  const number = numberOf(value);
  sum.count += sign;
  if (typeof number === "number") {
    sum.float += sign * number;
    sum.floats += sign;
    return sum;
  }
  // Of operands without a zero divisor there is always a result.
  sum.exact = (sign === 1 ? sumOf : differenceOf)(sum.exact, number)!;
  return sum;
}

function totalOf({ exact, float: floats, floats: count }: Total): ExactDecimal | number {
  return count === 0 ? exact : float(exact) + floats;
}

function stored(number: ExactDecimal | number): unknown {
  return typeof number === "number" ? number : sortable(number);
}
