import { Refusal } from "../../schema/logical-type.ts";
import { decodeDecimal } from "../values/codec.ts";
import { PrecisionRefusal } from "../values/refusals.ts";

/**
 * SQLite has no exact decimals. This text keeps them exact, sorts by value, and is one for each value, whatever the
 * precision of its column: a character that counts the whole digits, then the decimal without zeros at its end (`?12.5`,
 * `>0.05`). Of negative ones the count and each digit are replaced by their complements between `-` and `~`
 * (`-}87.4~` is -12.5), so that a larger amount sorts first.
 */
const BEFORE_FIRST_COUNT = 0x3d;
const AFTER_LAST_COUNT = 0x7f;
const [MINUS, ZERO] = [0x2d, 0x30];

/** The most whole digits that are counted. */
export const MOST_WHOLE_DIGITS = 65;

const DECIMAL = /^-?\d+(?:\.\d+)?$/;

/** Writes a decimal without zeros in front as sortable text. */
export function encodeSortable(value: string): string {
  const isNegative = value.charCodeAt(0) === MINUS;
  const start = isNegative ? 1 : 0;
  const point = value.indexOf(".");
  let end = value.length;
  if (point >= 0) {
    while (value.charCodeAt(end - 1) === ZERO) end--;
    if (end - 1 === point) end = point;
  }
  const digits = value.slice(start, end);
  const whole = (point < 0 ? value.length : point) - start;
  if (!isNegative || digits === "0") return String.fromCharCode(BEFORE_FIRST_COUNT + whole) + digits;
  return `-${String.fromCharCode(AFTER_LAST_COUNT - whole)}${complement(digits)}~`;
}

/** The plain decimal that sortable text says; undefined for any other text. */
export function plainDecimal(stored: string): string | undefined {
  const first = stored.charCodeAt(0);
  if (first > BEFORE_FIRST_COUNT) return wholeDecimal(stored.slice(1));
  if (first !== MINUS || !(stored.charCodeAt(1) > BEFORE_FIRST_COUNT)) return undefined;
  return wholeDecimal(`-${complement(stored.slice(2, -1))}`);
}

/** Reads sortable text; plain decimals and numbers, as other programs store them, are read as what they say. */
export function decodeSortable(stored: unknown, scale: number): string {
  const plain = typeof stored === "string" ? plainDecimal(stored) : undefined;
  if (plain === undefined)
    return decodeDecimal(typeof stored === "string" ? stored.replace(/^(-?)0+(?=\d)/, "$1") : stored, scale);
  const point = plain.indexOf(".");
  const decimals = point < 0 ? 0 : plain.length - point - 1;
  if (decimals > scale)
    throw new PrecisionRefusal(`the stored number has ${decimals} decimals and the column ${scale}`);
  if (decimals === scale) return plain;
  return `${plain}${point < 0 ? "." : ""}${"0".repeat(scale - decimals)}`;
}

function wholeDecimal(text: string): string {
  if (DECIMAL.test(text)) return text;
  throw new Refusal("what is stored is not a decimal number");
}

/** Each digit's complement to nine. */
function complement(digits: string): string {
  let text = "";
  for (let index = 0; index < digits.length; index++) {
    const code = digits.charCodeAt(index);
    text += code >= ZERO && code <= ZERO + 9 ? String.fromCharCode(2 * ZERO + 9 - code) : digits[index];
  }
  return text;
}
