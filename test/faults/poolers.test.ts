import { type TestContext, test } from "node:test";
import { databaseForPooler, haproxy, type Pooler, pgbouncer, pgpool } from "../fixtures/poolers.ts";
import { type Names, runThroughPooler } from "./pooler-run.ts";

/** `MULTIBIND_POOLER_REQUESTS=10000` for a long run, in which each pooler meets each kind of names. */
const LONG = process.env["MULTIBIND_POOLER_REQUESTS"];
const REQUESTS = Number(LONG ?? 240);
const NAMES = ["auto", "false", "true"] as const satisfies readonly Names[];

const POOLERS: Readonly<Record<string, (t: TestContext, url: string) => Promise<Pooler>>> = {
  "PgBouncer in transaction mode": (t, url) => pgbouncer(t, url, "transaction", { default_pool_size: 4 }),
  "PgBouncer that discards all": (t, url) =>
    pgbouncer(t, url, "transaction", { default_pool_size: 4, server_reset_query_always: 1 }),
  "Pgpool-II": (t, url) => pgpool(t, url, { num_init_children: 16 }),
  "Pgpool-II in raw mode": (t, url) => pgpool(t, url, { num_init_children: 16, backend_clustering_mode: "raw" }),
  HAProxy: haproxy,
};

for (const [name, pooler] of Object.entries(POOLERS)) {
  const all = LONG !== undefined || name === "PgBouncer in transaction mode";
  for (const names of all ? NAMES : NAMES.slice(0, 1)) {
    test(`two applications through ${name} read and write what they mean, and leave nothing (names: ${names})`, async (t) => {
      const url = await databaseForPooler(t);
      const { looks, reports } = await runThroughPooler((await pooler(t, url)).url, url, REQUESTS, names);
      const retried = reports.reduce((sum, report) => sum + report.retried, 0);
      t.diagnostic(`${REQUESTS} requests, ${looks} looks of a third client, ${retried} transactions begun anew`);
    });
  }
}
