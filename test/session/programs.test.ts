import { test } from "node:test";
import fc from "fast-check";
import { clear, openDatabases } from "./programs/databases.ts";
import { type Fault, Faults } from "./programs/faults.ts";
import { program } from "./programs/operations.ts";
import { noFigures, Player } from "./programs/player.ts";

/** How many programs each test plays; `MULTIBIND_PROGRAMS=10000` for a long run. */
const PROGRAMS = Number(process.env["MULTIBIND_PROGRAMS"] ?? 150);
const SEED = process.env["MULTIBIND_PROGRAM_SEED"];

const fault: fc.Arbitrary<Fault> = fc.record({
  kind: fc.constantFrom("refuse", "disconnect"),
  at: fc.nat(14),
});

for (const [name, faults] of [
  ["a random program of operations does what a model in memory says", fc.constant(undefined)],
  ["with a fault at a random statement each bind is before or after its commit, and the error says which", fault],
] as const) {
  test(name, { timeout: 36_000_000 }, async (t) => {
    const { app, witnesses } = await openDatabases(t);
    const injected = new Faults(app, witnesses);
    const figures = noFigures();
    let programs = 0;
    await fc.assert(
      fc.asyncProperty(program, faults, async (operations, fault) => {
        programs++;
        injected.arm(undefined);
        await clear(witnesses);
        injected.arm(fault);
        await new Player(app, witnesses, injected, figures).play(operations);
      }),
      { numRuns: PROGRAMS, timeout: 20_000, ...(SEED === undefined ? {} : { seed: Number(SEED) }) },
    );
    const { statements, injected: faultsInjected } = injected;
    const said = { programs, ...figures, ...(faultsInjected === 0 ? {} : { statements, faultsInjected }) };
    t.diagnostic(
      Object.entries(said)
        .map(([what, count]) => `${what}: ${count}`)
        .join(", "),
    );
  });
}
