import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
  type Application,
  binary,
  InvalidValueError,
  integer,
  Multibind,
  ProgrammingError,
  sql,
  text,
} from "../../src/index.ts";
import { onMysql } from "../fixtures/databases.ts";
import { mariadbServer } from "../fixtures/mariadb-server.ts";
import { onEachFamily, record, sessionOf, start } from "../fixtures/matrix.ts";

const db = new Multibind();
class Photo extends db.model("large_photo", { id: integer().primaryKey(), body: binary(), note: text() }) {}
class Plain extends db.model("large_plain", { id: integer().primaryKey(), body: text() }) {}

const PACKET = 1_048_576;

/** An application on a server of the test's own, which takes the tables with it. */
async function onServer(t: TestContext, databaseUri: string): Promise<Application> {
  const app = db.init({ databaseUri });
  t.after(() => app.dispose());
  await app.createAll();
  return app;
}

test("MariaDB: rows are flushed in portions that fit its packets", async (t) => {
  const server = await mariadbServer(t, { "max-allowed-packet": PACKET });
  const app = await onServer(t, await server.createDatabase("packets"));
  const session = app.session();
  t.after(() => session.close());
  const eighth = () => new Uint8Array(PACKET / 8);
  const photos = Array.from({ length: 20 }, () => new Photo({ body: eighth(), note: "a" }));
  session.addAll(photos);
  await session.commit();
  assert.equal(new Set(photos.map(({ id }) => id)).size, 20);
  for (const photo of photos) {
    photo.body = eighth().fill(1);
    photo.note = "é".repeat(PACKET / 32);
  }
  await session.commit();
  const stored = app.session();
  t.after(() => stored.close());
  const read = await stored.select(Photo).all();
  assert.ok(read.every(({ body, note }) => body[0] === 1 && note.length === PACKET / 32));
  // One row alone may fill most of a packet.
  session.addAll([0.9, 0.1, 0.9].map((part) => new Photo({ body: new Uint8Array(PACKET * part), note: "" })));
  await session.commit();
  assert.equal(await stored.select(Photo).count(), 23);
});

test("MariaDB: a value that no packet holds is refused by name before it is sent", async (t) => {
  const server = await mariadbServer(t, { "max-allowed-packet": PACKET });
  const url = await server.createDatabase("packets");
  const app = await onServer(t, url);
  const isTold = (error: unknown) =>
    error instanceof InvalidValueError &&
    error.table === "large_photo" &&
    error.column === "body" &&
    error.message.includes("max_allowed_packet");
  const body = new Uint8Array(PACKET);
  const tries: readonly (readonly [string, () => Promise<unknown>])[] = [
    ["a commit of one row", () => app.transaction(() => db.session.add(new Photo({ body, note: "" })))],
    [
      "a flush of several rows",
      () => app.transaction(() => db.session.addAll([new Photo({ body, note: "" }), new Photo({ body, note: "" })])),
    ],
    ["Kysely's form", () => app.transaction(() => db.insertInto(Photo).values({ body, note: "" }).execute())],
    [
      "several rows in Kysely's form",
      () =>
        app.transaction(() =>
          db
            .insertInto(Photo)
            .values([
              { body: new Uint8Array(1), note: "" },
              { body, note: "" },
            ])
            .execute(),
        ),
    ],
    [
      "an update in Kysely's form",
      () => app.transaction(() => db.updateTable(Photo).set({ note: "x", body }).execute()),
    ],
    ["autocommit", () => app.engines.get(null).kysely.insertInto(Photo).values({ body, note: "" }).execute()],
    [
      "updates of several rows",
      async () => {
        await app.transaction(() =>
          db.session.addAll([0, 1].map(() => new Photo({ body: new Uint8Array(1), note: "" }))),
        );
        await app.transaction(async () => {
          for (const photo of await db.select(Photo).all()) photo.body = body;
        });
      },
    ],
  ];
  for (const [name, attempt] of tries) await assert.rejects(attempt(), isTold, name);
  await assert.rejects(
    app.run(() => db.session.execute(sql`select ${"x".repeat(PACKET)}`)),
    (error: unknown) => error instanceof InvalidValueError && /Parameter 1/.test(error.message),
  );
  await assert.rejects(
    app.run(() => db.session.execute(sql.raw(`select '${"x".repeat(PACKET)}'`))),
    (error: unknown) => error instanceof InvalidValueError && /text of the statement/.test(error.message),
  );
  // The connections are as good as before.
  await app.transaction(() => db.session.add(new Photo({ body: new Uint8Array(2), note: "" })));
  assert.deepEqual(await onMysql("select count(*) as n from large_photo", url), [{ n: 3n }]);
});

onEachFamily("many large values are flushed at once", async (t, url) => {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const photos = Array.from({ length: 12 }, (_, n) => new Photo({ body: new Uint8Array(1_600_000).fill(n), note: "" }));
  session.addAll(photos);
  const sent = record(app);
  await session.commit();
  assert.ok(sent.filter(({ sql: text }) => /^insert/.test(text)).length > 1);
  for (const photo of photos) photo.body = new Uint8Array(1_600_000).fill(100 + photo.id);
  await session.commit();
  const read = await sessionOf(app).select(Photo).all();
  assert.deepEqual(new Set(read.map(({ id, body }) => body[7]! - id)), new Set([100]));
});

onEachFamily(
  "a statement with more parameters than the database counts is refused before it is sent",
  async (t, url) => {
    const app = await start(t, db, { databaseUri: url });
    const sent = record(app);
    const ids = Array.from({ length: 70_000 }, (_, n) => n);
    const isTold = (error: unknown) =>
      error instanceof ProgrammingError && /70000 parameters/.test(error.message) && error.cause === undefined;
    const isRefused = (work: () => Promise<unknown>) => app.run(() => assert.rejects(work, isTold));
    const chosen = () => db.select(Plain).where("id", "in", ids);
    await isRefused(async () => chosen().all());
    await isRefused(async () => chosen().count());
    await isRefused(async () => {
      for await (const _ of chosen().stream()) assert.fail();
    });
    await isRefused(async () => chosen().delete());
    await isRefused(() => db.selectFrom(Plain).select("id").where("id", "in", ids).execute());
    const rows = ids.slice(0, 35_000).map((id) => ({ id, body: "" }));
    await isRefused(() => db.insertInto(Plain).values(rows).execute());
    await isRefused(async () => db.session.execute(sql`select id from large_plain where id in (${sql.join(ids)})`));
    await assert.rejects(
      app.engines.get(null).kysely.selectFrom(Plain).select("id").where("id", "in", ids).execute(),
      isTold,
    );
    assert.deepEqual(
      sent.filter(({ sql: statement }) => /large_plain/.test(statement)),
      [],
    );
    await app.transaction(() => db.session.addAll(ids.map((id) => new Plain({ id: id + 1, body: `${id}` }))));
    assert.equal(await app.run(() => db.select(Plain).count()), 70_000);
  },
);
