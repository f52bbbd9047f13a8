import { DeleteResult, InsertResult, MergeResult, QueryNode, type QueryResult, UpdateResult } from "kysely";
import { NoResultError } from "../../errors/session.ts";
import type { Given } from "./parameters.ts";
import type { PreparedRunner, PreparedRunnerSource } from "./prepared-runner.ts";
import { valuesOf } from "./prepared-select.ts";
import type { Template } from "./template.ts";

/**
 * A statement of Kysely's that is built and compiled once, and run many times with other values.
 *
 * @typeParam R the rows that it gives, or Kysely's result of a statement that writes
 * @typeParam P the parameters
 */
export class PreparedRows<R, P extends object> {
  readonly #template: Template;
  readonly #runner: () => PreparedRunner;

  /** @internal use `db.prepare` */
  constructor(template: Template, runner: () => PreparedRunner) {
    this.#template = template;
    this.#runner = runner;
  }

  /** The same statement, run by a session of yours instead of the context's. */
  on(session: PreparedRunnerSource): PreparedRows<R, P> {
    return new PreparedRows(this.#template, () => session.preparedRunner);
  }

  /**
   * Runs the statement, as Kysely's `execute` does.
   *
   * @throws {InvalidValueError} before anything is sent, if a value is missing, unknown or does not fit its column
   *
   * @see SQLAlchemy: `session.execute(statement, parameters)`
   */
  async execute(...given: Given<P>): Promise<R[]> {
    const result = await this.#runner().rows(this.#template, valuesOf(given));
    // What rows the statement gives, its builder's types have said.
    return kyselyResults(this.#template, result) as R[];
  }

  /** The first row or result, as Kysely's `executeTakeFirst` gives it. */
  async executeTakeFirst(...given: Given<P>): Promise<R | undefined> {
    return (await this.execute(...given))[0];
  }

  /**
   * The first row or result.
   *
   * @throws {NoResultError} if it returns no row
   */
  async executeTakeFirstOrThrow(...given: Given<P>): Promise<R> {
    const first = await this.executeTakeFirst(...given);
    if (first === undefined) throw new NoResultError("Expected one row of the prepared statement, but found none.");
    return first;
  }
}

/** What Kysely's builders make of a result. */
function kyselyResults({ node }: Template, result: QueryResult<unknown>): readonly unknown[] {
  if (QueryNode.is(node) && node.kind !== "SelectQueryNode" && node.returning !== undefined) return result.rows;
  const { insertId, numAffectedRows = 0n, numChangedRows } = result;
  switch (node.kind) {
    case "InsertQueryNode":
      return [new InsertResult(insertId, numAffectedRows)];
    case "UpdateQueryNode":
      return [new UpdateResult(numAffectedRows, numChangedRows)];
    case "DeleteQueryNode":
      return [new DeleteResult(numAffectedRows)];
    case "MergeQueryNode":
      return [new MergeResult(numAffectedRows)];
    default:
      return result.rows;
  }
}
