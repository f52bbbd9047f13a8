import { asList, asText, isList, type Json, memberOf } from "../../read/json.ts";
import type { StepsOutcome } from "../../steps/run-steps.ts";
import type { StepsNormalisation, StepsSubject } from "../subject.ts";

type Change = readonly [label: string, operation: string];

/** What is announced of commits. */
export const announcements: StepsNormalisation = {
  name: "announced-once-committed",
  why:
    "`modelsCommitted` tells what was committed, at the real commit: each object once, with what became of its row, in the order of the flush: by bind, updates and inserts before deletes. The original " +
    "tells of a released savepoint too, and of an object that was inserted and deleted. What comes before a commit is `beforeCommit`, which says that it " +
    "comes and not what is in it; the sender is the session.",
  apply: ({ expected, actual }, subject) => ({
    expected: atCommits(
      mapSignals(expected, subject, (changes) => merged(changes)),
      subject,
    ),
    actual: mapSignals(actual, subject, (changes) => changes),
  }),
};

/** Keeps what was announced of commits. */
function mapSignals(
  outcome: StepsOutcome,
  subject: StepsSubject,
  change: (changes: readonly Change[]) => readonly Change[],
): StepsOutcome {
  const steps = outcome.steps.map((value, step): Json => {
    if (subject.op(step) !== "signals" || !isList(value)) return value;
    return value.flatMap((signal): Json[] => {
      if (memberOf(signal, "signal") !== "models_committed") return [];
      const given = asList(memberOf(signal, "changes"), "changes").map(
        (one): Change => [
          asText(asList(one, "a change")[0], "a label"),
          asText(asList(one, "a change")[1], "a change"),
        ],
      );
      const kept = inOrderOf(change(given), subject);
      return kept.length === 0 ? [] : [kept as Json];
    });
  });
  return { ...outcome, steps };
}

/**
 * The changes of each bind, model and operation in the order in which they were announced: rows alike are stored in the
 * order in which they were added.
 */
function inOrderOf(changes: readonly Change[], subject: StepsSubject): Change[] {
  const groupOf = ([label, operation]: Change) => [subject.bindOf(label), subject.modelOf(label), operation].join();
  return changes.toSorted((one, other) => {
    const [a, b] = [groupOf(one), groupOf(other)];
    return a < b ? -1 : a > b ? 1 : 0;
  });
}

/** Each object once: what was inserted and deleted is nothing, an inserted one is new however it was changed. */
function merged(changes: readonly Change[]): Change[] {
  const operations = Map.groupBy(changes, ([label]) => label);
  return [...operations].flatMap(([label, all]): Change[] => {
    const has = (operation: string) => all.some(([, one]) => one === operation);
    if (has("insert")) return has("delete") ? [] : [[label, "insert"]];
    return [[label, has("delete") ? "delete" : "update"]];
  });
}

/** What was told of a released savepoint is told at the next commit. */
function atCommits(outcome: StepsOutcome, subject: StepsSubject): StepsOutcome {
  let waiting: Json[] = [];
  let committed = false;
  const steps = outcome.steps.map((value, step): Json => {
    const op = subject.op(step);
    if (op === "commit") committed = true;
    if (op === "rollback") waiting = [];
    if (op !== "signals" || !isList(value)) return value;
    const all = [...waiting, ...value];
    waiting = committed ? [] : all;
    const told = committed ? all : [];
    committed = false;
    return told;
  });
  return { ...outcome, steps };
}
