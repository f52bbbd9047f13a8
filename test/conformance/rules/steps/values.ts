import { errorIn, ourError } from "../../compare/errors.ts";
import { ofExpected } from "../../compare/normalisation.ts";
import { anySuccess } from "../../compare/values.ts";
import { isList, isObject, type Json, memberOf } from "../../read/json.ts";
import type { TraceEvent } from "../../run/recorder.ts";
import { isStatement, mapChosen, mapEvents, mapSteps, type StepsNormalisation, type StepsSubject } from "../subject.ts";

/** Python's warnings. */
export const noWarnings: StepsNormalisation = {
  name: "no-warnings",
  why: "Python's warnings have no counterpart; the value or error beside them is compared.",
  apply: ofExpected((outcome) =>
    mapSteps(outcome, (value) => (memberOf(value, "warnings") === undefined ? value : memberOf(value, "value")!)),
  ),
};

/** A key is never null. */
export const keysAreChecked: StepsNormalisation = {
  name: "keys-are-checked",
  why: "`get` checks its key before anything is sent: one that is null or incomplete is refused, where the original asks the database for it.",
  apply: ofExpected((outcome, subject) => {
    const refused = (step: number) => subject.op(step) === "get" && hasNull(subject.innerStep(step)["id"]);
    const changed = mapSteps(outcome, (value, step) => (refused(step) ? ourError("InvalidValueError") : value));
    const sent = mapEvents(changed, (events, step) =>
      refused(step) ? events.filter((event) => !isStatement(event)) : events,
    );
    return mapChosen(sent, (chosen, step) => (refused(step) ? [] : chosen));
  }),
};

/** What is refused before anything is sent changes nothing. */
export const refusedFlushChangesNothing: StepsNormalisation = {
  name: "refused-flush-changes-nothing",
  why: "A flush that is refused before anything is sent, for want of an engine, leaves all as it was; the original rolls back, and new objects leave the session.",
  apply: ofExpected((outcome, subject) =>
    mapSteps(outcome, (value, index) => {
      if (!["state", "states"].includes(subject.op(index))) return value;
      const before = subject.steps.slice(0, index);
      const refused = before.findLastIndex(
        (_, step) =>
          memberOf(errorIn(outcome.steps[step]), "class") === "UnboundExecutionError" && isFlush(subject.op(step)),
      );
      if (refused < 0 || before.slice(refused).some(({ op }) => op === "rollback" || op === "expunge_all"))
        return value;
      const still = (label: string, state: Json): Json =>
        state === "transient" && wasAdded(label, refused, subject) ? "pending" : state;
      return isObject(value)
        ? Object.fromEntries(Object.entries(value).map(([label, state]) => [label, still(label, state)]))
        : still(String(subject.steps[index]!["obj"]), value);
    }),
  ),
};

function isFlush(op: string): boolean {
  return op === "flush" || op === "commit";
}

/** Defaults are there from `add` on. */
export const defaultsAtAdd: StepsNormalisation = {
  name: "defaults-at-add",
  why: "`add` evaluates client defaults; in the original an object has none of them before it is flushed.",
  apply: ofExpected((outcome, subject) =>
    mapSteps(outcome, (value, index) => {
      const { op, obj, name } = subject.steps[index]!;
      if (op !== "attr" || value !== null || typeof obj !== "string") return value;
      const column = subject.facts.models.get(subject.modelOf(obj))?.columns.find((one) => one.name === name);
      return column?.default !== undefined && wasAdded(obj, index, subject) ? column.default : value;
    }),
  ),
};

/** The steps whose own statements read: in all others the original only reads what it had expired. */
const READS = new Set([
  "execute",
  "core_execute",
  "get",
  "get_one",
  "get_or_404",
  "first_or_404",
  "one_or_404",
  "paginate",
  "page_move",
  "query",
  "refresh",
  "merge",
  "reflect",
  "connection",
]);

/** Attributes never expire. */
export const nothingExpires: StepsNormalisation = {
  name: "nothing-expires",
  why:
    "Commit and rollback mark entities stale, and their properties stay readable: reading one sends nothing, and a flush or delete does not read first. " +
    "All columns are there from the start, so nothing is ever unloaded. A row that vanished is noticed by its UPDATE; a `get` asks " +
    "for it once, and its object leaves the session: it is detached, not deleted by anybody.",
  apply: ({ expected, actual }, subject) => {
    const expires = memberOf(subject.inputs["session_options"], "expire_on_commit") !== false;
    const values = mapSteps(expected, (value, index) => valueWithoutExpiry(value, index, subject));
    const quiet = mapEvents(values, (events, index) =>
      eventsWithoutExpiry(events, index, errorIn(expected.steps[index]), subject),
    );
    const chosen = mapChosen(quiet, (binds, index) => (subject.op(index) === "attr" ? [] : binds));
    if (expires) return { expected: chosen, actual };
    // Without expiry the original's `get` does not ask for what it has; ours asks after a commit.
    const withoutGets = (outcome: typeof expected) =>
      mapEvents(outcome, (events, index) =>
        subject.op(index) === "get" ? events.filter(({ event }) => !event.startsWith("SELECT")) : events,
      );
    return { expected: withoutGets(chosen), actual: withoutGets(actual) };
  },
};

function valueWithoutExpiry(value: Json, index: number, subject: StepsSubject): Json {
  const { op, obj } = subject.steps[index]!;
  if (op === "states" && isObject(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([label, state]) => [
        label,
        state === "deleted" && !wasDeleted(label, index, subject) ? "detached" : state,
      ]),
    );
  }
  if (op === "attr" && memberOf(errorIn(value), "class") === "ObjectDeletedError")
    return anySuccess("the row is gone, and the value stays readable");
  if (op !== "loaded" || !isList(value)) return value;
  const model = subject.facts.models.get(subject.modelOf(String(obj)));
  return model === undefined ? value : model.columns.map(({ name }) => name).sort();
}

function eventsWithoutExpiry(
  events: readonly TraceEvent[],
  index: number,
  error: Json | undefined,
  subject: StepsSubject,
): readonly TraceEvent[] {
  const op = subject.op(index);
  const isSelect = ({ event }: TraceEvent) => event.startsWith("SELECT");
  if (!READS.has(op)) {
    const vanished = isFlush(op) && memberOf(error, "class") === "ObjectDeletedError";
    const last = events.findLast(isSelect);
    return events.flatMap((event) => {
      if (!isSelect(event)) return [event];
      return vanished && event === last ? [{ ...event, event: event.event.replace("SELECT", "UPDATE") }] : [];
    });
  }
  if (op !== "get") return events;
  return events.filter((event, at) => !isSelect(event) || event.event !== events[at - 1]?.event);
}

function wasAdded(label: string, before: number, { steps }: StepsSubject): boolean {
  return steps
    .slice(0, before)
    .some(
      ({ op, obj, objs }) =>
        (op === "add" && obj === label) || (op === "add_all" && isList(objs) && objs.includes(label)),
    );
}

function wasDeleted(label: string, before: number, { steps }: StepsSubject): boolean {
  return steps.slice(0, before).some(({ op, obj }) => op === "delete" && obj === label);
}

function hasNull(id: Json | undefined): boolean {
  if (id === null) return true;
  if (isList(id)) return id.includes(null);
  return isObject(id) && Object.values(id).includes(null);
}
