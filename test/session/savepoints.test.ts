import assert from "node:assert/strict";
import { test } from "node:test";
import {
  FailedTransactionError,
  integer,
  Multibind,
  SessionError,
  sql,
  stateOf,
  text,
  UniqueViolationError,
  varchar,
} from "../../src/index.ts";
import { onEachFamily, record, sessionOf, start, threeUrls } from "../fixtures/matrix.ts";

const db = new Multibind<"auth" | "meta">();
class Post extends db.model("post", { id: integer().primaryKey(), title: varchar(40).unique() }) {}
class User extends db.model("user", { id: integer().primaryKey(), name: text() }, { bindKey: "auth" }) {}
class Event extends db.model("event", { id: integer().primaryKey(), what: text() }, { bindKey: "meta" }) {}

const BINDS = { auth: "sqlite://", meta: "sqlite://" };

async function withPost(t: Parameters<typeof start>[0], url: string) {
  const app = await start(t, db, { databaseUri: url, binds: BINDS });
  const session = sessionOf(app);
  const post = new Post({ title: "stored" });
  session.add(post);
  await session.commit();
  const titles = async () => (await sessionOf(app).select(Post).orderBy("title").all()).map(({ title }) => title);
  return { app, session, post, titles };
}

onEachFamily(
  "a rollback of a nested transaction undoes what happened in it, and keeps what was before",
  async (t, url) => {
    const { session, post, titles } = await withPost(t, url);
    const before = new Post({ title: "before" });
    session.add(before);
    post.title = "changed";

    const nested = await session.beginNested();
    assert.equal(stateOf(before), "persistent", "what is pending is flushed before");
    const inside = new Post({ title: "inside" });
    session.add(inside);
    post.title = "changed inside";
    before.title = "before, changed inside";
    await session.flush();
    const pending = new Post({ title: "pending" });
    session.add(pending);
    await nested.rollback();

    assert.deepEqual(
      [post.title, before.title, stateOf(inside), stateOf(pending)],
      ["changed", "before", "transient", "transient"],
    );
    assert.deepEqual([inside.id, inside.title], [undefined, "inside"]);
    assert.equal(nested.isActive, false);
    await session.commit();
    assert.deepEqual(await titles(), ["before", "changed"]);
  },
);

onEachFamily("a commit of a nested transaction gives what it did to the one around", async (t, url) => {
  const { session, post, titles } = await withPost(t, url);
  const nested = await session.beginNested();
  const inside = new Post({ title: "inside" });
  session.add(inside);
  post.title = "changed";
  await nested.commit();
  assert.equal(stateOf(inside), "persistent", "pending work is flushed");
  await session.rollback();
  assert.deepEqual([post.title, stateOf(inside), inside.id], ["stored", "transient", undefined]);
  assert.deepEqual(await titles(), ["stored"]);

  const again = await session.beginNested();
  session.add(inside);
  await again.commit();
  await session.commit();
  assert.deepEqual(await titles(), ["inside", "stored"]);
});

onEachFamily("a delete in a nested transaction is undone with it", async (t, url) => {
  const { session, post, titles } = await withPost(t, url);
  const fresh = new Post({ title: "fresh" });
  session.add(fresh);
  const nested = await session.beginNested();
  session.delete(post);
  session.delete(fresh);
  await session.flush();
  assert.deepEqual([stateOf(post), stateOf(fresh)], ["deleted", "deleted"]);
  await nested.rollback();

  assert.deepEqual([stateOf(post), stateOf(fresh)], ["persistent", "persistent"]);
  assert.equal(await session.get(Post, post.id), post);
  await session.commit();
  assert.deepEqual(await titles(), ["fresh", "stored"]);
});

onEachFamily("nested transactions nest, and each can be undone alone", async (t, url) => {
  const { session, post, titles } = await withPost(t, url);
  const one = await session.beginNested();
  post.title = "one";
  const two = await session.beginNested();
  post.title = "two";
  const three = await session.beginNested();
  post.title = "three";
  await three.rollback();
  assert.equal(post.title, "two");
  await two.rollback();
  assert.equal(post.title, "one");
  const twoAgain = await session.beginNested();
  session.add(new Post({ title: "again" }));
  await twoAgain.commit();
  await one.commit();
  await session.commit();

  assert.deepEqual(await titles(), ["again", "one"]);
});

