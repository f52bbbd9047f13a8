import { Refusal } from "../../schema/logical-type.ts";
import { instantText } from "../values/instant-text.ts";

/** What MySQL and MariaDB are sent for a value that stands opposite no column. */
export function mysqlParameter(value: unknown): unknown {
  if (typeof value === "number" && !Number.isFinite(value))
    throw new Refusal(`it is ${value}, which MySQL and MariaDB do not have`);
  // The driver would send it in the local time of the process.
  if (value instanceof Date) return instant(value);
  // The driver knows bytes only as a Buffer.
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return value;
}

function instant(value: Date): string {
  if (Number.isNaN(value.getTime())) throw new Refusal("it is an invalid Date");
  const year = value.getUTCFullYear();
  if (year < 1 || year > 9999) throw new Refusal("it is not a Date of the years 1 to 9999");
  return instantText(value);
}
