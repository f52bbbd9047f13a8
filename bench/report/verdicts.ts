import type { BackendResults, Result, ScenarioResults } from "../harness/results.ts";
import { TARGETS } from "../targets.ts";

/** How multibind stands at a scenario. */
export interface Verdict {
  readonly scenario: ScenarioResults;
  readonly multibind: Result;
  /** Its prepared form, where there is one. */
  readonly prepared: Result | undefined;
  readonly target: number | undefined;
  readonly meetsTarget: boolean | undefined;
  /** The peer that is fastest there. */
  readonly bestPeer: Result | undefined;
  /** Whether it is behind any peer by more than the interval of their ratios. */
  readonly behind: readonly Result[];
}

const OWN = ["raw", "multibind", "multibind-prepared"];

/** What the scenarios of a backend say of multibind. */
export function verdicts({ backend, scenarios }: BackendResults): Verdict[] {
  return scenarios.flatMap((scenario): Verdict[] => {
    const find = (name: string) => scenario.results.find(({ contender }) => contender === name);
    const multibind = find("multibind");
    if (multibind === undefined) return [];
    const prepared = find("multibind-prepared");
    const target = TARGETS[backend][scenario.name];
    const peers = scenario.results.filter(({ contender }) => !OWN.includes(contender));
    const behind = peers.filter(({ multibindToIt }) => multibindToIt !== null && multibindToIt.low > 1);
    const bestPeer = peers.reduce<Result | undefined>(
      (best, one) => (best === undefined || ratioTo(one) > ratioTo(best) ? one : best),
      undefined,
    );
    const meetsTarget =
      target === undefined || multibind.toRaw === null ? undefined : meets(target, multibind, prepared, find("kysely"));
    return [{ scenario, multibind, prepared, target, meetsTarget, bestPeer, behind }];
  });
}

function ratioTo({ multibindToIt }: Result): number {
  return multibindToIt?.median ?? 0;
}

/**
 * The plain form meets the target; or the prepared form does, and the plain form has at most half of what Kysely takes
 * beyond the raw driver.
 */
function meets(target: number, plain: Result, prepared: Result | undefined, kysely: Result | undefined): boolean {
  const of = (result: Result | undefined) => result?.toRaw?.median ?? Number.POSITIVE_INFINITY;
  if (of(plain) <= target) return true;
  return of(prepared) <= target && of(plain) - 1 <= (of(kysely) - 1) / 2;
}
