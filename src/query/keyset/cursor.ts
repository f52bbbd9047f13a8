import { createHash } from "node:crypto";
import { InvalidCursorError } from "../../errors/value.ts";
import type { KeysetColumn } from "./keyset-order.ts";

/** The text that stands for a place among ordered rows. */
export function cursorOf(columns: readonly KeysetColumn[], values: readonly unknown[]): string {
  const written = values.map((value) => {
    if (value === null) return null;
    if (value instanceof Date) return value.toISOString();
    return value instanceof Uint8Array ? Buffer.from(value).toString("base64") : String(value);
  });
  return Buffer.from(JSON.stringify([markOf(columns), ...written])).toString("base64url");
}

/**
 * The values of the columns at the place that a cursor stands for.
 *
 * @throws {InvalidCursorError} if it is invalid, or belongs to another order
 */
export function valuesOfCursor(columns: readonly KeysetColumn[], cursor: unknown): unknown[] {
  const [mark, ...written] = parsed(cursor);
  if (mark !== markOf(columns) || written.length !== columns.length)
    throw new InvalidCursorError("The cursor is of another order than the select's.");
  return columns.map((column, index) => valueOfColumn(column, written[index]));
}

/** Tells orders apart, so that a cursor of one is not taken for a place in another. */
function markOf(columns: readonly KeysetColumn[]): string {
  const order = columns.map(({ column, descending, nulls }) => [column.table.fullName, column.name, descending, nulls]);
  return createHash("sha256").update(JSON.stringify(order)).digest("base64url").slice(0, 8);
}

function parsed(cursor: unknown): readonly unknown[] {
  if (typeof cursor === "string" && /^[\w-]+$/.test(cursor)) {
    try {
      const content: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString());
      if (Array.isArray(content)) return content;
    } catch {
      // Text that is no JSON is no cursor.
    }
  }
  throw malformed();
}

function valueOfColumn({ column, nullable }: KeysetColumn, written: unknown): unknown {
  if (written === null && nullable) return null;
  if (typeof written !== "string") throw malformed();
  const { type } = column.definition;
  try {
    // Only what the column can hold is a value of it.
    return type.accept(readAs(type.kind, type.asText === true, written));
  } catch {
    throw malformed();
  }
}

function readAs(kind: string, asText: boolean, written: string): unknown {
  switch (kind) {
    case "smallint":
    case "integer":
    case "float":
      return written === "" ? undefined : Number(written);
    case "bigint":
      return BigInt(written);
    case "boolean":
      return written === "true" ? true : written === "false" ? false : undefined;
    case "timestamp":
      return asText ? written : new Date(written);
    case "binary":
      return new Uint8Array(Buffer.from(written, "base64"));
    default:
      return written;
  }
}

function malformed(): InvalidCursorError {
  return new InvalidCursorError("The cursor does not come from this select.");
}
