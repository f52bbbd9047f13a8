import type { QueryResult } from "kysely";
import type { Awaitable } from "../awaitable.ts";
import type { GivenValues } from "../engine/statement/placeholders.ts";
import type { Mapper } from "../model/mapper.ts";
import type { Template } from "./template.ts";

/** Whoever runs prepared statements: a session. */
export interface PreparedRunner {
  /** Runs a statement and makes entities of its rows. */
  entities(template: Template, mapper: Mapper, given: GivenValues): Awaitable<object[]>;
  /** Runs a statement and gives its rows. */
  rows(template: Template, given: GivenValues): Promise<QueryResult<unknown>>;
}

/** What knows a runner, such as a session. */
export interface PreparedRunnerSource {
  /** @internal */
  readonly preparedRunner: PreparedRunner;
}
