import { JoinBuilder } from "kysely";
import { UnsupportedError } from "../errors/configuration.ts";
import { SessionError } from "../errors/session.ts";
import { InvalidStatementError } from "../errors/statement.ts";

/** What Kysely's argument checks say, and what to do about it. Their own texts can repeat values. */
const REASONS: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/^invalid arguments/, "it takes an expression, or a column, an operator and a value, and got something else"],
  [/^invalid operator/, 'it got no operator in second place. Give one such as "=", "in" or "like", or use `sql`'],
  [/^invalid unary operator/, 'it got no operator in first place. Give one such as "not" or "exists"'],
  [/^Invalid JSON operator/, 'it takes the operators "->" and "->>" and their like'],
  [
    /^invalid column reference/,
    'a column is named "column", "table.column" or "schema.table.column", and this has more parts',
  ],
  [/^invalid schemable identifier/, 'a table is named "table" or "schema.table", and this has more parts'],
  [/order direction|order by direction|direction twice/, 'a direction is "asc" or "desc", and is given once'],
  [/^Invalid number of arguments at order by/, "it takes a column or an expression, and perhaps a direction"],
  [/^invalid value selectAll/, "it takes names of tables or aliases of the statement"],
  [/^invalid aliased expression/, "it takes expressions with a name. Give them one with `.as(name)`"],
  [/^invalid expression/, "it got something that is no expression. Use a callback, a builder or `sql`"],
  [/^unsafe immediate value/, "a literal is a number, true, false or null. Give others as parameters: `eb.val(value)`"],
  [/^Invalid (top|fetch)/, "it takes a number of rows, and perhaps a modifier"],
  [/selectAll\(\) is not allowed/, "rows are nested only of a select that names its columns. Use `select([…])`"],
  [/^invalid column data type/, 'it got no data type. Give one such as `"integer"`, or use `sql`'],
  [/^invalid call references/, 'a reference is "table.column" or "schema.table.column"'],
];

/** What Kysely says of methods that a transaction of its own does not have. */
const IN_TRANSACTION = /^calling the .+ method for a Transaction/;

/** What Kysely says where a transaction of its own is used after its end. */
const AFTER_TRANSACTION = /^Transaction is already (committed|rolled back)$/;

/** Errors that came out of the application's own callbacks. */
const thrownByCallbacks = new WeakSet<object>();

/** An error of a callback that a builder was given: it stays as it is. */
export function ofCallback(error: unknown): unknown {
  if (typeof error === "object" && error !== null) thrownByCallbacks.add(error);
  return error;
}

/** Returns the error of ours for Kysely's on a transaction of its own that has ended; any other is given back as it is. */
export function afterTransaction(error: unknown): unknown {
  if (!(error instanceof Error) || Object.getPrototypeOf(error) !== Error.prototype) return error;
  const ending = AFTER_TRANSACTION.exec(error.message)?.[1];
  if (ending === undefined) return error;
  return new SessionError(
    `Cannot use a transaction of Kysely's after its end: it is already ${ending}. Nothing was sent. Begin another one with ` +
      "`engine.kysely.startTransaction()` or `transaction()`.",
  );
}

/** The error of ours for one that a method of Kysely's throws on its arguments; any other is given back as it is. */
export function builderError(method: string | symbol, error: unknown): unknown {
  if (!(error instanceof Error) || thrownByCallbacks.has(error)) return error;
  const prototype: unknown = Object.getPrototypeOf(error);
  if (prototype !== Error.prototype && prototype !== TypeError.prototype) return error;
  const ended = afterTransaction(error);
  if (ended !== error) return ended;
  if (IN_TRANSACTION.test(error.message)) {
    return new UnsupportedError(
      `Cannot use ${String(method)}() in a transaction of Kysely's: it has one connection and one beginning. Nest with the ` +
        "savepoints of `startTransaction()`, or call it on `engine.kysely`.",
    );
  }
  const reason = REASONS.find(([pattern]) => pattern.test(error.message))?.[1];
  return new InvalidStatementError(
    `Cannot build the statement at ${String(method)}(): ${reason ?? "its arguments are not what it takes. See its documentation in Kysely"}.`,
  );
}

const CONDITIONS: ReadonlySet<string | symbol> = new Set(["where", "having", "on"]);

/** Whether a method takes conditions. An index calls its table `on`, as a join calls its condition. */
export function takesCondition(builder: object, method: string | symbol): boolean {
  return CONDITIONS.has(method) && (method !== "on" || builder instanceof JoinBuilder);
}

/**
 * Refuses a lone value as a condition, which Kysely would send: `where("id")` holds for all rows or for none.
 *
 * @throws {InvalidStatementError}
 */
export function requireCondition(method: string | symbol, values: readonly unknown[]): void {
  if (values.length !== 1) return;
  const type = typeof values[0];
  if (type === "function" || (type === "object" && values[0] !== null)) return;
  throw new InvalidStatementError(
    `Cannot build the statement at ${String(method)}(): one value alone is no condition. Give a column, an operator and a value, or an expression.`,
  );
}
