import type { RecordedQuery } from "../../../src/index.ts";
import type { Json } from "../read/json.ts";
import { eventOf } from "../run/sql-event.ts";
import type { StepHandlers } from "./step.ts";

/** Steps that look at the statements that were recorded. */
export const recordSteps: StepHandlers = {
  recorded: (step, { session: { recordedQueries } }) =>
    recordedQueries.map(step.flag("fields") ? described : ({ sql }) => eventOf(sql) ?? sql),
};

function described(query: RecordedQuery): Json {
  const { sql, parameters, start, duration, location } = query;
  return {
    fields: Object.keys(query).sort(),
    sql_is_text_with_placeholders: sql.includes("?"),
    parameters: parameters as Json[],
    start_is_past: start.getTime() <= Date.now(),
    duration_is_not_negative: duration >= 0,
    location_is_a_line: /:\d+:\d+$/.test(location ?? ""),
  };
}
