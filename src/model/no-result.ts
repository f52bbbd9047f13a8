import type { OperationNode } from "kysely";

type ErrorConstructor = new (node: OperationNode) => Error;

/**
 * The argument of Kysely's `executeTakeFirstOrThrow`, with a class of errors made such that one which hands its argument to
 * `Error` has a message. Kysely gives the class the statement's tree, whose text is "[object Object]".
 */
export function noResultArgument(given: unknown): unknown {
  if (typeof given === "function") return Object.hasOwn(given, "prototype") ? withMessage(given) : given;
  if (typeof given !== "object" || given === null || !("errorConstructor" in given)) return given;
  return { ...given, errorConstructor: noResultArgument(given.errorConstructor) };
}

function withMessage(errorClass: unknown): unknown {
  // Kysely calls it with `new`: what a function returns then is the result.
  return function constructError(node: OperationNode): Error {
    const told = Object.defineProperty({ ...node }, "toString", { value: () => "no result" });
    return new (errorClass as ErrorConstructor)(told);
  };
}
