import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import {
  DatabaseConnectionError,
  DatabaseTimeoutError,
  type Engine,
  type EngineOptions,
  Multibind,
  SelfDeadlockError,
  sql,
  UnsupportedError,
} from "../../src/index.ts";
import { freshDatabase, onMysql, onPostgres } from "../fixtures/databases.ts";
import { oneBind } from "../fixtures/one-bind.ts";
import { until } from "../fixtures/until.ts";

/** What the tests say in the words of each server. */
const SERVERS = {
  postgres: {
    id: sql<{ id: number }>`select pg_backend_pid() as id`,
    kill: (url: string, id: unknown) => onPostgres(`select pg_terminate_backend(${Number(id)})`, url),
    countOf: async (url: string) =>
      (
        await onPostgres(
          "select count(*)::int as n from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
          url,
        )
      )[0]!["n"],
    sleep: (seconds: number) => sql.raw(`select pg_sleep(${seconds})`),
    sleeping: async (url: string) => {
      const list = "select pid from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()";
      return (await onPostgres(list, url)).length;
    },
    isolation: sql<{ level: string }>`select current_setting('transaction_isolation') as level`,
    write: sql`create table t (id int)`,
  },
  mysql: {
    id: sql<{ id: number }>`select connection_id() as id`,
    kill: (url: string, id: unknown) => onMysql(`kill ${Number(id)}`, url),
    countOf: async (url: string) =>
      Number(
        (
          await onMysql(
            "select count(*) as n from information_schema.processlist where db = database() and id <> connection_id()",
            url,
          )
        )[0]!["n"],
      ),
    sleep: (seconds: number) => sql.raw(`select sleep(${seconds})`),
    sleeping: async (url: string) => {
      const list = "select id from information_schema.processlist where state = 'User sleep' and db = database()";
      return (await onMysql(list, url)).length;
    },
    isolation: sql<{ level: string }>`select lower(replace(@@tx_isolation, '-', ' ')) as level`,
    write: sql`delete from mysql.help_topic where help_topic_id < 0`,
  },
} as const;

type Server = keyof typeof SERVERS;

async function engineOn(
  t: TestContext,
  server: Server,
  options: EngineOptions = {},
): Promise<{ engine: Engine; url: string }> {
  const url = await freshDatabase(t, server);
  return { engine: oneBind(t, { url, ...options }).engine, url };
}

async function idOf(engine: Engine, server: Server): Promise<number> {
  const { rows } = await SERVERS[server].id.execute(engine.kysely);
  return Number(rows[0]!.id);
}

