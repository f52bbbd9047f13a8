import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Entity,
  integer,
  Multibind,
  type Session,
  SessionError,
  stateOf,
  UniqueViolationError,
  varchar,
} from "../../src/index.ts";
import { onEachFamily, record, sessionOf, start, verbs } from "../fixtures/matrix.ts";

function blog() {
  const db = new Multibind();
  class Post extends db.model("post", { id: integer().primaryKey(), title: varchar(40).unique() }) {}
  class Log extends db.model("log", { id: integer().primaryKey(), what: varchar(80) }) {}
  return { db, Post, Log };
}

const EVENTS = ["beforeFlush", "afterFlush", "beforeCommit", "afterCommit", "afterRollback"] as const;

onEachFamily("each event comes in its place, first to the session's listeners, then to the db's", async (t, url) => {
  const { db, Post } = blog();
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const seen: string[] = [];
  for (const event of EVENTS) {
    db.on(event, (given) => {
      assert.equal(given, session as unknown as Session);
      seen.push(`db ${event}`);
    });
    session.on(event, () => seen.push(event));
  }
  const post = new Post({ title: "one" });
  session.add(post);
  await session.commit();
  assert.deepEqual(seen.splice(0), [
    "beforeCommit",
    "db beforeCommit",
    "beforeFlush",
    "db beforeFlush",
    "afterFlush",
    "db afterFlush",
    "afterCommit",
    "db afterCommit",
  ]);
  await session.commit();
  assert.deepEqual(seen.splice(0), ["beforeCommit", "db beforeCommit", "afterCommit", "db afterCommit"]);
  post.title = "two";
  await session.flush();
  await session.flush();
  await session.rollback();
  assert.deepEqual(seen.splice(0), [
    "beforeFlush",
    "db beforeFlush",
    "afterFlush",
    "db afterFlush",
    "afterRollback",
    "db afterRollback",
  ]);
});

onEachFamily("modelsCommitted tells what was stored, each entity once, at the real commit", async (t, url) => {
  const { db, Post } = blog();
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const calls: (readonly (readonly [Entity, string])[])[] = [];
  session.on("modelsCommitted", (changes) => calls.push(changes));
  const [a, b, c, d] = ["a", "b", "c", "d"].map((title) => new Post({ title })) as Entity[] as [
    Entity,
    Entity,
    Entity,
    Entity,
  ];
  session.addAll([a, b, c]);
  await session.commit();
  assert.deepEqual(calls.splice(0), [
    [
      [a, "insert"],
      [b, "insert"],
      [c, "insert"],
    ],
  ]);

  (a as InstanceType<typeof Post>).title = "a2";
  await session.flush();
  (a as InstanceType<typeof Post>).title = "a3";
  session.delete(b);
  session.add(d);
  await session.flush();
  (d as InstanceType<typeof Post>).title = "d2";
  const fleeting = new Post({ title: "fleeting" });
  session.add(fleeting);
  await session.flush();
  session.delete(fleeting);
  const nested = await session.beginNested();
  (c as InstanceType<typeof Post>).title = "undone";
  await nested.rollback();
  const kept = await session.beginNested();
  (c as InstanceType<typeof Post>).title = "kept";
  await kept.commit();
  await session.refresh(c);
  assert.equal(calls.length, 0);
  await session.commit();

  const changes = calls.splice(0)[0] ?? [];
  assert.deepEqual(
    new Map(changes.map(([entity, what]) => [entity, what])),
    new Map([
      [a, "update"],
      [b, "delete"],
      [d, "insert"],
      [c, "update"],
    ]),
  );
  assert.equal(changes.length, 4);
  await session.select(Post).all();
  await session.commit();
  await session.rollback();
  assert.deepEqual(calls, [], "nothing was stored");
});

for (const event of ["beforeCommit", "beforeFlush", "afterFlush"] as const) {
  onEachFamily(`an error in ${event} stops the commit`, async (t, url) => {
    const { db, Post } = blog();
    const app = await start(t, db, { databaseUri: url });
    const session = sessionOf(app);
    const post = new Post({ title: "one" });
    session.add(post);
    const stop = session.on(event, async () => {
      throw new Error("not now");
    });
    await assert.rejects(session.commit(), /not now/);
    stop();
    assert.equal(await sessionOf(app).select(Post).count(), 0);

    if (event === "afterFlush") assert.equal(stateOf(post), "persistent", "within the transaction");
    else assert.equal(stateOf(post), "pending");
    await session.commit();
    assert.equal(await sessionOf(app).select(Post).count(), 1);
  });
}

test("an error after the commit cannot undo it, and becomes a warning", async (t) => {
  const { db, Post } = blog();
  const app = await start(t, db, { databaseUri: "sqlite://" });
  const session = sessionOf(app);
  const warnings: Error[] = [];
  const listen = (warning: Error) => warnings.push(warning);
  process.on("warning", listen);
  t.after(() => process.off("warning", listen));
  for (const event of ["afterCommit", "modelsCommitted", "afterRollback"] as const) {
    session.on(event, () => {
      throw new Error(`in ${event}`);
    });
  }
  session.add(new Post({ title: "one" }));
  await session.commit();
  await session.rollback();
  await new Promise(setImmediate);

  assert.deepEqual(
    warnings.map(({ message }) => /in \w+/.exec(message)?.[0]),
    ["in modelsCommitted", "in afterCommit", "in afterRollback"],
  );
});

