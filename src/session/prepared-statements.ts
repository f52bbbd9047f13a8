import type { QueryResult } from "kysely";
import type { Awaitable } from "../awaitable.ts";
import { filled, type GivenValues } from "../engine/statement/placeholders.ts";
import type { PreparedRunner } from "../query/prepared-runner.ts";
import type { SelectResult } from "../query/select-runner.ts";
import type { Template } from "../query/template.ts";
import type { EngineDirectory } from "./routing.ts";
import type { DriverRow } from "./row-functions.ts";
import type { SelectReader } from "./select-reader.ts";
import type { RoutedStatement, StatementRunner } from "./statement-runner.ts";

/** What the running of prepared statements needs of its session. */
export interface PreparedHost {
  readonly engines: EngineDirectory;
  readonly runner: StatementRunner;
  readonly selects: SelectReader;
}

/** The prepared statements of each application, which know their engine and its SQL. */
const applications = new WeakMap<EngineDirectory, WeakMap<Template, RoutedStatement>>();

/** Runs prepared statements on a session: nothing is done but to convert their parameters. */
export class PreparedStatements implements PreparedRunner {
  readonly #host: PreparedHost;
  readonly #routed: WeakMap<Template, RoutedStatement>;

  constructor(host: PreparedHost) {
    this.#host = host;
    this.#routed = applications.get(host.engines) ?? new WeakMap();
    applications.set(host.engines, this.#routed);
  }

  read(template: Template, result: SelectResult, given: GivenValues): Awaitable<unknown[]> {
    // Every row of an entity's table is one.
    return this.#host.selects.results(this.#filled(template, given) as RoutedStatement<DriverRow>, result);
  }

  rows(template: Template, given: GivenValues): Awaitable<QueryResult<unknown>> {
    const { runner } = this.#host;
    const routed = this.#filled(template, given);
    const result = runner.runNow(routed, {});
    if (result === undefined) return runner.run(routed);
    routed.compiled.readRows?.(result.rows);
    return result;
  }

  #filled(template: Template, given: GivenValues): RoutedStatement {
    template.requireKnown(given);
    let routed = this.#routed.get(template);
    if (routed === undefined) {
      routed = this.#host.runner.prepareTemplate(template.node);
      this.#routed.set(template, routed);
    }
    const { query, readRows } = routed.compiled;
    const own = { ...query, parameters: filled(query.parameters, given) };
    return { ...routed, compiled: readRows === undefined ? { query: own } : { query: own, readRows } };
  }
}
