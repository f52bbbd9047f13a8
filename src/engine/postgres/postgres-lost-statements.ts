import { type BindKey, bindLabel } from "../../bind-key.ts";
import { OperationalError, SerializationError } from "../../errors/database.ts";
import { stringProperty } from "../error-kind.ts";

/**
 * Why a prepared statement cannot be executed: the server does not know its name, or prepared it before a table changed.
 * Nothing was executed then.
 */
export type Loss = "unknown" | "outdated";

/** The name exists already, does not exist, or is another statement's. */
const UNKNOWN = new Set(["42P05", "26000", "08P01"]);
/** The one error of its class that a statement gets when it is executed, and not when it is analysed. */
const NO_RIGHT = "42501";
/** The place of an error in the conversion of parameters, before the execution. */
const PARAMETER = /^unnamed portal parameter \$\d/;

/**
 * Tells from an error whether a prepared statement is lost.
 *
 * @param wasPrepared whether the server had prepared the statement before it failed
 */
export function lossOf(error: unknown, wasPrepared: boolean): Loss | undefined {
  const code = stringProperty(error, "code") ?? "";
  if (UNKNOWN.has(code)) return "unknown";
  return wasPrepared && isOutdated(error, code) ? "outdated" : undefined;
}

function isOutdated(error: unknown, code: string): boolean {
  // "cached plan must not change result type", in whatever language.
  if (code === "0A000") return stringProperty(error, "routine") === "RevalidateCachedQuery";
  const where = stringProperty(error, "where");
  // A statement that was analysed once fails to be analysed again only if a table has changed; an error with a position is a function's.
  if (code.startsWith("42")) return where === undefined && code !== NO_RIGHT;
  return code.startsWith("22") && where !== undefined && PARAMETER.test(where);
}

/** The error of a statement that is lost within a transaction, which has failed by that. */
export function lostStatement(loss: Loss, bindKey: BindKey, cause: unknown, sql: string): unknown {
  // A value that the column never took is told as it is.
  if (stringProperty(cause, "code")?.startsWith("22") === true) return cause;
  const options = { bindKey, cause, sql, retryable: true };
  const said = stringProperty(cause, "message");
  return loss === "outdated"
    ? new SerializationError(
        `Cannot execute a prepared statement on ${bindLabel(bindKey)}: a table in it changed after it was prepared (${said}). ` +
          "Begin the transaction anew: the statement is then prepared anew.",
        options,
      )
    : new OperationalError(
        `Cannot execute a prepared statement on ${bindLabel(bindKey)}: the server does not have it (${said}). A transaction ` +
          "pooler is between: set `preparedStatements: false`. Statements are sent without names from now on, so begin the " +
          "transaction anew.",
        options,
      );
}
