import { InvalidStatementError } from "../errors/statement.ts";

/**
 * The `then` of a builder that does nothing before it is executed. `await` asks for it, and gets an error with the stack
 * of where that happens; a select has none, because an asynchronous function may return it.
 */
export function thenOfBuilder(builder: object): PromiseLike<never>["then"] | undefined {
  if (!("execute" in builder) || "isSelectQueryBuilder" in builder) return undefined;
  const error = new InvalidStatementError(
    `Cannot await ${builder.constructor.name}: it is not executed, and nothing was sent. Add \`.execute()\`.`,
  );
  return (onFulfilled, onRejected) => Promise.reject<never>(error).then(onFulfilled, onRejected);
}
