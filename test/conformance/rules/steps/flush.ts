import { errorIn } from "../../compare/errors.ts";
import { ofBoth } from "../../compare/normalisation.ts";
import { memberOf } from "../../read/json.ts";
import { labelOf } from "../../read/keys.ts";
import type { TraceEvent } from "../../run/recorder.ts";
import type { StepsOutcome } from "../../steps/run-steps.ts";
import { eventsOf, isStatement, mapChosen, mapEvents, type StepsNormalisation, type StepsSubject } from "../subject.ts";

/** The order of tables within a flush. */
export const flushOrder: StepsNormalisation = {
  name: "parents-before-children",
  why:
    "A flush stores rows in the order of foreign keys between their tables; the original goes by relationships, else by the names of classes. What is " +
    "done to the rows of one table has the same order, and deletes come after inserts and updates. Several rows may take one statement or more.",
  apply: ({ expected, actual }, subject) => ({
    expected: inOneOrder(expected, subject),
    actual: inOneOrder(withMisplacedChildren(actual, subject), subject),
  }),
};

function inOneOrder(outcome: StepsOutcome, subject: StepsSubject): StepsOutcome {
  return mapEvents(outcome, (events, step) => {
    const binds = [...new Set(events.map(({ bind }) => bind))];
    return binds.flatMap((bind) =>
      ordered(
        events.filter((event) => event.bind === bind),
        isStatementStep(step, subject),
      ),
    );
  });
}

/** Adds an event, which no case expects, wherever a child was inserted before its parent or deleted after it. */
function withMisplacedChildren(outcome: StepsOutcome, { facts }: StepsSubject): StepsOutcome {
  const isChild = (child: string, parent: string, bind: string) =>
    facts.refersTo(child, parent, bind) && !facts.refersTo(parent, child, bind);
  return mapEvents(outcome, (events) =>
    events.flatMap((event, index) => {
      const [verb, table] = event.event.split(" ");
      if (table === undefined) return [event];
      const before = runBefore(events, index).map(tableOf);
      const isMisplaced = before.some((other) =>
        verb === "INSERT" ? isChild(other, table, event.bind) : isChild(table, other, event.bind),
      );
      return isMisplaced ? [event, { ...event, event: `${verb} ${table} IN THE WRONG ORDER` }] : [event];
    }),
  );
}

/** The events before one that do the same on its bind, without anything else in between. */
function runBefore(events: readonly TraceEvent[], index: number): TraceEvent[] {
  const { bind, event } = events[index]!;
  const [verb] = event.split(" ");
  if (verb !== "INSERT" && verb !== "DELETE") return [];
  const before = events.slice(0, index).filter((other) => other.bind === bind);
  return before.slice(before.findLastIndex((other) => !other.event.startsWith(`${verb} `)) + 1);
}

/** Binds of a flush that fails. */
export const failedFlush: StepsNormalisation = {
  name: "failed-flush-on-all-binds",
  why: "Binds are flushed side by side: when one fails, another may have got its rows, which are rolled back with it. The original stops before it comes to others.",
  apply: ({ expected, actual }, subject) => {
    const { trace = [] } = expected;
    const changed = mapEvents(actual, (events, step) => {
      const recorded = eventsOf(trace, step);
      const isFlush = memberOf(subject.innerStep(step), "stmt") === undefined;
      const failed = errorIn(expected.steps[step]) !== undefined && errorIn(actual.steps[step]) !== undefined;
      if (!isFlush || !failed || recorded.some(({ event }) => event === "COMMIT")) return events;
      const touched = new Set(recorded.filter(isStatement).map(({ bind }) => bind));
      return events.filter((event) => touched.has(event.bind) || !isStatement(event));
    });
    return { expected, actual: changed };
  },
};

/** A statement of the case's own is one event; what is pending may take more than one. */
function isStatementStep(step: number, subject: StepsSubject): boolean {
  return memberOf(subject.innerStep(step), "stmt") !== undefined;
}

function ordered(events: readonly TraceEvent[], single: boolean): TraceEvent[] {
  const result: TraceEvent[] = [];
  let run: TraceEvent[] = [];
  const finish = () => {
    result.push(...run.toSorted((a, b) => (tableOf(a) < tableOf(b) ? -1 : tableOf(a) > tableOf(b) ? 1 : 0)));
    run = [];
  };
  for (const event of events) {
    if (stageOf(event) === 0 || (run.length > 0 && stageOf(run[0]!) !== stageOf(event))) finish();
    if (stageOf(event) === 0) result.push(event);
    else run.push(event);
  }
  finish();
  return single
    ? result
    : result.filter((event, index) => stageOf(event) === 0 || event.event !== result[index - 1]?.event);
}

/** 1 for what stores rows, 2 for what deletes them, 0 for all else. */
function stageOf({ event }: TraceEvent): 0 | 1 | 2 {
  return /^(INSERT|UPDATE) /.test(event) ? 1 : event.startsWith("DELETE ") ? 2 : 0;
}

function tableOf({ event }: TraceEvent): string {
  return event.replace(/^\w+ /, "");
}

/** Rows of a model with children are read whole. */
export const childrenReadAlong: StepsNormalisation = {
  name: "children-are-read-along",
  why: "A row that may be a child's is read with the child's columns in one statement; the original reads these when they are asked for.",
  apply: ofBoth((outcome, { facts }) => {
    const joined = [...facts.models.values()].filter(({ inheritance }) => inheritance === "joined");
    return mapEvents(outcome, (events) =>
      events.map((event) => {
        const [verb, ...tables] = event.event.split(" ");
        if (verb !== "SELECT") return event;
        const children = joined.filter(
          ({ parent, bind, table }) =>
            labelOf(bind) === event.bind && tables.includes(parent!.table!) && tables.includes(table!),
        );
        return {
          ...event,
          event: [verb, ...tables.filter((table) => !children.some((child) => child.table === table))].join(" "),
        };
      }),
    );
  }),
};

/** Choices have no order. */
export const chosenAsSet: StepsNormalisation = {
  name: "chosen-binds-have-no-order",
  why: "A flush asks for the engines of its models in its own order; which binds are chosen in a step is compared, each once.",
  apply: ofBoth((outcome) =>
    mapChosen(outcome, (chosen) => chosen.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))),
  ),
};
