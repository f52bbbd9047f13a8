import { type BindKey, bindLabel } from "../bind-key.ts";
import type { EngineDefinition } from "../engine/engine.ts";
import { families } from "../engine/families.ts";
import { InvalidOptionError } from "../errors/configuration.ts";

/**
 * The bind that keeps the decisions of two-phase commits: the one that is named; else the first that cannot be prepared
 * itself, since it is the only one of its kind that may take part; else the first.
 *
 * @param engines in the order in which they commit
 * @returns undefined if none can keep decisions
 * @throws {InvalidOptionError} if the named one cannot
 */
export function decisionBindOf(engines: readonly EngineDefinition[], named?: BindKey): BindKey | undefined {
  if (named !== undefined) {
    const definition = engines.find(({ bindKey }) => bindKey === named);
    const reason = definition === undefined ? "is not configured" : unfitness(definition);
    if (reason === undefined) return named;
    throw new InvalidOptionError(`decisionBind names ${bindLabel(named)}, which ${reason}.`);
  }
  const fit = engines.filter((definition) => unfitness(definition) === undefined);
  return (fit.find((definition) => !canBePrepared(definition)) ?? fit[0])?.bindKey;
}

function canBePrepared({ options }: EngineDefinition): boolean {
  return options.dialect === undefined && families[options.family].twoPhase !== undefined;
}

/** Why a bind cannot keep decisions: they are rows of a table of ours that have to outlive the process. */
function unfitness({ options: { url, family, managed, readOnly } }: EngineDefinition): string | undefined {
  if (!managed) return "is not managed (managed: false), so no table of ours goes there";
  if (readOnly) return "is configured with readOnly";
  return url && families[family].whyFleeting?.(url);
}
