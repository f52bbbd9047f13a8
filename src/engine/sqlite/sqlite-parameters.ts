import { Refusal } from "../../schema/logical-type.ts";
import { instantText } from "../values/instant-text.ts";

/** What SQLite is sent for a value that stands opposite no column: its driver takes neither truth values nor dates. */
export function sqliteParameter(value: unknown): unknown {
  if (typeof value === "boolean") return Number(value);
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
