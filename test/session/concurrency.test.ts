import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Application,
  DatabaseTimeoutError,
  DeadlockError,
  integer,
  Multibind,
  OperationalError,
  SelfDeadlockError,
  SessionClosedError,
  sql,
  UniqueViolationError,
  varchar,
} from "../../src/index.ts";
import { freshDatabase } from "../fixtures/databases.ts";
import { onEachFamily, record, sessionOf, sharedDatabase, start, threeUrls, verbs } from "../fixtures/matrix.ts";

const db = new Multibind<"auth" | "meta">();
class Post extends db.model("post", { id: integer().primaryKey(), title: varchar(40) }) {}
class User extends db.model("user", { id: integer().primaryKey(), name: varchar(40).unique() }, { bindKey: "auth" }) {}
class Event extends db.model("event", { id: integer().primaryKey(), what: varchar(40) }, { bindKey: "meta" }) {}
type Keys = "auth" | "meta";

/** Notes when statements begin and end, to see which run side by side. */
function overlaps(app: Application<Keys>) {
  const running = new Map<string | null, number>();
  const most = { onOneBind: 0, onAll: 0 };
  for (const [bindKey, engine] of app.engines) {
    engine.onStatement(() => {
      running.set(bindKey, (running.get(bindKey) ?? 0) + 1);
      most.onOneBind = Math.max(most.onOneBind, running.get(bindKey)!);
      most.onAll = Math.max(
        most.onAll,
        [...running.values()].reduce((sum, count) => sum + count, 0),
      );
    });
    engine.onStatementFinished(() => running.set(bindKey, running.get(bindKey)! - 1));
  }
  return most;
}

async function filled(t: Parameters<typeof start>[0]) {
  const app = await start(t, db, await threeUrls());
  const writer = sessionOf(app);
  for (let n = 0; n < 10; n++)
    writer.addAll([new Post({ title: "x" }), new User({ name: `user ${n}` }), new Event({ what: "x" })]);
  await writer.commit();
  await writer.close();
  return { app, session: sessionOf(app) };
}

test("gets on several binds run side by side, on one bind in turn", async (t) => {
  const { app, session } = await filled(t);
  await Promise.all([session.select(Post).count(), session.select(User).count()]);
  const most = overlaps(app);

  const got = await Promise.all(
    Array.from({ length: 30 }, (_, n) => {
      const id = (n % 10) + 1;
      return n % 3 === 0 ? session.get(Post, id) : n % 3 === 1 ? session.get(User, id) : session.get(Event, id);
    }),
  );

  assert.ok(got.every((entity) => entity !== null));
  assert.equal(most.onOneBind, 1);
  assert.ok(most.onAll >= 2, "PostgreSQL and MariaDB worked at the same time");
});

test("the same key got many times at once is one entity", async (t) => {
  const { session } = await filled(t);
  const got = await Promise.all([
    ...Array.from({ length: 10 }, () => session.get(User, 3)),
    session.select(User).where({ id: 3 }).one(),
    session.merge(new User({ id: 3, name: "user 3" })),
  ]);

  assert.equal(new Set(got).size, 1);
});

test("statements of one transaction at once use one connection, in turn", async (t) => {
  const { app, session } = await filled(t);
  session.begin();
  const sent = record(app);
  const most = overlaps(app);
  await Promise.all(
    Array.from({ length: 10 }, (_, n) =>
      session
        .insertInto(User)
        .values({ name: `new ${n}` })
        .execute(),
    ),
  );
  assert.equal(most.onOneBind, 1);
  assert.equal(verbs(sent).filter((verb) => verb === "begin").length, 1);
  assert.equal(app.engines.get("auth").status().inUse, 1);
  await session.rollback();
  assert.equal(await session.select(User).count(), 10);
});

