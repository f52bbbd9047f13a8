import { Refusal } from "../../schema/logical-type.ts";
import { parseJson } from "./exact-json.ts";
import { parseTimestampFast } from "./parse-timestamp-fast.ts";
import { PrecisionRefusal } from "./refusals.ts";

/** How values of one column type are written to and read from one family of databases. Null never comes here. */
export interface Codec {
  /** Makes what the driver sends of a canonical value; absent where it is the same. */
  readonly encode?: (value: never) => unknown;
  /** Makes the canonical value of what the driver read; absent where it is the same. Throws a `Refusal` where it cannot. */
  readonly decode?: (stored: unknown) => unknown;
}

/** Nothing to convert in either direction. */
export const PLAIN: Codec = Object.freeze({});

const INTEGER_TEXT = /^-?\d+$/;
const FLOAT_TEXT = /^[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?|Infinity|NaN)$/i;

/** Reads a stored integer into a number. */
export function decodeInteger(stored: unknown): number {
  const value = typeof stored === "number" ? stored : Number(integerOf(stored));
  if (Number.isSafeInteger(value)) return value;
  throw Number.isInteger(value)
    ? new PrecisionRefusal(
        "the stored integer is beyond 2^53, which a number cannot hold exactly; use a bigint() column",
      )
    : new PrecisionRefusal("what is stored is not an integer");
}

/** Reads a stored integer into a bigint. */
export function decodeBigint(stored: unknown): bigint {
  if (typeof stored === "bigint") return stored;
  if (typeof stored !== "number") return BigInt(integerOf(stored));
  if (Number.isSafeInteger(stored)) return BigInt(stored);
  throw new PrecisionRefusal(
    Number.isInteger(stored)
      ? "the stored integer came from the driver as a number that is not exact"
      : "what is stored is not an integer",
  );
}

/** An integer as a bigint or as decimal text: `Number` and `BigInt` would take an empty string for 0. */
function integerOf(stored: unknown): bigint | string {
  if (typeof stored === "bigint" || (typeof stored === "string" && INTEGER_TEXT.test(stored))) return stored;
  if (typeof stored === "string" && FLOAT_TEXT.test(stored))
    throw new PrecisionRefusal("what is stored is not an integer");
  throw new Refusal("what is stored is not an integer");
}

/** Reads a stored floating-point number. */
export function decodeFloat(stored: unknown): number {
  if (typeof stored === "number") return stored;
  if (typeof stored === "string" && FLOAT_TEXT.test(stored)) return Number(stored);
  if (typeof stored !== "bigint") throw new Refusal("what is stored is not a number");
  if (BigInt(Number(stored)) === stored) return Number(stored);
  throw new PrecisionRefusal("the stored integer has more digits than a floating-point number holds exactly");
}

/** Reads a stored truth value, however the database keeps it. */
export function decodeBoolean(stored: unknown): boolean {
  // Whatever the driver, nearly all are one of these four.
  if (stored === 1 || stored === true) return true;
  if (stored === 0 || stored === false) return false;
  if (stored === 1n || stored === "1") return true;
  if (stored === 0n || stored === "0") return false;
  throw new Refusal("what is stored is neither true nor false; declare the column as smallint()");
}

/** Reads stored bytes into an array of their own. */
export function decodeBinary(stored: unknown): Uint8Array {
  if (stored instanceof Uint8Array) return new Uint8Array(stored);
  throw new Refusal("what is stored is not bytes");
}

/** Writes JSON. The column has seen already that it comes back as it goes in. */
export function encodeJson(value: unknown): string {
  return JSON.stringify(value);
}

/** Takes the place of a value with a number that JavaScript cannot hold exactly, for drivers that parse JSON themselves. */
export class InexactJson {
  /** Whether there was ever one in this process: most never meet any, and need not look for them. */
  static wasMet = false;
  readonly refusal: PrecisionRefusal;

  constructor(refusal: PrecisionRefusal) {
    InexactJson.wasMet = true;
    this.refusal = refusal;
  }
}

/** Reads stored JSON that the driver has parsed already: text is a value of it. */
export function decodeParsedJson(stored: unknown): unknown {
  if (stored instanceof InexactJson) throw stored.refusal;
  return stored;
}

/** Reads stored JSON. Some dialects have parsed it already. */
export function decodeJson(stored: unknown): unknown {
  if (typeof stored !== "string") return decodeParsedJson(stored);
  try {
    return parseJson(stored);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal("what is stored is not JSON");
  }
}

