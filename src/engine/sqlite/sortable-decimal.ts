import { Refusal } from "../../schema/logical-type.ts";
import { decodeDecimal } from "../values/codec.ts";

/**
 * SQLite has no exact decimals. Text of fixed width keeps them exact and sorts by value: numbers from zero up are
 * filled with zeros in front (`0012.50`); of negative ones each digit is replaced by what it lacks to nine, behind a
 * sign that sorts before all digits (`!9987.49` is -12.50), so that a larger amount sorts first.
 */
const NEGATIVE = "!";

/** Writes a canonical decimal as sortable text. */
export function encodeSortable(value: string, precision: number, scale: number): string {
  const negative = value.startsWith("-");
  const [whole = "", decimals = ""] = (negative ? value.slice(1) : value).split(".");
  const width = Math.max(precision - scale, 1);
  const digits = whole.padStart(width, "0") + decimals.padEnd(scale, "0");
  const text = negative ? complement(digits) : digits;
  return (negative ? NEGATIVE : "") + (scale === 0 ? text : `${text.slice(0, width)}.${text.slice(width)}`);
}

/** Reads sortable text; plain decimals and numbers, as other programs store them, are read as what they say. */
export function decodeSortable(stored: unknown, scale: number): string {
  if (typeof stored !== "string") return decodeDecimal(stored, scale);
  const negative = stored.startsWith(NEGATIVE);
  const text = negative ? complement(stored.slice(1)) : stored;
  if (!/^-?\d+(\.\d+)?$/.test(text)) throw new Refusal("what is stored is not a decimal number");
  return decodeDecimal((negative ? "-" : "") + text.replace(/^(-?)0+(?=\d)/, "$1"), scale);
}

function complement(digits: string): string {
  return digits.replace(/\d/g, (digit) => String(9 - Number(digit)));
}
