import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Hono } from "hono";
import { integer, Multibind, sql, text, UncommittedError, varchar } from "../../src/index.ts";
import { record, start, verbs } from "../fixtures/matrix.ts";

const MEMORY = { databaseUri: "sqlite://", binds: { auth: "sqlite://" } } as const;

async function shop(t: TestContext) {
  const db = new Multibind<"auth">();
  class Post extends db.model("post", { id: integer().primaryKey(), title: varchar(40) }) {}
  class User extends db.model("user", { id: integer().primaryKey(), name: text() }, { bindKey: "auth" }) {}
  const app = await start(t, db, MEMORY);
  await app.transaction(() => db.session.addAll([new Post({ title: "a" }), new Post({ title: "b" })]));
  const heard: string[] = [];
  const listen = (warning: Error & { code?: string }) => {
    if (warning.code === "MULTIBIND_UNCOMMITTED") heard.push(warning.message);
  };
  process.on("warning", listen);
  t.after(() => process.off("warning", listen));
  /** The warnings so far; they are emitted a moment later. */
  const warnings = async () => {
    await new Promise(setImmediate);
    return heard.splice(0);
  };
  return { db, app, Post, User, warnings };
}

test("the warning names entities, binds and the line", async (t) => {
  const { db, app, Post, User, warnings } = await shop(t);
  await app.run(async () => {
    db.session.addAll([new User({ name: "ada" }), new User({ name: "eve" })]);
    const [a, b] = await db.select(Post).orderBy("id").all();
    a!.title = "changed";
    db.session.delete(b!);
    await db.session.flush();
    db.session.add(new Post({ title: "secret" }));
  });
  const [warning, ...others] = await warnings();
  assert.deepEqual(others, []);
  assert.match(warning!, /: 2 User \(new\), 1 Post \(changed\), 1 Post \(deleted\), 1 Post \(new\)\. /);
  assert.match(warning!, /uncommitted-work\.test\.ts:\d+:\d+/);
  assert.doesNotMatch(warning!, /secret/);
  await app.run(() => db.session.execute(sql`delete from user`, { bindKey: "auth" }));
  assert.match((await warnings())[0]!, /statements on bind "auth"/);
});

test("the error carries the entities, and shows no value of theirs", async (t) => {
  const { db, app, Post } = await shop(t);
  const post = new Post({ title: "secret" });
  await assert.rejects(
    app.run(() => db.session.add(post), { onUncommitted: "throw" }),
    (error) =>
      error instanceof UncommittedError && error.entities[0] === post && !JSON.stringify(error).includes("secret"),
  );
});

test("a context that is closed by hand reports uncommitted work", async (t) => {
  const { app, Post, warnings } = await shop(t);
  const context = app.context();
  context.session.add(new Post({ title: "x" }));
  await context.close();
  assert.match((await warnings())[0]!, /uncommitted-work\.test\.ts:\d+:\d+.*1 Post \(new\)/s);
  const strict = app.context({ onUncommitted: "throw" });
  strict.session.add(new Post({ title: "x" }));
  await strict.session.flush();
  await assert.rejects(strict.close(), UncommittedError);
  assert.equal(app.engine.status().inUse, 0);
  const lenient = app.context({ onUncommitted: "ignore" });
  lenient.session.add(new Post({ title: "x" }));
  await lenient.close();
  assert.deepEqual(await warnings(), []);
});

test("work that failed is given up without a warning", async (t) => {
  const { app, Post, warnings } = await shop(t);
  const thrown = new Error("mine");
  const ways: ((context: ReturnType<typeof app.context>) => Promise<void>)[] = [
    async (context) => {
      assert.throws(
        () =>
          context.run(() => {
            throw thrown;
          }),
        thrown,
      );
      await context.close();
    },
    async (context) => {
      await assert.rejects(
        context.run(async () => Promise.reject(thrown)),
        thrown,
      );
      await context.close();
    },
    (context) => context.close({ failed: true }),
  ];
  for (const end of ways) {
    const context = app.context({ onUncommitted: "throw" });
    context.session.add(new Post({ title: "x" }));
    await end(context);
  }
  const context = app.context({ onUncommitted: "throw", failed: () => true });
  context.session.add(new Post({ title: "x" }));
  await context.close();
  assert.deepEqual(await warnings(), []);
});

test("disposing an application ends its contexts without a warning", async (t) => {
  const { db, Post, warnings } = await shop(t);
  const app = db.init(MEMORY);
  app.context({ onUncommitted: "throw" }).session.add(new Post({ title: "x" }));
  await app.dispose();
  assert.deepEqual(await warnings(), []);
});

test("an error that Hono has caught is no forgotten commit", async (t) => {
  const { db, app, Post, warnings } = await shop(t);
  const server = new Hono();
  server.use("/run/*", (c, next) => app.run(next, { failed: () => c.error !== undefined }));
  server.use("/transaction/*", (c, next) => app.transaction(next, { failed: () => c.error !== undefined }));
  server.onError((_, c) => c.text("sorry", 500));
  server.get("/:how/fails", () => {
    db.session.add(new Post({ title: "x" }));
    throw new Error("no");
  });
  server.get("/:how/works", (c) => {
    db.session.add(new Post({ title: "x" }));
    return c.text("done");
  });
  assert.equal((await server.request("/run/fails")).status, 500);
  assert.equal((await server.request("/transaction/fails")).status, 500);
  assert.deepEqual(await warnings(), []);
  assert.equal(await app.run(() => db.select(Post).count()), 2);
  assert.equal((await server.request("/run/works")).status, 200);
  assert.equal((await warnings()).length, 1);
  assert.equal((await server.request("/transaction/works")).status, 200);
  assert.equal(await app.run(() => db.select(Post).count()), 3);
});

test("changes of an entity that has left the session are reported", async (t) => {
  const { db, app, Post, warnings } = await shop(t);
  const departures: Record<string, (post: InstanceType<typeof Post>) => void | Promise<void>> = {
    expunge: (post) => db.session.expunge(post),
    expungeAll: () => db.session.expungeAll(),
    reset: () => db.session.reset(),
  };
  for (const [name, leave] of Object.entries(departures)) {
    await app.run(async () => {
      const post = await db.session.getOne(Post, 1);
      await leave(post);
      post.title = "changed";
    });
    assert.match((await warnings())[0] ?? "nothing", /1 Post \(changed after it left the session\)/, name);
  }
  await app.run(async () => {
    const streamed: InstanceType<typeof Post>[] = [];
    for await (const post of db.select(Post).stream()) streamed.push(post);
    for (const post of streamed) post.title = "changed";
  });
  assert.match((await warnings())[0] ?? "nothing", /2 Post \(changed after it left the session\)/);
});

test("changes that were given up, or stored after all, are not reported", async (t) => {
  const { db, app, Post, warnings } = await shop(t);
  const sent = record(app);
  await app.run(async () => {
    const post = await db.session.getOne(Post, 1);
    post.title = "given up";
    db.session.expunge(post);
    const other = await db.session.getOne(Post, 2);
    db.session.expunge(other);
    other.title = "stored";
    db.session.add(other);
    await db.session.commit();
  });
  assert.deepEqual(await warnings(), []);
  assert.ok(verbs(sent).includes("update"));
});
