import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { test } from "node:test";
import Database from "better-sqlite3";
import {
  FailedTransactionError,
  type FamilyName,
  integer,
  Multibind,
  SessionClosedError,
  sql,
  UnsupportedError,
} from "../../src/index.ts";
import { freshDatabase, onMysql, onPostgres } from "../fixtures/databases.ts";
import { onEachFamily, record, sessionOf, start } from "../fixtures/matrix.ts";
import { SERVERS, sleepsOn } from "../fixtures/slow-statements.ts";
import { until } from "../fixtures/until.ts";

const ENOUGH = new Error("the client has gone");

const db = new Multibind();
class Counter extends db.model("counter", { id: integer().primaryKey(), n: integer() }) {}

/** A statement that takes longer than any test waits. */
function slow(family: FamilyName) {
  return family === "postgres" ? sql`select pg_sleep(300)` : sql`select sleep(300)`;
}

/** How many statements that take long the server runs in a database. */
async function slowOn(family: FamilyName, url: string): Promise<number> {
  const [row] =
    family === "postgres"
      ? await onPostgres(
          "select count(*) as n from pg_stat_activity where state = 'active' and query like 'select pg_sleep%' and datname = current_database()",
          url,
        )
      : await onMysql(
          "select count(*) as n from information_schema.processlist where info like 'select sleep%' and db = database()",
          url,
        );
  return Number(row!["n"]);
}

/** Aborts as soon as the slow statement runs. */
async function abortWhenRunning(family: FamilyName, url: string, controller: AbortController): Promise<void> {
  await until(async () => (await slowOn(family, url)) > 0);
  controller.abort(ENOUGH);
}

onEachFamily(
  "an abort ends the statement, on the server too, and the connection lives on",
  async (t, url, family) => {
    const app = await start(t, db, { databaseUri: url });
    const session = sessionOf(app);
    const controller = new AbortController();
    const running = session.execute(slow(family), { readOnly: true, signal: controller.signal });
    await Promise.all([assert.rejects(running, ENOUGH), abortWhenRunning(family, url, controller)]);
    await until(async () => (await slowOn(family, url)) === 0);
    assert.equal(app.engine.status().idle, 1);
    for (let round = 0; round < 20; round++) await session.execute(sql`select 1`, { readOnly: true });
    assert.equal(app.engine.status().idle, 1);
  },
  SERVERS,
);

onEachFamily("what was aborted before is not sent", async (t, url) => {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const sent = record(app);
  const signal = AbortSignal.abort(ENOUGH);
  const statement = session.select(Counter);
  for (const run of [
    () => session.execute(sql`select 1`, { signal }),
    () => session.get(Counter, 1, { signal }),
    () => session.getOne(Counter, 1, { signal }),
    () => statement.all({ signal }),
    () => statement.first({ signal }),
    () => statement.one({ signal }),
    () => statement.oneOrNull({ signal }),
    () => statement.count({ signal }),
    () => statement.exists({ signal }),
    () => statement.stream({ signal }).next(),
    () => session.selectFrom(Counter).selectAll().execute({ signal }),
    () => app.engine.kysely.selectFrom(Counter).selectAll().execute({ signal }),
    () => session.transaction(async () => assert.fail("it ran"), { signal }),
    () => app.run(async () => db.session.get(Counter, 1), { signal }),
  ]) {
    await assert.rejects(run, ENOUGH);
  }
  assert.deepEqual(sent, []);
  assert.equal(app.engine.status().inUse, 0);
});

onEachFamily(
  "an abort within a transaction fails it; after a rollback the session goes on",
  async (t, url, family) => {
    const app = await start(t, db, { databaseUri: url });
    const session = sessionOf(app);
    const controller = new AbortController();
    await session.execute(sql`insert into counter values (1, 1)`);
    const running = session.execute(slow(family), { signal: controller.signal });
    await Promise.all([assert.rejects(running, ENOUGH), abortWhenRunning(family, url, controller)]);
    await assert.rejects(session.execute(sql`select 1`), FailedTransactionError);
    await session.rollback();
    assert.equal(await session.select(Counter).count(), 0);
    session.add(new Counter({ id: 2, n: 2 }));
    await session.commit();
    assert.equal(app.engine.status().inUse, 0);
  },
  SERVERS,
);

