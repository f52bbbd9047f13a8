import assert from "node:assert/strict";
import { bigint, integer, json, Multibind, sql, stateOf, text, timestamp, uuid, varchar } from "../../src/index.ts";
import { onEachFamily, sessionOf, start } from "../fixtures/matrix.ts";

let counter = 0;
const db = new Multibind();
class Doc extends db.model("doc", {
  id: integer().primaryKey(),
  title: varchar(40),
  number: integer().default(() => ++counter),
  tags: json<string[]>().default([]),
  kind: varchar(10).default("draft"),
  // Defaults of the database.
  rank: integer().default(sql`7`),
  place: varchar(20).default(sql`'here'`),
  createdAt: timestamp().default(() => new Date("2026-01-01T00:00:00Z")),
  changedAt: timestamp()
    .nullable()
    .onUpdate(() => new Date("2026-02-02T00:00:00Z")),
  changes: integer()
    .default(0)
    .onUpdate(() => ++counter),
}) {}
class Big extends db.model("big", { id: bigint().primaryKey(), note: text().nullable() }) {}
class Token extends db.model("token", {
  key: uuid()
    .primaryKey()
    .default(() => crypto.randomUUID()),
}) {}
class Empty extends db.model("empty", { id: integer().primaryKey() }) {}

onEachFamily("client defaults are there when an entity is added, the database's when it is flushed", async (t, url) => {
  const session = sessionOf(await start(t, db, { databaseUri: url }));
  const doc = new Doc({ title: "one" });
  assert.equal(doc.kind, undefined);

  session.add(doc);
  assert.deepEqual([doc.kind, doc.tags, doc.number, doc.changes], ["draft", [], counter, 0]);
  assert.equal(doc.rank, undefined);
  doc.tags.push("mine");

  await session.flush();
  assert.deepEqual([doc.rank, doc.place, doc.changedAt], [7, "here", null]);
  assert.equal(session.dirty.size, 0);
  await session.commit();
  const other = new Doc({ title: "two" });
  session.add(other);
  assert.deepEqual(other.tags, [], "a default is each entity's own");
});

onEachFamily("values that are given go over defaults, null too", async (t, url) => {
  const session = sessionOf(await start(t, db, { databaseUri: url }));
  const doc = new Doc({ title: "one", kind: "final", rank: 1, place: "there", number: 5, tags: ["a"] });
  session.add(doc);
  await session.commit();

  const { rank, place, kind, number, tags } = await session.getOne(Doc, doc.id);
  assert.deepEqual(
    { rank, place, kind, number, tags },
    { rank: 1, place: "there", kind: "final", number: 5, tags: ["a"] },
  );
});

onEachFamily("rows with and without a default of the database are stored in one flush", async (t, url) => {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const docs = Array.from(
    { length: 30 },
    (_, n) => new Doc({ title: `doc ${n}`, ...(n % 3 === 0 ? { rank: n } : {}) }),
  );
  session.addAll(docs);
  await session.commit();

  assert.deepEqual(
    docs.map(({ rank }) => rank),
    docs.map((_, n) => (n % 3 === 0 ? n : 7)),
  );
  const read = await sessionOf(app).select(Doc).all();
  assert.deepEqual(
    new Map(read.map(({ id, title }) => [id, title])),
    new Map(docs.map(({ id, title }) => [id, title])),
  );
});

onEachFamily("onUpdate sets its column with every update of the row, and only then", async (t, url) => {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const doc = new Doc({ title: "one" });
  session.add(doc);
  await session.commit();
  assert.equal(doc.changedAt, null);

  doc.title = "two";
  await session.flush();
  assert.deepEqual([doc.changedAt, doc.changes], [new Date("2026-02-02T00:00:00Z"), counter]);
  assert.equal(session.dirty.size, 0);

  const set = new Date("2030-01-01T00:00:00Z");
  doc.changedAt = set;
  doc.changes = -1;
  await session.commit();
  assert.deepEqual([doc.changedAt, doc.changes], [set, -1], "what the application sets goes over it");
  assert.deepEqual((await sessionOf(app).getOne(Doc, doc.id)).changedAt, set);
});

onEachFamily("a rollback takes generated keys, defaults and what updates set back", async (t, url) => {
  const session = sessionOf(await start(t, db, { databaseUri: url }));
  const stored = new Doc({ title: "stored" });
  session.add(stored);
  await session.commit();
  const before = { ...stored };

  const doc = new Doc({ title: "one", kind: "mine" });
  session.add(doc);
  stored.title = "changed";
  await session.flush();
  doc.title = "two";
  await session.flush();
  await session.rollback();

  assert.equal(stateOf(doc), "transient");
  const { title, kind, ...filled } = doc;
  assert.deepEqual([title, kind], ["two", "mine"], "what the application set stays");
  assert.ok(
    Object.values(filled).every((value) => value === undefined),
    JSON.stringify(filled),
  );
  assert.deepEqual({ ...stored }, before);
});

onEachFamily("what the application has set since is not taken back", async (t, url) => {
  const session = sessionOf(await start(t, db, { databaseUri: url }));
  const doc = new Doc({ title: "one" });
  session.add(doc);
  await session.flush();
  assert.equal(doc.changedAt, null);
  doc.changedAt = new Date("2026-03-03T10:00:00.000Z");
  await session.flush();
  await session.rollback();
  assert.deepEqual(doc.changedAt, new Date("2026-03-03T10:00:00.000Z"));
});

onEachFamily("a rollback takes defaults of an entity back that was never flushed", async (t, url) => {
  const session = sessionOf(await start(t, db, { databaseUri: url }));
  const doc = new Doc({ title: "one" });
  session.add(doc);
  doc.kind = "changed";
  await session.rollback();

  assert.deepEqual([doc.number, doc.tags, doc.kind], [undefined, undefined, "changed"]);
  session.add(doc);
  await session.commit();
  assert.equal(doc.number, counter);
});

onEachFamily("keys of 64 bits, keys by default, and rows of nothing but a key", async (t, url) => {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const large = new Big({ id: 2n ** 50n });
  const bigs = [large, ...Array.from({ length: 5 }, (_, n) => new Big({ note: String(n) }))];
  const tokens = Array.from({ length: 5 }, () => new Token());
  const empties = Array.from({ length: 5 }, () => new Empty());
  session.addAll([...bigs, ...tokens, ...empties]);
  await session.commit();

  assert.ok(bigs.every(({ id }) => typeof id === "bigint"));
  assert.equal(new Set(bigs.map(({ id }) => id)).size, 6);
  assert.equal(await session.get(Big, 2n ** 50n), large);
  const other = sessionOf(app);
  for (const { id, note } of bigs) assert.equal((await other.getOne(Big, id)).note, note);
  for (const { key } of tokens) assert.ok(await other.get(Token, key));
  assert.deepEqual(
    (await other.select(Empty).orderBy("id").all()).map(({ id }) => id),
    empties.map(({ id }) => id).sort((a, b) => a - b),
  );
});
