/** Members of drivers' errors that hold the statement or its values: the error that wraps them has the statement. */
const STATEMENT_MEMBERS = ["sql", "query", "parameters", "params", "values", "bindings"] as const;

/** Members of drivers' errors with text that a database writes. */
const TEXT_MEMBERS = ["message", "sqlMessage", "detail", "where", "hint", "internalQuery", "text"] as const;

/** Takes the values out of one text of an error; undefined where nothing of the text can be shown. */
export type HideValues = (text: string, member: string) => string | undefined;

/**
 * Takes the values of a statement out of a driver's error, which databases repeat in messages and details: errors are logged,
 * and the values are the application's data.
 */
export function hideValues(error: Error, hide: HideValues): void {
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
}

function set(error: Error, name: string, value: unknown): void {
  const { enumerable = false } = Object.getOwnPropertyDescriptor(error, name) ?? {};
  Object.defineProperty(error, name, { value, enumerable, configurable: true, writable: true });
}