onEachFamily(
  "an abort within a nested transaction costs that one only",
  async (t, url, family) => {
    const app = await start(t, db, { databaseUri: url });
    const session = sessionOf(app);
    const controller = new AbortController();
    await session.transaction(async (tx) => {
      tx.add(new Counter({ id: 1, n: 1 }));
      const nested = tx.transaction(
        async () => {
          tx.add(new Counter({ id: 2, n: 2 }));
          await tx.execute(slow(family));
        },
        { signal: controller.signal },
      );
      await Promise.all([assert.rejects(nested, ENOUGH), abortWhenRunning(family, url, controller)]);
      tx.add(new Counter({ id: 3, n: 3 }));
    });
    assert.deepEqual(
      (await session.select(Counter).orderBy("id").all()).map(({ id }) => id),
      [1, 3],
    );
  },
  SERVERS,
);

onEachFamily(
  "a transaction whose signal is aborted is rolled back, whatever its function makes of that",
  async (t, url) => {
    const app = await start(t, db, { databaseUri: url });
    const session = sessionOf(app);
    const controller = new AbortController();
    const running = session.transaction(
      async (tx) => {
        tx.add(new Counter({ id: 1, n: 1 }));
        await tx.flush();
        controller.abort(ENOUGH);
        await assert.rejects(tx.get(Counter, 1), ENOUGH);
        await assert.rejects(tx.execute(sql`select 1`), ENOUGH);
        return "swallowed";
      },
      { signal: controller.signal },
    );
    await assert.rejects(running, ENOUGH);
    assert.equal(app.engine.status().inUse, 0);
    assert.equal(await session.select(Counter).count(), 0);
  },
);

onEachFamily(
  "the signal of a transaction ends a flush that waits for a row",
  async (t, url, family) => {
    const app = await start(t, db, { databaseUri: url });
    const [one, other] = [sessionOf(app), sessionOf(app)];
    one.add(new Counter({ id: 1, n: 1 }));
    await one.commit();
    await one.get(Counter, 1, { lock: true });
    const controller = new AbortController();
    const updating = other.transaction(
      async (tx) => {
        (await tx.getOne(Counter, 1)).n = 2;
      },
      { signal: controller.signal },
    );
    const waits =
      family === "postgres"
        ? () =>
            onPostgres(
              "select 1 from pg_locks join pg_stat_activity using (pid) where not granted and datname = current_database()",
              url,
            )
        : () =>
            onMysql(
              "select 1 from information_schema.processlist where info like 'update%counter%' and db = database()",
              url,
            );
    await Promise.all([
      assert.rejects(updating, ENOUGH),
      until(async () => (await waits()).length > 0).then(() => controller.abort(ENOUGH)),
    ]);
    await until(async () => (await waits()).length === 0);
    await one.rollback();
    assert.equal((await other.getOne(Counter, 1)).n, 1);
  },
  SERVERS,
);

onEachFamily(
  "the signal of a context ends its statements; what comes after is refused, and nothing is kept",
  async (t, url, family) => {
    const app = await start(t, db, { databaseUri: url });
    const controller = new AbortController();
    const request = app.run(
      async () => {
        db.session.add(new Counter({ id: 1, n: 1 }));
        await db.session.flush();
        await assert.rejects(db.session.execute(slow(family)), ENOUGH);
        await assert.rejects(db.session.commit(), ENOUGH);
        throw ENOUGH;
      },
      { signal: controller.signal },
    );
    await Promise.all([assert.rejects(request, ENOUGH), abortWhenRunning(family, url, controller)]);
    assert.equal(app.engine.status().inUse, 0);
    await app.run(async () => assert.equal(await db.select(Counter).count(), 0));
  },
  SERVERS,
);

