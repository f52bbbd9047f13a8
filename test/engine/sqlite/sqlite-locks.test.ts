import assert from "node:assert/strict";
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { executionContext } from "../../../src/engine/pool/owner.ts";
import {
  DatabaseTimeoutError,
  DeadlockError,
  type EngineOptions,
  integer,
  Multibind,
  SelfDeadlockError,
  sql,
} from "../../../src/index.ts";
import { freshDatabase } from "../../fixtures/databases.ts";
import { oneBind } from "../../fixtures/one-bind.ts";

/** A file with a counter in it. */
async function counter(t: TestContext, options: EngineOptions = {}) {
  const db = new Multibind<"auth">();
  class Counter extends db.model("counter", { id: integer().primaryKey(), n: integer() }, { bindKey: "auth" }) {}
  const url = await freshDatabase(t, "sqlite");
  const app = db.init({ binds: { auth: { url, ...options } } });
  t.after(() => app.dispose());
  await app.createAll();
  await app.transaction(() => db.session.add(new Counter({ id: 1, n: 0 })));
  const engine = app.engines.get("auth");
  const count = async () => (await sql<{ n: number }>`select n from counter`.execute(engine.kysely)).rows[0]!.n;
  return { db, app, engine, Counter, url, file: url.slice("sqlite:///".length), count };
}

/** Another process on the same file. */
function other(t: TestContext, file: string, task: string): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, [join(import.meta.dirname, "writer-process.ts"), file, task]);
  child.stderr.pipe(process.stderr);
  t.after(() => child.kill());
  return child;
}

async function hears(child: ChildProcessWithoutNullStreams, word: string): Promise<void> {
  for await (const line of child.stdout.iterator({ destroyOnReturn: false })) if (String(line).includes(word)) return;
  assert.fail(`the other process ended before it said "${word}"`);
}

test("two hundred sessions that read, change and commit on one file at once lose nothing", async (t) => {
  const { app, db, Counter, count } = await counter(t);
  await Promise.all(
    Array.from({ length: 200 }, () =>
      app.run(async () => {
        db.session.begin();
        const row = await db.session.get(Counter, 1);
        row!.n += 1;
        await db.session.commit();
      }),
    ),
  );
  assert.equal(await count(), 200);
});

test("another process that writes into the same file at the same time loses nothing, and nothing is lost here", async (t) => {
  const { engine, file, count } = await counter(t);
  const child = other(t, file, "150");
  await hears(child, "ready");
  child.stdin.write("go\n");
  const done = hears(child, "done");
  await Promise.all(
    Array.from({ length: 150 }, (_, index) =>
      engine.kysely.transaction().execute(async (transaction) => {
        const { rows } = await sql<{ n: number }>`select n from counter`.execute(transaction);
        if (index % 10 === 0) await delay(1);
        await sql`update counter set n = ${rows[0]!.n + 1}`.execute(transaction);
      }),
    ),
  );
  await done;
  assert.equal(await count(), 300);
});

test("while another process holds the lock this one waits, without blocking, and goes on when it is given back", async (t) => {
  const { engine, file, count } = await counter(t);
  const child = other(t, file, "hold");
  await hears(child, "holding");
  const writing = sql`update counter set n = 5`.execute(engine.kysely);
  // Other work goes on meanwhile.
  await delay(20);
  assert.equal(
    (await engine.execute<{ n: number }>({ ...engine.rawQuery("select n from counter") } as never, { use: "read" }))
      .rows[0]!.n,
    0,
  );
  child.stdin.end();
  await writing;
  assert.equal(await count(), 5);
});

test("a lock that another process does not give back within poolTimeout ends with a DatabaseTimeoutError", async (t) => {
  const { engine, file } = await counter(t, { poolTimeout: "100ms" });
  const child = other(t, file, "hold");
  await hears(child, "holding");
  await assert.rejects(sql`update counter set n = 5`.execute(engine.kysely), (error: unknown) => {
    assert.ok(error instanceof DatabaseTimeoutError, String(error));
    assert.equal(error.bindKey, "auth");
    assert.match(error.message, /locked/);
    return true;
  });
  child.stdin.end();
  await once(child, "exit");
  await sql`update counter set n = 5`.execute(engine.kysely);
});

