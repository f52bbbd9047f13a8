import { DdlError } from "../../../src/errors/ddl.ts";
import { NotFoundError, PartialCommitError } from "../../../src/index.ts";
import { isObject, type Json, type JsonObject, memberOf } from "../read/json.ts";

/** Which errors of ours answer to one of the original's. A message tells those of one class apart. */
interface ErrorKind {
  readonly theirs: string;
  readonly message?: RegExp;
  readonly ours: readonly string[];
}

const KINDS: readonly ErrorKind[] = [
  { theirs: "UnboundExecutionError", ours: ["UnboundExecutionError"] },
  { theirs: "KeyError", message: /^'url'$/, ours: ["InvalidUrlError"] },
  { theirs: "KeyError", ours: ["UnboundExecutionError"] },
  { theirs: "RuntimeError", message: /^Working outside of application context/, ours: ["NoContextError"] },
  { theirs: "RuntimeError", message: /not registered/, ours: ["NoContextError"] },
  { theirs: "RuntimeError", message: /must be set/, ours: ["ConfigurationError"] },
  { theirs: "RuntimeError", message: /^injected/, ours: ["InjectedFailure"] },
  { theirs: "NoSuchModuleError", ours: ["InvalidUrlError"] },
  { theirs: "ArgumentError", ours: ["InvalidUrlError", "SchemaError"] },
  { theirs: "TypeError", ours: ["InvalidOptionError"] },
  { theirs: "IntegrityError", ours: ["IntegrityError"] },
  { theirs: "OperationalError", message: /no such (table|column)|syntax error/, ours: ["ProgrammingError"] },
  { theirs: "OperationalError", ours: ["OperationalError"] },
  { theirs: "ProgrammingError", ours: ["ProgrammingError"] },
  { theirs: "InvalidRequestError", message: /already defined/, ours: ["DuplicateTableError"] },
  { theirs: "InvalidRequestError", message: /does not have a __table/, ours: ["SchemaError"] },
  { theirs: "InvalidRequestError", message: /identifier to formulate primary key/, ours: ["InvalidValueError"] },
  { theirs: "InvalidRequestError", ours: ["SessionError"] },
  // The original's databases that cannot be prepared.
  { theirs: "NotImplementedError", ours: ["CommitPolicyError"] },
  { theirs: "PendingRollbackError", ours: ["FailedTransactionError"] },
  { theirs: "ResourceClosedError", ours: ["SessionError"] },
  { theirs: "ObjectDeletedError", ours: ["StaleDataError"] },
  { theirs: "StaleDataError", ours: ["StaleDataError"] },
  { theirs: "MultipleResultsFound", ours: ["MultipleResultsError"] },
  { theirs: "NoResultFound", ours: ["NoResultError"] },
  // The original's errors for something that is no model: a class, an instance, anything else.
  { theirs: "UnmappedClassError", ours: ["UnmappedClassError"] },
  { theirs: "NoInspectionAvailable", ours: ["UnmappedClassError"] },
  { theirs: "AttributeError", ours: ["UnmappedClassError"] },
  { theirs: "NoReferencedTableError", ours: ["UnknownTableError", "CrossBindForeignKeyError"] },
];

/** An error of ours as a case's result. */
export function errorResult(error: unknown): JsonObject {
  if (error instanceof NotFoundError) return { http_error: error.status, description: error.description ?? null };
  const message = error instanceof Error ? error.message : String(error);
  return { error: { class: nameOf(error), kinds: kindsOf(error), message } };
}

/** What a rule expects instead of the original's error or success: an error of ours. */
export function ourError(name: string): JsonObject {
  return { error: { ours: name } };
}

/** The error in a result, where it is one. */
export function errorIn(result: Json | undefined): JsonObject | undefined {
  const error = memberOf(result, "error");
  return isObject(error) ? error : undefined;
}

/** Why an error is not the one that was expected; nothing where it is. */
export function errorMismatch(expected: JsonObject, actual: JsonObject): string | undefined {
  const kinds = actual["kinds"] as readonly string[];
  const got = `${actual["class"]}: ${actual["message"]}`;
  if (typeof expected["ours"] === "string")
    return kinds.includes(expected["ours"]) ? undefined : `expected ${expected["ours"]}, got ${got}`;
  const theirs = String(expected["class"]);
  const message = String(expected["message"] ?? "");
  const known = KINDS.find(
    (kind) => kind.theirs === theirs && (kind.message === undefined || kind.message.test(message)),
  );
  if (known === undefined) return `no error of ours is said to answer to ${theirs} (${message}); got ${got}`;
  if (known.ours.some((name) => kinds.includes(name))) return undefined;
  return `expected ${known.ours.join(" or ")} for ${theirs} (${message}), got ${got}`;
}

/** The names of an error's classes; of one that only gathers what happened on several binds, those of the cause too. */
function kindsOf(error: unknown): string[] {
  const kinds: string[] = [];
  for (
    let prototype: unknown = Object.getPrototypeOf(error);
    prototype !== null && prototype !== Object.prototype;
    prototype = Object.getPrototypeOf(prototype)
  ) {
    kinds.push((prototype as { readonly constructor: { readonly name: string } }).constructor.name);
  }
  const gathers = error instanceof PartialCommitError || error instanceof DdlError;
  return gathers && error.cause !== undefined ? [...kinds, ...kindsOf(error.cause)] : kinds;
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.constructor.name : typeof error;
}
