import { InvalidOptionError } from "./errors/configuration.ts";
import { didYouMeanOneOf } from "./nearest-name.ts";

/** Where no options are given. */
export const NO_OPTIONS = Object.freeze({});

/** Whether it is an object and no instance of a class; one of another realm is plain too. */
export function isPlainObject(given: unknown): given is Readonly<Record<string, unknown>> {
  if (typeof given !== "object" || given === null || Array.isArray(given)) return false;
  const prototype: unknown = Object.getPrototypeOf(given);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/**
 * Checks that options are an object that has none but these. TypeScript sees most of it, where the options are written
 * down in place; a misspelt name must never mean "no option", least of all where that means "every database". An instance of a
 * class is refused too: its values may be getters of its prototype, which no copy keeps.
 *
 * @param whose whose options these are, for the error
 * @throws {InvalidOptionError}
 */
export function requireKnownOptions(given: unknown, known: readonly string[], whose: string): void {
  if (given === NO_OPTIONS) return;
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new InvalidOptionError(`The options of ${whose} are an object with ${known.join(", ")}.`);
  }
  if (!isPlainObject(given)) {
    const instead = given instanceof AbortController || given instanceof AbortSignal ? " Pass { signal }." : "";
    throw new InvalidOptionError(
      `Expected a plain object with the options of ${whose}, but got an instance of a class.${instead}`,
    );
  }
  const name = Object.keys(given).find((one) => !known.includes(one));
  if (name === undefined) return;
  throw new InvalidOptionError(`There is no option "${name}" of ${whose}.${didYouMeanOneOf(name, known)}`);
}
