import { CALL_BINDS, measureCalls } from "./alone/calls.ts";
import { ENTITIES_OF_BIND, type FanOut, measureFanOut } from "./alone/fan-out.ts";
import { measureFirstGets, measureStarts, START_BINDS, START_MODELS } from "./alone/starts.ts";
import { buildMultibind } from "./harness/build.ts";
import { serve } from "./harness/child.ts";
import { Databases } from "./harness/databases.ts";
import type { AloneResults, Figure, FigureTable } from "./harness/results.ts";
import { mysql } from "./harness/servers/mysql.ts";
import { postgres } from "./harness/servers/postgres.ts";
import type { Server } from "./harness/servers/server.ts";
import { sqlite } from "./harness/servers/sqlite.ts";
import { ALONE_TARGETS } from "./targets.ts";

export interface AloneParameters {
  readonly rounds: number;
}

/** How far away servers are made to look, in milliseconds each way. */
const DISTANCE = 5;
/** Processes and connections take long to make, so there are fewer rounds of these. */
const FEW = 5;

const databases = new Databases();

await serve(
  async ({ rounds }: AloneParameters): Promise<AloneResults> => {
    const few = Math.min(rounds, FEW);
    const calls = await calledFigures(rounds);
    const build = buildMultibind();
    const starts = await startFigures(build, few);
    return {
      date: new Date().toISOString().slice(0, 10),
      rounds,
      figures: [...calls, ...starts.figures],
      tables: [starts.table, await firstGetTable(build, few), ...(await fanOutTables(few))],
    };
  },
  () => databases.dropAll(),
);

async function calledFigures(rounds: number): Promise<Figure[]> {
  console.log("\nmultibind alone: routing, sessions, contexts");
  const costs = await measureCalls(rounds);
  return CALL_BINDS.flatMap((binds): Figure[] => {
    const { getBind, session, context, contextAndSession } = costs.get(binds)!;
    const where = `${binds.toLocaleString("en-US")} binds configured`;
    return [
      { what: `getBind of a model, ${where}`, value: getBind, unit: "µs", target: ALONE_TARGETS.getBind },
      { what: `a session made and closed, ${where}`, value: session, unit: "µs" },
      { what: `a context entered and left, ${where}`, value: context, unit: "µs" },
      {
        what: `a context entered, its session made, and left, ${where}`,
        value: contextAndSession,
        unit: "µs",
        target: ALONE_TARGETS.contextAndSession,
      },
    ];
  });
}

async function startFigures(
  build: string,
  rounds: number,
): Promise<{ readonly figures: Figure[]; readonly table: FigureTable }> {
  console.log("multibind alone: start");
  const starts = await measureStarts(build, rounds);
  const most = starts.get(Math.max(...START_BINDS))!;
  const unused = `${Math.max(...START_BINDS).toLocaleString("en-US")} configured and unused binds`;
  return {
    figures: [
      { what: `${unused}: time of \`init\``, value: most.initTime, unit: "ms", target: ALONE_TARGETS.unusedBindsTime },
      { what: `${unused}: memory`, value: most.initMemory, unit: "MB", target: ALONE_TARGETS.unusedBindsMemory },
    ],
    table: {
      title: `Start with ${START_MODELS} models`,
      note: "The built package in a process of its own: milliseconds, and megabytes of JavaScript's heap after a collection. `import` includes Kysely's.",
      columns: ["import, ms", "models, ms", "`init`, ms", "import, MB", "models, MB", "`init`, MB"],
      rows: [...starts].map(
        ([binds, { importTime, modelsTime, initTime, importMemory, modelsMemory, initMemory }]) => ({
          what: `${binds.toLocaleString("en-US")} ${binds === 1 ? "bind" : "binds"}`,
          values: [importTime, modelsTime, initTime, importMemory, modelsMemory, initMemory],
        }),
      ),
    },
  };
}

async function firstGetTable(build: string, rounds: number): Promise<FigureTable> {
  const gets = await measureFirstGets(build, databases, rounds);
  return {
    title: "From the import to the first row",
    note: "Each in a process of its own, on two SQLite databases: milliseconds, and megabytes by which the process grows.",
    columns: ["ms", "MB"],
    rows: [...gets].map(([what, { time, memory }]) => ({ what, values: [time, memory] })),
  };
}

async function fanOutTables(rounds: number): Promise<FigureTable[]> {
  console.log("multibind alone: work on many binds");
  const places: readonly (readonly [string, Server, number])[] = [
    ["SQLite", sqlite, 0],
    ["PostgreSQL", postgres, 0],
    ["MariaDB", mysql, 0],
    [`PostgreSQL, ${DISTANCE} ms away`, postgres, DISTANCE],
    [`MariaDB, ${DISTANCE} ms away`, mysql, DISTANCE],
  ];
  const tables: FigureTable[] = [];
  for (const [label, server, distance] of places) {
    const results = await measureFanOut(server, databases, rounds, distance);
    tables.push({
      title: `Work on many binds: ${label}`,
      note:
        `Milliseconds: \`createAll\` of a table in each, a flush of ${ENTITIES_OF_BIND} new entities in each, and the commit, which takes one bind after the other. ` +
        (distance === 0
          ? "All binds share this machine."
          : "Each bind is behind a proxy that holds back whatever goes through, as if its server were far away."),
      columns: ["`createAll`", "flush", "commit"],
      rows: results.map(({ binds, createAll, flush, commit }: FanOut) => ({
        what: `${binds} ${binds === 1 ? "bind" : "binds"}`,
        values: [createAll, flush, commit],
      })),
    });
  }
  return tables;
}
