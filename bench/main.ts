import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AloneParameters } from "./alone-child.ts";
import type { BackendParameters } from "./backend-child.ts";
import { CONTENDERS, contendersWith } from "./contenders/all.ts";
import { endChildrenWithThis, inChild } from "./harness/child.ts";
import { BACKENDS, type BackendName } from "./harness/databases.ts";
import { environment, requireSameDrivers } from "./harness/environment.ts";
import { isReachable } from "./harness/reachable.ts";
import type { AloneResults, BackendResults, Results } from "./harness/results.ts";
import { backendSection } from "./report/backend.ts";
import { markdown } from "./report/markdown.ts";
import { SCENARIOS } from "./scenarios.ts";

export interface RunOptions {
  readonly backends: readonly string[];
  readonly only: readonly string[];
  readonly scenarios: readonly string[];
  readonly builds: readonly string[];
  readonly rounds: number;
  readonly batch: number;
  readonly warmUp: number;
}

const DATA = join(import.meta.dirname, "results.json");
const REPORT = join(import.meta.dirname, "RESULTS.md");
const ALONE = "alone";

/** Runs what was asked for and reports it. */
export async function main(options: RunOptions): Promise<void> {
  const { backends, only, scenarios, builds, rounds } = options;
  requireKnown(backends, [...Object.keys(BACKENDS), ALONE], "--backend");
  requireKnown(
    only,
    contendersWith(builds).map(({ name }) => name),
    "--only",
  );
  requireKnown(
    scenarios,
    SCENARIOS.map(({ name }) => name),
    "--scenario",
  );
  requireSameDrivers();
  endChildrenWithThis();
  const isWhole = only.length === 0 && scenarios.length === 0 && builds.length === 0;
  for (const name of backends) {
    if (name === ALONE) {
      if (!(await serversOf(["S", "P", "X"]))) continue;
      const parameters: AloneParameters = { rounds };
      const alone = await inChild<AloneResults>("alone-child.ts", parameters);
      save((results) => ({ ...results, alone }));
      continue;
    }
    const backend = name as BackendName;
    if (!(await serversOf([backend]))) continue;
    console.log(`\n# ${BACKENDS[backend].title}`);
    const parameters: BackendParameters = { ...options, backend };
    const result = await inChild<BackendResults>("backend-child.ts", parameters);
    if (isWhole) save((results) => ({ ...results, backends: { ...results.backends, [backend]: result } }));
    else console.log(`\n${backendSection(result)}\n\nThis was a part only, so bench/RESULTS.md stays as it is.`);
  }
}

/** Puts new results into the data and the report; those of other backends stay. */
function save(change: (results: Results) => Results): void {
  const now = environment(CONTENDERS);
  const before: Results = existsSync(DATA)
    ? (JSON.parse(readFileSync(DATA, "utf8")) as Results)
    : { environment: now, backends: {}, alone: null };
  const results = change({ ...before, environment: now });
  const inOrder = Object.fromEntries(
    Object.keys(BACKENDS).flatMap((name) =>
      name in results.backends ? [[name, results.backends[name as BackendName]]] : [],
    ),
  );
  writeFileSync(DATA, `${JSON.stringify({ ...results, backends: inOrder }, undefined, 1)}\n`);
  writeFileSync(REPORT, markdown({ ...results, backends: inOrder }));
  console.log("\nWritten to bench/RESULTS.md.");
}

async function serversOf(backends: readonly BackendName[]): Promise<boolean> {
  const servers = new Set(backends.flatMap((backend) => [BACKENDS[backend].main, BACKENDS[backend].auth]));
  for (const server of servers) {
    if (await isReachable(server)) continue;
    console.error(`\nNo ${server.family} server answers, so ${backends.join(", ")} cannot be measured.`);
    return false;
  }
  return true;
}

function requireKnown(given: readonly string[], known: readonly string[], option: string): void {
  const unknown = given.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`${option} knows no "${unknown}". There are ${known.join(", ")}.`);
}
