import assert from "node:assert/strict";
import { test } from "node:test";
import { freshDatabase } from "../fixtures/databases.ts";
import { runWithFaults } from "./fault-run.ts";
import { isMissing, ownServer } from "./own-servers.ts";

const SERVERS_MISSING = isMissing("postgres") || isMissing("mysql");

test("contexts that throw, are aborted, die or lose their connections give everything back", {
  skip: SERVERS_MISSING,
}, async (t) => {
  const [postgres, mysql, file] = [
    await ownServer("postgres"),
    await ownServer("mysql", { "innodb-flush-log-at-trx-commit": 0 }),
    await freshDatabase(t, "sqlite"),
  ];
  const report = await runWithFaults({ postgres, mysql, file }, 500, 12);
  assert.deepEqual([report.inUse, report.openTransactions, report.left], [0, 0, 0]);
  assert.equal(report.ended["commits: done"], 50, JSON.stringify(report.ended));
});