test("the URL's timeout says how long to wait for another process", async (t) => {
  const { file } = await counter(t);
  const { engine } = oneBind(t, { url: `sqlite:///${file}?timeout=0.05` });
  const child = other(t, file, "hold");
  await hears(child, "holding");
  await assert.rejects(sql`update counter set n = 5`.execute(engine.kysely), DatabaseTimeoutError);
  child.stdin.end();
});

test("a wait for the writer beyond poolTimeout is a DatabaseTimeoutError", async (t) => {
  const { engine } = await counter(t, { poolTimeout: "30ms" });
  await engine.kysely.transaction().execute(async (transaction) => {
    await sql`update counter set n = 1`.execute(transaction);
    await assert.rejects(
      outside(() => sql`update counter set n = 2`.execute(engine.kysely)),
      (error: unknown) => {
        assert.ok(error instanceof DatabaseTimeoutError, String(error));
        assert.match(error.message, /No writer of bind "auth" came free within 0\.03 seconds: 1 of 1 in use/);
        return true;
      },
    );
  });
});

test("a reader sees the old state while a transaction writes, and the new one after its commit", async (t) => {
  const { app, db, Counter } = await counter(t);
  const read = () => outside(() => app.run(async () => (await db.session.get(Counter, 1))!.n));
  await app.transaction(async () => {
    const row = await db.session.get(Counter, 1);
    row!.n = 5;
    await db.session.flush();
    assert.equal(await read(), 0);
  });
  assert.equal(await read(), 5);
});

test("a read-only transaction keeps the state that it began with", async (t) => {
  const { app, engine } = await counter(t);
  await using session = app.session();
  session.begin({ readOnly: true } as never);
  const seen = async () =>
    (await session.execute(sql<{ n: number }>`select n from counter`, { bindKey: "auth" })).rows[0]!.n;
  assert.equal(await seen(), 0);
  await sql`update counter set n = 5`.execute(engine.kysely);
  assert.equal(await seen(), 0);
  await session.rollback();
});

test("readers do not wait for each other, up to poolSize", async (t) => {
  const { engine } = await counter(t, { poolSize: 2, poolTimeout: "30ms" });
  const [one, two] = [await engine.connect({ use: "read" }), await engine.connect({ use: "read" })];
  await assert.rejects(engine.connect({ use: "read" }), /No reader of bind "auth".*2 of 2 in use/);
  assert.deepEqual(engine.status(), { size: 3, inUse: 2, idle: 1, waiting: 0 });
  await Promise.all([one.release(), two.release()]);
});

test("an inner context that needs the writer which the outer session holds is refused at once, naming both", async (t) => {
  const { app, db, Counter } = await counter(t);
  await app.run(async () => {
    db.session.add(new Counter({ n: 1 }));
    await db.session.flush();
    await assert.rejects(
      app.run(async () => {
        db.session.add(new Counter({ n: 2 }));
        await db.session.commit();
      }),
      (error: unknown) => {
        assert.ok(error instanceof SelfDeadlockError, String(error));
        assert.equal(error.bindKey, "auth");
        assert.match(
          error.message,
          /session \d+ waits for itself: the one writer of bind "auth" is held by session \d+/,
        );
        return true;
      },
    );
    await db.session.commit();
  });
  await app.run(async () => assert.equal(await db.select(Counter).count(), 2));
});

test("a statement of the engine's Kysely inside such a context is refused at once too", async (t) => {
  const { app, db, Counter, engine } = await counter(t);
  await app.run(async () => {
    db.session.add(new Counter({ n: 1 }));
    await db.session.flush();
    await assert.rejects(sql`select 1`.execute(engine.kysely), SelfDeadlockError);
    await db.session.rollback();
  });
});

