import type { Binds, Contender, Store } from "../contenders/contender.ts";
import type { Scenario } from "../scenarios.ts";
import { allocatedBytes } from "./allocation.ts";
import type { Entry } from "./batch.ts";
import { check } from "./check.ts";
import { BACKENDS, type BackendName, type Databases } from "./databases.ts";
import { loopDelay } from "./event-loop.ts";
import type { Absentee, BackendResults, Result, ScenarioResults } from "./results.ts";
import { type RoundOptions, runRounds, type Series } from "./rounds.ts";
import { median, pairedRatios } from "./statistics.ts";

export interface BackendOptions extends RoundOptions {
  readonly backend: BackendName;
  readonly contenders: readonly Contender[];
  readonly scenarios: readonly Scenario[];
  /** Is told what comes out, scenario by scenario. */
  report(results: ScenarioResults): void;
}

interface Participant {
  readonly contender: Contender;
  readonly store: Store;
  readonly binds: Binds;
}

/** Runs every scenario on one backend. Who cannot take part, or gives other results than it should, is left out and named. */
export async function runBackend(options: BackendOptions, databases: Databases): Promise<BackendResults> {
  const { backend, contenders, scenarios, rounds, batch, report } = options;
  const participants: Participant[] = [];
  const absentees: Absentee[] = [];
  for (const contender of contenders) {
    try {
      participants.push(await admit(contender, backend, databases));
    } catch (error) {
      absentees.push({ label: contender.label, reason: reasonOf(error) });
      console.error(`${contender.label} is left out:`, error);
    }
  }
  try {
    const results: ScenarioResults[] = [];
    for (const scenario of scenarios) {
      const one = await runScenario(scenario, participants, options, databases);
      report(one);
      results.push(one);
    }
    const { main, auth } = BACKENDS[backend];
    return {
      backend,
      date: new Date().toISOString().slice(0, 10),
      rounds,
      batch,
      servers: participants[0] === undefined ? [] : await databases.versions(participants[0].binds),
      participants: participants.map(({ contender: { name, label, drivers } }) => ({
        name,
        label,
        drivers: [...new Set([drivers[main.family], drivers[auth.family]])],
      })),
      absentees,
      scenarios: results,
    };
  } finally {
    for (const { store } of participants) await store.close();
  }
}

async function admit(contender: Contender, backend: BackendName, databases: Databases): Promise<Participant> {
  const binds = await databases.make(backend, contender);
  const store = await contender.open(binds);
  try {
    await check(store, binds, databases);
  } catch (error) {
    await store.close();
    throw error;
  }
  return { contender, store, binds };
}

async function runScenario(
  scenario: Scenario,
  participants: readonly Participant[],
  options: RoundOptions,
  databases: Databases,
): Promise<ScenarioResults> {
  const entries = participants
    .filter(({ store }) => scenario.can(store))
    .map(
      ({ contender: { name }, store, binds }): Entry => ({
        name,
        store,
        scenario,
        turn: 0,
        reset: () => databases.reset(binds),
      }),
    );
  const series = await runRounds(entries, options);
  const results: Result[] = [];
  for (const entry of entries) {
    const { operations } = series.get(entry.name)!;
    const allocated = await allocatedBytes(entry, operations);
    const delay = scenario.workers > 1 ? await loopDelay(entry) : null;
    results.push({ contender: entry.name, operations, allocated, delay, ...summary(series, entry.name) });
  }
  return { name: scenario.name, title: scenario.title, results };
}

function summary(
  all: ReadonlyMap<string, Series>,
  name: string,
): Pick<Result, "wall" | "cpu" | "toRaw" | "cpuToRaw" | "multibindToIt"> {
  const { wall, cpu } = all.get(name)!;
  const raw = all.get("raw");
  const multibind = all.get("multibind");
  return {
    wall: median(wall),
    cpu: median(cpu),
    toRaw: raw === undefined ? null : pairedRatios(wall, raw.wall),
    cpuToRaw: raw === undefined ? null : pairedRatios(cpu, raw.cpu),
    multibindToIt: multibind === undefined ? null : pairedRatios(multibind.wall, wall),
  };
}

function reasonOf(error: unknown): string {
  return String(error instanceof Error ? error.message : error)
    .split("\n", 1)[0]!
    .trim();
}
