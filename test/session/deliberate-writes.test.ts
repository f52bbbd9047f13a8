import assert from "node:assert/strict";
import {
  boolean,
  enumeration,
  integer,
  json,
  Multibind,
  numeric,
  sql,
  text,
  timestamp,
  varchar,
} from "../../src/index.ts";
import { onEachFamily, record, sessionOf, start, verbs } from "../fixtures/matrix.ts";

const db = new Multibind();
class Account extends db.model("account", {
  id: integer().primaryKey(),
  status: text().default("open"),
  balance: numeric(10, 2).nullable(),
  closedAt: timestamp().nullable().named("closed_at"),
  tags: json<string[]>().nullable(),
  locked: boolean().default(false),
  visits: integer().default(0),
}) {}
class Member extends db.model("member", {
  group: varchar(10).primaryKey(),
  number: integer().primaryKey(),
  name: text(),
  version: integer().version(),
}) {}
class Shape extends db.model(
  "shape",
  { id: integer().primaryKey(), kind: enumeration(["circle", "square"]), name: text() },
  { discriminator: "kind" },
) {}
class Circle extends Shape.extend(
  "circle",
  { id: integer().primaryKey().references("shape.id"), radius: integer() },
  { identity: "circle" },
) {
  static {
    db.register(Circle);
  }
}

async function twoAccounts(t: Parameters<typeof start>[0], url: string) {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const [a, b] = [new Account({ id: 1 }), new Account({ id: 2 })];
  session.addAll([a, b]);
  await session.commit();
  const stored = async (id: number) => (await sessionOf(app).getOne(Account, id)).status;
  return { app, session, a, b, stored };
}

onEachFamily("an entity shows what its session's own bulk update has set", async (t, url) => {
  const { session, a, b } = await twoAccounts(t, url);
  const at = new Date("2026-03-01T08:00:00.000Z");
  const values = { status: "closed", balance: "1.5", closedAt: at, tags: ["x"], locked: true };
  assert.equal(await session.select(Account).where({ id: 1 }).update(values), 1);
  assert.deepEqual({ ...a }, { ...values, id: 1, balance: "1.50", visits: 0 });
  assert.notEqual(a.closedAt, at, "a value of the entity's own");
  assert.notEqual(a.tags, values.tags, "a value of the entity's own");
  assert.equal(session.isModified(a), false);
  assert.equal(b.status, "open");
});

onEachFamily("setting the old value again after a bulk update is a change", async (t, url) => {
  const { session, a, stored } = await twoAccounts(t, url);
  await session.select(Account).where({ id: 1 }).update({ status: "closed" });
  a.status = "open";
  await session.commit();
  assert.equal(await stored(1), "open");
});

onEachFamily("a bulk update sees entities that it stores itself before", async (t, url) => {
  const { app, stored } = await twoAccounts(t, url);
  const session = sessionOf(app);
  const added = new Account({ id: 3 });
  session.add(added);
  await session.select(Account).update({ status: "closed" });
  assert.equal(added.status, "closed");
  added.status = "open";
  await session.commit();
  assert.equal(await stored(3), "open");
});

onEachFamily("a rollback takes the values of a bulk update back", async (t, url) => {
  const { session, a, stored } = await twoAccounts(t, url);
  await session.select(Account).where({ id: 1 }).update({ status: "closed" });
  await session.rollback();
  assert.equal(a.status, "open");
  const nested = await session.beginNested();
  await session.select(Account).where({ id: 1 }).update({ status: "closed" });
  await nested.rollback();
  assert.equal(a.status, "open");
  a.status = "closed";
  await session.commit();
  assert.equal(await stored(1), "closed");
});

onEachFamily("what the application has set stays, and is compared with what the bulk update stored", async (t, url) => {
  const { session, a, stored } = await twoAccounts(t, url);
  await session.noAutoflush(async () => {
    a.status = "frozen";
    await session.select(Account).where({ id: 1 }).update({ status: "closed" });
  });
  assert.equal(a.status, "frozen");
  await session.commit();
  assert.equal(await stored(1), "frozen");
});