onEachFamily("the end of an outer one ends those within", async (t, url) => {
  const { session, post, titles } = await withPost(t, url);
  const outer = await session.beginNested();
  post.title = "outer";
  const inner = await session.beginNested();
  post.title = "inner";
  await outer.rollback();
  assert.equal(inner.isActive, false);
  assert.equal(post.title, "stored");
  await assert.rejects(inner.commit(), SessionError);
  await assert.rejects(inner.rollback(), SessionError);
  await assert.rejects(outer.rollback(), SessionError);

  const kept = await session.beginNested();
  post.title = "kept";
  const within = await session.beginNested();
  post.title = "within";
  await kept.commit();
  assert.equal(within.isActive, false);
  await session.commit();
  assert.deepEqual(await titles(), ["within"]);

  const late = await session.beginNested();
  await session.commit();
  assert.equal(late.isActive, false);
  await assert.rejects(late.commit(), SessionError);
});

onEachFamily("session.rollback ends nested ones too", async (t, url) => {
  const { session, post, titles } = await withPost(t, url);
  const nested = await session.beginNested();
  post.title = "changed";
  await session.flush();
  await session.rollback();

  assert.deepEqual([nested.isActive, post.title], [false, "stored"]);
  post.title = "after";
  await session.commit();
  assert.deepEqual(await titles(), ["after"]);
});

onEachFamily(
  "a new entity that was changed in a nested transaction keeps that when all is rolled back",
  async (t, url) => {
    const { session } = await withPost(t, url);
    const post = new Post({ title: "new" });
    session.add(post);
    await session.beginNested();
    post.title = "changed";
    await session.flush();
    await session.rollback();
    assert.deepEqual([stateOf(post), post.title, post.id], ["transient", "changed", undefined]);
  },
);

onEachFamily("a failure in a nested transaction costs the nested one only", async (t, url) => {
  const { session, titles } = await withPost(t, url);
  const kept = new Post({ title: "kept" });
  session.add(kept);
  const nested = await session.beginNested();
  const wrong = new Post({ title: "stored" });
  session.add(wrong);
  await assert.rejects(session.flush(), UniqueViolationError);

  await assert.rejects(session.select(Post).all(), FailedTransactionError);
  await assert.rejects(session.commit(), FailedTransactionError);
  await assert.rejects(nested.commit(), FailedTransactionError);
  assert.deepEqual([stateOf(kept), stateOf(wrong)], ["persistent", "transient"]);
  await nested.rollback();
  assert.equal(await session.get(Post, kept.id), kept);
  await session.commit();
  assert.deepEqual(await titles(), ["kept", "stored"]);
});

onEachFamily("an error of a statement in Kysely's form costs the nested one only", async (t, url) => {
  const { session, titles } = await withPost(t, url);
  await session.insertInto(Post).values({ title: "kept" }).execute();
  const nested = await session.beginNested();
  await assert.rejects(session.insertInto(Post).values({ title: "kept" }).execute(), UniqueViolationError);
  await assert.rejects(session.insertInto(Post).values({ title: "other" }).execute(), FailedTransactionError);
  await assert.rejects(nested.commit(), FailedTransactionError);
  await nested.rollback();
  await session.insertInto(Post).values({ title: "other" }).execute();
  await session.commit();

  assert.deepEqual(await titles(), ["kept", "other", "stored"]);
});

onEachFamily("a failure before a nested transaction is not forgotten by its rollback", async (t, url) => {
  const { session } = await withPost(t, url);
  await assert.rejects(session.insertInto(Post).values({ title: "stored" }).execute(), UniqueViolationError);
  const nested = await session.beginNested();
  await assert.rejects(session.select(Post).all(), FailedTransactionError);
  await nested.rollback();

  await assert.rejects(session.select(Post).all(), FailedTransactionError);
  await assert.rejects(session.commit(), FailedTransactionError);
  await session.rollback();
  assert.equal(await session.select(Post).count(), 1);
});

onEachFamily("an entity removed within a nested transaction stays out when that is undone", async (t, url) => {
  const { app, session, post } = await withPost(t, url);
  const nested = await session.beginNested();
  const inside = new Post({ title: "inside" });
  session.add(inside);
  post.title = "changed";
  await session.flush();
  session.expunge(inside);
  session.expunge(post);
  const other = sessionOf(app);
  await nested.rollback();

  assert.deepEqual([session.contains(post), session.contains(inside)], [false, false]);
  assert.deepEqual([post.title, stateOf(inside)], ["changed", "transient"]);
  await session.rollback();
  other.add(post);
  await other.commit();
  assert.equal((await sessionOf(app).getOne(Post, post.id)).title, "changed", "it was compared with the row as it is");
});

onEachFamily("an entity that another session has taken in is not touched by a rollback", async (t, url) => {
  const { app, session, post } = await withPost(t, url);
  post.title = "changed";
  await session.flush();
  session.expunge(post);
  const other = sessionOf(app);
  other.add(post);
  await session.rollback();

  assert.equal(other.contains(post), true);
  assert.equal(session.contains(post), false);
  assert.equal(post.title, "changed");
});

