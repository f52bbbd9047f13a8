import assert from "node:assert/strict";
import { InvalidOptionError, integer, Multibind, OperationalError, SessionError, varchar } from "../../src/index.ts";
import { onEachFamily, start } from "../fixtures/matrix.ts";

function posts() {
  const db = new Multibind();
  class Post extends db.model("post", { id: integer().primaryKey(), title: varchar(20) }) {}
  return { db, Post };
}

/** What a database says that chose this transaction to give way. */
const givenWay = () => new OperationalError("given way", { retryable: true });

onEachFamily("app.transaction runs again in a new context after a retryable error", async (t, url) => {
  const { db, Post } = posts();
  const app = await start(t, db, { databaseUrl: url });
  const sessions = new Set<object>();
  const write = async () => {
    sessions.add(db.session);
    db.session.add(new Post({ id: 1, title: `attempt ${sessions.size}` }));
    await db.session.flush();
    if (sessions.size < 3) throw givenWay();
    return sessions.size;
  };
  assert.equal(await app.transaction(write, { retries: 2 }), 3);
  assert.equal((await app.run(() => db.session.getOne(Post, 1))).title, "attempt 3");
});

onEachFamily("app.transaction gives up after its retries, and at once after other errors", async (t, url) => {
  const { db, Post } = posts();
  const app = await start(t, db, { databaseUrl: url });
  for (const [error, expected] of [
    [givenWay(), 3],
    [new Error("mine"), 1],
  ] as const) {
    let attempts = 0;
    const fail = async () => {
      attempts++;
      db.session.add(new Post({ title: "lost" }));
      await db.session.flush();
      throw error;
    };
    await assert.rejects(app.transaction(fail, { retries: 2 }), (thrown) => thrown === error);
    assert.equal(attempts, expected);
  }
  assert.equal(await app.run(() => db.select(Post).count()), 0);
});

onEachFamily("app.transaction begins as its options say", async (t, url) => {
  const { db, Post } = posts();
  const app = await start(t, db, { databaseUrl: url });
  const add = () => void db.session.add(new Post({ title: "new" }));
  await assert.rejects(app.transaction(add, { readOnly: true }), SessionError);
  await app.transaction(add, { isolationLevel: "serializable", readOnly: false });
  assert.equal(await app.transaction(() => db.select(Post).count(), { readOnly: true }), 1);
});

onEachFamily("app.transaction ends when its signal is aborted", async (t, url) => {
  const { db, Post } = posts();
  const app = await start(t, db, { databaseUrl: url });
  const controller = new AbortController();
  const reason = new Error("enough");
  const write = async () => {
    db.session.add(new Post({ title: "lost" }));
    await db.session.flush();
    controller.abort(reason);
  };
  const { signal } = controller;
  await assert.rejects(app.transaction(write, { signal, retries: 2 }), (thrown) => thrown === reason);
  assert.equal(await app.run(() => db.select(Post).count()), 0);
});

onEachFamily("app.transaction takes no option that it does not know", async (t, url) => {
  const { db } = posts();
  const app = await start(t, db, { databaseUrl: url });
  const never = () => assert.fail();
  await assert.rejects(app.transaction(never, { retries: -1 }), InvalidOptionError);
  await assert.rejects(app.transaction(never, { retry: 2 } as object), /retries/);
});
