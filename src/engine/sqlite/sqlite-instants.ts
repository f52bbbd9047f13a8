import { RawNode } from "kysely";
import type { InstantText } from "../family.ts";

/** The present, with the milliseconds that SQLite's own `current_timestamp` lacks. */
export const SQLITE_NOW = "strftime('%Y-%m-%d %H:%M:%f', 'now')";

/** How SQLite makes the text that it keeps dates, times and instants as of one another. */
export const sqliteInstants: InstantText = Object.freeze({
  ofDate: (date) => RawNode.create(["(", " || ' 00:00:00.000')"], [date]),
  date: (instant) => RawNode.create(["substr(", ", 1, 10)"], [instant]),
  time: (instant) => RawNode.create(["replace(substr(", ", 12, 12), '.000', '')"], [instant]),
  milliseconds: (instant) => RawNode.create(["substr(", ", 1, 23)"], [instant]),
} satisfies InstantText);

/** Writes an instant that is text already, with at least the three decimal places that a `Date` has. */
export function encodeInstantText(value: string): string {
  const text = value.slice(0, -1).replace("T", " ");
  const decimals = text.length - "2026-01-31 12:00:00.".length;
  if (decimals >= 3) return text;
  return decimals < 0 ? `${text}.000` : text.padEnd("2026-01-31 12:00:00.000".length, "0");
}
