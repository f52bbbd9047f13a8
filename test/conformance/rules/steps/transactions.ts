import { ofBoth, ofExpected } from "../../compare/normalisation.ts";
import { isObject, memberOf } from "../../read/json.ts";
import type { TraceEvent } from "../../run/recorder.ts";
import type { StepsOutcome } from "../../steps/run-steps.ts";
import { eventsOf, mapEvents, mapSteps, type StepsNormalisation, type StepsSubject } from "../subject.ts";

const DDL = new Set(["create_all", "drop_all", "reflect"]);
const ENDS = new Set(["COMMIT", "ROLLBACK", "COMMIT PREPARED", "ROLLBACK PREPARED"]);
const isEnd = ({ event }: TraceEvent) => ENDS.has(event);

/** Reads hold nothing. */
export const readsHoldNothing: StepsNormalisation = {
  name: "reads-hold-nothing",
  why:
    "A bind's transaction begins with its first write, lock, savepoint or SQL text, not with its first read: reads before it have no BEGIN, and a bind " +
    "that was only read has no COMMIT or ROLLBACK.",
  apply: ofExpected((outcome, subject) =>
    outcome.trace === undefined ? outcome : { ...outcome, trace: withoutReadOnly(outcome.trace, subject) },
  ),
};

/** Moves each BEGIN to the first event of its transaction that needs it; takes it away with its end where none does. */
function withoutReadOnly(trace: readonly TraceEvent[], subject: StepsSubject): TraceEvent[] {
  const moved: (TraceEvent | undefined)[] = [...trace];
  const begins = new Map<number, TraceEvent>();
  const open = new Map<string, { begin: number; needed: boolean }>();
  trace.forEach((event, index) => {
    const own = DDL.has(subject.op(event.step)) ? `ddl ${event.step}` : `context ${subject.contexts[event.step]}`;
    const key = `${own} ${event.bind}`;
    if (event.event === "BEGIN") {
      open.set(key, { begin: index, needed: false });
      moved[index] = undefined;
      return;
    }
    const span = open.get(key);
    if (span === undefined) return;
    if (isEnd(event)) {
      open.delete(key);
      if (!span.needed) moved[index] = undefined;
    } else if (!span.needed && needsTransaction(event, subject)) {
      span.needed = true;
      begins.set(index, { ...event, event: "BEGIN" });
    }
  });
  return moved.flatMap((event, index) => [
    ...(begins.has(index) ? [begins.get(index)!] : []),
    ...(event === undefined ? [] : [event]),
  ]);
}

function needsTransaction({ event, step }: TraceEvent, subject: StepsSubject): boolean {
  return !event.startsWith("SELECT") || memberOf(subject.innerStep(step)["stmt"], "text") !== undefined;
}

/** Savepoints end once. */
export const savepointsEndOnce: StepsNormalisation = {
  name: "savepoints-end-once",
  why:
    "A savepoint that is rolled back is released at once, nested ones are rolled back by the outermost alone, and a whole transaction is rolled back " +
    "without its savepoints before.",
  apply: ({ expected, actual }) => ({
    expected: mapEvents(expected, (events) =>
      perBind(events, (own) =>
        own.filter((event, index) => {
          if (event.event !== "ROLLBACK TO SAVEPOINT") return true;
          const next = own[index + 1]?.event;
          return next !== "ROLLBACK TO SAVEPOINT" && next !== "ROLLBACK";
        }),
      ),
    ),
    actual: mapEvents(actual, (events) =>
      perBind(events, (own) =>
        own.filter(
          (event, index) => event.event !== "RELEASE SAVEPOINT" || own[index - 1]?.event !== "ROLLBACK TO SAVEPOINT",
        ),
      ),
    ),
  }),
};

/** Transactions in which nothing is sent. */
export const emptyTransactions: StepsNormalisation = {
  name: "empty-transactions",
  why: "A transaction in which nothing was sent but queries of the catalogue, which the traces leave out, says nothing. A bind with nothing to do has none here.",
  apply: ofBoth((outcome) =>
    mapEvents(outcome, (events) =>
      perBind(events, (own) =>
        own.filter((event, index) => {
          const begins = event.event === "BEGIN" && own[index + 1] !== undefined && isEnd(own[index + 1]!);
          const ends = isEnd(event) && own[index - 1]?.event === "BEGIN";
          return !begins && !ends;
        }),
      ),
    ),
  ),
};

/** A commit of one statement is that statement. */
export const oneStatementCommits: StepsNormalisation = {
  name: "one-statement-commits",
  why: "A commit whose whole work is one statement on one bind goes without BEGIN and COMMIT, since the database does or refuses it as a whole.",
  apply: ({ expected, actual }, subject) => ({
    expected: mapEvents(expected, (events) => {
      const [begin, statement, end, ...others] = events;
      const isWhole = begin?.event === "BEGIN" && end !== undefined && isEnd(end) && others.length === 0;
      if (!isWhole || statement === undefined || subject.op(begin.step) !== "commit") return events;
      return eventsOf(actual.trace ?? [], begin.step).length === 1 ? [statement] : events;
    }),
    actual,
  }),
};

/** Binds work side by side. */
export const sideBySide: StepsNormalisation = {
  name: "binds-side-by-side",
  why: "Binds work side by side, so what is sent to different ones within a step has no order among them. That commits follow the configured order is checked of our own trace besides.",
  apply: ofBoth((outcome) =>
    mapEvents(outcome, (events) => events.toSorted((a, b) => (a.bind < b.bind ? -1 : a.bind > b.bind ? 1 : 0))),
  ),
};

/** Whether a transaction is open. */
export const transactionFlags: StepsNormalisation = {
  name: "transactions-begin-per-bind",
  why: "A transaction is open if it is on some bind: `add` and reads begin none. Connections are those of the binds with a transaction.",
  apply: ofExpected((outcome, subject) => {
    if (outcome.trace === undefined) return outcome;
    const open = openBinds(outcome);
    return mapSteps(outcome, (value, index) => {
      if (subject.op(index) === "connections" && Array.isArray(value))
        return value.filter((bind) => open[index]!.has(String(bind)));
      if (subject.op(index) !== "in_transaction" || !isObject(value)) return value;
      const { nested, active } = value;
      return { ...value, in_transaction: open[index]!.size > 0 || nested === true || active === false };
    });
  }),
};

function openBinds({ trace = [], steps }: StepsOutcome): ReadonlySet<string>[] {
  const open = new Set<string>();
  return steps.map((_value, index) => {
    for (const event of eventsOf(trace, index)) {
      if (event.event === "BEGIN") open.add(event.bind);
      if (isEnd(event)) open.delete(event.bind);
    }
    return new Set(open);
  });
}

/** Changes the events of each bind within a step; what stays keeps its place. */
export function perBind(
  events: readonly TraceEvent[],
  change: (own: readonly TraceEvent[]) => readonly TraceEvent[],
): TraceEvent[] {
  const binds = [...new Set(events.map(({ bind }) => bind))];
  const kept = new Set(binds.flatMap((bind) => change(events.filter((event) => event.bind === bind))));
  return events.filter((event) => kept.has(event));
}
