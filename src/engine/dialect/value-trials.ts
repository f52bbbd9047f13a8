import { dateText, MARK } from "./dialect-codec.ts";
import type { DialectFindings, DialectProblem } from "./dialect-findings.ts";

/** Values that drivers are known to change: an early year, microseconds, an integer beyond 2^53, bytes, text beyond the BMP. */
export const TRIAL = {
  date: "0044-03-15",
  instant: "0044-03-15 12:00:00.123456",
  integer: "9007199254740993",
  bytes: [0, 255],
  text: "é😀",
  marked: `${MARK}a`,
} as const;

/** How dates come, if they come right. */
export function datesOf(read: unknown): DialectFindings["dates"] | undefined {
  if (!(read instanceof Date)) return read === TRIAL.date ? "text" : undefined;
  if (dateText(read, true) === TRIAL.date && read.getHours() === 0) return "local";
  return dateText(read, false) === TRIAL.date ? "utc" : undefined;
}

/** Whether an integer beyond 2^53 comes exactly. */
export function isExactInteger(read: unknown): boolean {
  return (typeof read === "string" || typeof read === "bigint") && String(read) === TRIAL.integer;
}

/** Whether bytes come as bytes. */
export function areBytes(read: unknown): boolean {
  const bytes = read instanceof ArrayBuffer ? new Uint8Array(read) : read;
  return bytes instanceof Uint8Array && bytes.join() === TRIAL.bytes.join();
}

/** The problem of a dialect that does not count the rows that it writes, or counts others. */
export function countProblems(counts: readonly (bigint | undefined)[], wanted: readonly bigint[]): DialectProblem[] {
  if (wanted.every((count, index) => (counts[index] ?? 0n) === count)) return [];
  return [
    {
      what: "does not say how many rows a statement found, by which a session notices that a row was changed by others",
      remedy: "Let its driver return the count of found rows",
    },
  ];
}
