import { ofExpected } from "../../compare/normalisation.ts";
import { memberOf } from "../../read/json.ts";
import { labelOf } from "../../read/keys.ts";
import type { TraceEvent } from "../../run/recorder.ts";
import type { StepsOutcome } from "../../steps/run-steps.ts";
import { eventsOf, isStatement, mapEvents, type StepsNormalisation, type StepsSubject } from "../subject.ts";

const BEGINNINGS = new Set(["BEGIN", "BEGIN TWOPHASE"]);
const ENDS = new Set(["COMMIT", "ROLLBACK", "COMMIT PREPARED", "ROLLBACK PREPARED"]);

/** Whether a case's session commits in two phases. */
export function isTwoPhase({ inputs }: StepsSubject): boolean {
  return memberOf(inputs["session_options"], "twophase") === true;
}

/** One bind decides. */
export const oneBindDecides: StepsNormalisation = {
  name: "one-bind-decides",
  why:
    "Of the binds that wrote all but one are prepared: the decision bind, the first one here, says by its own commit what becomes of the others. A bind that " +
    "wrote alone is committed plainly, and one that was only read is not prepared at all (design.md §7, Two-phase).",
  apply: ofExpected((outcome, subject) => (isTwoPhase(subject) ? withDecider(outcome, subject) : outcome)),
};

function withDecider(outcome: StepsOutcome, subject: StepsSubject): StepsOutcome {
  const [decider] = subject.binds.map(labelOf);
  const { trace = [] } = outcome;
  return mapEvents(outcome, (events, step) => {
    const writers = writersAt(trace, step);
    const isPrepared = (bind: string) => writers.size > 1 && writers.has(bind) && bind !== decider;
    // A bind that refuses to be prepared is sent nothing after that.
    const isAlone = (bind: string) =>
      writers.size === 1 && !events.some((one) => one.bind === bind && one.event === "COMMIT PREPARED");
    return events.flatMap((one): TraceEvent[] => {
      const as = (event: string) => [{ ...one, event }];
      switch (one.event) {
        case "BEGIN TWOPHASE":
          return as("BEGIN");
        case "PREPARE":
          if (isPrepared(one.bind)) return [one];
          return isAlone(one.bind) ? as("COMMIT") : [];
        case "COMMIT PREPARED":
          return isPrepared(one.bind) ? [one] : as("COMMIT");
        case "ROLLBACK PREPARED":
          return isPrepared(one.bind) ? [one] : as("ROLLBACK");
        default:
          return [one];
      }
    });
  });
}

/** The binds that have written in the transaction that a step ends. */
function writersAt(trace: readonly TraceEvent[], step: number): Set<string> {
  const writers = new Set<string>();
  for (const event of trace.filter((one) => one.step < step)) {
    if (BEGINNINGS.has(event.event) || ENDS.has(event.event)) writers.delete(event.bind);
    else if (writes(event)) writers.add(event.bind);
  }
  for (const event of eventsOf(trace, step)) if (writes(event)) writers.add(event.bind);
  return writers;
}

function writes(event: TraceEvent): boolean {
  return isStatement(event) && !event.event.startsWith("SELECT");
}