onEachFamily("expressions are shown after the next query, and keys and versions stay right", async (t, url) => {
  const { app, session, a } = await twoAccounts(t, url);
  await session.select(Account).update({ visits: sql<number>`visits + 1`, status: "seen" });
  assert.deepEqual([a.status, a.visits], ["seen", 0]);
  await session.select(Account).all();
  assert.equal(a.visits, 1);
  const member = new Member({ group: "g", number: 1, name: "ada" });
  session.add(member);
  await session.commit();
  await session.select(Member).where({ group: "g" }).update({ name: "eve" });
  assert.equal(member.name, "eve");
  await session.refresh(member);
  assert.equal(member.version, 2);
  await session.select(Member).where({ number: 1 }).update({ number: 5 });
  await session.commit();
  assert.equal((await sessionOf(app).getOne(Member, { group: "g", number: 5 })).name, "eve");
});

onEachFamily("a parent's bulk update reaches the entities of its children", async (t, url) => {
  const { app, session } = await twoAccounts(t, url);
  const circle = new Circle({ name: "c", radius: 1 });
  session.add(circle);
  await session.commit();
  await session.select(Shape).update({ name: "d" });
  circle.name = "c";
  await session.commit();
  assert.equal((await sessionOf(app).getOne(Circle, circle.id)).name, "c");
});

onEachFamily("without loaded entities a bulk update is one statement", async (t, url) => {
  const { app } = await twoAccounts(t, url);
  const session = sessionOf(app);
  const sent = record(app);
  assert.equal(await session.select(Account).update({ status: "x" }), 2);
  assert.deepEqual(
    verbs(sent).filter((verb) => verb !== "begin"),
    ["update"],
  );
});

onEachFamily("a touched column is stored though its value is the one that was loaded", async (t, url) => {
  const { app, session, a, stored } = await twoAccounts(t, url);
  const other = sessionOf(app);
  (await other.getOne(Account, 1)).status = "closed";
  await other.commit();
  session.touch(a, "status");
  assert.equal(session.isModified(a), true);
  assert.ok(session.dirty.has(a));
  await session.commit();
  assert.equal(await stored(1), "open");
  assert.equal(session.isModified(a), false, "stored once");
  const sent = record(app);
  await session.commit();
  assert.deepEqual(sent, []);
});

onEachFamily("a touch lasts until it is stored, rolled back, refreshed or expunged", async (t, url) => {
  const { app, session, a } = await twoAccounts(t, url);
  session.touch(a, "status", "visits");
  await session.rollback();
  assert.equal(session.isModified(a), false);
  session.touch(a, "status");
  await session.refresh(a);
  assert.equal(session.isModified(a), false);
  session.touch(a, "status");
  session.expunge(a);
  session.add(a);
  assert.equal(session.isModified(a), false);
  session.touch(a, "status");
  a.visits = 7;
  const sent = record(app);
  await session.flush();
  assert.match(sent.at(-1)!.sql, /status.*visits/s);
});

onEachFamily("only a persistent entity's updatable columns can be touched", async (t, url) => {
  const { session, a } = await twoAccounts(t, url);
  const member = new Member({ group: "g", number: 1, name: "ada" });
  assert.throws(() => session.touch(member, "name"), { code: "SESSION" });
  session.add(member);
  assert.throws(() => session.touch(member, "name"), { code: "SESSION" });
  await session.flush();
  session.touch(member, "name");
  assert.throws(() => session.touch(member, "version"), { code: "INVALID_VALUE", column: "version" });
  assert.throws(() => session.touch(member, "number"), { code: "INVALID_VALUE", column: "number" });
  assert.throws(() => session.touch(a, "nmae" as never), { code: "UNKNOWN_COLUMN", column: "nmae" });
  session.delete(a);
  assert.throws(() => session.touch(a, "status"), { code: "SESSION" });
});
