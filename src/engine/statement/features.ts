import type { OperationNode } from "kysely";
import { bindLabel } from "../../bind-key.ts";
import { UnsupportedError } from "../../errors/configuration.ts";
import type { CompileTarget } from "./compile-target.ts";
import { ALTERNATIVES, type Feature } from "./feature.ts";
import { featuresOf } from "./used-features.ts";

/**
 * Refuses what a database cannot do before it is sent.
 *
 * @returns what the statement needs that only some servers of the family have, for the connection to check
 * @throws {UnsupportedError}
 */
export function requireFeatures(engine: CompileTarget, node: OperationNode): readonly Feature[] {
  const used = featuresOf(node, engine.family);
  if (used.length === 0) return used;
  for (const feature of used) if (engine.family.lacks.has(feature)) throw lacking(engine, engine.family.label, feature);
  const { lacksHere } = engine;
  if (lacksHere !== undefined) {
    const refusal = lackedFeature(engine, used);
    if (refusal !== undefined) throw refusal;
  }
  return used.filter((feature) => engine.family.lacksInPart?.has(feature));
}

/** The error for a statement that needs something that the server of an engine lacks; undefined for others. */
export function lackedFeature(engine: CompileTarget, needs: readonly Feature[]): UnsupportedError | undefined {
  const { lacksHere } = engine;
  const lacked = needs.find((feature) => lacksHere?.features.has(feature));
  return lacked === undefined ? undefined : lacking(engine, lacksHere!.server, lacked);
}

function lacking({ bindKey }: CompileTarget, label: string, feature: Feature): UnsupportedError {
  return new UnsupportedError(
    `${label} (${bindLabel(bindKey)}) has no ${feature}; ${ALTERNATIVES[feature]}. Nothing was sent.`,
    { bindKey },
  );
}
