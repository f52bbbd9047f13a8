import { contendersWith } from "./contenders/all.ts";
import { serve } from "./harness/child.ts";
import { type BackendName, Databases } from "./harness/databases.ts";
import type { RoundOptions } from "./harness/rounds.ts";
import { runBackend } from "./harness/run-backend.ts";
import { printScenario } from "./report/console.ts";
import { SCENARIOS } from "./scenarios.ts";

export interface BackendParameters extends RoundOptions {
  readonly backend: BackendName;
  /** Names of contenders, or none for all. */
  readonly only: readonly string[];
  /** Names of scenarios, or none for all. */
  readonly scenarios: readonly string[];
  /** Builds of multibind that take part too, each as `NAME=FOLDER`. */
  readonly builds: readonly string[];
}

const databases = new Databases();

await serve(
  async ({ only, scenarios, builds, ...options }: BackendParameters) => {
    // Everybody is compared with the first, so that one is always there.
    const contenders = contendersWith(builds).filter(
      ({ name }, place) => place === 0 || only.length === 0 || only.includes(name),
    );
    const chosen = SCENARIOS.filter(({ name }) => scenarios.length === 0 || scenarios.includes(name));
    return runBackend({ ...options, contenders, scenarios: chosen, report: printScenario }, databases);
  },
  () => databases.dropAll(),
);