test("two sessions that take two files in opposite order: the younger is refused at once, and the older goes on", async (t) => {
  const db = new Multibind<"left" | "right">();
  class Left extends db.model("left_thing", { id: integer().primaryKey(), n: integer() }, { bindKey: "left" }) {}
  class Right extends db.model("right_thing", { id: integer().primaryKey(), n: integer() }, { bindKey: "right" }) {}
  const app = db.init({ binds: { left: await freshDatabase(t, "sqlite"), right: await freshDatabase(t, "sqlite") } });
  t.after(() => app.dispose());
  await app.createAll();
  await using older = app.session();
  await using younger = app.session();
  older.add(new Left({ n: 1 }));
  younger.add(new Right({ n: 2 }));
  await Promise.all([older.flush(), younger.flush()]);
  older.add(new Right({ n: 1 }));
  younger.add(new Left({ n: 2 }));
  const [olderDone, youngerDone] = await Promise.allSettled([
    older.commit(),
    younger.commit().catch(async (error: unknown) => {
      await younger.rollback();
      throw error;
    }),
  ]);
  assert.equal(olderDone.status, "fulfilled");
  assert.ok(youngerDone.status === "rejected" && youngerDone.reason instanceof DeadlockError);
  assert.equal(youngerDone.reason.retryable, true);
  await app.run(async () => {
    assert.deepEqual([await db.select(Left).count(), await db.select(Right).count()], [1, 1]);
  });
});

test("two transactions of the engines' Kysely that wait for each other are seen as well", async (t) => {
  // One gives up long before the other.
  const left = (await counter(t, { poolTimeout: "500ms" })).engine;
  const right = (await counter(t, { poolTimeout: "60s" })).engine;
  const both = (first: typeof left, second: typeof left) =>
    first.kysely.transaction().execute(async (transaction) => {
      await sql`update counter set n = n + 1`.execute(transaction);
      await delay(5);
      await second.kysely.transaction().execute((inner) => sql`update counter set n = n + 1`.execute(inner));
    });
  const outcomes = await Promise.allSettled([both(left, right), both(right, left)]);
  const failed = outcomes.filter(({ status }) => status === "rejected");
  // Nothing tells that the inner transaction belongs to the outer one, so both may wait until their time is up.
  assert.ok(failed.length <= 1);
});

test("many sessions that take two files in any order all come to an end", async (t) => {
  const db = new Multibind<"left" | "right">();
  class Left extends db.model("left_thing", { id: integer().primaryKey(), n: integer() }, { bindKey: "left" }) {}
  class Right extends db.model("right_thing", { id: integer().primaryKey(), n: integer() }, { bindKey: "right" }) {}
  const app = db.init({ binds: { left: await freshDatabase(t, "sqlite"), right: await freshDatabase(t, "sqlite") } });
  t.after(() => app.dispose());
  await app.createAll();
  let retries = 0;
  await Promise.all(
    Array.from({ length: 40 }, async (_, n) => {
      for (;;) {
        try {
          await app.transaction(async () => {
            db.session.add(n % 2 === 0 ? new Left({ n }) : new Right({ n }));
            await db.session.flush();
            if (n % 3 === 0) await delay(1);
            db.session.add(n % 2 === 0 ? new Right({ n }) : new Left({ n }));
          });
          return;
        } catch (error) {
          assert.ok(error instanceof DeadlockError, String(error));
          retries++;
        }
      }
    }),
  );
  await app.run(async () => {
    assert.deepEqual([await db.select(Left).count(), await db.select(Right).count()], [40, 40]);
  });
  assert.ok(retries < 10_000);
});

test("a table that is being read cannot be dropped by its own reader, and the answer comes at once", async (t) => {
  const { engine } = oneBind(t, { url: "sqlite://" });
  const statement = (text: string) => engine.compileQuery(sql.raw(text).compile(engine.kysely).query);
  const connection = await engine.connect({ use: "write" });
  await connection.execute(statement("create table t (n integer)"));
  await connection.execute(statement("insert into t values (1), (2), (3)"));
  await assert.rejects(
    async () => {
      for await (const _ of connection.stream(statement("select n from t"), 1))
        await connection.execute(statement("drop table t"));
    },
    { bindKey: "auth" },
  );
  await connection.execute(statement("drop table t"));
  await connection.release();
});

/** Runs something that does not belong to what is around it. */
function outside<T>(run: () => Promise<T>): Promise<T> {
  return executionContext.exit(run);
}
