import assert from "node:assert/strict";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import { type Driver, PostgresAdapter, PostgresDialect } from "kysely";
import pg from "pg";
import { DatabaseTimeoutError, sql, UnsupportedError } from "../../../src/index.ts";
import { connectionString, freshDatabase, onPostgres } from "../../fixtures/databases.ts";
import { MYSQL_OPTIONS, mysqlDialect, PG_TYPES, pgDialect, sqliteDialect } from "../../fixtures/dialects.ts";
import { oneBind } from "../../fixtures/one-bind.ts";

async function poolOn(t: TestContext, options: pg.PoolConfig = {}): Promise<pg.Pool> {
  const pool = new pg.Pool({ connectionString: connectionString(await freshDatabase(t, "postgres")), ...options });
  // The database may be dropped before the pool is closed.
  pool.on("error", () => {});
  return pool;
}

test("poolTimeout bounds the wait for a dialect's own pool, and what comes late is given back", async (t) => {
  const pool = await poolOn(t, { max: 1, types: PG_TYPES });
  const { app, engine } = oneBind(t, { dialect: new PostgresDialect({ pool }), poolTimeout: "100ms" });
  const holder = app.session();
  await holder.execute(sql`select 1`, { bindKey: "auth" });
  await assert.rejects(sql`select 1`.execute(engine.kysely), (error) => {
    assert.ok(error instanceof DatabaseTimeoutError, `${error}`);
    assert.match(
      error.message,
      /PostgresDialect gave no connection of bind "auth" within 0\.1 seconds.*poolSize \(10\)/,
    );
    return true;
  });
  assert.equal(pool.waitingCount, 1);
  const released = once(pool, "release");
  await holder.close();
  await released;
  // The one that came late is free again.
  assert.equal((await sql`select 1 as one`.execute(engine.kysely)).rows.length, 1);
  assert.deepEqual([pool.totalCount, pool.waitingCount, engine.status().inUse], [1, 0, 0]);
});

test("an abort of the wait for a dialect's own pool gives back what comes late", async (t) => {
  const pool = await poolOn(t, { max: 1 });
  const { app, engine } = oneBind(t, { dialect: new PostgresDialect({ pool }) });
  const holder = app.session();
  await holder.execute(sql`select 1`, { bindKey: "auth" });
  const stop = new AbortController();
  const waiting = app.session();
  const refused = assert.rejects(
    waiting.execute(sql`select 1`, { bindKey: "auth", signal: stop.signal }),
    (error) => error === stop.signal.reason,
  );
  while (pool.waitingCount === 0) await new Promise((resolve) => setImmediate(resolve));
  stop.abort(new Error("enough"));
  await refused;
  await holder.close();
  assert.equal((await sql`select 1 as one`.execute(engine.kysely)).rows.length, 1);
  await waiting.close();
});

test("an abort ends a dialect's statement on the server (PostgreSQL)", async (t) => {
  const url = await freshDatabase(t, "postgres");
  const { app } = oneBind(t, { dialect: pgDialect(url, { max: 1 }) });
  await using session = app.session();
  const stop = new AbortController();
  const slept = session.execute(sql`select pg_sleep(3600)`, { bindKey: "auth", signal: stop.signal });
  const refused = assert.rejects(slept, (error) => error === stop.signal.reason);
  const sleepers =
    "select 1 from pg_stat_activity where query like 'select pg_sleep(3600)%' and state = 'active' and datname = current_database()";
  while ((await onPostgres(sleepers, url)).length === 0);
  stop.abort(new Error("enough"));
  await refused;
  assert.deepEqual(await onPostgres(sleepers, url), []);
  await session.rollback();
  assert.equal((await session.execute(sql`select 1`, { bindKey: "auth" })).rows.length, 1);
});

test("an abort ends a dialect's statement on the server (MariaDB)", async (t) => {
  const { app, engine } = oneBind(t, { dialect: mysqlDialect(await freshDatabase(t, "mysql"), MYSQL_OPTIONS) });
  await using session = app.session();
  const stop = new AbortController();
  const slept = session.execute(sql`select sleep(3600)`, { bindKey: "auth", signal: stop.signal });
  const refused = assert.rejects(slept, (error) => error === stop.signal.reason);
  const sleepers = sql`select id from information_schema.processlist where info = 'select sleep(3600)' and db = database()`;
  while ((await sleepers.execute(engine.kysely)).rows.length === 0);
  stop.abort(new Error("enough"));
  await refused;
  assert.deepEqual((await sleepers.execute(engine.kysely)).rows, []);
});

test("savepoints go as text where a dialect's driver has no methods for them", async (t) => {
  const dialect = sqliteDialect();
  const lacking = Object.assign(Object.create(dialect) as typeof dialect, {
    createDriver: () =>
      new Proxy(dialect.createDriver(), {
        get(driver, name) {
          if (["savepoint", "rollbackToSavepoint", "releaseSavepoint"].includes(String(name))) return undefined;
          const member: unknown = Reflect.get(driver, name);
          return typeof member === "function" ? member.bind(driver) : member;
        },
      }),
    createAdapter: () => dialect.createAdapter(),
    createQueryCompiler: () => dialect.createQueryCompiler(),
  });
  const { app } = oneBind(t, { dialect: lacking });
  await using session = app.session();
  const run = (text: string) => session.execute(sql.raw(text), { bindKey: "auth" });
  await run("create table t (n int)");
  const nested = await session.beginNested();
  await run("insert into t values (1)");
  await nested.rollback();
  const kept = await session.beginNested();
  await run("insert into t values (2)");
  await kept.commit();
  await session.commit();
  assert.deepEqual((await run("select n from t")).rows, [{ n: 2 }]);
});

test("what a dialect lacks is an UnsupportedError with the name of the dialect", async (t) => {
  class PlainDialect extends PostgresDialect {
    override createDriver(): Driver {
      const driver = super.createDriver();
      return Object.assign(Object.create(driver) as Driver, {
        init: () => driver.init(),
        acquireConnection: () => driver.acquireConnection(),
        releaseConnection: (one: Parameters<Driver["releaseConnection"]>[0]) => driver.releaseConnection(one),
        destroy: () => driver.destroy(),
        beginTransaction: async () => {
          throw new Error("Transactions are not supported yet.");
        },
      });
    }

    override createAdapter() {
      return new PostgresAdapter();
    }
  }
  const { engine } = oneBind(t, { dialect: new PlainDialect({ pool: await poolOn(t) }) });
  await assert.rejects(
    sql`select 1`.execute(engine.kysely),
    (error) => error instanceof UnsupportedError && /PlainDialect has no transactions/.test(error.message),
  );
  const { engine: withoutCursor } = oneBind(t, {
    dialect: new PostgresDialect({ pool: await poolOn(t) }),
  });
  await assert.rejects(
    async () => {
      for await (const _ of withoutCursor.kysely.selectNoFrom((eb) => eb.lit(1).as("one")).stream());
    },
    (error) => error instanceof UnsupportedError && /PostgresDialect cannot stream rows/.test(error.message),
  );
});
