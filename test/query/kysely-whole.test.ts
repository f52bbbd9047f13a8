import assert from "node:assert/strict";
import { test } from "node:test";
import { boolean, integer, Multibind, text, timestamp, typed, UnsupportedError } from "../../src/index.ts";
import { onEachFamily, sessionOf, start } from "../fixtures/matrix.ts";

const db = new Multibind<"other">();
const NOON = new Date("2026-01-31T12:00:00.000Z");

class Note extends db.model("note", {
  id: integer().primaryKey(),
  body: text().named("note_body"),
  done: boolean().default(false),
  at: timestamp().default(() => NOON),
}) {}

/** What a whole Kysely is told of tables that are named by strings. */
type Names = { note: { id: number; body: string; done: boolean; at: Date } };

onEachFamily("engine.kysely: models and names, values converted, each statement commits", async (t, url) => {
  const app = await start(t, db, { databaseUri: url, binds: { other: "sqlite://" } });
  const { kysely } = app.engine;
  await kysely.insertInto(Note).values({ body: "one" }).execute();
  await kysely.withTables<Names>().insertInto("note").values({ id: 2, body: "two", done: true, at: NOON }).execute();
  const rows = await kysely.selectFrom(Note).selectAll().orderBy("id").execute();
  assert.deepEqual(rows, [
    { id: 1, body: "one", done: false, at: NOON },
    { id: 2, body: "two", done: true, at: NOON },
  ]);
  await kysely.updateTable(Note).set({ done: true }).where("id", "=", 1).execute();
  const named = await kysely
    .withTables<Names>()
    .selectFrom("note")
    .select(["body", "done"])
    .where("at", "=", NOON)
    .orderBy("id")
    .execute();
  assert.deepEqual(named, [
    { body: "one", done: true },
    { body: "two", done: true },
  ]);
  await kysely.deleteFrom(Note).where("id", "=", 2).execute();
  assert.equal((await kysely.selectFrom(Note).select("id").execute()).length, 1);
});

onEachFamily("engine.kysely has Kysely's own transactions", async (t, url) => {
  const app = await start(t, db, { databaseUri: url, binds: { other: "sqlite://" } });
  const { kysely } = app.engine;
  await assert.rejects(
    kysely.transaction().execute(async (trx) => {
      await trx.withTables<Names>().insertInto("note").values({ id: 9, body: "x", done: false, at: NOON }).execute();
      assert.equal((await trx.selectFrom(Note).select("id").execute()).length, 1);
      throw new Error("no");
    }),
    /^Error: no$/,
  );
  assert.deepEqual(await kysely.selectFrom(Note).select("id").execute(), []);
});

onEachFamily("session.kysely: on the session's connection, in its transaction", async (t, url) => {
  const app = await start(t, db, { databaseUri: url, binds: { other: "sqlite://" } });
  const session = sessionOf(app);
  session.add(new Note({ body: "pending" }));
  const kysely = session.kysely<Names>(null);
  assert.deepEqual(await kysely.selectFrom("note").select(["body", "at"]).execute(), [{ body: "pending", at: NOON }]);
  await kysely.insertInto(Note).values({ body: "two" }).execute();
  await kysely.updateTable("note").set({ done: true }).where("body", "=", "two").execute();
  const two = await session.select(Note).where("done", "=", true).one();
  assert.equal(two.body, "two");
  assert.deepEqual(await kysely.selectNoFrom((eb) => typed(eb.val(NOON.toISOString()), text()).as("at")).execute(), [
    { at: NOON.toISOString() },
  ]);
  await session.rollback();
  assert.equal(await session.select(Note).count(), 0);
  await assert.rejects(
    kysely.transaction().execute(async () => {}),
    UnsupportedError,
  );
});

test("a read-only engine refuses writes of Kysely's before they are sent", async (t) => {
  const app = db.init({ databaseUri: "sqlite://", engineOptions: { readOnly: true }, binds: { other: "sqlite://" } });
  t.after(() => app.dispose());
  await assert.rejects(app.engine.kysely.insertInto(Note).values({ body: "x" }).execute(), UnsupportedError);
});