for (const server of ["postgres", "mysql"] as const) {
  const { kill, countOf, sleep, sleeping, isolation, write } = SERVERS[server];

  test(`connections are opened as they are needed, and never more than poolSize (${server})`, async (t) => {
    const { engine, url } = await engineOn(t, server, { poolSize: 3 });
    assert.equal(await countOf(url), 0);
    await sql`select 1`.execute(engine.kysely);
    assert.equal(await countOf(url), 1);
    await Promise.all(Array.from({ length: 50 }, () => sleep(0.002).execute(engine.kysely)));
    assert.equal(await countOf(url), 3);
    assert.deepEqual(engine.status(), { size: 3, inUse: 0, idle: 3, waiting: 0 });
  });

  test(`a statement that gets no connection within poolTimeout ends with a DatabaseTimeoutError that counts (${server})`, async (t) => {
    const { engine } = await engineOn(t, server, { poolSize: 1, poolTimeout: "200ms" });
    // Connecting has the same time, which a busy machine may need longer for.
    await until(() => idOf(engine, server).then(Boolean, () => false));
    const { promise: isOver, resolve: end } = Promise.withResolvers<void>();
    const busy = engine.kysely.connection().execute(() => isOver);
    await assert.rejects(sql`select 1`.execute(engine.kysely), (error: unknown) => {
      assert.ok(error instanceof DatabaseTimeoutError, String(error));
      assert.match(
        error.message,
        /No connection of bind "auth" came free within 0\.2 seconds: 1 of 1 in use, 1 waiting/,
      );
      return true;
    });
    end();
    await busy;
  });

  test(`a connection older than poolRecycle is replaced before its next use (${server})`, async (t) => {
    const { engine, url } = await engineOn(t, server, { poolRecycle: "30ms" });
    const first = await idOf(engine, server);
    await delay(40);
    assert.notEqual(await idOf(engine, server), first);
    await until(async () => (await countOf(url)) === 1);
  });

  test(`a connection without poolRecycle is kept (${server})`, async (t) => {
    const { engine } = await engineOn(t, server);
    assert.equal(await idOf(engine, server), await idOf(engine, server));
  });

  test(`with poolPrePing no caller notices that the server has ended an idle connection (${server})`, async (t) => {
    const { engine, url } = await engineOn(t, server, { poolPrePing: true });
    const first = await idOf(engine, server);
    await kill(url, first);
    const second = await idOf(engine, server);
    assert.notEqual(second, first);
    assert.deepEqual(engine.status(), { size: 10, inUse: 0, idle: 1, waiting: 0 });
  });

  test(`a connection whose end was noticed while it was idle is not used again (${server})`, async (t) => {
    const { engine, url } = await engineOn(t, server);
    await kill(url, await idOf(engine, server));
    await until(async () => (await countOf(url)) === 0);
    // The server has closed its end; the news is on its way to this process.
    await delay(50);
    await idOf(engine, server);
  });

  test(`a connection that ends under a statement gives a DatabaseConnectionError, and is not used again (${server})`, async (t) => {
    const { engine, url } = await engineOn(t, server, { poolSize: 1 });
    const first = await idOf(engine, server);
    const running = assert.rejects(sleep(300).execute(engine.kysely), (error: unknown) => {
      assert.ok(error instanceof DatabaseConnectionError, String(error));
      assert.equal(error.bindKey, "auth");
      return true;
    });
    await until(async () => (await sleeping(url)) === 1);
    await kill(url, first);
    await running;
    assert.notEqual(await idOf(engine, server), first);
  });

  test(`a connection that ends within a transaction is not used again either (${server})`, async (t) => {
    const { engine, url } = await engineOn(t, server, { poolSize: 1 });
    let first = 0;
    await assert.rejects(
      engine.kysely.transaction().execute(async (transaction) => {
        first = Number((await SERVERS[server].id.execute(transaction)).rows[0]!.id);
        await kill(url, first);
        await until(async () => (await countOf(url)) === 0);
        await sql`select 1`.execute(transaction);
      }),
      DatabaseConnectionError,
    );
    assert.notEqual(await idOf(engine, server), first);
    assert.equal(engine.status().inUse, 0);
  });

  test(`a statement longer than statementTimeout ends with a DatabaseTimeoutError, and the connection lives on (${server})`, async (t) => {
    const { engine } = await engineOn(t, server, { statementTimeout: "500ms", poolSize: 1 });
    const first = await idOf(engine, server);
    await assert.rejects(slow(server).execute(engine.kysely), (error: unknown) => {
      assert.ok(error instanceof DatabaseTimeoutError, String(error));
      assert.equal(error.bindKey, "auth");
      return true;
    });
    assert.equal(await idOf(engine, server), first);
  });

  test(`a statement within statementTimeout is not ended (${server})`, async (t) => {
    const { engine } = await engineOn(t, server, { statementTimeout: "60s" });
    await sleep(0.01).execute(engine.kysely);
  });

  for (const level of ["serializable", "repeatable read", "read committed", "read uncommitted"] as const) {
    test(`isolationLevel is that of every transaction: ${level} (${server})`, async (t) => {
      const { engine } = await engineOn(t, server, { isolationLevel: level });
      const { rows } = await engine.kysely.transaction().execute((transaction) => isolation.execute(transaction));
      assert.equal(rows[0]!.level, level);
    });
  }

  test(`a transaction may ask for an isolation level of its own, which the next one does not have (${server})`, async (t) => {
    const { engine } = await engineOn(t, server, { isolationLevel: "read committed", poolSize: 1 });
    const [ask, own] = [engine.kysely.transaction(), engine.kysely.transaction().setIsolationLevel("serializable")];
    if (server === "postgres") {
      assert.equal((await own.execute((transaction) => isolation.execute(transaction))).rows[0]!.level, "serializable");
    } else {
      // MariaDB tells only the session's level; that the transaction had its own is seen from what is sent.
      const sent: string[] = [];
      engine.onStatement(({ sql: text }) => sent.push(text));
      await own.execute(async (transaction) => sql`select 1`.execute(transaction));
    }
    assert.equal((await ask.execute((transaction) => isolation.execute(transaction))).rows[0]!.level, "read committed");
  });

  test(`with readOnly the connection itself refuses what SQL text writes (${server})`, async (t) => {
    const { engine } = await engineOn(t, server, { readOnly: true });
    await assert.rejects(write.execute(engine.kysely), { code: "OPERATIONAL", bindKey: "auth" });
    await assert.rejects(
      engine.kysely.transaction().execute((transaction) => write.execute(transaction)),
      { code: "OPERATIONAL" },
    );
    await sql`select 1`.execute(engine.kysely);
  });

  test(`with readOnly no transaction can be begun that writes (${server})`, async (t) => {
    const { engine } = await engineOn(t, server, { readOnly: true });
    await assert.rejects(
      engine.kysely
        .transaction()
        .setAccessMode("read write")
        .execute((transaction) => write.execute(transaction)),
      UnsupportedError,
    );
    assert.equal(engine.status().inUse, 0);
  });

  test(`a disposed engine closes its connections, and connects again at the next statement (${server})`, async (t) => {
    const { engine, url } = await engineOn(t, server);
    const first = await idOf(engine, server);
    await engine.dispose();
    await until(async () => (await countOf(url)) === 0);
    assert.deepEqual(engine.status(), { size: 10, inUse: 0, idle: 0, waiting: 0 });
    assert.notEqual(await idOf(engine, server), first);
  });

  test(`an engine that is disposed during a statement lets that end, and closes its connection then (${server})`, async (t) => {
    const { engine, url } = await engineOn(t, server);
    await idOf(engine, server);
    const running = sleep(0.5).execute(engine.kysely);
    await until(async () => (await sleeping(url)) === 1);
    await engine.dispose();
    await running;
    await until(async () => (await countOf(url)) === 0);
  });

  test(`a disposed application closes every connection, and its engines connect no more (${server})`, async (t) => {
    const url = await freshDatabase(t, server);
    const app = new Multibind().init({ databaseUri: url, binds: { same: url } });
    await Promise.all([...app.engines].map(([, engine]) => idOf(engine, server)));
    assert.equal(await countOf(url), 2);
    await app.dispose();
    await until(async () => (await countOf(url)) === 0);
    await assert.rejects(idOf(app.engine, server), { code: "OPERATIONAL", message: /disposed/ });
  });

  test(`an application is disposed at the end of its block with \`await using\` (${server})`, async (t) => {
    const url = await freshDatabase(t, server);
    {
      await using app = new Multibind().init({ databaseUri: url });
      await idOf(app.engine, server);
      await using engine = app.engine;
      assert.equal(engine.status().idle, 1);
    }
    await until(async () => (await countOf(url)) === 0);
  });

  test(`driverOptions go to the driver as they are (${server})`, async (t) => {
    const driverOptions =
      server === "postgres" ? { application_name: "shop" } : { sessionVariables: { wait_timeout: 1234 } };
    const { engine } = await engineOn(t, server, { driverOptions });
    const asked =
      server === "postgres"
        ? sql<{ v: unknown }>`select current_setting('application_name') as v`
        : sql<{ v: unknown }>`select @@wait_timeout as v`;
    const { rows } = await asked.execute(engine.kysely);
    assert.equal(String(rows[0]!.v), server === "postgres" ? "shop" : "1234");
  });

  test(`the driver's module may be handed over, as a namespace or as its default export (${server})`, async (t) => {
    const url = await freshDatabase(t, server);
    const module = (await (server === "postgres" ? import("pg") : import("mariadb"))) as { readonly default: object };
    for (const driver of [module, module.default]) {
      const { engine } = oneBind(t, { url, driver });
      await idOf(engine, server);
    }
  });

  test(`a raw transaction that is left open does not reach the next user of the connection (${server})`, async (t) => {
    const { engine } = await engineOn(t, server, { poolSize: 1 });
    await sql`create table kept (id int)`.execute(engine.kysely);
    await sql`begin`.execute(engine.kysely);
    const sent = await engine.kysely.transaction().execute(async (transaction) => {
      await sql`insert into kept values (1)`.execute(transaction);
      return 1;
    });
    assert.equal(sent, 1);
    const { rows } = await sql<{ n: unknown }>`select count(*) as n from kept`.execute(engine.kysely);
    assert.equal(Number(rows[0]!.n), 1);
  });

  test(`a transaction whose rollback fails leaves no connection in it behind (${server})`, async (t) => {
    const { engine } = await engineOn(t, server, { poolSize: 1 });
    await sql`create table kept (id int)`.execute(engine.kysely);
    const stop = engine.onStatement(({ sql: text }) => {
      if (text === "rollback") throw new Error("not now");
    });
    await assert.rejects(
      engine.kysely.transaction().execute(async (transaction) => {
        await sql`insert into kept values (1)`.execute(transaction);
        throw new Error("change of mind");
      }),
    );
    stop();
    assert.deepEqual(engine.status(), { size: 1, inUse: 0, idle: 0, waiting: 0 });
    const { rows } = await sql<{ n: unknown }>`select count(*) as n from kept`.execute(engine.kysely);
    assert.equal(Number(rows[0]!.n), 0);
  });

  test(`several hosts are tried in their order (${server})`, async (t) => {
    const [scheme, rest] = (await freshDatabase(t, server)).split("@");
    const { engine } = oneBind(t, { url: `${scheme}@127.0.0.1:1,${rest}`, poolTimeout: 5 });
    await idOf(engine, server);
  });

  test(`a pool of one that the outer work holds is not waited for by the inner (${server})`, async (t) => {
    const { app } = oneBind(t, { url: await freshDatabase(t, server), poolSize: 1 });
    await using context = app.context();
    await context.run(async () => {
      await context.session.execute(write, { bindKey: "auth" });
      await assert.rejects(
        app.run(async () => {
          await using inner = app.session();
          await inner.execute(sql`select 1`, { bindKey: "auth" });
        }),
        (error: unknown) => {
          assert.ok(error instanceof SelfDeadlockError, String(error));
          assert.match(
            error.message,
            /session \d+ waits for itself: the one connection of bind "auth" is held by session \d+/,
          );
          return true;
        },
      );
    });
  });
}

function slow(server: Server) {
  if (server === "postgres") return sql`select pg_sleep(300)`;
  // MariaDB's sleep() does not fail but answers that it was interrupted.
  const ids = sql.raw("information_schema.collations");
  return sql`select sum(length(sha2(concat(a.id, b.id, c.id), 512))) from ${ids} a, ${ids} b, ${ids} c`;
}
