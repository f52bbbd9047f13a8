import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { CompiledQuery } from "kysely";
import { Multibind } from "../../../src/index.ts";

/** Runs SQL text on a database in memory. */
function engine(t: TestContext) {
  const app = new Multibind().init({ databaseUri: "sqlite://" });
  t.after(() => app.dispose());
  return (sql: string, parameters: readonly unknown[]) =>
    app.engine.execute<Record<string, unknown>>(CompiledQuery.raw(sql, [...parameters]) as CompiledQuery<never>, {
      use: "write",
    });
}

test("a list or an object among the parameters is no value, and is not spread over its neighbours", async (t) => {
  const run = engine(t);
  for (const parameters of [[[1], 2], [{}, 1, 2], [[1, 2]], [{ a: 1 }, 2]]) {
    await assert.rejects(run("select ? as a, ? as b", parameters), /too (few|many)|can only bind/i);
  }
});

test("bytes are one value, whatever view they come in", async (t) => {
  const run = engine(t);
  const bytes = new Uint8Array([1, 2, 3]);
  for (const given of [bytes, Buffer.from(bytes), bytes.subarray(1)]) {
    const { rows } = await run("select hex(?) as a, ? as b", [given, 2]);
    assert.deepEqual({ ...rows[0] }, { a: Buffer.from(given).toString("hex"), b: 2 });
  }
});

test("a statement takes as many parameters as SQLite does", async (t) => {
  const run = engine(t);
  for (const count of [1, 999, 1_000, 1_001, 32_766]) {
    const places = Array.from({ length: count }, () => "(?)").join(", ");
    const values = Array.from({ length: count }, (_, index) => index);
    const { rows } = await run(`with given(n) as (values ${places}) select sum(n) as total from given`, values);
    assert.equal(rows[0]!["total"], (count * (count - 1)) / 2);
  }
});
