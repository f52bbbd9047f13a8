import { errorIn } from "../../compare/errors.ts";
import { ofExpected } from "../../compare/normalisation.ts";
import { anySuccess } from "../../compare/values.ts";
import { isObject, type Json, memberOf } from "../../read/json.ts";
import { labelOf } from "../../read/keys.ts";
import type { TraceEvent } from "../../run/recorder.ts";
import type { StepsOutcome } from "../../steps/run-steps.ts";
import { tablesIn } from "../statement-binds.ts";
import { eventsOf, type StepsNormalisation, type StepsSubject } from "../subject.ts";

interface Refusal {
  readonly step: number;
  /** Binds whose commit came through, in our order. */
  readonly committed: readonly string[];
  readonly failing: string;
  /** Binds after it, which are rolled back. */
  readonly others: readonly string[];
  readonly injected: boolean;
}

/** A refused commit ends the transaction on every bind. */
export const refusedCommitEnds: StepsNormalisation = {
  name: "refused-commit-ends-the-transaction",
  why:
    "Binds commit in the configured order. When one refuses, it and those after it are rolled back at once, and the session can be used on; what had " +
    "committed before stays, and so do its objects. The original waits for a `rollback`, and then takes all objects for transient.",
  apply: ofExpected((outcome, subject) => {
    if (outcome.trace === undefined) return outcome;
    const refusals = subject.steps.flatMap((_, step) => refusalAt(step, outcome, subject) ?? []);
    return refusals.reduce((all, refusal) => afterRefusal(all, refusal, subject), outcome);
  }),
};

function refusalAt(step: number, { steps, trace = [] }: StepsOutcome, subject: StepsSubject): Refusal | undefined {
  if (subject.op(step) !== "commit" || errorIn(steps[step]) === undefined) return undefined;
  const sent = eventsOf(trace, step)
    .filter(({ event }) => event === "COMMIT")
    .map(({ bind }) => bind);
  const injection = subject.steps.slice(0, step).find(({ op, at }) => op === "inject_failure" && at === "commit");
  const ordered = subject.binds.map(labelOf).filter((bind) => isOpen(bind, step, trace, subject));
  const failing =
    injection === undefined ? ordered.filter((bind) => sent.includes(bind)).at(-1) : String(injection["bind"]);
  if (failing === undefined) return undefined;
  const position = ordered.indexOf(failing);
  return {
    step,
    committed: ordered.slice(0, position),
    failing,
    others: ordered.slice(position + 1),
    injected: injection !== undefined,
  };
}

/** Whether a bind has a transaction when a commit comes to its end. */
function isOpen(bind: string, step: number, trace: readonly TraceEvent[], { contexts }: StepsSubject): boolean {
  let open = false;
  for (const event of trace) {
    if (event.step > step || event.bind !== bind || contexts[event.step] !== contexts[step]) continue;
    if (event.event === "BEGIN") open = true;
    else if (event.step < step && (event.event === "COMMIT" || event.event === "ROLLBACK")) open = false;
  }
  return open;
}

function afterRefusal(
  { steps, trace = [], ...rest }: StepsOutcome,
  refusal: Refusal,
  subject: StepsSubject,
): StepsOutcome {
  const { step, committed, failing, others, injected } = refusal;
  const acknowledged = subject.steps.findIndex(({ op }, index) => index > step && op === "rollback");
  const until = acknowledged < 0 ? steps.length : acknowledged;
  const event = (name: string, binds: readonly string[]) =>
    binds.map((bind): TraceEvent => ({ step, event: name, bind }));
  const ends = [
    ...event("COMMIT", injected ? committed : [...committed, failing]),
    ...event("ROLLBACK", [failing, ...others]),
  ];
  const between = steps.flatMap((value, index) => (index > step && index < until && isRefused(value) ? [index] : []));
  const isReplaced = ({ step: at, event: name }: TraceEvent) =>
    (at === step && (name === "COMMIT" || name === "ROLLBACK")) || (at === acknowledged && name === "ROLLBACK");
  const kept = trace.filter((one) => !isReplaced(one));
  const statements = between.flatMap((index) => statementEvents(index, subject));
  return {
    ...rest,
    steps: steps.map((value, index) => {
      if (between.includes(index)) return anySuccess("the original's session waits for a rollback");
      if (index <= step) return value;
      if (subject.op(index) === "in_transaction" && index < until)
        return { in_transaction: false, nested: false, active: true };
      return subject.op(index) === "states" ? statesAfter(value, committed, subject) : value;
    }),
    trace: [...kept, ...ends, ...statements].sort((a, b) => a.step - b.step),
  };
}

/** Whether a statement was refused because the session waits for a rollback. */
function isRefused(value: Json | undefined): boolean {
  return /'prepared' state/.test(String(memberOf(errorIn(value), "message") ?? ""));
}

function statementEvents(index: number, subject: StepsSubject): TraceEvent[] {
  const tables = tablesIn(subject.innerStep(index)["stmt"], subject.facts);
  const [first] = tables;
  return first === undefined
    ? []
    : [{ step: index, event: `SELECT ${tables.map(({ table }) => table).join(" ")}`, bind: labelOf(first.bind) }];
}

/** Objects that were made by the case are where their bind is: stored where it committed, transient where it did not. */
function statesAfter(value: Json, committed: readonly string[], subject: StepsSubject): Json {
  if (!isObject(value)) return value;
  const isNew = (label: string) => subject.steps.some(({ op, as }) => op === "new" && as === label);
  return Object.fromEntries(
    Object.entries(value).map(([label, state]) => {
      if (!isNew(label)) return [label, state];
      return [label, committed.includes(subject.bindOf(label) ?? "") ? "persistent" : "transient"];
    }),
  );
}
