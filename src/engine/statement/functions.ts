import { InvalidValueError } from "../../errors/value.ts";

const HANDS_ON = new Set(["min", "max", "coalesce", "ifnull", "values"]);

/** Whether a function gives one of the values that it is given. */
export function handsOn(functionName: string): boolean {
  return HANDS_ON.has(functionName.toLowerCase());
}

/**
 * Kysely writes the name of a function as it is, so what comes from elsewhere must not be more than a name.
 *
 * @throws {InvalidValueError}
 */
export function requireFunctionName(name: string): void {
  if (/^[\p{L}\p{N}_$.]+$/u.test(name)) return;
  throw new InvalidValueError(`"${name}" is not the name of a function. SQL text goes into \`sql\`.`);
}
