import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { CompiledQuery } from "kysely";
import { Owner } from "../../src/engine/pool/owner.ts";
import { integer, Multibind, sql, text } from "../../src/index.ts";
import { sessionOf, sharedDatabase, start } from "../fixtures/matrix.ts";

const db = new Multibind();
class Item extends db.model("item", { id: integer().primaryKey(), label: text(), pieces: integer() }) {}

const warnings: string[] = [];
process.on("warning", ({ name, message }) => {
  if (name === "DeprecationWarning") warnings.push(message);
});

test("pg is given no query while another one runs", async (t) => {
  const url = await sharedDatabase("postgres");
  const app = await start(t, db, { engineOptions: { url, poolSize: 4, poolPrePing: true } });
  const { kysely } = app.engine;
  const session = sessionOf(app);
  const items = Array.from({ length: 300 }, (_, index) => new Item({ id: index + 1, label: `${index}`, pieces: 1 }));
  session.addAll(items);
  await session.commit();

  await t.test("many statements at once, some of which fail", async () => {
    for (const item of items) item.pieces = item.id;
    for (const item of items.slice(0, 9)) item.label = "changed";
    await session.commit();
    await kysely.transaction().execute(async (trx) => {
      const one = (id: number) =>
        trx.updateTable(Item).set({ pieces: 2 }).where("id", "=", id).executeTakeFirstOrThrow();
      const results = await Promise.all(Array.from({ length: 20 }, (_, id) => one(id + 1)));
      assert.ok(results.every(({ numUpdatedRows }) => numUpdatedRows === 1n));
    });
    const failing = kysely.transaction().execute(async (trx) => {
      const wrong = Array.from({ length: 5 }, () => sql`select 1 / 0`.execute(trx));
      const outcomes = await Promise.allSettled(wrong);
      assert.ok(outcomes.every(({ status }) => status === "rejected"));
      throw new RangeError("undone");
    });
    await assert.rejects(failing, RangeError);
  });

  await t.test("a statement for each of many rows, sent without waiting", async () => {
    const owner = new Owner("the test");
    const connection = await app.engine.connect({ use: "write", owner });
    const query = CompiledQuery.raw("select $1::int as n");
    const sets = Array.from({ length: 10 }, (_, n) => [n]);
    const results = await connection.executeMany<{ n: number }>(query as CompiledQuery<{ n: number }>, sets);
    assert.deepEqual(
      results.flatMap(({ rows }) => rows.map(({ n }) => n)),
      sets.flat(),
    );
    const failing = CompiledQuery.raw("select 1 / $1::int as n");
    await assert.rejects(connection.executeMany(failing, sets));
    await connection.release();
  });

  await t.test("streams that are left, and statements after them", async () => {
    await kysely.transaction().execute(async (trx) => {
      for await (const _ of trx.selectFrom(Item).selectAll().stream(10)) break;
      const after = [1, 2, 3, 4].map((id) => trx.selectFrom(Item).select("id").where("id", "=", id).execute());
      assert.deepEqual(
        (await Promise.all(after)).flat(),
        [1, 2, 3, 4].map((id) => ({ id })),
      );
    });
    for await (const _ of kysely.selectFrom(Item).selectAll().stream(10)) break;
  });

  await t.test("statements that are aborted, and a connection that is lost while others wait", async () => {
    const abort = new AbortController();
    const sleeping = sql`select pg_sleep(20)`.compile(kysely);
    await kysely
      .transaction()
      .execute(async (trx) => {
        const waiting = [1, 2, 3].map(() => trx.executeQuery(sleeping, { signal: abort.signal }));
        const settled = Promise.allSettled(waiting);
        await setImmediate();
        abort.abort(new RangeError("enough"));
        for (const outcome of await settled) assert.equal(outcome.status, "rejected");
        throw new RangeError("undone");
      })
      .catch((error: unknown) => assert.ok(error instanceof RangeError));
    const lost = kysely.connection().execute(async (one) => {
      const own = await sql<{ id: number }>`select pg_backend_pid() as id`.execute(one);
      const waiting = Promise.allSettled([1, 2, 3, 4].map(() => one.executeQuery(sleeping)));
      await sql`select pg_terminate_backend(${own.rows[0]!.id})`.execute(kysely);
      return waiting;
    });
    assert.ok((await lost).every(({ status }) => status === "rejected"));
    assert.equal((await kysely.selectFrom(Item).select("id").where("id", "=", 1).execute()).length, 1);
  });

  await setImmediate();
  assert.deepEqual(warnings, []);
});
