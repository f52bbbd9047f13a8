import assert from "node:assert/strict";
import { test } from "node:test";
import { torture } from "./torture.ts";

test("no money is lost or made when processes and servers are killed during two-phase commits", async (t) => {
  const { kills, serverKills, acknowledged, violations } = await torture(t, {
    kills: 8,
    serverKills: 4,
    say: (line) => t.diagnostic(line),
  });
  assert.deepEqual(violations, []);
  assert.deepEqual([kills, serverKills], [8, 4]);
  assert.ok(acknowledged >= 12);
});
