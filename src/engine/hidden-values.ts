/** Members of drivers' errors that hold the statement or its values: the error that wraps them has the statement. */
const STATEMENT_MEMBERS = ["sql", "query", "parameters", "params", "args", "values", "bindings"] as const;

/** Members of drivers' errors with text that a database writes. */
const TEXT_MEMBERS = ["message", "sqlMessage", "detail", "where", "hint", "internalQuery", "text"] as const;

const MEMBERS = [...STATEMENT_MEMBERS, ...TEXT_MEMBERS, "stack"];

/** Takes the values out of one text of an error; undefined where nothing of the text can be shown. */
export type HideValues = (text: string, member: string) => string | undefined;

/**
 * Takes the values of a statement out of a driver's error, which databases repeat in messages and details: errors are logged,
 * and the values are the application's data.
 *
 * @returns the error, or a copy of one whose members cannot be changed
 */
export function hideValues(given: Error, hide: HideValues): Error {
  const error = isChangeable(given) ? given : copyOf(given);
  const members = error as unknown as Record<string, unknown>;
  for (const name of STATEMENT_MEMBERS) if (members[name] !== undefined) set(error, name, undefined);
  const { message } = error;
  for (const name of TEXT_MEMBERS) {
    const text = members[name];
    if (typeof text !== "string") continue;
    const hidden = hide(text, name);
    if (hidden !== text) set(error, name, hidden);
  }
  // A stack begins with the message as it was.
  const { stack } = error;
  if (stack !== undefined && error.message !== message)
    set(
      error,
      "stack",
      stack.replace(message, () => error.message),
    );
  return error;
}

function isChangeable(error: Error): boolean {
  return Object.isExtensible(error) && MEMBERS.every((name) => descriptorOf(error, name)?.configurable !== false);
}

/** An error of the same class, with the same members. */
function copyOf(error: Error): Error {
  const copy = new Error(error.message, { cause: error.cause });
  Object.setPrototypeOf(copy, Object.getPrototypeOf(error));
  for (const name of Object.getOwnPropertyNames(error)) {
    const { enumerable = false } = descriptorOf(error, name)!;
    // An own member is there by its name.
    const value = (error as unknown as Record<string, unknown>)[name];
    Object.defineProperty(copy, name, { value, enumerable, configurable: true, writable: true });
  }
  return copy;
}

function descriptorOf(error: Error, name: string): PropertyDescriptor | undefined {
  return Object.getOwnPropertyDescriptor(error, name);
}

function set(error: Error, name: string, value: unknown): void {
  const { enumerable = false } = descriptorOf(error, name) ?? {};
  Object.defineProperty(error, name, { value, enumerable, configurable: true, writable: true });
}
