import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Entity,
  InvalidValueError,
  integer,
  keyOf,
  Multibind,
  NoResultError,
  SessionError,
  sql,
  stateOf,
  text,
  timestamp,
  uuid,
  varchar,
} from "../../src/index.ts";
import { onEachFamily, record, sessionOf, start, verbs } from "../fixtures/matrix.ts";

const db = new Multibind();
class User extends db.model("user", { id: integer().primaryKey(), name: varchar(40), bio: text().nullable() }) {}
class Member extends db.model("member", {
  userId: integer().primaryKey(),
  groupId: integer().primaryKey(),
  role: varchar(20).default("guest"),
}) {}
class Token extends db.model("token", { key: uuid().primaryKey(), note: text().nullable() }) {}
class Moment extends db.model("moment", { at: timestamp().primaryKey(), what: text() }) {}

/** A session with ada and eve in the database. */
async function started(t: Parameters<typeof start>[0], url: string) {
  const app = await start(t, db, { databaseUri: url });
  const writer = sessionOf(app);
  writer.addAll([new User({ name: "ada" }), new User({ name: "eve" })]);
  await writer.commit();
  await writer.close();
  return { app, session: sessionOf(app) };
}

onEachFamily("an entity's states over a whole life", async (t, url) => {
  const { session } = await started(t, url);
  const bob = new User({ name: "bob" });
  assert.equal(stateOf(bob), "transient");

  session.add(bob);
  assert.equal(session.stateOf(bob), "pending");
  assert.deepEqual([...session.new], [bob]);

  await session.flush();
  assert.equal(session.stateOf(bob), "persistent");
  assert.equal(session.new.size, 0);

  await session.commit();
  assert.equal(stateOf(bob), "persistent");

  session.delete(bob);
  assert.equal(stateOf(bob), "persistent", "until the flush");
  assert.deepEqual([...session.deleted], [bob]);

  await session.flush();
  assert.equal(stateOf(bob), "deleted");
  assert.equal(session.deleted.size, 0);
  assert.equal(session.contains(bob), true);

  await session.commit();
  assert.equal(stateOf(bob), "detached");
  assert.equal(session.contains(bob), false);
});

onEachFamily("the lists tell what the next flush will do", async (t, url) => {
  const { session } = await started(t, url);
  const [ada, eve] = await session.select(User).orderBy("id").all();
  const bob = new User({ name: "bob" });
  session.add(bob);
  ada!.name = "ada l.";
  session.delete(eve!);

  assert.deepEqual([[...session.new], [...session.dirty], [...session.deleted]], [[bob], [ada], [eve]]);
  assert.equal(session.isModified(ada!), true);
  ada!.name = "ada";
  assert.equal(session.dirty.size, 0, "set back");
  assert.equal(session.isModified(ada!), false);

  await session.flush();
  assert.deepEqual([[...session.new], [...session.dirty], [...session.deleted]], [[], [], []]);
});

onEachFamily("a flush without changes sends nothing", async (t, url) => {
  const { app, session } = await started(t, url);
  const [ada] = await session.select(User).all();
  ada!.name = "x";
  ada!.name = "ada";
  const sent = record(app);

  await session.flush();
  await session.commit();

  assert.deepEqual(sent, []);
});

