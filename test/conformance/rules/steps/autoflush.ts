import { errorIn } from "../../compare/errors.ts";
import { ofExpected } from "../../compare/normalisation.ts";
import { anySuccess } from "../../compare/values.ts";
import { isList, isObject, type Json } from "../../read/json.ts";
import { labelOf } from "../../read/keys.ts";
import type { TraceEvent } from "../../run/recorder.ts";
import { namesModels, routeOf } from "../statement-binds.ts";
import type { StepsNormalisation, StepsSubject } from "../subject.ts";

const FLUSHES = new Set(["flush", "commit", "begin_nested", "sp_commit"]);
const isWrite = ({ event }: TraceEvent) => /^(INSERT|UPDATE|DELETE) /.test(event);

/** Statements store what is pending on their own bind. */
export const autoflushOfTheBind: StepsNormalisation = {
  name: "autoflush-of-the-statements-bind",
  why:
    "Before a statement, whatever it is, the session stores what is pending on the bind that it runs on. The original stores what is pending on all " +
    "binds, but nothing before SQL text and selects over plain tables.",
  apply: ofExpected((outcome, subject) => {
    if (outcome.trace === undefined) return outcome;
    const steps = [...outcome.steps];
    let trace = [...outcome.trace];
    subject.steps.forEach((_, index) => {
      if (!["execute", "query"].includes(subject.op(index)) || !subject.autoflushes(index)) return;
      const step = subject.innerStep(index);
      const route = routeOf(step, subject.facts, subject.binds);
      if (route.kind !== "one" || errorIn(steps[index]) !== undefined) return;
      const bind = labelOf(route.bind);
      const isOrm = subject.op(index) === "query" || namesModels(step["stmt"]);
      const pending = pendingBefore(index, subject);
      if (isOrm) {
        const others = trace.filter((event) => event.step === index && isWrite(event) && event.bind !== bind);
        if (others.length === 0) return;
        for (const other of new Set(others.map((event) => event.bind))) {
          const later = nextFlush(index, other, subject);
          const moved = others.filter((event) => event.bind === other).map((event) => ({ ...event, step: later }));
          trace = inOrder(
            [
              ...trace.filter((event) => !others.includes(event) || event.bind !== other),
              ...(later < steps.length ? moved : []),
            ],
            moved,
          );
          renameStates(
            steps,
            subject,
            index,
            later,
            "persistent",
            "pending",
            (label) => pending.has(label) && subject.bindOf(label) === other,
          );
        }
      } else {
        const mine = [...pending].filter((label) => subject.bindOf(label) === bind);
        if (mine.length === 0) return;
        const later = nextFlush(index, bind, subject);
        const events = trace.filter((event) => event.step === later && event.bind === bind && isWrite(event));
        const flushed = events.length > 0 ? events : insertsOf(mine, bind, subject);
        const statement = trace.findIndex((event) => event.step === index && event.event !== "BEGIN");
        trace = trace
          .toSpliced(statement, 0, ...flushed.map((event) => ({ ...event, step: index })))
          .filter((event) => !events.includes(event));
        steps[index] = anySuccess("the original did not store what was pending before");
        renameStates(steps, subject, index, later, "pending", "persistent", (label) => mine.includes(label));
      }
    });
    return { ...outcome, steps, trace };
  }),
};

/** The objects that were added before a step and not stored or rolled back since. */
function pendingBefore(step: number, subject: StepsSubject): Set<string> {
  const pending = new Set<string>();
  subject.steps.slice(0, step).forEach(({ op, obj, objs }, index) => {
    if (op === "add") pending.add(String(obj));
    if (op === "add_all" && isList(objs)) for (const label of objs) pending.add(String(label));
    if (op === "expunge") pending.delete(String(obj));
    if (FLUSHES.has(String(op)) || op === "rollback" || op === "expunge_all") pending.clear();
    if (subject.op(index) === "query") pending.clear();
  });
  return pending;
}

/** The next step that stores what is pending on a bind; the number of steps where none does. */
function nextFlush(from: number, bind: string, subject: StepsSubject): number {
  const found = subject.steps.findIndex((_, index) => {
    if (index <= from) return false;
    if (FLUSHES.has(subject.op(index))) return true;
    if (!["execute", "query"].includes(subject.op(index)) || !subject.autoflushes(index)) return false;
    const route = routeOf(subject.innerStep(index), subject.facts, subject.binds);
    return route.kind === "one" && labelOf(route.bind) === bind;
  });
  return found < 0 ? subject.steps.length : found;
}

function insertsOf(labels: readonly string[], bind: string, subject: StepsSubject): TraceEvent[] {
  const tables = new Set(labels.map((label) => subject.facts.models.get(subject.modelOf(label))?.table));
  return [...tables].map((table) => ({ step: 0, event: `INSERT ${table}`, bind }));
}

/** Moved events come first in their step, behind its BEGIN if there is one. */
function inOrder(trace: readonly TraceEvent[], first: readonly TraceEvent[]): TraceEvent[] {
  const place = (event: TraceEvent) => event.step * 2 + (first.includes(event) ? 0 : 1);
  return trace.toSorted((a, b) => place(a) - place(b));
}

function renameStates(
  steps: Json[],
  subject: StepsSubject,
  from: number,
  until: number,
  before: string,
  after: string,
  concerns: (label: string) => boolean,
): void {
  for (let index = from + 1; index < until && index < steps.length; index++) {
    const value = steps[index];
    if (subject.op(index) !== "states" || !isObject(value)) continue;
    steps[index] = Object.fromEntries(
      Object.entries(value).map(([label, state]) => [label, concerns(label) && state === before ? after : state]),
    );
  }
}