test("flush and commit run alone: what is asked for later waits, what was asked for before is done", async (t) => {
  const { app, session } = await filled(t);
  session.addAll([new User({ name: "new" }), new User({ name: "newer" })]);
  const sent = record(app);
  const order: string[] = [];
  const note = (what: string) => () => order.push(what);
  await Promise.all([
    session.select(Post).count().then(note("read before")),
    session.select(Event).count().then(note("read before too")),
    session.commit().then(note("commit")),
    session
      .select(User)
      .count()
      .then((count) => order.push(`${count} users after`)),
    session.select(Post).count().then(note("read after")),
  ]);

  assert.deepEqual(order.slice(0, 2).sort(), ["read before", "read before too"]);
  assert.equal(order[2], "commit");
  assert.deepEqual(order.slice(3).sort(), ["12 users after", "read after"]);
  const commit = sent.findIndex((one) => one.sql === "commit");
  assert.equal(sent.slice(commit + 1).filter((one) => one.sql.startsWith("select")).length, 2);
});

test("many commits at once are one after the other", async (t) => {
  const { app, session } = await filled(t);
  await Promise.all(
    Array.from({ length: 20 }, async (_, n) => {
      session.add(new User({ name: `many ${n}` }));
      session.add(new Post({ title: `many ${n}` }));
      await session.commit();
    }),
  );

  assert.equal(await sessionOf(app).select(User).count(), 30);
  assert.equal(await sessionOf(app).select(Post).count(), 30);
  assert.equal(session.new.size, 0);
});

test("a change while a commit is in flight stays for the next", async (t) => {
  const { app, session } = await filled(t);
  const [user, post] = [await session.getOne(User, 1), await session.getOne(Post, 1)];
  user.name = "first";
  post.title = "first";
  const committing = session.commit();
  user.name = "second";
  const late = new Post({ title: "late" });
  session.add(late);
  await committing;

  assert.deepEqual([...session.dirty], [user]);
  assert.deepEqual([...session.new], [late]);
  const check = sessionOf(app);
  assert.equal((await check.getOne(User, 1)).name, "first");
  assert.equal(await check.select(Post).count(), 10);
  await session.commit();
  assert.equal((await sessionOf(app).getOne(User, 1)).name, "second");
});

test("reads that run while another bind fails know of it afterwards", async (t) => {
  const { session } = await filled(t);
  session.add(new User({ name: "user 1" }));
  const outcomes = await Promise.allSettled([
    session.select(Post).all(),
    session.select(User).all(),
    session.select(Event).all(),
  ]);

  assert.equal(outcomes[0]!.status, "fulfilled");
  assert.ok(outcomes[1]!.status === "rejected" && outcomes[1]!.reason instanceof UniqueViolationError);
  await session.rollback();
  assert.equal(await session.select(User).count(), 10);
});

test("autoflushes of several binds at once, one of which fails", async (t) => {
  const { app, session } = await filled(t);
  for (let round = 0; round < 5; round++) {
    for (let n = 0; n < 50; n++) session.addAll([new Post({ title: "new" }), new Event({ what: "new" })]);
    session.add(new User({ name: "user 1" }));
    const outcomes = await Promise.allSettled([
      session.select(Post).all(),
      session.select(Event).all(),
      session.select(User).all(),
      session.insertInto(Post).values({ title: "statement" }).execute(),
    ]);
    assert.equal(outcomes[2]?.status, "rejected");
    await session.rollback();
    assert.deepEqual([await session.select(Post).count(), await session.select(Event).count()], [10, 10]);
    for (const [, engine] of app.engines) assert.equal(engine.status().inUse, 0);
  }
});

// After close

