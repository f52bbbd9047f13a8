import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { type TestContext, test } from "node:test";
import { promisify } from "node:util";
import type { FamilyName } from "../../src/index.ts";
import { plainDatabase } from "../fixtures/preparing-servers.ts";
import { application, BESIDE, type Order, prepare, type Report } from "./two-servers/commits.ts";

/** How many rounds of commits there are in all. */
const ROUNDS = Number(process.env["MULTIBIND_TWO_SERVERS"] ?? 64);
/** Of those that take locks in any order many end only after a second. */
const UNORDERED = Math.ceil(ROUNDS / 20);
const PROCESSES = 2;

type Pair = readonly [one: FamilyName, two: FamilyName];
const PAIRS: readonly Pair[] = [
  ["postgres", "postgres"],
  ["postgres", "mysql"],
  ["mysql", "mysql"],
  ["sqlite", "postgres"],
];

const program = new URL("two-servers/commits.ts", import.meta.url).pathname;
const execute = promisify(execFile);

/** Lets processes commit on the same two databases. Returns the codes of failures, all of which are retryable. */
async function race(t: TestContext, [one, two]: Pair, commits: Order["commits"], all: number): Promise<Set<string>> {
  const given = { one: await plainDatabase(one), two: await plainDatabase(two), commits };
  const app = application(given);
  t.after(() => app.dispose());
  await prepare(app);
  const rounds = Math.ceil(all / PAIRS.length / PROCESSES);
  const reports = await Promise.all(
    Array.from({ length: PROCESSES }, async (_, seed) => {
      const order: Order = { ...given, rounds, seed };
      const { stdout } = await execute(process.execPath, [program, JSON.stringify(order)], { signal: t.signal });
      return JSON.parse(stdout) as Report;
    }),
  );
  for (const { committed, retryable, others } of reports) {
    assert.deepEqual(others, []);
    assert.equal(committed + retryable.length, rounds * BESIDE);
    t.diagnostic(`${committed} committed, ${retryable.length} to be made again`);
  }
  return new Set(reports.flatMap(({ retryable }) => retryable));
}

for (const pair of PAIRS) {
  test(`flushes that change the same rows of two databases never wait in a circle (${pair.join(" and ")})`, async (t) => {
    const failures = await race(t, pair, "ordered", ROUNDS);
    assert.ok(!failures.has("LOCK_TIMEOUT"), [...failures].join());
  });

  test(`work that locks two databases in any order comes to an end (${pair.join(" and ")})`, async (t) => {
    await race(t, pair, "unordered", UNORDERED);
  });
}