test("a savepoint is made on each bind when it takes part, also on one that joins late", async (t) => {
  const app = await start(t, db, await threeUrls());
  const session = sessionOf(app);
  const sent = record(app);
  session.add(new Post({ title: "one" }));
  const nested = await session.beginNested();
  const user = new User({ name: "ada" });
  session.add(user);
  await session.flush();
  const inner = await session.beginNested();
  const event = new Event({ what: "late" });
  session.add(event);
  await session.flush();

  const savepoints = (bindKey: string | null) =>
    sent.filter((one) => one.bindKey === bindKey && /^savepoint/i.test(one.sql)).length;
  assert.deepEqual([savepoints(null), savepoints("auth"), savepoints("meta")], [0, 1, 2]);
  await inner.rollback();
  assert.deepEqual([stateOf(event), stateOf(user)], ["transient", "persistent"]);
  await nested.rollback();
  assert.equal(stateOf(user), "transient");
  await session.commit();

  const check = sessionOf(app);
  assert.deepEqual(
    [await check.select(Post).count(), await check.select(User).count(), await check.select(Event).count()],
    [1, 0, 0],
  );
});

test("a bind first used within a savepoint that is rolled back has written nothing", async (t) => {
  const app = await start(t, db, await threeUrls());
  const session = sessionOf(app);
  const nested = await session.beginNested();
  session.addAll([new Post({ title: "one" }), new User({ name: "ada" }), new Event({ what: "x" })]);
  await session.flush();
  await nested.rollback();
  await session.commit();

  for (const Model of [Post, User, Event])
    assert.equal(
      await sessionOf(app)
        .select(Model as typeof Post)
        .count(),
      0,
    );
});

onEachFamily("what was read again within a transaction is given back by its rollback", async (t, url) => {
  const { session, post } = await withPost(t, url);
  await session.execute(sql`update ${Post.table} set title = 'by sql'`);
  await session.refresh(post);
  assert.equal(post.title, "by sql");
  await session.rollback();

  assert.equal(post.title, "stored");
  const nested = await session.beginNested();
  await session.updateTable(Post).set({ title: "by statement" }).execute();
  await session.select(Post).all();
  assert.equal(post.title, "by statement");
  await nested.rollback();
  assert.equal(post.title, "stored");
});

onEachFamily("what was first read within a transaction is read anew after its rollback", async (t, url) => {
  const { session } = await withPost(t, url);
  await session.execute(sql`insert into ${Post.table} (id, title) values (77, 'inside')`);
  const inside = await session.getOne(Post, 77);
  await session.rollback();

  assert.equal(inside.title, "inside", "readable");
  assert.equal(await session.get(Post, 77), null);
  assert.equal(session.contains(inside), false);
});

/** Ways to a failure in a transaction. */
const FAILURES: Record<string, (session: ReturnType<typeof sessionOf>) => Promise<unknown>> = {
  "a flush": (session) => {
    session.add(new Post({ title: "stored" }));
    return session.flush();
  },
  "a statement": (session) => session.insertInto(Post).values({ title: "stored" }).execute(),
  "SQL text": (session) => session.execute(sql`insert into post (title) values ('stored')`),
};

for (const [what, fail] of Object.entries(FAILURES)) {
  onEachFamily(`after ${what} failed in a nested transaction the error asks for its rollback alone`, async (t, url) => {
    const { session, titles } = await withPost(t, url);
    const ways = async () => {
      const messages: string[] = [];
      for (const use of [() => session.flush(), () => session.select(Post).all(), () => session.commit()]) {
        await use().catch((error: unknown) => {
          assert.ok(error instanceof FailedTransactionError);
          messages.push(error.message);
        });
      }
      return messages;
    };
    session.add(new Post({ title: "outer" }));
    const nested = await session.beginNested();
    await assert.rejects(fail(session), UniqueViolationError);
    session.add(new Post({ title: "never" }));
    const inNested = await ways();
    assert.ok(inNested.length > 0);
    for (const message of inNested) assert.match(message, /`nested\.rollback\(\)`.*before it began/);
    await nested.rollback();
    await session.commit();
    assert.deepEqual(await titles(), ["outer", "stored"]);

    session.begin();
    await assert.rejects(fail(session), UniqueViolationError);
    session.add(new Post({ title: "never" }));
    for (const message of await ways()) {
      assert.match(message, /Call `rollback\(\)` to go on/);
      assert.doesNotMatch(message, /nested\.rollback/);
    }
    await session.rollback();
  });
}
