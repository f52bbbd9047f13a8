import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import {
  type Application,
  DatabaseConnectionError,
  DatabaseTimeoutError,
  type EngineOptions,
  FailedTransactionError,
  integer,
  Multibind,
  PartialCommitError,
  type Session,
  sql,
} from "../../src/index.ts";
import { until } from "../fixtures/until.ts";
import { isMissing, type OwnServer, ownServer, SERVER_FAMILIES, type ServerFamily } from "./own-servers.ts";

const ENOUGH = new Error("the client has gone");

const db = new Multibind();
class Post extends db.model("post", { id: integer().primaryKey(), n: integer() }) {}

interface Place {
  readonly app: Application;
  readonly session: Session;
}

for (const family of SERVER_FAMILIES) {
  describe(`faults of a server (${family})`, { skip: isMissing(family) }, async () => {
    const server = await ownServer(family);

    async function start(t: TestContext, options: EngineOptions = {}): Promise<Place> {
      const app = db.init({ databaseUri: server.url, engineOptions: { poolTimeout: 10, ...options } });
      const session = app.session();
      t.after(async () => {
        server.process.thaw();
        await session.close().catch(() => {});
        await app.dispose();
      });
      await app.dropAll();
      await app.createAll();
      return { app, session };
    }

    test("a connection that is killed while it is idle has no effect", async (t) => {
      const { app, session } = await start(t);
      await server.kill(await idOf(session, family));
      await until(async () => (await server.connections()) === 0);
      for (let round = 0; round < 5; round++) assert.equal(await session.select(Post).count(), 0);
      assert.equal(app.engine.status().inUse, 0);
    });

    test("a connection that is killed under a statement is that statement's error, and the next one has another", async (t) => {
      const { app, session } = await start(t);
      const running = assert.rejects(session.execute(slow(family), { readOnly: true }), DatabaseConnectionError);
      await until(async () => (await server.running("select")) > 0);
      await endSlow(server, family);
      await running;
      assert.equal(await session.select(Post).count(), 0);
      assert.equal(app.engine.status().inUse, 0);
    });

    test("a connection that is killed within a transaction fails it; after a rollback the session goes on", async (t) => {
      const { app, session } = await start(t);
      session.add(new Post({ id: 1, n: 1 }));
      await session.flush();
      await server.kill(await idOf(session, family));
      await assert.rejects(session.execute(sql`select 1`), DatabaseConnectionError);
      await assert.rejects(session.execute(sql`select 1`), FailedTransactionError);
      await session.rollback();
      assert.equal(await session.select(Post).count(), 0);
      session.add(new Post({ id: 1, n: 2 }));
      await session.commit();
      assert.deepEqual(
        (await server.run("select n from post")).map(({ n }) => n),
        [2],
      );
      assert.equal(app.engine.status().inUse, 0);
    });

    test("a server that dies in a commit leaves its outcome unknown", async (t) => {
      const { app, session } = await start(t);
      session.add(new Post({ id: 1, n: 1 }));
      await session.flush();
      server.process.freeze();
      const isSent = new Promise<void>((resolve) => app.engine.onStatement(() => resolve()));
      const committing = session.commit().then(
        () => undefined,
        (error: unknown) => error,
      );
      await isSent;
      await server.process.kill();
      const error = await committing;
      assert.ok(error instanceof PartialCommitError, String(error));
      assert.deepEqual([error.unknown, error.committed, error.failed], [[null], [], []]);
      assert.ok(error.cause instanceof DatabaseConnectionError);
      await server.process.start();
      // Nobody was told, and the database is the one to ask.
      assert.ok([0, 1].includes(await session.select(Post).count()));
      assert.equal(app.engine.status().inUse, 0);
    });

    test("a server that is restarted under load: the next request works, and what was committed is there", async (t) => {
      const { app } = await start(t, { poolSize: 5 });
      let isUp = true;
      let next = 0;
      const stored: number[] = [];
      const failed: unknown[] = [];
      const clients = Array.from({ length: 10 }, async () => {
        while (isUp) {
          const id = ++next;
          await app
            .transaction(async () => {
              db.session.add(new Post({ id, n: 0 }));
            })
            .then(
              () => stored.push(id),
              (error: unknown) => failed.push(error),
            );
          await delay(1);
        }
      });
      await until(() => stored.length > 100);
      await server.process.restart();
      const before = stored.length;
      await app.run(async () => assert.ok((await db.select(Post).count()) >= before));
      await until(() => stored.length > before + 100);
      isUp = false;
      await Promise.all(clients);
      const there = new Set((await server.run("select id from post")).map(({ id }) => Number(id)));
      assert.deepEqual(
        stored.filter((id) => !there.has(id)),
        [],
      );
      for (const error of failed)
        assert.ok(error instanceof DatabaseConnectionError || error instanceof PartialCommitError, String(error));
      assert.equal(app.engine.status().inUse, 0);
    });

    test("with poolPrePing a half-open connection is found out within poolTimeout, and all others with it", async (t) => {
      const { app, session } = await start(t, { poolPrePing: true, poolTimeout: 3, poolSize: 8 });
      await Promise.all(
        Array.from({ length: 8 }, () => app.run(() => db.session.execute(brief(family), { readOnly: true }))),
      );
      const { idle } = app.engine.status();
      assert.ok(idle > 4);
      server.process.freeze();
      const before = performance.now();
      await assert.rejects(session.select(Post).count(), DatabaseConnectionError);
      assert.ok(
        performance.now() - before < (idle - 1) * 3_000,
        "the idle connections were not asked one after the other",
      );
      server.process.thaw();
      assert.equal(await session.select(Post).count(), 0);
    });

    test("with statementTimeout a server that falls silent is a DatabaseConnectionError, in a transaction too", async (t) => {
      const { app, session } = await start(t, { statementTimeout: 2, poolTimeout: 3 });
      session.add(new Post({ id: 1, n: 1 }));
      await session.flush();
      server.process.freeze();
      await assert.rejects(session.execute(sql`select 1`), DatabaseConnectionError);
      // There is nothing to say goodbye to.
      await session.rollback();
      assert.equal(app.engine.status().inUse, 0);
      server.process.thaw();
      assert.equal(await session.select(Post).count(), 0);
    });

    test("an abort gives back a connection whose server does not answer", async (t) => {
      const { app, session } = await start(t);
      await session.execute(sql`select 1`, { readOnly: true });
      server.process.freeze();
      const controller = new AbortController();
      const { signal } = controller;
      const stop = app.engine.onStatement(() => setImmediate(() => controller.abort(ENOUGH)));
      await assert.rejects(session.execute(sql`select 1`, { readOnly: true, signal }), ENOUGH);
      stop();
      assert.equal(app.engine.status().inUse, 0);
      server.process.thaw();
      assert.equal(await session.select(Post).count(), 0);
    });

    test("a statement longer than statementTimeout is ended on the server too", async (t) => {
      const { app, session } = await start(t, { statementTimeout: "500ms", poolSize: 1 });
      await assert.rejects(session.execute(busy(family), { readOnly: true }), DatabaseTimeoutError);
      assert.equal(await server.running("select"), 0);
      assert.deepEqual(app.engine.status(), { size: 1, inUse: 0, idle: 1, waiting: 0 });
    });

    test("more requests than connections wait in turn, and those that wait too long are told so", async (t) => {
      const { app: patient } = await start(t, { poolSize: 2 });
      const requests = (app: Application) =>
        Promise.allSettled(
          Array.from({ length: 12 }, () => app.run(() => db.session.execute(brief(family), { readOnly: true }))),
        );
      for (const { status } of await requests(patient)) assert.equal(status, "fulfilled");
      await patient.dispose();

      await using app = db.init({ databaseUri: server.url, engineOptions: { poolSize: 2, poolTimeout: "300ms" } });
      const { promise: isOver, resolve: end } = Promise.withResolvers<void>();
      const holders: Promise<unknown>[] = [];
      // Connecting has the same time, which a busy machine may need longer for.
      const take = () =>
        new Promise<boolean>((resolve) => {
          const hold = () => {
            resolve(true);
            return isOver;
          };
          holders.push(
            app.engine.kysely
              .connection()
              .execute(hold)
              .catch(() => resolve(false)),
          );
        });
      await until(take);
      await until(take);
      const refused = await requests(app);
      end();
      await Promise.all(holders);
      for (const outcome of refused) {
        assert.equal(outcome.status, "rejected");
        const { reason } = outcome as PromiseRejectedResult;
        assert.ok(reason instanceof DatabaseTimeoutError, String(reason));
        assert.match(reason.message, /the default bind came free within 0\.3 seconds: 2 of 2 in use, \d+ waiting/);
      }
      assert.equal(app.engine.status().waiting, 0);
      assert.ok((await server.connections()) <= 2);
    });
  });
}