onEachFamily("an update sends only the columns that changed", async (t, url) => {
  const { app, session } = await started(t, url);
  const [ada] = await session.select(User).all();
  const sent = record(app);

  ada!.bio = "countess";
  await session.flush();

  const [update] = sent.filter(({ sql }) => sql.startsWith("update"));
  assert.match(update!.sql, /set ["`]bio["`]/);
  assert.doesNotMatch(update!.sql, /["`]name["`]/);
});

onEachFamily("delete of what is not stored is refused", async (t, url) => {
  const { session } = await started(t, url);
  const bob = new User({ name: "bob" });

  assert.throws(() => session.delete(bob), SessionError);
  session.add(bob);
  assert.throws(() => session.delete(bob), SessionError);
  assert.deepEqual([...session.new], [bob]);
});

onEachFamily("delete twice is delete", async (t, url) => {
  const { session } = await started(t, url);
  const ada = await session.getOne(User, 1);
  session.delete(ada);
  session.delete(ada);
  await session.flush();
  session.delete(ada);
  await session.commit();

  assert.equal(await session.select(User).count(), 1);
});

onEachFamily("add takes a delete back until it is flushed", async (t, url) => {
  const { session } = await started(t, url);
  const [ada, eve] = (await session.select(User).orderBy("id").all()) as [User, User];
  session.delete(ada);
  session.add(ada);
  session.delete(eve);
  await session.flush();

  assert.equal(stateOf(ada), "persistent");
  assert.throws(() => session.add(eve), SessionError);
  await session.commit();
  assert.throws(() => session.add(eve), SessionError);
  assert.deepEqual(
    (await session.select(User).all()).map(({ name }) => name),
    ["ada"],
  );
});

onEachFamily("a row deleted for good can be stored again as a new entity", async (t, url) => {
  const { session } = await started(t, url);
  const ada = await session.getOne(User, 1);
  session.delete(ada);
  await session.commit();

  session.add(new User({ ...ada }));
  await session.commit();

  assert.deepEqual({ ...(await session.getOne(User, 1)) }, { id: 1, name: "ada", bio: null });
});

onEachFamily("expunge removes an entity and its unstored changes", async (t, url) => {
  const { session } = await started(t, url);
  const ada = await session.getOne(User, 1);
  const bob = new User({ name: "bob" });
  session.add(bob);
  ada.name = "x";

  session.expunge(ada);
  session.expunge(bob);
  await session.commit();

  assert.deepEqual([stateOf(ada), stateOf(bob)], ["detached", "transient"]);
  assert.throws(() => session.expunge(ada), SessionError);
  const again = await session.getOne(User, 1);
  assert.notEqual(again, ada);
  assert.equal(again.name, "ada");
  assert.equal(await session.select(User).count(), 2);
});

onEachFamily("expungeAll removes everything", async (t, url) => {
  const { session } = await started(t, url);
  const [ada, eve] = (await session.select(User).orderBy("id").all()) as [User, User];
  const bob = new User({ name: "bob" });
  session.add(bob);
  session.delete(eve);
  session.expungeAll();

  assert.deepEqual([ada, eve, bob].map(stateOf), ["detached", "detached", "transient"]);
  await session.commit();
  assert.equal(await session.select(User).count(), 2);
});

onEachFamily("a detached entity is watched again after add, with what changed meanwhile", async (t, url) => {
  const { session } = await started(t, url);
  const ada = await session.getOne(User, 1);
  session.expunge(ada);
  ada.bio = "countess";

  session.add(ada);
  assert.equal(stateOf(ada), "persistent");
  assert.deepEqual([...session.dirty], [ada]);
  await session.commit();

  assert.equal((await session.select(User).where({ id: 1 }).one()).bio, "countess");
  assert.equal(await session.get(User, 1), ada);
});

onEachFamily("a detached entity cannot be added beside another with its key", async (t, url) => {
  const { session } = await started(t, url);
  const ada = await session.getOne(User, 1);
  session.expunge(ada);
  await session.getOne(User, 1);

  assert.throws(() => session.add(ada), SessionError);
  assert.equal(stateOf(ada), "detached");
});

onEachFamily("delete of a detached entity deletes its row", async (t, url) => {
  const { session } = await started(t, url);
  const ada = await session.getOne(User, 1);
  session.expunge(ada);
  session.delete(ada);
  await session.commit();

  assert.equal(await session.get(User, 1), null);
});

onEachFamily("an entity belongs to one session at a time", async (t, url) => {
  const { app, session } = await started(t, url);
  const ada = await session.getOne(User, 1);
  const bob = new User({ name: "bob" });
  session.add(bob);
  const other = sessionOf(app);

  for (const entity of [ada, bob]) {
    assert.throws(() => other.add(entity), SessionError);
    assert.throws(() => other.delete(entity), SessionError);
    assert.throws(() => other.expunge(entity), SessionError);
    await assert.rejects(other.refresh(entity), SessionError);
  }
  assert.equal(other.contains(ada), false);
  await session.close();
  other.add(ada);
  assert.equal(stateOf(ada), "persistent");
});

onEachFamily("get gives one entity for a row, and asks the database once", async (t, url) => {
  const { app, session } = await started(t, url);
  const sent = record(app);

  const ada = await session.get(User, 1);
  assert.equal(await session.get(User, 1), ada);
  assert.equal((await session.select(User).where({ name: "ada" }).all())[0], ada);
  assert.deepEqual(verbs(sent), ["select", "select"]);
});

onEachFamily("get gives null for a row that is not there, and asks again each time", async (t, url) => {
  const { session } = await started(t, url);

  assert.equal(await session.get(User, 9), null);
  session.add(new User({ id: 9, name: "bob" }));
  assert.equal((await session.get(User, 9))?.name, "bob", "pending ones are flushed first");
});

onEachFamily("getOne refuses to give nothing", async (t, url) => {
  const { session } = await started(t, url);

  assert.equal((await session.getOne(User, 1)).name, "ada");
  await assert.rejects(session.getOne(User, 9), (error) => {
    assert.ok(error instanceof NoResultError);
    assert.match(error.message, /Expected (a|one) row of user/);
    return true;
  });
});

onEachFamily("get refuses an invalid key", async (t, url) => {
  const { app, session } = await started(t, url);
  const sent = record(app);

  for (const key of [null, undefined, "1", 1.5, Number.NaN, {}, { id: "1" }, { name: "ada" }]) {
    await assert.rejects(session.get(User, key as never), InvalidValueError, String(key));
  }
  for (const key of [1, { userId: 1 }, { userId: 1, groupId: null }, { userId: 1, groupId: 2, role: "x" }]) {
    await assert.rejects(session.get(Member, key as never), InvalidValueError, JSON.stringify(key));
  }
  assert.deepEqual(sent, []);
});

onEachFamily("composite keys are objects, whatever the order of their parts", async (t, url) => {
  const { session } = await started(t, url);
  session.addAll([
    new Member({ userId: 1, groupId: 2, role: "admin" }),
    new Member({ userId: 2, groupId: 1 }),
    new Member({ userId: 12, groupId: 1 }),
    new Member({ userId: 1, groupId: 21 }),
  ]);
  await session.commit();

  const admin = await session.get(Member, { userId: 1, groupId: 2 });
  assert.equal(admin?.role, "admin");
  assert.equal(await session.get(Member, { groupId: 2, userId: 1 }), admin);
  assert.deepEqual(
    { ...(await session.get(Member, { userId: 2, groupId: 1 })) },
    { userId: 2, groupId: 1, role: "guest" },
  );
  assert.notEqual(
    await session.get(Member, { userId: 12, groupId: 1 }),
    await session.get(Member, { userId: 1, groupId: 21 }),
  );
  assert.equal(await session.get(Member, { userId: 9, groupId: 9 }), null);
});

onEachFamily("a key is found in its canonical form, however it was given", async (t, url) => {
  const { session } = await started(t, url);
  const token = new Token({ key: "F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6" });
  session.add(token);
  await session.commit();

  assert.equal(token.key, "f81d4fae-7dec-11d0-a765-00a0c91e6bf6");
  assert.equal(await session.get(Token, "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"), token);
  assert.deepEqual(await session.select(Token).all(), [token]);
  assert.equal((await session.select(Token).all())[0], token);
  assert.equal(session.isModified(token), false);
});

onEachFamily("an instant can be a key", async (t, url) => {
  const { session } = await started(t, url);
  const moment = new Moment({ at: new Date("2026-01-31T12:00:00.123Z"), what: "noon" });
  session.add(moment);
  await session.commit();

  assert.equal(await session.get(Moment, new Date("2026-01-31T12:00:00.123Z")), moment);
  assert.equal((await session.select(Moment).all())[0], moment);
});

onEachFamily("a change of the key moves the entity", async (t, url) => {
  const { session } = await started(t, url);
  const ada = await session.getOne(User, 1);
  ada.id = 50;
  assert.equal(await session.get(User, 50), ada, "after the autoflush");
  await session.commit();

  assert.equal(await session.get(User, 50), ada);
  assert.equal(await session.get(User, 1), null);
  assert.deepEqual(
    (await session.select(User).orderBy("id").all()).map(({ id }) => id),
    [2, 50],
  );
});

onEachFamily("a change of the key is taken back by a rollback", async (t, url) => {
  const { session } = await started(t, url);
  const ada = await session.getOne(User, 1);
  ada.id = 50;
  await session.flush();
  await session.rollback();

  assert.equal(ada.id, 1);
  assert.equal(await session.get(User, 1), ada);
  assert.equal(await session.get(User, 50), null);
});

onEachFamily("refresh reads the row again, over what was changed", async (t, url) => {
  const { app, session } = await started(t, url);
  const ada = await session.getOne(User, 1);
  await sessionOf(app).transaction(async (tx) => {
    (await tx.getOne(User, 1)).bio = "countess";
  });
  ada.name = "changed";

  await session.refresh(ada);

  assert.deepEqual({ ...ada }, { id: 1, name: "ada", bio: "countess" });
  assert.equal(session.dirty.size, 0);
});

onEachFamily("refresh is refused for what is not persistent, or whose row is gone", async (t, url) => {
  const { app, session } = await started(t, url);
  const bob = new User({ name: "bob" });
  await assert.rejects(session.refresh(bob), SessionError);
  session.add(bob);
  await assert.rejects(session.refresh(bob), SessionError);
  session.expunge(bob);

  const ada = await session.getOne(User, 1);
  await app.engine.kysely.deleteFrom(User.table).where("id", "=", 1).execute();
  await assert.rejects(session.refresh(ada), SessionError);
});

onEachFamily(
  "refresh is refused for an entity that it deletes itself, whichever entity takes the row over",
  async (t, url) => {
    const { session } = await started(t, url);
    const ada = await session.getOne(User, 1);
    session.delete(ada);
    session.add(new User({ id: 1, name: "next" } as ConstructorParameters<typeof User>[0]));
    await assert.rejects(session.refresh(ada), SessionError);
    assert.equal(stateOf(ada), "deleted");
  },
);

onEachFamily("what was loaded stays readable after a commit, and the next get reads it anew", async (t, url) => {
  const { app, session } = await started(t, url);
  const ada = await session.getOne(User, 1);
  await session.commit();
  await app.engine.kysely.updateTable(User.table).set({ bio: "countess" }).where("id", "=", 1).execute();

  assert.equal(ada.bio, null);
  assert.equal(await session.get(User, 1), ada);
  assert.equal(ada.bio, "countess");
});

onEachFamily("a query that returns a stale entity's row refills it, and leaves a fresh one alone", async (t, url) => {
  const { app, session } = await started(t, url);
  const ada = await session.getOne(User, 1);
  const update = (bio: string) => app.engine.kysely.updateTable(User.table).set({ bio }).where("id", "=", 1).execute();
  await update("first");
  await session.select(User).all();
  assert.equal(ada.bio, null, "fresh");

  await session.commit();
  await session.select(User).all();
  assert.equal(ada.bio, "first");
  await update("second");
  await session.select(User).all();
  assert.equal(ada.bio, "first", "fresh again");
});

onEachFamily("a stale entity whose row is gone leaves the session at the next get", async (t, url) => {
  const { app, session } = await started(t, url);
  const ada = await session.getOne(User, 1);
  await session.commit();
  await app.engine.kysely.deleteFrom(User.table).where("id", "=", 1).execute();

  assert.equal(await session.get(User, 1), null);
  assert.equal(session.contains(ada), false);
  assert.equal(ada.name, "ada");
});

onEachFamily("a stale entity that the get itself deletes is deleted, not gone", async (t, url) => {
  const { session } = await started(t, url);
  const ada = await session.getOne(User, 1);
  await session.commit();

  session.delete(ada);
  assert.equal(await session.get(User, 1), null);
  assert.equal(stateOf(ada), "deleted");
  await session.rollback();
  assert.equal(stateOf(ada), "persistent");
});

onEachFamily("one row stays one entity when a deletion is rolled back", async (t, url) => {
  const { session } = await started(t, url);
  const before = await session.getOne(User, 1);
  session.expunge(before);
  const ada = await session.getOne(User, 1);
  session.delete(ada);
  await session.flush();
  session.add(before);

  await session.rollback();
  assert.deepEqual([stateOf(before), stateOf(ada)], ["detached", "persistent"]);
  assert.equal(await session.get(User, 1), ada);
});

onEachFamily("an entity that was deleted and removed stays deleted, unless that is rolled back", async (t, url) => {
  const { session } = await started(t, url);
  const [ada, bob] = [await session.getOne(User, 1), new User({ name: "bob" })];
  session.add(bob);
  await session.commit();
  const changes: string[] = [];
  session.on("modelsCommitted", (all) => changes.push(...all.map(([, operation]) => operation)));
  const letGo = async () => {
    session.delete(ada);
    session.delete(bob);
    await session.flush();
    session.expunge(ada);
    session.expungeAll();
    assert.deepEqual([ada, bob].map(stateOf), ["detached", "detached"]);
    for (const entity of [ada, bob]) {
      assert.throws(() => session.add(entity), SessionError);
      assert.throws(() => session.delete(entity), SessionError);
    }
  };

  await letGo();
  await session.rollback();
  session.addAll([ada, bob]);
  assert.deepEqual([ada, bob].map(stateOf), ["persistent", "persistent"]);

  await letGo();
  await session.commit();
  assert.deepEqual(changes, ["delete", "delete"]);
  assert.throws(() => session.add(ada), SessionError);
});

onEachFamily("a refilled entity keeps what the application has changed", async (t, url) => {
  const { app, session } = await started(t, url);
  const ada = await session.getOne(User, 1);
  await session.commit();
  await app.engine.kysely.updateTable(User.table).set({ bio: "new", name: "new" }).where("id", "=", 1).execute();

  ada.name = "mine";
  await session.noAutoflush(() => session.select(User).all());

  assert.deepEqual({ ...ada }, { id: 1, name: "mine", bio: "new" });
  await session.commit();
  assert.deepEqual({ ...(await session.getOne(User, 1)) }, { id: 1, name: "mine", bio: "new" });
});

onEachFamily("a stale entity that is updated is stale still: its other columns may be old", async (t, url) => {
  const { session } = await started(t, url);
  const ada = await session.getOne(User, 1);
  await session.updateTable(User).set({ bio: "set" }).where("id", "=", 1).execute();

  ada.name = "changed";
  assert.equal(await session.get(User, 1), ada);
  assert.deepEqual({ ...ada }, { id: 1, name: "changed", bio: "set" });
});

onEachFamily("statements in Kysely's form make the entities of their tables stale", async (t, url) => {
  const { session } = await started(t, url);
  const [ada, eve] = (await session.select(User).orderBy("id").all()) as [User, User];

  await session.updateTable(User).set({ bio: "set" }).where("id", "=", 1).execute();
  assert.equal(await session.get(User, 1), ada);
  assert.equal(ada.bio, "set");
  await session.deleteFrom(User).where("id", "=", 2).execute();
  assert.equal(await session.get(User, 2), null);
  assert.equal(session.contains(eve), false);
});

onEachFamily("merge copies onto the entity that is there, and leaves alone what is not given", async (t, url) => {
  const { session } = await started(t, url);
  const ada = await session.getOne(User, 1);
  ada.bio = "kept";
  const given = new User({ id: 1, name: "merged" } as ConstructorParameters<typeof User>[0]);

  const merged = await session.merge(given);

  assert.equal(merged, ada);
  assert.deepEqual({ ...ada }, { id: 1, name: "merged", bio: "kept" });
  assert.equal(stateOf(given), "transient");
  await session.commit();
  assert.equal((await session.select(User).where({ id: 1 }).one()).name, "merged");
});

onEachFamily("merge reads the row if needed, and creates a new entity without a row", async (t, url) => {
  const { session } = await started(t, url);

  const ada = await session.merge(new User({ id: 1, name: "merged" }));
  assert.equal(ada, await session.get(User, 1));
  const bob = await session.merge(new User({ id: 9, name: "bob" }));
  const eve = await session.merge(new User({ name: "no key" }));
  assert.deepEqual([ada, bob, eve].map(stateOf), ["persistent", "pending", "pending"]);
  assert.equal(await session.merge(new User({ id: 9, name: "bob again" })), bob, "pending ones count");
  assert.equal(await session.merge(bob), bob);
  await session.commit();

  assert.deepEqual(
    (await session.select(User).orderBy("name").all()).map(({ name }) => name),
    ["bob again", "eve", "merged", "no key"],
  );
});

onEachFamily("merge takes a detached entity's changes, and one of another session", async (t, url) => {
  const { app, session } = await started(t, url);
  const other = sessionOf(app);
  const theirs = await other.getOne(User, 1);
  theirs.name = "theirs";

  const ours = await session.merge(theirs);

  assert.notEqual(ours, theirs);
  assert.equal(ours.name, "theirs");
  assert.equal(other.contains(theirs), true);
  await session.commit();
});

onEachFamily("merge of a composite key", async (t, url) => {
  const { session } = await started(t, url);
  session.add(new Member({ userId: 1, groupId: 2 }));
  await session.commit();

  const merged = await session.merge(new Member({ userId: 1, groupId: 2, role: "admin" }));
  await session.commit();

  assert.equal(merged.role, "admin");
  assert.equal(await session.select(Member).count(), 1);
});

onEachFamily("a new entity with the key of one whose row others deleted takes its place", async (t, url) => {
  const { app, session } = await started(t, url);
  const ada = await session.getOne(User, 1);
  await app.engine.kysely.deleteFrom(User.table).where("id", "=", 1).execute();
  const next = new User({ id: 1, name: "next" });
  session.add(next);
  await session.commit();

  assert.equal(await session.get(User, 1), next);
  assert.equal(session.contains(ada), false, "one row is one entity");
});

onEachFamily("the key of an entity that waits for its own is filled in by the flush", async (t, url) => {
  const { session } = await started(t, url);
  const bob = new User({ name: "bob" });
  const member = new Member({ userId: keyOf(bob), groupId: 1 });
  session.addAll([member, bob]);
  await session.commit();

  assert.equal(member.userId, bob.id);
  assert.equal(await session.get(Member, { userId: bob.id, groupId: 1 }), member);
});

test("isModified and stateOf know entities of no session", () => {
  const session = db.init({ databaseUri: "sqlite://" }).session();
  const ada = new User({ name: "ada" });

  assert.equal(session.isModified(ada), true);
  assert.equal(session.stateOf(ada), "transient");
  assert.equal(session.contains(ada), false);
});

onEachFamily("equal keys of different models are different rows", async (t, url) => {
  const { session } = await started(t, url);
  const member = new Member({ userId: 1, groupId: 1 });
  const token = new Token({ key: crypto.randomUUID() });
  session.addAll([member, token]);
  await session.commit();
  const found: (Entity | null)[] = [await session.get(User, 1), await session.get(Member, { userId: 1, groupId: 1 })];

  assert.deepEqual(
    found.map((entity) => entity?.constructor),
    [User, Member],
  );
});

onEachFamily("what was inserted by SQL is an entity like any other", async (t, url) => {
  const { session } = await started(t, url);
  await session.execute(sql`insert into ${User.table} (id, name) values (7, 'sql')`);

  const entity = await session.getOne(User, 7);
  entity.name = "changed";
  await session.rollback();
  assert.equal(await session.get(User, 7), null);
});