onEachFamily(
  "a session that is closed ends its statements on the server too",
  async (t, url, family) => {
    const app = await start(t, db, { databaseUri: url });
    for (const reads of [true, false]) {
      const session = app.session();
      const running = assert.rejects(session.execute(slow(family), { readOnly: reads }), SessionClosedError);
      await until(async () => (await slowOn(family, url)) > 0);
      await session.close();
      await running;
      await until(async () => (await slowOn(family, url)) === 0);
      assert.equal(app.engine.status().inUse, 0);
    }
    assert.equal(app.engine.status().idle, 1);
  },
  SERVERS,
);

onEachFamily(
  "Kysely's own form takes a signal too, on a session and on an engine",
  async (t, url, family) => {
    const app = await start(t, db, { databaseUri: url });
    const session = sessionOf(app);
    await session.insertInto(Counter).values({ id: 1, n: 1 }).execute();
    await session.commit();
    const never = family === "postgres" ? sql<boolean>`pg_sleep(300)::text = 'no'` : sql<boolean>`sleep(300) = 2`;
    for (const run of [
      (signal: AbortSignal) => session.selectFrom(Counter).select("id").where(never).execute({ signal }),
      (signal: AbortSignal) => app.engine.kysely.selectFrom(Counter).selectAll().where(never).execute({ signal }),
    ]) {
      const controller = new AbortController();
      const running = assert.rejects(run(controller.signal), ENOUGH);
      await until(async () => (await sleepsOn(family, url)) > 0);
      controller.abort(ENOUGH);
      await running;
      await until(async () => app.engine.status().inUse === 0);
    }
  },
  SERVERS,
);

onEachFamily("a connection of an engine's Kysely is not lent to what was aborted before", async (t, url) => {
  const app = await start(t, db, { databaseUri: url });
  const signal = AbortSignal.abort(ENOUGH);
  const { kysely } = app.engine;
  await kysely.selectFrom(Counter).selectAll().execute();
  for (const run of [
    () => kysely.connection().execute(async () => assert.fail("it ran"), { signal }),
    () => kysely.selectFrom(Counter).selectAll().execute({ signal }),
    () => kysely.selectFrom(Counter).selectAll().executeTakeFirst({ signal }),
    () => kysely.selectFrom(Counter).selectAll().stream({ chunkSize: 1, signal })[Symbol.asyncIterator]().next(),
  ]) {
    await assert.rejects(run, ENOUGH);
    assert.equal(app.engine.status().inUse, 0);
  }
});

for (const strategy of ["ignore query", "cancel query", "kill session"] as const) {
  onEachFamily(
    `an abort with Kysely's strategy "${strategy}" ends the statement on the server`,
    async (t, url, family) => {
      const app = await start(t, db, { databaseUri: url });
      const controller = new AbortController();
      const { kysely } = app.engine;
      await sql`select 1`.execute(kysely);
      const never = family === "postgres" ? sql`pg_sleep(300)` : sql`sleep(300)`;
      const running = kysely
        .selectNoFrom(never.as("slept"))
        .execute({ signal: controller.signal, inflightQueryAbortStrategy: strategy });
      const failed = assert.rejects(running, ENOUGH);
      const sleeps = () => sleepsOn(family, url);
      await until(async () => (await sleeps()) > 0);
      controller.abort(ENOUGH);
      await failed;
      await until(async () => app.engine.status().inUse === 0);
      assert.equal(app.engine.status().idle, strategy === "kill session" ? 0 : 1);
      await until(async () => (await sleeps()) === 0);
      assert.deepEqual(await app.run(() => db.select(Counter).all()), []);
    },
    SERVERS,
  );
}

onEachFamily('a session has no abort strategy "kill session"', async (t, url) => {
  const app = await start(t, db, { databaseUri: url });
  const options = { signal: new AbortController().signal, inflightQueryAbortStrategy: "kill session" } as const;
  await assert.rejects(sessionOf(app).selectFrom(Counter).selectAll().execute(options), UnsupportedError);
});