const STORED_TIME = /^((?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(?:\.(\d+))?$/;

/** Reads a stored time of day. */
export function decodeTime(stored: unknown): string {
  const match = typeof stored === "string" ? STORED_TIME.exec(stored) : null;
  if (match === null) throw new Refusal("what is stored is not a time of day");
  const fraction = (match[2] ?? "").replace(/0+$/, "");
  if (fraction.length > 3) throw new PrecisionRefusal("the stored time is finer than a millisecond");
  return fraction === "" ? match[1]! : `${match[1]}.${fraction.padEnd(3, "0")}`;
}

const STORED_DATE = /^(?!0000)\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/;

/** Reads a stored date. Multibind's own drivers give text; some dialects make it a Date, at midnight in UTC or here. */
export function decodeDate(stored: unknown): unknown {
  if (!(stored instanceof Date)) {
    if (typeof stored === "string" && STORED_DATE.test(stored)) return stored;
    throw new Refusal("what is stored is not a date of the years 1 to 9999");
  }
  const local = stored.getTime() % 86_400_000 !== 0 && stored.getHours() === 0 && stored.getMinutes() === 0;
  const [year, month, day] = local
    ? [stored.getFullYear(), stored.getMonth(), stored.getDate()]
    : [stored.getUTCFullYear(), stored.getUTCMonth(), stored.getUTCDate()];
  return [String(year).padStart(4, "0"), String(month + 1).padStart(2, "0"), String(day).padStart(2, "0")].join("-");
}

/** Reads a stored decimal number into text with `scale` decimals. */
export function decodeDecimal(stored: unknown, scale: number): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(typeof stored === "number" ? exactText(stored) : String(stored));
  if (match === null) throw new Refusal("what is stored is not a decimal number");
  const [, sign, whole, decimals = ""] = match;
  const kept = decimals.replace(/0+$/, "");
  if (kept.length > scale)
    throw new PrecisionRefusal(`the stored number has ${kept.length} decimals and the column ${scale}`);
  const text = scale === 0 ? whole! : `${whole}.${kept.padEnd(scale, "0")}`;
  return sign === "-" && /[1-9]/.test(text) ? `-${text}` : text;
}

/** A number in decimal notation: up to 15 digits, a floating-point number says exactly what was meant. */
function exactText(value: number): string {
  if (Number.isSafeInteger(value) || !Number.isFinite(value)) return String(value);
  if (Number(value.toPrecision(15)) !== value) {
    throw new PrecisionRefusal("the stored number has more digits than a floating-point number holds exactly");
  }
  const [, sign, first, others = "", exponent] = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(value.toExponential())!;
  const digits = `${first}${others}`;
  const point = 1 + Number(exponent);
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  const padded = digits.padEnd(point, "0");
  return padded.length === point ? `${sign}${padded}` : `${sign}${padded.slice(0, point)}.${padded.slice(point)}`;
}

const INSTANT =
  /^(\d{4,6})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?)?(Z|[+-]\d\d(?::?\d\d(?::\d\d)?)?)?( BC)?$/;

interface Instant {
  /** Milliseconds since 1970. */
  readonly time: number;
  /** The digits behind the milliseconds, without zeros at the end. */
  readonly finer: string;
}

function parseInstant(stored: unknown): Instant {
  const match = typeof stored === "string" ? INSTANT.exec(stored) : null;
  if (match === null) throw new Refusal("what is stored is not an instant");
  const [, year, month, day, hours = "0", minutes = "0", seconds = "0", fraction = "", zone = "Z", era] = match;
  const digits = fraction.padEnd(3, "0");
  const date = new Date(0);
  // The year before 1 is 1 BC.
  date.setUTCFullYear(era === undefined ? Number(year) : 1 - Number(year), Number(month) - 1, Number(day));
  date.setUTCHours(Number(hours), Number(minutes), Number(seconds), Number(digits.slice(0, 3)));
  // A date that is not in the calendar would be shifted to another day.
  const exists =
    date.getUTCMonth() === Number(month) - 1 &&
    date.getUTCDate() === Number(day) &&
    date.getUTCHours() === Number(hours) &&
    date.getUTCMinutes() === Number(minutes) &&
    date.getUTCSeconds() === Number(seconds);
  if (!exists) throw new Refusal("what is stored is not an instant of the calendar");
  return { time: date.getTime() - offset(zone), finer: digits.slice(3).replace(/0+$/, "") };
}

function offset(zone: string): number {
  if (zone === "Z") return 0;
  const [hours = 0, minutes = 0, seconds = 0] = zone.slice(1).match(/\d\d/g)!.map(Number);
  return (zone.startsWith("-") ? -1 : 1) * ((hours * 60 + minutes) * 60 + seconds) * 1000;
}

/** Reads a stored instant into a Date. A value without time zone is in UTC. Some dialects have made it a Date already. */
export function decodeTimestamp(stored: unknown): Date {
  if (typeof stored === "string") {
    const usual = parseTimestampFast(stored);
    if (!Number.isNaN(usual)) return new Date(usual);
  }
  if (stored instanceof Date) return new Date(stored);
  const { time, finer } = parseInstant(stored);
  if (finer !== "")
    throw new PrecisionRefusal("the stored instant is finer than a millisecond; use timestamp({ text: true })");
  return new Date(time);
}

/** Reads a stored instant into text with all its digits. */
export function decodeTimestampText(stored: unknown): string {
  if (stored instanceof Date) {
    throw new Refusal(
      "the dialect reads instants as Date, which loses what is finer than a millisecond; let it read them as text",
    );
  }
  const { time, finer } = parseInstant(stored);
  const iso = new Date(time).toISOString().slice(0, -1);
  if (iso.length !== "0001-01-01T00:00:00.000".length)
    throw new Refusal("the stored instant is not of the years 1 to 9999");
  const digits = (iso.slice(20) + finer).replace(/0+$/, "");
  return `${iso.slice(0, 19)}${digits === "" ? "" : `.${digits}`}Z`;
}

/** Writes an instant that is text already as databases without time zones keep it. */
export function encodeTimestampTextPlain(value: string): string {
  return value.slice(0, -1).replace("T", " ");
}
