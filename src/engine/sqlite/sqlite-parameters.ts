import { Refusal } from "../../schema/logical-type.ts";
import { instantText } from "../values/instant-text.ts";

/**
 * Returns the form in which SQLite's driver takes a value that stands opposite no column. The driver takes neither truth
 * values nor dates, and binds every number as floating point: whole ones must be bigints, or `5 / 2` is 2.5.
 */
export function sqliteParameter(value: unknown): unknown {
  if (typeof value === "number" && Number.isSafeInteger(value)) return BigInt(value);
  if (typeof value === "boolean") return BigInt(value);
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw new Refusal("it is an invalid Date");
    const year = value.getUTCFullYear();
    if (year < 1 || year > 9999) throw new Refusal("it is not a Date of the years 1 to 9999");
    return instantText(value);
  }
  // SQLite would make it null.
  if (Number.isNaN(value)) throw new Refusal("it is NaN, which SQLite does not have");
  return value;
}
