/**
 * Runs multibind beside its peers: `npm run bench -- --help`.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { ensureInstalled } from "./harness/install.ts";

const HELP = `npm run bench -- [options]

  --backend S,P,X,alone   two SQLite databases, two PostgreSQL databases, MariaDB and PostgreSQL, multibind alone; all by default
  --only NAME,…           only these beside the raw driver: multibind, multibind-prepared, kysely, drizzle, drizzle-prepared, mikro-orm, typeorm, sequelize, prisma
  --scenario NAME,…       only these: get, context, list100, page, insert1, flush1000, update200, inserttx, flushinside, keys2, keys1, children1000, keys20000, concurrent
  --build NAME=FOLDER,…   other builds of multibind beside this one, such as before=/tmp/dist; to be named in --only too
  --rounds N              how many rounds; 15 by default
  --batch MS              how long each contender works in a round, in milliseconds; 30 by default
  --warm-up MS            how long each warms up at a scenario, in milliseconds of CPU time; 1000 by default

With --only, --scenario or --build the results are only printed; else they go into bench/RESULTS.md and bench/results.json.
MULTIBIND_BENCH_POSTGRES and MULTIBIND_BENCH_MYSQL say where the servers are, as URLs; this machine unless set.`;

const { values } = parseArgs({
  options: {
    backend: { type: "string", default: "S,P,X,alone" },
    only: { type: "string", default: "" },
    scenario: { type: "string", default: "" },
    build: { type: "string", default: "" },
    rounds: { type: "string", default: "15" },
    batch: { type: "string", default: "30" },
    "warm-up": { type: "string", default: "1000" },
    help: { type: "boolean", default: false },
  },
});

if (values.help) {
  console.log(HELP);
} else {
  ensureInstalled();
  // What follows needs what was just installed.
  const { main } = await import("./main.ts");
  await main({
    backends: list(values.backend),
    only: list(values.only),
    scenarios: list(values.scenario),
    builds: list(values.build),
    rounds: count(values.rounds, "rounds"),
    batch: count(values.batch, "batch"),
    warmUp: count(values["warm-up"], "warm-up"),
  });
}

function list(text: string): string[] {
  return text.split(",").filter((name) => name !== "");
}

function count(text: string, name: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`--${name} is a whole number from 1 up.`);
}
