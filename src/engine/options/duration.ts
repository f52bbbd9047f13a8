import { InvalidOptionError } from "../../errors/configuration.ts";

/** A stretch of time: seconds, fractions allowed, or text with a unit such as `"500ms"`, `"30s"`, `"5m"`, `"2h"`, `"1d"`. */
export type Duration = number | string;

const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const WITH_UNIT = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?$/;

/** The longest timeout, in seconds, that is not more likely a number of milliseconds. */
const LONGEST_TIMEOUT = 3600;

/**
 * A duration in milliseconds.
 *
 * @param name the option's name, for the error
 * @throws {InvalidOptionError} if it is not a duration
 */
export function milliseconds(value: unknown, name: string): number {
  if (typeof value === "number" && Number.isFinite(value) && value >= 0) return value * 1000;
  const match = typeof value === "string" ? WITH_UNIT.exec(value.trim()) : null;
  if (match === null) {
    throw new InvalidOptionError(
      `${name} is a time in seconds (fractions allowed), or text with a unit such as "500ms" or "2h".`,
    );
  }
  return Number(match[1]) * MILLISECONDS[match[2] ?? "s"]!;
}

/**
 * A timeout in milliseconds.
 *
 * @throws {InvalidOptionError} also above an hour: such a number was probably meant in milliseconds
 */
export function timeout(value: unknown, name: string): number {
  const result = milliseconds(value, name);
  if (result > LONGEST_TIMEOUT * 1000) {
    throw new InvalidOptionError(
      `${name} is ${result / 1000} seconds, which is more than an hour. Times are seconds here: ` +
        `if milliseconds were meant, write "${result / 1000}ms".`,
    );
  }
  return result;
}
