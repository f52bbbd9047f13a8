import { ofExpected } from "../../compare/normalisation.ts";
import { isList, isObject, type Json } from "../../read/json.ts";
import { mapSteps, type StepsNormalisation } from "../subject.ts";

/** What a record of a statement says. */
export const recordsSayMore: StepsNormalisation = {
  name: "records-say-more",
  why:
    "A record names its members in multibind's words, has the bind key besides, and start and duration instead of start and end. Its parameters " +
    "are as the driver gets them: of one statement one list. Whatever is not in a package is the application's code, so the place is known here.",
  apply: ofExpected((outcome, subject) =>
    mapSteps(outcome, (value, step) =>
      subject.op(step) === "recorded" && isList(value) ? value.map((record) => inOurWords(record)) : value,
    ),
  ),
};

function inOurWords(record: Json): Json {
  if (!isObject(record) || !isList(record["parameters"])) return record;
  return {
    fields: ["bindKey", "duration", "location", "parameters", "sql", "start"],
    sql_is_text_with_placeholders: record["statement_is_text_with_placeholders"]!,
    parameters: record["parameters"].flatMap((set) => (isList(set) ? set : [set])),
    start_is_past: true,
    duration_is_not_negative: record["end_not_before_start"]!,
    location_is_a_line: true,
  };
}