onEachFamily("a listener may query, and what it adds is stored in turn", async (t, url) => {
  const { db, Post, Log } = blog();
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const counts: number[] = [];
  session.on("beforeFlush", async () => {
    counts.push(
      await session.select(Post).count(),
      await session
        .selectFrom(Log)
        .select("id")
        .execute()
        .then((rows) => rows.length),
    );
    for (const entity of session.new)
      if (entity instanceof Post) session.add(new Log({ what: `before ${entity.title}` }));
  });
  session.on("afterFlush", async () => {
    counts.push(await session.select(Post).count());
    if ((await session.select(Log).count()) < 3) session.add(new Log({ what: "after" }));
  });
  session.on("beforeCommit", async () => {
    session.add(new Post({ title: "by the listener" }));
    await session.flush();
  });
  session.add(new Post({ title: "one" }));
  await session.commit();

  const logs = await sessionOf(app).select(Log).all();
  assert.deepEqual(new Set(logs.map(({ what }) => what)), new Set(["before one", "before by the listener", "after"]));
  assert.equal(await sessionOf(app).select(Post).count(), 2);
  assert.deepEqual(counts.slice(0, 3), [0, 0, 2], "what it reads is not flushed before");
});

onEachFamily("a listener may run statements side by side", async (t, url) => {
  const { db, Post } = blog();
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const sent = record(app);
  session.on("beforeFlush", () =>
    Promise.all([
      session.insertInto(Post).values({ title: "a" }).execute(),
      session.insertInto(Post).values({ title: "b" }).execute(),
      session.select(Post).all(),
    ]),
  );
  session.add(new Post({ title: "one" }));
  await session.commit();

  assert.equal(verbs(sent).filter((verb) => verb === "begin").length, 1);
  assert.equal(await sessionOf(app).select(Post).count(), 3);
  assert.equal(app.engine.status().inUse, 0);
});

onEachFamily("a listener does not end or begin what goes on around it", async (t, url) => {
  const { db, Post } = blog();
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const refused: string[] = [];
  const attempt = async (what: string, run: () => unknown) => {
    try {
      await run();
    } catch (error) {
      if (error instanceof SessionError) refused.push(what);
      else throw error;
    }
  };
  for (const event of ["beforeFlush", "afterCommit"] as const) {
    session.on(event, async () => {
      await attempt("commit", () => session.commit());
      await attempt("rollback", () => session.rollback());
      await attempt("begin", () => session.begin());
      await attempt("nested", () => session.beginNested());
      await attempt("transaction", () => session.transaction(async () => {}));
      await attempt("reset", () => session.reset());
      await attempt("close", () => session.close());
      if (event === "beforeFlush") await attempt("flush", () => session.flush());
    });
  }
  session.add(new Post({ title: "one" }));
  await session.commit();

  const all = ["commit", "rollback", "begin", "nested", "transaction", "reset", "close"];
  assert.deepEqual(refused, [...all, "flush", ...all]);
  assert.equal(await sessionOf(app).select(Post).count(), 1);
});

test("a listener that adds more with each flush is told", async (t) => {
  const { db, Post, Log } = blog();
  const app = await start(t, db, { databaseUri: "sqlite://" });
  const session = sessionOf(app);
  session.on("afterFlush", () => session.add(new Log({ what: "more" })));
  session.add(new Post({ title: "one" }));

  await assert.rejects(session.commit(), SessionError);
  await session.rollback();
  assert.equal(await session.select(Log).count(), 0);
});

onEachFamily("a listener of one session that uses another, whose listener uses the first", async (t, url, family) => {
  const { db, Post } = blog();
  const app = await start(t, db, { databaseUri: url });
  const [one, two] = [sessionOf(app), sessionOf(app)];
  const counts: number[] = [];
  one.on("beforeFlush", async () => {
    // The first has not begun to write, so a SQLite file is free.
    two.add(new Post({ title: "two" }));
    await two.commit();
  });
  two.on("beforeFlush", async () => {
    counts.push(await one.select(Post).count());
  });
  one.add(new Post({ title: "one" }));
  await one.commit();

  assert.deepEqual(counts, [0], family);
  assert.equal(await sessionOf(app).select(Post).count(), 2);
});

onEachFamily(
  "after a failed flush the failure is thrown, and afterFlush and afterCommit do not come",
  async (t, url) => {
    const { db, Post } = blog();
    const app = await start(t, db, { databaseUri: url });
    const session = sessionOf(app);
    const seen: string[] = [];
    for (const event of EVENTS) session.on(event, () => seen.push(event));
    session.addAll([new Post({ title: "one" }), new Post({ title: "one" })]);

    await assert.rejects(session.commit(), UniqueViolationError);
    assert.deepEqual(seen, ["beforeCommit", "beforeFlush"]);
    await session.rollback();
    assert.deepEqual(seen, ["beforeCommit", "beforeFlush", "afterRollback"]);
  },
);

test("a listener that is taken away hears no more", async (t) => {
  const { db, Post } = blog();
  const app = await start(t, db, { databaseUri: "sqlite://" });
  let heard = 0;
  const stops = [db.on("afterCommit", () => heard++), db.on("afterCommit", () => heard++)];
  const session = sessionOf(app);
  session.add(new Post({ title: "one" }));
  await session.commit();
  stops[0]!();
  stops[0]!();
  await session.commit();
  stops[1]!();
  await session.commit();

  assert.equal(heard, 3);
});
