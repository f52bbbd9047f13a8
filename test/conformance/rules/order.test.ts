import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { normalise } from "../compare/normalisation.ts";
import { bindOrderProblems } from "../judge/judge-steps.ts";
import { stepsNormalisations } from "../normalisations.ts";
import { readCases } from "../read/cases.ts";
import { isList, type Json, memberOf } from "../read/json.ts";
import type { TraceEvent } from "../run/recorder.ts";
import type { StepsOutcome } from "../steps/run-steps.ts";
import { StepsSubject } from "./subject.ts";

const cases = await readCases(join(import.meta.dirname, "..", "data"));

/** What a rule makes of a case's record and of an outcome. */
function judged(id: string, rule: string, outcome: (recorded: StepsOutcome) => StepsOutcome) {
  const { inputs, result } = cases.find((one) => one.id === id)!;
  // The record of a case with steps has these members.
  const recorded = result as unknown as StepsOutcome;
  const only = stepsNormalisations.filter(({ name }) => name === rule);
  assert.equal(only.length, 1);
  return normalise(only, { expected: recorded, actual: outcome(recorded) }, new StepsSubject(inputs)).pair;
}

test("a child that is stored before its parent is not what any case expects", () => {
  const [id, rule] = ["routing-flush-three", "parents-before-children"];
  const stored = (first: string, second: string) => (recorded: StepsOutcome) => {
    const trace = recorded.trace!;
    const names = [first, second];
    const positions = [...trace.keys()].filter((position) => names.includes(trace[position]!.event));
    assert.equal(positions.length, 2);
    const named = (position: number): TraceEvent => ({
      ...trace[position]!,
      event: names[positions.indexOf(position)]!,
    });
    return {
      ...recorded,
      trace: trace.map((event, position) => (positions.includes(position) ? named(position) : event)),
    };
  };
  const parentsFirst = judged(id, rule, stored("INSERT post", "INSERT comment"));
  assert.deepEqual(parentsFirst.actual.trace, parentsFirst.expected.trace);
  const childrenFirst = judged(id, rule, stored("INSERT comment", "INSERT post"));
  assert.notDeepEqual(childrenFirst.actual.trace, childrenFirst.expected.trace);
});

test("changes that are announced in reverse are not what the case expects", () => {
  const [id, rule] = ["extras-track-add-order", "announced-once-committed"];
  const reversed = (value: Json): Json =>
    isList(value)
      ? value.map((signal) => {
          const changes = memberOf(signal, "changes");
          return isList(changes) ? { signal: memberOf(signal, "signal")!, changes: changes.toReversed() } : signal;
        })
      : value;
  const same = judged(id, rule, (recorded) => recorded);
  assert.deepEqual(same.actual.steps, same.expected.steps);
  const { actual, expected } = judged(id, rule, (recorded) => ({ ...recorded, steps: recorded.steps.map(reversed) }));
  assert.notDeepEqual(actual.steps, expected.steps);
});

test("binds that are updated, deleted from or committed in another order than the configured one are found", () => {
  const config = { uri: "sqlite://", binds: { a: "sqlite://", b: "sqlite://" } };
  const subject = new StepsSubject({ config, steps: [{ op: "flush" }, { op: "commit" }] });
  const problems = (step: number, event: string, binds: readonly string[]) =>
    bindOrderProblems({ steps: [null, null], trace: binds.map((bind) => ({ step, event, bind })) }, subject);
  for (const event of ["UPDATE post", "DELETE post"]) {
    assert.deepEqual(problems(0, event, ["a", "b", "<default>"]), []);
    assert.deepEqual(problems(0, event, ["b", "a"]), ["step 0: b was updated before a"]);
  }
  assert.deepEqual(problems(0, "INSERT post", ["b", "a"]), []);
  assert.deepEqual(problems(1, "COMMIT", ["a", "b", "<default>"]), []);
  assert.deepEqual(problems(1, "COMMIT", ["<default>", "a"]), ["step 1: <default> committed before a"]);
});
