import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { knownDifferences } from "./differences.ts";
import { judge } from "./judge/judge.ts";
import { type Case, readCases } from "./read/cases.ts";
import { reportOf } from "./report.ts";
import { stopPreparingPostgres } from "./run/preparing-postgres.ts";

after(stopPreparingPostgres);

const cases = await readCases(join(import.meta.dirname, "data"));

for (const [area, ofArea] of Map.groupBy(cases, (one: Case) => one.area)) {
  test(`multibind does what was recorded of the original, or differs as reviewed: ${area}`, async () => {
    const verdicts = [];
    for (const one of ofArea) verdicts.push(await judge(one));
    const failed = verdicts.filter(({ outcome }) => outcome === "failed");
    assert.equal(failed.length, 0, reportOf(failed).join("\n"));
  });
}

test("every reviewed difference is of a case, and needed", async () => {
  for (const { ids } of knownDifferences) {
    const differing = cases.filter(({ id }) => ids.test(id));
    assert.notEqual(differing.length, 0, `no case has an id like ${ids}`);
    for (const one of differing) {
      const { outcome } = await judge(one, { withDifferences: false });
      assert.equal(outcome, "failed", `${one.id} agrees without the difference ${ids}`);
    }
  }
});