onEachFamily("an abort ends a stream between two rows", async (t, url) => {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  session.addAll([1, 2, 3, 4].map((id) => new Counter({ id, n: 0 })));
  await session.commit();
  const controller = new AbortController();
  const seen: number[] = [];
  await assert.rejects(async () => {
    for await (const { id } of session.select(Counter).orderBy("id").stream({ signal: controller.signal })) {
      seen.push(id);
      if (id === 2) controller.abort(ENOUGH);
    }
  }, ENOUGH);
  assert.deepEqual(seen, [1, 2]);
  assert.equal(app.engine.status().inUse, 0);
});

onEachFamily(
  "an abort ends the wait for a statement's turn, and those behind it still wait for the one before",
  async (t, url, family) => {
    const app = await start(t, db, { databaseUri: url });
    const session = sessionOf(app);
    const controller = new AbortController();
    const order: string[] = [];
    const other = sessionOf(app);
    const lock = family === "postgres" ? sql`select pg_advisory_xact_lock(7)` : sql`select get_lock(database(), 300)`;
    await other.execute(lock);
    const first = session.execute(lock, { readOnly: true }).then(() => order.push("first"));
    const second = session.execute(sql`select 2`, { readOnly: true, signal: controller.signal });
    const third = session.execute(sql`select 3`, { readOnly: true }).then(() => order.push("third"));
    controller.abort(ENOUGH);
    await assert.rejects(second, ENOUGH);
    assert.deepEqual(order, []);
    if (family === "mysql") await other.execute(sql`select release_lock(database())`);
    await other.rollback();
    await Promise.all([first, third]);
    assert.deepEqual(order, ["first", "third"]);
  },
  SERVERS,
);

onEachFamily("a commit of what was done in time is not disturbed by an abort after it", async (t, url) => {
  const app = await start(t, db, { databaseUri: url });
  const controller = new AbortController();
  await app.transaction(async () => db.session.add(new Counter({ id: 1, n: 1 })), { signal: controller.signal });
  controller.abort(ENOUGH);
  await app.run(async () => assert.equal(await db.select(Counter).count(), 1));
});

test("an abort ends the wait for another process's lock on a file", async (t) => {
  const url = await freshDatabase(t, "sqlite");
  const app = await start(t, db, { databaseUri: url });
  // A connection of SQLite's own is as another process's.
  const stranger = new Database(new URL(url).pathname.slice(1));
  t.after(() => stranger.close());
  stranger.exec("begin immediate");
  const waiter = sessionOf(app);
  const controller = new AbortController();
  const { signal } = controller;
  const stop = app.engine.onStatement(() => setImmediate(() => controller.abort(ENOUGH)));
  await assert.rejects(
    waiter.transaction(async (tx) => tx.add(new Counter({ id: 2, n: 2 })), { signal }),
    ENOUGH,
  );
  stop();
  stranger.exec("insert into counter values (1, 1); commit");
  waiter.add(new Counter({ id: 3, n: 3 }));
  await waiter.commit();
  assert.equal(await waiter.select(Counter).count(), 2);
});

for (const scheme of ["postgresql", "mysql"]) {
  test(`an abort ends the attempt to connect to a server that does not answer (${scheme})`, async (t) => {
    const sockets = new Set<Socket>();
    const controller = new AbortController();
    const silent = createServer((socket) => {
      sockets.add(socket);
      controller.abort(ENOUGH);
    }).listen(0, "127.0.0.1");
    await once(silent, "listening");
    t.after(() => {
      for (const socket of sockets) socket.destroy();
      silent.close();
    });
    const { port } = silent.address() as AddressInfo;
    const app = db.init({ databaseUri: `${scheme}://root@127.0.0.1:${port}/main` });
    t.after(() => app.dispose());
    const session = app.session();
    await assert.rejects(session.execute(sql`select 1`, { signal: controller.signal }), ENOUGH);
    await session.close();
  });
}
