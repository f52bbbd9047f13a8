import assert from "node:assert/strict";
import { test } from "node:test";
import { onMysql } from "../fixtures/databases.ts";
import { galeraCluster, hasGalera } from "../fixtures/galera-cluster.ts";
import { shop, underLoad } from "./cluster-load.ts";

test("a node of a Galera cluster that is killed under load loses nothing", { skip: !hasGalera }, async (t) => {
  const nodes = await galeraCluster(t, 3);
  await onMysql("create database shop", `mysql://root@127.0.0.1:${nodes[0]!.port}/`);
  const hosts = nodes.map(({ port }) => `127.0.0.1:${port}`).join(",");
  const app = shop(`mysql://root@${hosts}/shop`);
  t.after(() => app.dispose());
  await app.createAll();
  const report = await underLoad(app, () => nodes[0]!.process.kill());
  t.diagnostic(JSON.stringify(report));
  assert.ok(report.failed > 0 && report.retried > 0);
  assert.deepEqual([report.lost, report.surplus], [0, 0]);
  assert.equal(app.engine.status().inUse, 0);
  // Every node that is left has the same rows.
  for (const { port } of nodes.slice(1)) {
    const [row] = await onMysql("select count(*) as n from sale", `mysql://root@127.0.0.1:${port}/shop`);
    assert.equal(Number(row!["n"]), report.done);
  }
});