onEachFamily("after close everything is refused, also what was prepared before", async (t, url) => {
  const app = await start(t, db, { databaseUri: "sqlite://", binds: { auth: url, meta: "sqlite://" } });
  const session = sessionOf(app);
  const user = new User({ name: "ada" });
  session.add(user);
  await session.commit();
  const select = session.select(User);
  const query = session.selectFrom(User).selectAll();
  const insert = session.insertInto(User).values({ name: "eve" });
  const kysely = session.kysely<{ user: { name: string } }>("auth").selectFrom("user").selectAll();
  const nested = await session.beginNested();
  await session.close();
  await session.close();
  const sent = record(app);

  const attempts: (() => unknown)[] = [
    () => session.add(new User({ name: "x" })),
    () => session.delete(user),
    () => session.expunge(user),
    () => session.expungeAll(),
    () => session.get(User, 1),
    () => session.refresh(user),
    () => session.merge(user),
    () => session.flush(),
    () => session.commit(),
    () => session.rollback(),
    () => session.begin(),
    () => session.beginNested(),
    () => session.transaction(async () => {}),
    () => session.reset(),
    () => session.select(User),
    () => session.selectFrom(User),
    () => session.kysely("auth"),
    () => session.execute(sql`select 1`, { bindKey: "auth" }),
    () => select.all(),
    () => select.count(),
    () => select.stream().next(),
    () => query.execute(),
    () => insert.execute(),
    () => kysely.execute(),
  ];
  for (const attempt of attempts) await assert.rejects(async () => attempt(), SessionClosedError, String(attempt));
  await assert.rejects(nested.commit());
  assert.deepEqual(sent, []);
  assert.equal(session.isClosed, true);
  assert.equal(app.engines.get("auth").status().inUse, 0);
});

onEachFamily(
  "close rolls back and removes everything; so does reset, after which the session is usable",
  async (t, url) => {
    const app = await start(t, db, { databaseUri: "sqlite://", binds: { auth: url, meta: "sqlite://" } });
    const session = sessionOf(app);
    const ada = new User({ name: "ada" });
    session.add(ada);
    await session.commit();
    ada.name = "changed";
    await session.flush();
    const eve = new User({ name: "eve" });
    session.add(eve);
    await session.reset();

    assert.deepEqual([ada.name, session.contains(ada), session.contains(eve)], ["ada", false, false]);
    assert.deepEqual([session.stateOf(ada), session.stateOf(eve)], ["detached", "transient"]);
    assert.equal(app.engines.get("auth").status().inUse, 0);
    assert.notEqual(await session.get(User, 1), ada);
  },
);

test("what waits for its turn when the session is closed is refused", async (t) => {
  const { app, session } = await filled(t);
  const first = session.select(User).all();
  const second = session.select(User).all();
  const closing = session.close();

  assert.equal((await first).length, 10, "it had begun");
  await assert.rejects(second, SessionClosedError);
  await closing;
  assert.equal(app.engines.get("auth").status().inUse, 0);
});

// Two sessions

onEachFamily("two sessions share neither entities nor transactions", async (t, url) => {
  const app = await start(t, db, { databaseUri: "sqlite://", binds: { auth: url, meta: "sqlite://" } });
  const one = sessionOf(app);
  one.add(new User({ name: "ada" }));
  await one.commit();
  const two = sessionOf(app);
  const [mine, theirs] = [await one.getOne(User, 1), await two.getOne(User, 1)];
  assert.notEqual(mine, theirs);
  mine.name = "changed";
  await one.flush();

  await two.refresh(theirs);
  assert.equal(theirs.name, "ada", "uncommitted work is not seen");
  await one.commit();
  await two.refresh(theirs);
  assert.equal(theirs.name, "changed");
});

onEachFamily("a hundred sessions that write wait for each other and all succeed", async (t, url) => {
  const app = await start(t, db, {
    databaseUri: "sqlite://",
    binds: { auth: { url, poolSize: 4 }, meta: "sqlite://" },
  });
  await Promise.all(
    Array.from({ length: 100 }, async (_, n) => {
      const session = app.session();
      session.add(new User({ name: `user ${n}` }));
      await session.commit();
      await session.close();
    }),
  );
  assert.equal(await sessionOf(app).select(User).count(), 100);
  assert.equal(app.engines.get("auth").status().inUse, 0);
});

test("sessions that flush to the same files in any order never lock each other out", async (t) => {
  const app = await start(t, db, {
    databaseUri: await freshDatabase(t, "sqlite"),
    binds: { auth: await freshDatabase(t, "sqlite"), meta: await freshDatabase(t, "sqlite") },
  });
  const make = (n: number) => [new User({ name: `user ${n}` }), new Event({ what: "x" }), new Post({ title: "x" })];
  await Promise.all(
    Array.from({ length: 60 }, async (_, n) => {
      const session = app.session();
      const entities = make(n);
      session.addAll(n % 2 === 0 ? entities : entities.reverse());
      await session.flush();
      await session.commit();
      await session.close();
    }),
  );
  assert.equal(await sessionOf(app).select(User).count(), 60);
});

