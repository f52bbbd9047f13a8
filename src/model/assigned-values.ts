import { UndefinedValueError } from "../errors/value.ts";

/** Kysely's methods that take new values of columns of rows that are there. */
const ASSIGNMENTS: ReadonlySet<string | symbol> = new Set([
  "set",
  "doUpdateSet",
  "onDuplicateKeyUpdate",
  "thenUpdateSet",
]);

/**
 * The arguments of one of Kysely's methods. Kysely passes over `undefined` among the new values of columns, which could
 * mean "leave it" as well as "make it null".
 *
 * @throws {UndefinedValueError} if there is one, also when a callback gives it
 */
export function assignedValues(method: string | symbol, values: unknown[]): unknown[] {
  if (!ASSIGNMENTS.has(method) || values.length !== 1) return values;
  const [given] = values;
  if (typeof given !== "function") return [defined(given)];
  return [(...parts: unknown[]) => defined((given as (...all: unknown[]) => unknown)(...parts))];
}

function defined(values: unknown): unknown {
  if (typeof values !== "object" || values === null || Object.getPrototypeOf(values) !== Object.prototype)
    return values;
  for (const [column, value] of Object.entries(values)) {
    if (value !== undefined) continue;
    throw new UndefinedValueError(`The value of "${column}" is undefined. Omit the key, or pass null for SQL NULL.`, {
      column,
    });
  }
  return values;
}
