import { normalise } from "../compare/normalisation.ts";
import { differences } from "../compare/values.ts";
import { runConvertCase } from "../metadata/run-convert.ts";
import { runModelsCase } from "../metadata/run-models.ts";
import { modelsNormalisations } from "../normalisations.ts";
import type { Case } from "../read/cases.ts";
import { asObject, FormatError, isList, type JsonObject, memberOf } from "../read/json.ts";
import { SchemaFacts } from "../schema/facts.ts";
import type { Findings } from "./verdict.ts";

/** Compares the names that are made of others. */
export function judgeConvert(one: Case): Findings {
  return { messages: differences(one.result, runConvertCase(one), "result"), normalisations: [] };
}

/**
 * Runs a case about models. The original was run with two ways to make the base class; where their results differ, ours
 * is to be like one of them.
 *
 * @param patch changes what is expected of this one case
 */
export async function judgeModels(one: Case, patch: (expected: JsonObject) => JsonObject): Promise<Findings> {
  const actual = await runModelsCase(one);
  const { both_bases: both, classic_base: classic, declarative_base: declarative } = one.result;
  const alternatives = [both, classic, declarative].filter((result) => result !== undefined);
  if (alternatives.length === 0) throw new FormatError("the result has no base");
  const findings = alternatives.map((alternative) => {
    const { schema, then } = one.inputs;
    const steps = isList(then) ? then : [];
    const facts = new SchemaFacts([
      ...(isList(schema) ? schema : []),
      ...steps.flatMap((step) => memberOf(step, "item") ?? []),
    ]);
    const pair = { expected: asObject(alternative, "a base's result"), actual };
    const normalised = normalise(modelsNormalisations, pair, { facts, steps });
    return {
      messages: differences(patch(normalised.pair.expected), normalised.pair.actual, "result"),
      normalisations: normalised.applied,
    };
  });
  return findings.find(({ messages }) => messages.length === 0) ?? findings[0]!;
}