async function idOf(session: Session, family: ServerFamily): Promise<number> {
  const statement = family === "postgres" ? sql`select pg_backend_pid() as id` : sql`select connection_id() as id`;
  const { rows } = await session.execute(statement, { readOnly: true });
  return Number((rows[0] as { readonly id: unknown }).id);
}

/** Takes half a minute, unless its connection ends. */
function slow(family: ServerFamily) {
  return family === "postgres" ? sql`select pg_sleep(30)` : sql`select sleep(30)`;
}

function brief(family: ServerFamily) {
  return family === "postgres" ? sql`select pg_sleep(0.1)` : sql`select sleep(0.1)`;
}

/** Takes long, and fails when it is ended: MariaDB's `sleep` only answers earlier. */
function busy(family: ServerFamily) {
  if (family === "postgres") return slow(family);
  const ids = sql.raw("information_schema.collations");
  return sql`select sum(length(sha2(concat(a.id, b.id, c.id), 512))) from ${ids} a, ${ids} b, ${ids} c`;
}

async function endSlow(server: OwnServer, family: ServerFamily): Promise<void> {
  const list =
    family === "postgres"
      ? "select pid as id from pg_stat_activity where query like 'select pg_sleep%' and pid <> pg_backend_pid()"
      : "select id from information_schema.processlist where info like 'select sleep%'";
  for (const { id } of await server.run(list)) await server.kill(Number(id));
}