test("two sessions that lock two files in opposite order: the younger is told at once, and the other goes on", async (t) => {
  const app = await start(t, db, {
    databaseUri: await freshDatabase(t, "sqlite"),
    binds: { auth: await freshDatabase(t, "sqlite"), meta: await freshDatabase(t, "sqlite") },
  });
  const [one, two] = [sessionOf(app), sessionOf(app)];
  await one.insertInto(User).values({ name: "one" }).execute();
  await two.insertInto(Post).values({ title: "two" }).execute();
  const outcomes = Promise.allSettled([
    one.insertInto(Post).values({ title: "one" }).execute(),
    two
      .insertInto(User)
      .values({ name: "two" })
      .execute()
      .catch(async (error: unknown) => {
        await two.rollback();
        throw error;
      }),
  ]);

  const [first, second] = await outcomes;
  assert.equal(first.status, "fulfilled");
  assert.ok(second.status === "rejected" && second.reason instanceof DeadlockError && second.reason.retryable);
  await one.commit();
});

test("a session that waits for itself is told at once", async (t) => {
  const app = await start(t, db, {
    databaseUri: await freshDatabase(t, "sqlite"),
    binds: { auth: { url: await sharedDatabase("mysql"), poolSize: 1 }, meta: "sqlite://" },
  });
  await app.run(
    async () => {
      await db.insertInto(Post).values({ title: "outer" }).execute();
      await db.insertInto(User).values({ name: "outer" }).execute();
      await app.run(
        async () => {
          await assert.rejects(db.insertInto(Post).values({ title: "inner" }).execute(), SelfDeadlockError);
          await assert.rejects(db.select(User).all(), SelfDeadlockError);
          assert.equal(await db.select(Post).count(), 0, "a reader of the file is free");
        },
        { onUncommitted: "ignore" },
      );
      const session = app.session();
      session.add(new User({ name: "inner" }));
      await assert.rejects(session.commit(), SelfDeadlockError);
      await session.close();
      await assert.rejects(
        db.engines.get("auth").kysely.selectFrom(User.table).selectAll().execute(),
        OperationalError,
      );
    },
    { onUncommitted: "ignore" },
  );
  assert.equal(app.engines.get("auth").status().inUse, 0);
});

test("sessions beside each other wait, and no longer than they may", async (t) => {
  const patient = await start(t, db, {
    databaseUri: await freshDatabase(t, "sqlite"),
    engineOptions: { poolTimeout: "50ms" },
    binds: { auth: "sqlite://", meta: "sqlite://" },
  });
  const [one, two] = [sessionOf(patient), sessionOf(patient)];
  await one.insertInto(Post).values({ title: "one" }).execute();
  await assert.rejects(two.insertInto(Post).values({ title: "two" }).execute(), DatabaseTimeoutError);
  await one.commit();
  await two.rollback();
  await two.insertInto(Post).values({ title: "two" }).execute();
  await two.commit();
  assert.equal(await sessionOf(patient).select(Post).count(), 2);
});

test("an abort ends the wait for a statement's turn on its bind's connections", async (t) => {
  const app = await start(t, db, {
    databaseUri: await freshDatabase(t, "sqlite"),
    binds: { auth: { url: await sharedDatabase("mysql"), poolSize: 1 }, meta: "sqlite://" },
  });
  const holder = sessionOf(app);
  await holder.insertInto(User).values({ name: "holder" }).execute();
  const waiter = sessionOf(app);
  const abort = new AbortController();
  const waiting = waiter.get(User, 1, { signal: abort.signal });
  setImmediate(() => abort.abort(new Error("enough")));
  await assert.rejects(waiting, /enough/);
  await holder.rollback();
  assert.equal(await waiter.get(User, 1), null);
});
