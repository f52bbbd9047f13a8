import { type BindKey, bindLabel } from "../../bind-key.ts";
import { UnsupportedError } from "../../errors/configuration.ts";

/**
 * The error of a dialect that says of itself that it lacks something; any other error is returned as it is.
 *
 * @param about what its message is about
 * @param what what it cannot do, its name first
 */
export function unsupportedBy(error: unknown, about: RegExp, what: string, bindKey: BindKey): unknown {
  if (!(error instanceof Error) || !isOwnMessage(error) || !about.test(error.message)) return error;
  return new UnsupportedError(`The dialect of ${bindLabel(bindKey)} lacks a feature: ${what}.`, {
    bindKey,
    cause: error,
  });
}

/** Errors of databases and networks have a code or a number. */
function isOwnMessage(error: Error): boolean {
  return !("code" in error) && !("errno" in error) && !("errcode" in error);
}
