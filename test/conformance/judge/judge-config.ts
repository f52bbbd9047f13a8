import { normalise } from "../compare/normalisation.ts";
import { differences } from "../compare/values.ts";
import { runConfigCase } from "../config/run-config.ts";
import { configNormalisations } from "../normalisations.ts";
import type { Case } from "../read/cases.ts";
import { asList, asObject } from "../read/json.ts";
import type { Findings } from "./verdict.ts";

/** Runs a configuration case and compares each of its applications. */
export async function judgeConfig(one: Case): Promise<Findings> {
  const expected = asList(one.result["apps"], "result.apps");
  const inputs = asList(one.inputs["apps"], "inputs.apps");
  const actual = await runConfigCase(one);
  const messages: string[] = [];
  const applied = new Set<string>();
  let earlierKeys: readonly string[] = ["<default>"];
  actual.forEach((app, index) => {
    const subject = {
      input: { engine_options: one.inputs["engine_options"] ?? {}, ...asObject(inputs[index], "an application") },
      earlierKeys,
    };
    const { pair, applied: names } = normalise(
      configNormalisations,
      { expected: asObject(expected[index], "an application"), actual: app },
      subject,
    );
    for (const name of names) applied.add(name);
    messages.push(...differences(pair.expected, pair.actual, `apps[${index}]`));
    earlierKeys = app["metadata_keys"] as readonly string[];
  });
  if (expected.length !== actual.length)
    messages.push(`${expected.length} applications were recorded, ${actual.length} made`);
  return { messages, normalisations: [...applied] };
}
