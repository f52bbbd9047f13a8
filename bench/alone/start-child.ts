import { serve } from "../harness/child.ts";

export interface StartParameters {
  /** The module to import multibind from. */
  readonly entry: string;
  readonly binds: number;
  readonly models: number;
}

/** What a start takes: milliseconds, and megabytes of JavaScript's heap. */
export interface Start {
  readonly importTime: number;
  readonly modelsTime: number;
  readonly initTime: number;
  readonly importMemory: number;
  readonly modelsMemory: number;
  readonly initMemory: number;
}

await serve(async ({ entry, binds, models }: StartParameters): Promise<Start> => {
  const steps = [step()];
  const { Multibind, boolean, integer, text, timestamp, varchar } = (await import(
    entry
  )) as typeof import("../../src/index.ts");
  steps.push(step());

  const keys = Array.from({ length: binds }, (_, place) => `bind${place}`);
  const db = new Multibind();
  const classes = Array.from(
    { length: models },
    (_, place) =>
      class extends db.model(
        `table${place}`,
        {
          id: integer().primaryKey(),
          name: varchar(80).unique(),
          note: text().nullable(),
          active: boolean().default(true),
          createdAt: timestamp().default(() => new Date()),
        },
        { bindKey: keys[place % binds]! },
      ) {},
  );
  steps.push(step());

  const app = db.init({ binds: Object.fromEntries(keys.map((key) => [key, `postgresql://user@localhost/${key}`])) });
  steps.push(step());

  await app.dispose();
  const [before, imported, modelled, initialised] = steps as [Step, Step, Step, Step];
  if (classes.length !== models) throw new Error("The classes have to live until here.");
  return {
    importTime: imported.begins - before.ends,
    modelsTime: modelled.begins - imported.ends,
    initTime: initialised.begins - modelled.ends,
    importMemory: imported.memory - before.memory,
    modelsMemory: modelled.memory - imported.memory,
    initMemory: initialised.memory - modelled.memory,
  };
});

interface Step {
  readonly begins: number;
  readonly memory: number;
  readonly ends: number;
}

/** Where the time stands, and how much memory is used once it is swept; the sweeping is not timed. */
function step(): Step {
  const begins = performance.now();
  globalThis.gc?.();
  const memory = process.memoryUsage().heapUsed / 1e6;
  return { begins, memory, ends: performance.now() };
}
