import { errorResult } from "../compare/errors.ts";
import { normalise } from "../compare/normalisation.ts";
import { differences, shown } from "../compare/values.ts";
import { stepsNormalisations } from "../normalisations.ts";
import type { Case } from "../read/cases.ts";
import { asList, asObject, asText, isList, type Json, type JsonObject } from "../read/json.ts";
import { labelOf } from "../read/keys.ts";
import { StepsSubject } from "../rules/subject.ts";
import type { TraceEvent } from "../run/recorder.ts";
import { runSteps, type StepsOutcome } from "../steps/run-steps.ts";
import type { World } from "../steps/world.ts";
import type { Findings } from "./verdict.ts";

/** Changes what was recorded into what is expected, for one case. */
export type Patch = (expected: StepsOutcome) => StepsOutcome;

/**
 * Does a case's steps and compares what came of them. Where the original picks one of several results, ours is to be
 * like one of them.
 */
export async function judgeSteps(one: Case, patch: Patch, through?: (world: World) => World): Promise<Findings> {
  const subject = new StepsSubject(one.inputs);
  const refused = [...subject.facts.models.values()].find((model) => model.refused);
  if (refused !== undefined) return judgeRefusal(one, refused.item.name);
  const actual = await runSteps(one.inputs, through);
  const problems = bindOrderProblems(actual, subject);
  const alternatives = isList(one.result["any_of"]) ? one.result["any_of"] : [one.result];
  const findings = alternatives.map((alternative) => {
    const recorded = readOutcome(asObject(alternative, "a result"));
    const { pair, applied } = normalise(stepsNormalisations, { expected: recorded, actual }, subject);
    return { messages: [...problems, ...compare(patch(pair.expected), pair.actual, subject)], normalisations: applied };
  });
  return findings.find(({ messages }) => messages.length === 0) ?? findings[0]!;
}

/** A class that shares rows with a parent of another bind: it is refused when it is made, so there are no steps. */
async function judgeRefusal(one: Case, model: string): Promise<Findings> {
  const normalisations = ["children-share-their-parents-bind"];
  try {
    await runSteps(one.inputs);
    return { messages: [`${model} names another bind than its parent, and was not refused`], normalisations };
  } catch (error) {
    const { error: found } = errorResult(error);
    const kinds = (found as { readonly kinds: readonly string[] }).kinds;
    return {
      messages: kinds.includes("SchemaError")
        ? []
        : [`${model} was to be refused with a SchemaError, got ${shown(found)}`],
      normalisations,
    };
  }
}

/** A recorded result; events over several binds in any order become one for each. */
function readOutcome(result: JsonObject): StepsOutcome {
  const { steps, trace, chosen_binds: chosen, ...rest } = result;
  const unknown = Object.keys(rest);
  if (unknown.length > 0) throw new Error(`the result has ${unknown.join(", ")}, which this runner does not know`);
  return {
    steps: asList(steps, "result.steps"),
    ...(trace === undefined ? {} : { trace: asList(trace, "result.trace").flatMap(readEvent) }),
    ...(chosen === undefined
      ? {}
      : { chosen: asList(chosen, "result.chosen_binds").map((one) => asList(one, "chosen")) }),
  };
}

function readEvent(value: Json): TraceEvent[] {
  const { step, event, bind, binds_in_any_order: binds } = asObject(value, "an event");
  const all = binds === undefined ? [bind] : asList(binds, "binds_in_any_order");
  return all.map((one) => ({ step: step as number, event: asText(event, "event"), bind: asText(one, "bind") }));
}

function compare(expected: StepsOutcome, actual: StepsOutcome, subject: StepsSubject): string[] {
  const messages = expected.steps.flatMap((value, index) =>
    differences(value, actual.steps[index], `step ${index} (${subject.op(index)})`),
  );
  if (expected.chosen !== undefined) {
    messages.push(
      ...expected.chosen.flatMap((value, index) =>
        differences(
          [...value],
          [...(actual.chosen?.[index] ?? [])],
          `step ${index} (${subject.op(index)}): chosen binds`,
        ),
      ),
    );
  }
  if (expected.trace !== undefined) messages.push(...traceProblems(expected.trace, actual.trace ?? [], subject));
  if (expected.steps.length !== actual.steps.length)
    messages.push(`${expected.steps.length} steps were recorded, ${actual.steps.length} done`);
  return messages;
}

function traceProblems(
  expected: readonly TraceEvent[],
  actual: readonly TraceEvent[],
  subject: StepsSubject,
): string[] {
  const text = (trace: readonly TraceEvent[], step: number) =>
    trace
      .filter((event) => event.step === step)
      .map(({ event, bind }) => `${event}@${bind}`)
      .join("; ");
  return subject.steps.flatMap((_, step) => {
    const [should, is] = [text(expected, step), text(actual, step)];
    return should === is ? [] : [`step ${step} (${subject.op(step)}): expected the trace "${should}", got "${is}"`];
  });
}

/**
 * What has an order among binds has the configured one, binds as listed and the default one last: commits, and the
 * updates and deletes of a flush, which go bind by bind.
 */
export function bindOrderProblems({ trace = [] }: StepsOutcome, subject: StepsSubject): string[] {
  const ranks = subject.binds.map(labelOf);
  return ORDERED.flatMap(({ what, events, ops }) => {
    const ordered = trace.filter(({ event, step }) => events.test(event) && ops.has(subject.op(step)));
    return ordered.flatMap((event, index) => {
      const before = ordered[index - 1];
      const isLater = before?.step !== event.step || ranks.indexOf(before.bind) <= ranks.indexOf(event.bind);
      return isLater ? [] : [`step ${event.step}: ${before.bind} ${what} before ${event.bind}`];
    });
  });
}

/** What has an order among binds, and in which steps. */
const ORDERED = [
  { what: "committed", events: /^COMMIT$/, ops: new Set(["commit"]) },
  { what: "was updated", events: /^(UPDATE|DELETE) /, ops: new Set(["flush", "commit"]) },
] as const;
