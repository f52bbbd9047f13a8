import { type BindKey, bindLabel } from "../bind-key.ts";
import { MultibindError } from "./multibind-error.ts";
import type { BoundTableName } from "./routing.ts";

/** What works on the tables of several binds at once. */
export type DdlOperation = "createAll" | "dropAll" | "reflect";

/** What became of one bind. */
export interface DdlOutcome {
  readonly bindKey: BindKey;
  /** The tables that were made or dropped and stay so. */
  readonly tables: readonly string[];
  /** Why the bind failed; absent where it did not. */
  readonly failure?: { readonly cause: unknown };
}

/**
 * `createAll`, `dropAll` or `reflect` failed on a bind. The work of the other binds is done all the same.
 *
 * `cause` is the first failure, and `bindKey` the bind that it happened on. A bind that failed is as it was before,
 * except on MySQL and MariaDB, which cannot take back tables once they are made or dropped: {@link created} and
 * {@link dropped} name these.
 */
export class DdlError extends MultibindError {
  readonly code = "DDL";
  /** The binds that failed, in the order in which they were asked. */
  readonly failed: readonly BindKey[];
  /** The binds that did not fail, those with nothing to do included. */
  readonly done: readonly BindKey[];
  /** The tables that `createAll` made on a bind that failed, and that stand there. */
  readonly created: readonly BoundTableName[];
  /** The tables that `dropAll` dropped on a bind that failed, and that are gone. */
  readonly dropped: readonly BoundTableName[];

  /** @param outcomes what became of each bind, at least one of them a failure */
  constructor(operation: DdlOperation, outcomes: readonly DdlOutcome[]) {
    const failures = outcomes.filter(({ failure }) => failure !== undefined);
    const others = outcomes.filter(({ failure }) => failure === undefined);
    const [first] = failures;
    super(messageOf(operation, failures, others), { bindKey: first?.bindKey, cause: first?.failure?.cause });
    const changed = failures.flatMap(({ bindKey, tables }) => tables.map((table) => ({ table, bindKey })));
    this.failed = failures.map(({ bindKey }) => bindKey);
    this.done = others.map(({ bindKey }) => bindKey);
    this.created = operation === "createAll" ? changed : [];
    this.dropped = operation === "dropAll" ? changed : [];
  }
}

function messageOf(operation: DdlOperation, failures: readonly DdlOutcome[], others: readonly DdlOutcome[]): string {
  const failed = failures.map(({ bindKey, failure, tables }) => {
    const reason = failure?.cause instanceof Error ? failure.cause.message : String(failure?.cause);
    const left = tables.map((table) => `"${table}"`).join(", ");
    const remains =
      operation === "createAll"
        ? `What it had made before stands there: ${left}.`
        : `What it had dropped before is gone: ${left}.`;
    return `${operation} failed on ${bindLabel(bindKey)}: ${reason.replace(/\.$/, "")}.${left === "" ? "" : ` ${remains}`}`;
  });
  const rest = others.map(
    ({ bindKey, tables }) => `${bindLabel(bindKey)} ${tables.length === 0 ? "had nothing to do" : "was done"}`,
  );
  return [...failed, ...(rest.length === 0 ? [] : [`Meanwhile ${rest.join(", ")}.`])].join(" ");
}
