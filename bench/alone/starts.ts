import { join } from "node:path";
import { SOURCE } from "../harness/build.ts";
import { inChild } from "../harness/child.ts";
import type { Databases } from "../harness/databases.ts";
import { median } from "../harness/statistics.ts";
import type { FirstGet, FirstGetParameters } from "./first-get-child.ts";
import type { Start, StartParameters } from "./start-child.ts";

export const START_BINDS = [1, 10, 1_000] as const;
export const START_MODELS = 500;

/** The modules of the contenders, so that a start loads only what is its own. */
const MODULES: Readonly<Record<string, string>> = {
  raw: "raw/raw.ts",
  multibind: "multibind.ts",
  kysely: "kysely.ts",
  drizzle: "drizzle/plain.ts",
  mikroOrm: "mikro-orm.ts",
  typeorm: "typeorm.ts",
  sequelize: "sequelize.ts",
  prisma: "prisma/prisma.ts",
};

/** What multibind's start takes with so many binds: medians of several processes. */
export async function measureStarts(entry: string, rounds: number): Promise<Map<number, Start>> {
  const starts = new Map<number, Start[]>(START_BINDS.map((binds) => [binds, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [binds, values] of starts) {
      const parameters: StartParameters = { entry, binds, models: START_MODELS };
      values.push(await inChild<Start>("alone/start-child.ts", parameters));
    }
  }
  return new Map([...starts].map(([binds, values]) => [binds, middle(values)]));
}

/** What it takes from the import to the first row, for everybody: medians of several processes. */
export async function measureFirstGets(
  build: string,
  databases: Databases,
  rounds: number,
): Promise<Map<string, FirstGet>> {
  const { CONTENDERS } = await import("../contenders/all.ts");
  const gets = new Map<string, FirstGet[]>();
  const runs: { label: string; parameters: FirstGetParameters }[] = [];
  for (const [contender, module] of Object.entries(MODULES)) {
    const { label, sqliteInstants, name } = CONTENDERS.find(
      (one) => one.name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase()) === contender,
    )!;
    const binds = await databases.make("S", { name, sqliteInstants });
    const path = join(import.meta.dirname, "..", "contenders", module);
    runs.push({ label, parameters: { module: path, contender, binds, source: SOURCE, build } });
  }
  for (let round = 0; round < rounds; round++) {
    for (const { label, parameters } of runs) {
      try {
        const one = await inChild<FirstGet>("alone/first-get-child.ts", parameters);
        gets.set(label, [...(gets.get(label) ?? []), one]);
      } catch (error) {
        console.error(`${label} does not start:`, error);
      }
    }
  }
  return new Map([...gets].map(([label, values]) => [label, middle(values)]));
}

/** The median of each property. */
function middle<T extends object>(values: readonly T[]): T {
  const names = Object.keys(values[0]!) as (keyof T)[];
  return Object.fromEntries(names.map((name) => [name, median(values.map((value) => Number(value[name])))])) as T;
}
