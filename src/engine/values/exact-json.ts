import { PrecisionRefusal } from "./refusals.ts";

/** Digits enough for a number that JavaScript may not hold exactly, within text or not. */
const MAY_BE_INEXACT = /[\d.]{16}|\d[eE]\+?\d{3}/;
const NUMBER = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;
/** So many digits tell every floating-point number, though a shorter text may tell the same one. */
const DIGITS_OF_A_FLOAT = 17;

/** What JavaScript adds for a reviver of primitive values, and TypeScript does not know yet. */
interface RevivedValue {
  readonly source?: string;
}

/**
 * Parses JSON.
 *
 * @throws {PrecisionRefusal} for a number that a JavaScript number does not hold exactly
 * @throws {SyntaxError} if it is not JSON
 */
export function parseJson(text: string): unknown {
  return MAY_BE_INEXACT.test(text) ? JSON.parse(text, requireExact) : JSON.parse(text);
}

function requireExact(this: unknown, _key: string, value: unknown, { source }: RevivedValue = {}): unknown {
  if (typeof value !== "number" || source === undefined || isExact(source, value)) return value;
  throw new PrecisionRefusal(
    "the stored JSON has a number with more digits than a JavaScript number holds exactly; " +
      "write such numbers as strings within the JSON, or read the column's text",
  );
}

function isExact(source: string, value: number): boolean {
  const [given, read] = [normalised(source), normalised(String(value))];
  if (given === undefined || read === undefined) return false;
  if (given.digits === read.digits && given.exponent === read.exponent) return true;
  const isFloat = given.exponent < 0 || /e/i.test(source);
  return isFloat && given.digits.length <= DIGITS_OF_A_FLOAT;
}

interface DecimalNumber {
  /** Without zeros at either end. */
  readonly digits: string;
  /** The power of ten that the digits, as an integer, are multiplied by. */
  readonly exponent: number;
}

function normalised(text: string): DecimalNumber | undefined {
  const match = NUMBER.exec(text);
  if (match === null) return undefined;
  const [, whole = "", fraction = "", power = "0"] = match;
  const all = (whole + fraction).replace(/^0+/, "");
  let end = all.length;
  while (all.charCodeAt(end - 1) === 48) end--;
  if (end <= 0) return { digits: "", exponent: 0 };
  return { digits: all.slice(0, end), exponent: Number(power) - fraction.length + all.length - end };
}
