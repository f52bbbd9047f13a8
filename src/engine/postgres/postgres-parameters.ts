import { Refusal } from "../../schema/logical-type.ts";

/** Years from here on are written with their digits alone, without the sign that ISO gives them. */
const MOST_FOUR_DIGITS = 9999;

/** What PostgreSQL is sent for a value that stands opposite no column. Its driver would send dates in local time. */
export function postgresParameter(value: unknown): unknown {
  if (value instanceof Date) return instant(value);
  return Array.isArray(value) ? value.map(postgresParameter) : value;
}

/** What PostgreSQL is sent for a value of a column whose type only it knows: an array is sent as its text. */
export function postgresNative(value: unknown): unknown {
  return Array.isArray(value) ? arrayText(value) : postgresParameter(value);
}

/** An array as PostgreSQL reads it. */
function arrayText(values: readonly unknown[]): string {
  return `{${values.map(elementText).join(",")}}`;
}

function elementText(value: unknown): string {
  if (value === null || value === undefined) return "NULL";
  if (Array.isArray(value)) return arrayText(value);
  return `"${plainText(value).replace(/[\\"]/g, "\\$&")}"`;
}

/** A value as PostgreSQL reads it where it stands alone. */
function plainText(value: unknown): string {
  if (value instanceof Date) return instant(value);
  if (ArrayBuffer.isView(value))
    return `\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("hex")}`;
  return typeof value === "object" ? objectText(value!) : String(value);
}

/** Objects of the driver, such as intervals, write themselves; others are JSON. */
function objectText(value: object): string {
  if (!("toPostgres" in value) || typeof value.toPostgres !== "function") return JSON.stringify(value);
  return plainText(value.toPostgres(postgresNative));
}

/** An instant, with the years before 1 as PostgreSQL counts them. */
function instant(value: Date): string {
  if (Number.isNaN(value.getTime())) throw new Refusal("it is an invalid Date");
  const year = value.getUTCFullYear();
  if (year >= 1 && year <= MOST_FOUR_DIGITS) return value.toISOString();
  const inYear = value.toISOString().slice(-"-01-31T12:00:00.000Z".length);
  return year < 1 ? `${String(1 - year).padStart(4, "0")}${inYear} BC` : `${year}${inYear}`;
}
