import { errorIn, ourError } from "../../compare/errors.ts";
import { anySuccess } from "../../compare/values.ts";
import { isList, isObject, type Json, type JsonObject, memberOf } from "../../read/json.ts";
import { labelOf } from "../../read/keys.ts";
import type { TraceEvent } from "../../run/recorder.ts";
import { type Route, routeOf } from "../statement-binds.ts";
import { eventsOf, isStatement, type StepsNormalisation, type StepsSubject } from "../subject.ts";

/** Steps that run a statement of the case. */
const RUNS = new Set(["execute", "first_or_404", "one_or_404", "paginate"]);
const ROUTED = new Set([...RUNS, "get_bind", "connection", "get"]);

/** Statements run where their tables are. */
export const routingByTables: StepsNormalisation = {
  name: "routed-by-all-tables",
  why:
    "A statement runs on the one bind of all models and tables in it, and a bind named beside it has to agree. The original looks at the first " +
    "entity alone, and sends selects over plain tables, unions and aliases to the default engine. Tables of two binds are refused before anything " +
    "is sent (CrossBindError), and a bind without engine is an error for every statement. Where the original failed and this works, nothing is " +
    "recorded of the result; over tables without rows it is known all the same.",
  apply: ({ expected, actual }, subject) => {
    const steps = [...expected.steps];
    const chosen = expected.chosen?.map((one) => [...one]);
    let trace = expected.trace;
    subject.steps.forEach((_, index) => {
      const step = subject.innerStep(index);
      if (!ROUTED.has(String(step["op"])) || (step["op"] === "get" && step["bind_arguments"] === undefined)) return;
      if (step["instance"] !== undefined || isNoModel(step, subject)) return;
      const route = routeOf(step, subject.facts, subject.binds);
      const events = trace === undefined ? [] : eventsOf(trace, index).filter(isStatement);
      if (route.kind === "one") {
        const bind = labelOf(route.bind);
        const agrees =
          !isMissingTable(step, steps[index]) &&
          (chosen === undefined || chosen[index]!.length === 0 || chosen[index]!.includes(bind)) &&
          events.every(
            (event) =>
              event.bind === bind || !RUNS.has(String(step["op"])) || /^(INSERT|UPDATE|DELETE)/.test(event.event),
          );
        if (agrees) return;
        steps[index] = resultOn(bind, step, index, subject);
        if (chosen !== undefined) chosen[index] = [bind];
        trace = trace?.flatMap((event) =>
          event.step === index && isStatement(event) ? sentTo({ ...event, bind }, step) : [event],
        );
      } else {
        const error = errorOf(route);
        steps[index] = error;
        const isAsked = step["op"] === "get_bind" || route.kind === "unbound";
        if (chosen !== undefined) chosen[index] = isAsked ? [error] : [];
        trace = trace?.filter((event) => event.step !== index || !isStatement(event));
      }
    });
    return {
      expected: { steps, ...(chosen === undefined ? {} : { chosen }), ...(trace === undefined ? {} : { trace }) },
      actual,
    };
  },
};

/** What is named as a class is none: nothing can be routed by it. */
function isNoModel({ mapper }: JsonObject, { facts }: StepsSubject): boolean {
  return typeof mapper === "string" && facts.find(mapper) === undefined;
}

/** What is sent instead of a statement that failed. A page whose items were not found was not counted either. */
function sentTo(event: TraceEvent, { op, count }: JsonObject): TraceEvent[] {
  return op === "paginate" && count !== false ? [event, event] : [event];
}

function errorOf(route: Exclude<Route, { kind: "one" }>): JsonObject {
  return ourError(route.kind === "cross" ? "CrossBindError" : "UnboundExecutionError");
}

/** Whether the original sent a statement to a database without its table. Of SQL text nobody knows the tables. */
function isMissingTable(step: JsonObject, result: Json | undefined): boolean {
  const isText = memberOf(step["stmt"], "text") !== undefined;
  return !isText && /no such table|does not exist/.test(String(memberOf(errorIn(result), "message") ?? ""));
}

function resultOn(bind: string, step: JsonObject, index: number, { inputs, steps }: StepsSubject): Json {
  const unknown = anySuccess("the original ran it on another bind");
  if (step["op"] !== "execute") return RUNS.has(String(step["op"])) ? unknown : { bind };
  const wrote = steps
    .slice(0, index)
    .some(({ op }) => op === "add" || op === "add_all" || op === "execute" || op === "sql");
  const hasRows = isList(inputs["rows"]) && inputs["rows"].length > 0;
  if (wrote || hasRows) return unknown;
  const rows = rowsOverNothing(step["stmt"]!);
  if (rows === undefined) return unknown;
  if (step["fetch"] === "scalar") return rows[0]?.[0] ?? null;
  return step["fetch"] === "scalars" ? rows.map(([first = null]) => first) : rows;
}

/** What a select gives over tables without rows; nothing where that is not known. */
function rowsOverNothing(statement: Json): Json[][] | undefined {
  if (memberOf(statement, "union") !== undefined || memberOf(statement, "union_all") !== undefined) return [];
  const items = memberOf(statement, "select");
  if (!isList(items)) return undefined;
  if (!items.every(isObject)) return [];
  return [
    items.map((item) =>
      item["count"] !== undefined ? 0 : item["exists"] !== undefined ? false : (item["literal"] ?? null),
    ),
  ];
}
