import assert from "node:assert/strict";
import { test } from "node:test";
import { integer, Multibind, sql, text, UniqueViolationError, varchar } from "../../src/index.ts";
import { onEachFamily, record, sessionOf, sharedDatabase, start, threeUrls } from "../fixtures/matrix.ts";

const db = new Multibind<"auth" | "meta">();
class Post extends db.model("post", { id: integer().primaryKey(), title: varchar(40).unique() }) {}
class User extends db.model("user", { id: integer().primaryKey(), name: text() }, { bindKey: "auth" }) {}
class Event extends db.model("event", { id: integer().primaryKey(), what: text() }, { bindKey: "meta" }) {}

/** Each way to run a statement on the default bind; what comes back is the number of posts it saw. */
const STATEMENTS: Record<string, (session: ReturnType<typeof sessionOf<"auth" | "meta">>) => Promise<number>> = {
  "a select of entities": async (session) => (await session.select(Post).all()).length,
  first: async (session) => ((await session.select(Post).first()) === null ? 0 : 1),
  count: (session) => session.select(Post).count(),
  exists: async (session) => Number(await session.select(Post).exists()),
  "a get": async (session) => ((await session.get(Post, 1)) === null ? 0 : 1),
  "a select in Kysely's form": async (session) => (await session.selectFrom(Post).select("id").execute()).length,
  "an update in Kysely's form": async (session) =>
    Number((await session.updateTable(Post).set({ title: "x" }).executeTakeFirst()).numUpdatedRows),
  "a delete in Kysely's form": async (session) =>
    Number((await session.deleteFrom(Post).executeTakeFirst()).numDeletedRows),
  "SQL text": async (session) =>
    Number((await session.execute(sql<{ n: unknown }>`select count(*) as n from post`)).rows[0]?.n),
  "SQL text that only reads": async (session) => {
    await session.begin();
    return Number(
      (await session.execute(sql<{ n: unknown }>`select count(*) as n from post`, { readOnly: true })).rows[0]?.n,
    );
  },
  "a whole Kysely": async (session) =>
    (await session.kysely<{ post: { id: number } }>(null).selectFrom("post").selectAll().execute()).length,
};

for (const [what, run] of Object.entries(STATEMENTS)) {
  onEachFamily(`${what} sees what is pending on its bind`, async (t, url) => {
    const app = await start(t, db, { databaseUri: url, binds: { auth: "sqlite://", meta: "sqlite://" } });
    const session = sessionOf(app);
    session.add(new Post({ title: "one" }));
    session.add(new User({ name: "ada" }));

    assert.equal(await run(session), 1);
    assert.equal(session.new.size, 1, "what is pending on the other bind stays so");
  });
}

test("a statement flushes its own bind only", async (t) => {
  const app = await start(t, db, await threeUrls());
  const session = sessionOf(app);
  session.addAll([new Post({ title: "one" }), new User({ name: "ada" }), new Event({ what: "signup" })]);
  const sent = record(app);

  await session.select(User).all();

  assert.deepEqual([...new Set(sent.map(({ bindKey }) => bindKey))], ["auth"]);
  assert.deepEqual(
    [...session.new].map((entity) => entity.constructor.name),
    ["Post", "Event"],
  );
});

onEachFamily("noAutoflush, and autoflush: false", async (t, url) => {
  const app = await start(t, db, { databaseUri: url, binds: { auth: "sqlite://", meta: "sqlite://" } });
  const session = sessionOf(app);
  session.add(new Post({ title: "one" }));

  assert.equal(await session.noAutoflush(() => session.select(Post).count()), 0);
  assert.equal(await session.get(Post, 1, { autoflush: false }), null);
  const { rows } = await session.execute(sql`select * from post`, { autoflush: false, readOnly: true });
  assert.equal(rows.length, 0);
  assert.equal(session.new.size, 1);
  assert.equal(await session.select(Post).count(), 1);
});

onEachFamily("noAutoflush holds for what runs in it, not for what runs beside it, nor afterwards", async (t, url) => {
  const app = await start(t, db, { databaseUri: url, binds: { auth: "sqlite://", meta: "sqlite://" } });
  const session = sessionOf(app);
  session.add(new Post({ title: "one" }));
  const { promise, resolve } = Promise.withResolvers<void>();
  const first = session.noAutoflush(async () => {
    await promise;
    return session.select(Post).where({ title: "two" }).count();
  });
  const second = session.noAutoflush(() => session.select(Post).count());

  assert.equal(await second, 0);
  assert.equal(await session.select(Post).count(), 1, "beside");
  session.add(new Post({ title: "two" }));
  resolve();
  assert.equal(await first, 0);
  await assert.rejects(
    session.noAutoflush(() => Promise.reject(new Error("x"))),
    /x/,
  );
  assert.equal(await session.select(Post).count(), 2);
});

onEachFamily("an error of the autoflush is the statement's", async (t, url) => {
  const app = await start(t, db, { databaseUri: url, binds: { auth: "sqlite://", meta: "sqlite://" } });
  const session = sessionOf(app);
  session.add(new Post({ title: "one" }));
  await session.commit();
  session.add(new Post({ title: "one" }));

  await assert.rejects(session.select(Post).all(), UniqueViolationError);
  await session.rollback();
  assert.equal(await session.select(Post).count(), 1);
});

test("what is read in a context's session is flushed before", async (t) => {
  const app = db.init({
    databaseUri: await sharedDatabase("sqlite"),
    binds: { auth: "sqlite://", meta: "sqlite://" },
  });
  t.after(async () => {
    await app.dropAll();
    await app.dispose();
  });
  await app.createAll();
  await app.run(
    async () => {
      db.session.add(new Post({ title: "one" }));
      assert.equal(await db.select(Post).count(), 1);
      assert.equal((await db.selectFrom(Post).selectAll().execute()).length, 1);
    },
    { onUncommitted: "ignore" },
  );
});
