import type { QueryResult } from "kysely";
import type { Awaitable } from "../../awaitable.ts";
import type { GivenValues } from "../../engine/statement/placeholders.ts";
import type { SelectResult } from "../select/select-runner.ts";
import type { Template } from "./template.ts";

/** Runs prepared statements: a session. */
export interface PreparedRunner {
  /** Runs a select and gives what becomes of its rows. */
  read(template: Template, result: SelectResult, given: GivenValues): Awaitable<unknown[]>;
  /** Runs a statement and gives its rows. */
  rows(template: Template, given: GivenValues): Awaitable<QueryResult<unknown>>;
}

/** What knows a runner, such as a session. */
export interface PreparedRunnerSource {
  /** @internal */
  readonly preparedRunner: PreparedRunner;
}
