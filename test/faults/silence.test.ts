import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, type TestContext, test } from "node:test";
import {
  type Application,
  DatabaseConnectionError,
  type EngineOptions,
  FailedTransactionError,
  type FamilyName,
  integer,
  Multibind,
  PartialCommitError,
  type Session,
  SessionClosedError,
  select,
  sql,
} from "../../src/index.ts";
import { freshDatabase } from "../fixtures/databases.ts";
import { isServerMissing } from "../fixtures/missing-servers.ts";
import { type TcpProxy, tcpProxy } from "../fixtures/tcp-proxy.ts";

const SHORT: EngineOptions = { poolTimeout: 5, networkTimeout: 1 };
const isLinux = process.platform === "linux";
const ENOUGH = new Error("the client has gone");

const db = new Multibind();
class Counter extends db.model("counter", { id: integer().primaryKey(), n: integer() }) {}

const all = db.prepare(() => select(Counter));

/** Far more than the options allow, in the time of a test whose time is its own. */
const LONG = 600_000;

/** Lets no time pass but the time that the test says: what has to happen, happens on the slowest machine. */
function stopTime(t: TestContext): void {
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** What an outcome is, in time: lets time pass until it is there. The network is silent meanwhile. */
async function inTime<T>(t: TestContext, awaited: Promise<T>): Promise<T> {
  let isOver = false;
  const over = awaited.finally(() => {
    isOver = true;
  });
  over.catch(() => {});
  await turn();
  for (let passed = 0; !isOver; passed += 100) {
    assert.ok(passed < LONG, "It took too long.");
    t.mock.timers.tick(100);
    await turn();
  }
  return over;
}

/** Starts work that lets the network fall silent at some point. Returns what gives its outcome, once it has. */
async function whenHeld<T>(proxy: TcpProxy, start: (hold: () => void) => Promise<T>): Promise<() => Promise<T>> {
  const { promise: isHeld, resolve } = Promise.withResolvers<void>();
  const working = start(() => {
    proxy.hold();
    resolve();
  });
  await Promise.race([isHeld, working]);
  return () => working;
}

/** Waits until a statement is about to be sent. */
function nextStatement(app: Application): Promise<void> {
  return new Promise<void>((resolve) => {
    const stop = app.engine.onStatement(() => {
      stop();
      resolve();
    });
  });
}

const isUnknown = (error: unknown) => error instanceof PartialCommitError && error.unknown.length === 1;

for (const family of ["postgres", "mysql"] satisfies FamilyName[]) {
  describe(`a network that falls silent (${family})`, { skip: isServerMissing(family) }, () => {
    async function behindProxy(
      t: TestContext,
      options: EngineOptions = SHORT,
    ): Promise<{ app: Application; proxy: TcpProxy; session: Session }> {
      stopTime(t);
      const url = await freshDatabase(t, family);
      const proxy = await tcpProxy(t, url);
      const app = db.init({ databaseUri: proxy.url, engineOptions: options });
      await app.createAll();
      const session = app.session();
      await session.insertInto(Counter).values({ id: 1, n: 1 }).execute();
      await session.commit();
      t.after(async () => {
        proxy.restore();
        await session.close();
        await app.dispose();
      });
      return { app, proxy, session };
    }

    test("a connection is not made, within poolTimeout", async (t) => {
      stopTime(t);
      const proxy = await tcpProxy(t, await freshDatabase(t, family));
      proxy.hold();
      await using app = db.init({ databaseUri: proxy.url, engineOptions: SHORT });
      await using session = app.session();
      await inTime(t, assert.rejects(session.select(Counter).all(), DatabaseConnectionError));
      await inTime(t, assert.rejects(app.createAll()));
    });

    const statements: Readonly<Record<string, (session: Session, app: Application) => Promise<unknown>>> = {
      "a select": (session) => session.select(Counter).all(),
      "SQL text": (session) => session.execute(sql`select 1`),
      "a read by key": (session) => session.get(Counter, 7),
      "an engine's statement": (_, app) => app.engine.kysely.selectFrom(Counter).selectAll().execute(),
      "an engine's transaction": (_, app) =>
        app.engine.kysely.transaction().execute((trx) => sql`select 1`.execute(trx)),
      "a flush": (session) => {
        session.add(new Counter({ id: 2, n: 2 }));
        return session.flush();
      },
      "many rows": (session) => {
        session.addAll([2, 3, 4].map((id) => new Counter({ id, n: 2 })));
        return session.flush();
      },
      "a bulk update": (session) => session.select(Counter).update({ n: 5 }),
      "the first rows of a stream": (session) => session.select(Counter).stream().next(),
      "an engine's stream": (_, app) =>
        app.engine.kysely.selectFrom(Counter).selectAll().stream(1)[Symbol.asyncIterator]().next(),
      "a prepared select": (session) => all.on(session).all({}),
      createAll: (_, app) => app.createAll(),
      "a transaction": (session) => session.transaction((tx) => tx.select(Counter).all()),
      "a context's transaction": (_, app) => app.transaction(() => db.select(Counter).all()),
    };
    for (const [what, run] of Object.entries(statements)) {
      test(`${what} ends, and costs the connection`, async (t) => {
        const { app, proxy, session } = await behindProxy(t);
        proxy.hold();
        await inTime(t, assert.rejects(run(session, app), /did not answer|cannot be reached/));
        await inTime(t, session.rollback());
        assert.equal(app.engine.status().inUse, 0);
        assert.equal(app.engine.status().idle, 0);
        proxy.restore();
        assert.equal(await session.select(Counter).count(), 1);
      });
    }

    test("a statement that takes long on a server that answers goes on", async (t) => {
      const { session } = await behindProxy(t, { networkTimeout: 1 });
      t.mock.timers.reset();
      const long = family === "postgres" ? sql`select pg_sleep(4) as slept` : sql`select sleep(4) as slept`;
      assert.equal((await session.execute(long)).rows.length, 1);
    });

    test("a commit's outcome is unknown, and so is that of the one statement of a commit", async (t) => {
      const { app, proxy, session } = await behindProxy(t);
      await session.insertInto(Counter).values({ id: 2, n: 2 }).execute();
      proxy.hold();
      await inTime(t, assert.rejects(session.commit(), isUnknown));
      proxy.restore();
      await session.select(Counter).all();
      session.add(new Counter({ n: 3 }));
      proxy.hold();
      await inTime(t, assert.rejects(session.commit(), isUnknown));
      assert.equal(app.engine.status().inUse, 0);
    });

    test("a rollback, a savepoint's too, and the end of a session or context give the connection up", async (t) => {
      const { app, proxy, session } = await behindProxy(t, { ...SHORT, networkTimeout: 0 });
      const open = async (other: Session) => {
        proxy.restore();
        await other.insertInto(Counter).values({ id: 2, n: 2 }).execute();
      };
      await open(session);
      proxy.hold();
      await inTime(t, session.rollback());
      assert.equal(app.engine.status().inUse, 0);

      await open(session);
      const nested = await session.beginNested();
      await session.insertInto(Counter).values({ id: 3, n: 3 }).execute();
      proxy.hold();
      await inTime(t, assert.rejects(nested.rollback(), DatabaseConnectionError));
      await assert.rejects(session.select(Counter).all(), FailedTransactionError);
      await inTime(t, session.rollback());
      assert.equal(app.engine.status().inUse, 0);

      const closed = app.session();
      await open(closed);
      proxy.hold();
      await inTime(t, closed.close());
      assert.equal(app.engine.status().inUse, 0);

      proxy.restore();
      const failing = whenHeld(proxy, (hold) =>
        app.transaction(async () => {
          await open(db.session);
          hold();
          throw ENOUGH;
        }),
      );
      await inTime(t, assert.rejects((await failing)(), ENOUGH));
      assert.equal(app.engine.status().inUse, 0);

      proxy.restore();
      const kysely = whenHeld(proxy, (hold) =>
        app.engine.kysely.transaction().execute(async (trx) => {
          await sql`update counter set n = 7`.execute(trx);
          hold();
          throw ENOUGH;
        }),
      );
      await inTime(t, assert.rejects((await kysely)(), ENOUGH));
      assert.equal(app.engine.status().inUse, 0);
      proxy.restore();
      assert.deepEqual(await session.select(Counter).pluck("n"), [1]);
    });

    test("a stream is left, and a session closed, while the next rows do not come", async (t) => {
      const { app, proxy, session } = await behindProxy(t, { ...SHORT, networkTimeout: 0 });
      await session
        .insertInto(Counter)
        .values(Array.from({ length: 1000 }, (_, n) => ({ id: n + 10, n })))
        .execute();
      await session.commit();
      for (const way of ["break", "close"]) {
        const reading = app.session();
        const rows = reading.select(Counter).stream({ chunkSize: 5 });
        await rows.next();
        proxy.hold();
        await inTime(t, way === "break" ? rows.return!().then(() => {}) : reading.close());
        await inTime(t, reading.close());
        assert.equal(app.engine.status().inUse, 0);
        proxy.restore();
      }
    });

    test("a session that is closed ends a statement, a flush and a commit that go on", async (t) => {
      const { app, proxy } = await behindProxy(t, { ...SHORT, networkTimeout: 0 });
      const ways: readonly [(session: Session) => Promise<unknown>, (error: unknown) => boolean][] = [
        [(session) => session.select(Counter).all(), (error) => error instanceof SessionClosedError],
        [
          (session) => {
            session.addAll([2, 3].map((id) => new Counter({ id, n: 2 })));
            return session.flush();
          },
          (error) => error instanceof DatabaseConnectionError,
        ],
        [(session) => session.commit(), isUnknown],
      ];
      for (const [run, isRight] of ways) {
        const session = app.session();
        await session.insertInto(Counter).values({ id: 9, n: 9 }).execute();
        proxy.hold();
        const isSent = nextStatement(app);
        const running = assert.rejects(run(session), isRight);
        await isSent;
        await inTime(t, session.close());
        await inTime(t, running);
        assert.equal(app.engine.status().inUse, 0);
        proxy.restore();
      }
    });

    test("an application is disposed, whatever its contexts wait for", async (t) => {
      const { app, proxy } = await behindProxy(t, { ...SHORT, networkTimeout: 0 });
      const context = app.context();
      await context.run(() => db.insertInto(Counter).values({ id: 2, n: 2 }).execute());
      const committing = app.context();
      await committing.run(() => db.insertInto(Counter).values({ id: 3, n: 3 }).execute());
      proxy.hold();
      const commit = assert.rejects(
        committing.run(() => db.session.commit()),
        isUnknown,
      );
      await inTime(t, app.dispose());
      await inTime(t, commit);
    });

    test("an abort ends the wait for a statement, and for a commit, whose outcome is unknown then", async (t) => {
      const { app, proxy, session } = await behindProxy(t, { ...SHORT, networkTimeout: 0 });
      proxy.hold();
      const early = new AbortController();
      const isSent = nextStatement(app);
      const waiting = assert.rejects(session.execute(sql`select 1`, { signal: early.signal }), ENOUGH);
      await isSent;
      early.abort(ENOUGH);
      await inTime(t, waiting);
      assert.equal(app.engine.status().inUse, 0);

      const commits: readonly ((tx: Session) => Promise<unknown>)[] = [
        (tx) => tx.insertInto(Counter).values({ id: 2, n: 2 }).execute(),
        async (tx) => tx.add(new Counter({ id: 3, n: 3 })),
      ];
      for (const work of commits) {
        proxy.restore();
        await session.select(Counter).all();
        const controller = new AbortController();
        const running = await whenHeld(proxy, (hold) =>
          session.transaction(
            async (tx) => {
              await work(tx as Session);
              await tx.flush();
              hold();
              void nextStatement(app).then(() => controller.abort(ENOUGH));
            },
            { signal: controller.signal },
          ),
        );
        await inTime(t, assert.rejects(running(), isUnknown));
        assert.equal(app.engine.status().inUse, 0);
      }
    });

    test("a commit of one statement whose answer does not come is unknown after an abort", async (t) => {
      const { app, proxy } = await behindProxy(t, { ...SHORT, networkTimeout: 0 });
      const controller = new AbortController();
      const session = app.session({ signal: controller.signal });
      session.add(new Counter({ n: 2 }));
      proxy.hold();
      const isSent = nextStatement(app);
      const committing = assert.rejects(session.commit(), isUnknown);
      await isSent;
      controller.abort(ENOUGH);
      await inTime(t, committing);
      await session.close();
    });

    test("poolPrePing gives up what does not answer, and the next connection is not to be had in time", async (t) => {
      const { app, proxy, session } = await behindProxy(t, { ...SHORT, networkTimeout: 0, poolPrePing: true });
      proxy.hold();
      await inTime(t, assert.rejects(session.select(Counter).all(), DatabaseConnectionError));
      proxy.restore();
      assert.equal(await session.select(Counter).count(), 1);
      assert.equal(app.engine.status().inUse, 0);
    });

    test("all that is bounded by default, without any option", async (t) => {
      const pass = async (milliseconds: number) => {
        t.mock.timers.tick(milliseconds);
        await turn();
      };
      const { app, proxy, session } = await behindProxy(t, {});
      assert.deepEqual([app.engine.options.networkTimeout, app.engine.options.poolTimeout], [30_000, 30_000]);
      let isOver = false;
      const over = () => {
        isOver = true;
      };

      proxy.hold();
      const statement = assert.rejects(session.select(Counter).all(), /said nothing for 30 seconds/).then(over);
      await turn();
      for (let passed = 0; passed < 30_000; passed += 5_000) await pass(5_000);
      assert.equal(isOver, false, "it is not given up before");
      for (let tries = 0; !isOver && tries < 20; tries++) await pass(5_000);
      await statement;

      proxy.restore();
      await session.insertInto(Counter).values({ id: 2, n: 2 }).execute();
      proxy.hold();
      isOver = false;
      const rollback = session.rollback().then(over);
      await turn();
      await pass(29_000);
      assert.equal(isOver, false, "nor is this");
      await pass(1_000);
      await rollback;

      proxy.restore();
      const context = app.context();
      await context.run(() => db.insertInto(Counter).values({ id: 3, n: 3 }).execute());
      proxy.hold();
      const disposal = app.dispose();
      await turn();
      await pass(30_000);
      await disposal;
      t.mock.timers.reset();
    });

    test("the system asks after 30 seconds whether a connection stands", { skip: !isLinux }, async (t) => {
      const { proxy } = await behindProxy(t, {});
      const port = Number(new URL(proxy.url).port).toString(16).toUpperCase().padStart(4, "0");
      const sockets = (await readFile("/proc/net/tcp", "utf8")).split("\n").map((line) => line.trim().split(/\s+/));
      const timers = sockets
        .filter(([, , to, state]) => to === `0100007F:${port}` && state === "01")
        .map((row) => row[5]!);
      assert.ok(timers.length > 0);
      for (const timer of timers) {
        const [kind, hundredths] = timer.split(":");
        assert.equal(kind, "02", "a keep-alive");
        assert.ok(Number.parseInt(hundredths!, 16) <= 3_000, timer);
      }
    });
  });
}
