import { encodeSortable, MOST_WHOLE_DIGITS, plainDecimal } from "./sortable-decimal.ts";

/** An exact decimal: so many units of its last decimal place. */
export interface ExactDecimal {
  readonly units: bigint;
  /** How many decimal places there are. */
  readonly scale: number;
}

/** The digits that a floating-point number holds exactly. */
const FLOAT_DIGITS = 15;

/**
 * Reads what SQLite gives for a number: sortable text, plain text, an integer. A floating-point number stays one.
 *
 * @throws {TypeError} if it is no number
 */
export function numberOf(value: unknown): ExactDecimal | number {
  if (typeof value === "bigint") return { units: value, scale: 0 };
  if (typeof value === "number") return value;
  if (typeof value === "string") {
    const plain = plainDecimal(value) ?? value;
    if (/^-?\d+(\.\d+)?$/.test(plain)) return ofPlain(plain);
  }
  throw new TypeError("A value that is calculated with or compared with a decimal is not a number");
}

/** The exact decimal that a number is, of a floating-point number that of its first 15 digits. */
export function exactly(number: ExactDecimal | number): ExactDecimal {
  if (typeof number !== "number") return number;
  if (!Number.isFinite(number)) throw new TypeError("A floating-point number is too large for a decimal");
  const [digits = "", exponent = "0"] = number.toExponential(FLOAT_DIGITS - 1).split("e");
  const { units, scale } = ofPlain(digits);
  const places = scale - Number(exponent);
  return places >= 0 ? { units, scale: places } : { units: units * 10n ** BigInt(-places), scale: 0 };
}

function ofPlain(plain: string): ExactDecimal {
  const point = plain.indexOf(".");
  if (point < 0) return { units: BigInt(plain), scale: 0 };
  return { units: BigInt(plain.slice(0, point) + plain.slice(point + 1)), scale: plain.length - point - 1 };
}

/** The units of a decimal at another scale, rounded half away from zero where that is smaller. */
export function unitsAt({ units, scale }: ExactDecimal, wanted: number): bigint {
  if (wanted >= scale) return units * 10n ** BigInt(wanted - scale);
  const divisor = 10n ** BigInt(scale - wanted);
  return rounded(units, divisor);
}

/** A quotient, rounded half away from zero. */
export function rounded(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  const rest = 2n * (dividend % divisor);
  const isHalf = (rest < 0n ? -rest : rest) >= (divisor < 0n ? -divisor : divisor);
  return isHalf ? quotient + (dividend < 0n === divisor < 0n ? 1n : -1n) : quotient;
}

/** A decimal in plain text, with all its decimal places. */
export function plainText({ units, scale }: ExactDecimal): string {
  const isNegative = units < 0n;
  const digits = (isNegative ? -units : units).toString().padStart(scale + 1, "0");
  const point = digits.length - scale;
  const text = scale === 0 ? digits : `${digits.slice(0, point)}.${digits.slice(point)}`;
  return isNegative ? `-${text}` : text;
}

/**
 * A decimal as SQLite keeps it.
 *
 * @throws {RangeError} if it has more digits than that holds
 */
export function sortable(decimal: ExactDecimal): string {
  const plain = plainText(decimal);
  const whole = (plain.includes(".") ? plain.indexOf(".") : plain.length) - (decimal.units < 0n ? 1 : 0);
  if (whole <= MOST_WHOLE_DIGITS) return encodeSortable(plain);
  throw new RangeError(`A calculated decimal has more than ${MOST_WHOLE_DIGITS} digits before its point`);
}

/** A decimal as a floating-point number. */
export function float(number: ExactDecimal | number): number {
  return typeof number === "number" ? number : Number(plainText(number));
}
