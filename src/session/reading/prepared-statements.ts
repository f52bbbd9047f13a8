import type { QueryResult } from "kysely";
import type { Awaitable } from "../../awaitable.ts";
import type { GivenValues } from "../../engine/statement/placeholders.ts";
import type { PreparedRunner } from "../../query/prepared/prepared-runner.ts";
import type { Template } from "../../query/prepared/template.ts";
import type { SelectResult } from "../../query/select/select-runner.ts";
import type { StatementRunner } from "../statement-runner.ts";
import type { SelectReader } from "./select-reader.ts";

/** A view of the session for running prepared statements. */
export interface PreparedHost {
  readonly runner: StatementRunner;
  readonly selects: SelectReader;
}

/** Runs prepared statements on a session: nothing is done but to convert their parameters. */
export class PreparedStatements implements PreparedRunner {
  readonly #host: PreparedHost;

  constructor(host: PreparedHost) {
    this.#host = host;
  }

  read(template: Template, result: SelectResult, given: GivenValues): Awaitable<unknown[]> {
    template.requireKnown(given);
    return this.#host.selects.readTemplate({ template, result }, given);
  }

  rows(template: Template, given: GivenValues): Awaitable<QueryResult<unknown>> {
    template.requireKnown(given);
    const { runner } = this.#host;
    const routed = runner.fill(template, given);
    const result = runner.runNow(routed, {});
    if (result === undefined) return runner.run(routed);
    routed.compiled.readRows?.(result.rows);
    return result;
  }
}
