import { isList, isObject, type Json } from "../read/json.ts";
import { errorIn, errorMismatch } from "./errors.ts";

/** Marks a result of which nothing is recorded, because the original failed where ours works. */
const SUCCEEDS = "$succeeds";

/** Expects any result that is no error. @param why what the original did instead */
export function anySuccess(why: string): Json {
  return { [SUCCEEDS]: why };
}

/** Everything in which a value differs from the one expected, as lines for people. */
export function differences(expected: Json | undefined, actual: Json | undefined, where: string): string[] {
  const error = errorIn(actual);
  if (isObject(expected) && SUCCEEDS in expected)
    return error === undefined ? [] : [`${where}: expected no error, got ${shown(actual)}`];
  const expectedError = errorIn(expected);
  if (expectedError !== undefined) {
    const mismatch =
      error === undefined
        ? `expected the error ${shown(expectedError)}, got ${shown(actual)}`
        : errorMismatch(expectedError, error);
    return mismatch === undefined ? [] : [`${where}: ${mismatch}`];
  }
  if (isList(expected) && isList(actual) && expected.length === actual.length) {
    return expected.flatMap((one, index) => differences(one, actual[index], `${where}[${index}]`));
  }
  if (isObject(expected) && isObject(actual) && error === undefined) {
    const names = new Set([...Object.keys(expected), ...Object.keys(actual)]);
    return [...names].flatMap((name) => differences(expected[name], actual[name], `${where}.${name}`));
  }
  return Object.is(expected, actual) ? [] : [`${where}: expected ${shown(expected)}, got ${shown(actual)}`];
}

/** A value for people, cut where it is long. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
