import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { onPostgres } from "../fixtures/databases.ts";
import { postgresServer } from "../fixtures/postgres-server.ts";
import { until } from "../fixtures/until.ts";
import { shop, underLoad } from "./cluster-load.ts";

test("a PostgreSQL primary that is killed under load, and its standby promoted, loses nothing", async (t) => {
  const primary = await postgresServer(t);
  const database = await primary.createDatabase("shop");
  const standby = await postgresServer(t, {}, primary);
  // What is acknowledged is on both.
  await onPostgres("alter system set synchronous_standby_names = '*'", primary.url);
  await onPostgres("select pg_reload_conf()", primary.url);
  await until(
    async () =>
      (await onPostgres("select 1 from pg_stat_replication where sync_state = 'sync'", primary.url)).length > 0,
  );
  const [one, two] = [primary.url, standby.url].map((url) => new URL(url).host);
  const app = shop(
    `postgresql://postgres@${one},${two}/${new URL(database).pathname.slice(1)}?target_session_attrs=read-write`,
  );
  t.after(() => app.dispose());
  await app.createAll();
  const report = await underLoad(app, async () => {
    await primary.kill();
    // Somebody has to notice, and to decide.
    await delay(500);
    await onPostgres("select pg_promote()", standby.url);
  });
  t.diagnostic(JSON.stringify(report));
  assert.ok(report.failed > 0 && report.retried > 0);
  assert.deepEqual([report.lost, report.surplus], [0, 0]);
  assert.equal(app.engine.status().inUse, 0);
});
