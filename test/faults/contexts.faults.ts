import assert from "node:assert/strict";
import { test } from "node:test";
import { freshDatabase } from "../fixtures/databases.ts";
import { runWithFaults } from "./fault-run.ts";
import { isMissing, ownServer } from "./own-servers.ts";

const SERVERS_MISSING = isMissing("postgres") || isMissing("mysql");
/** What caches and compiled code may take. */
const ALLOWANCE = 8_000_000;

test("ten thousand contexts with faults leave no connection, no transaction and no memory behind", {
  skip: SERVERS_MISSING,
}, async (t) => {
  assert.ok(global.gc !== undefined, "the heap can only be measured with --expose-gc");
  const postgres = await ownServer("postgres");
  const mysql = await ownServer("mysql", { "innodb-flush-log-at-trx-commit": 0 });
  const file = await freshDatabase(t, "sqlite");
  const { ended, ...report } = await runWithFaults({ postgres, mysql, file }, 10_000, 12);
  t.diagnostic(JSON.stringify(report));
  for (const [what, times] of Object.entries(ended)) t.diagnostic(`${times} × ${what}`);
  assert.deepEqual([report.inUse, report.openTransactions, report.left], [0, 0, 0]);
  assert.ok(report.grown < ALLOWANCE, `the heap has grown by ${report.grown} bytes`);
});
