import { Refusal } from "../../schema/logical-type.ts";

/** What MySQL and MariaDB are sent for a value that stands opposite no column. */
export function mysqlParameter(value: unknown): unknown {
  if (typeof value === "number" && !Number.isFinite(value))
    throw new Refusal(`it is ${value}, which MySQL and MariaDB do not have`);
  if (value instanceof Date && Number.isNaN(value.getTime())) throw new Refusal("it is an invalid Date");
  // The driver knows bytes only as a Buffer.
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return value;
}
