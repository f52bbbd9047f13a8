import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import mariadb, { type Connection } from "mariadb";
import { type EngineOptions, Multibind, sql } from "../../src/index.ts";
import { balancer } from "../fixtures/balancer.ts";
import { onMysql, onPostgres } from "../fixtures/databases.ts";
import { mariadbServer } from "../fixtures/mariadb-server.ts";
import { databaseForPooler, haproxy, pgbouncer, pgpool } from "../fixtures/poolers.ts";

const ENOUGH = new Error("the client has gone");

async function until(check: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 20_000; !(await check()); await delay(10)) assert.ok(Date.now() < deadline);
}

/** A connection that its server counts as number `id`, or none if it is past that. */
async function connectionNumber(id: number, url: string): Promise<Connection> {
  const { hostname: host, port } = new URL(url);
  for (;;) {
    const connection = await mariadb.createConnection({ host, port: Number(port), user: "root" });
    if (connection.threadId === id) return connection;
    await connection.end();
    assert.ok(connection.threadId! < id, `${connection.threadId} comes before ${id}`);
  }
}

const sleeps = (url: string) =>
  onMysql("select id from information_schema.processlist where info like 'select sleep%'", url);

test("an abort behind a balancer ends no statement of another client on another server", async (t) => {
  const servers = await Promise.all([mariadbServer(t), mariadbServer(t)]);
  const url = await balancer(
    t,
    servers.map((server) => server.url),
  );
  const [first, second] = servers;
  // The first one's numbers are ahead, so that a connection to the second can still get the same.
  for (let burnt = 0; burnt < 100; burnt++) await onMysql("do 0", first.url);
  // Each gets a connection in turn.
  for (let port = 0; port !== Number(new URL(second.url).port); ) {
    const [last] = await onMysql("select @@port as port", url);
    port = Number(last!["port"]);
  }
  await using app = new Multibind().init({ databaseUri: url });
  const session = app.session();
  const controller = new AbortController();
  const running = session.execute(sql`select sleep(120)`, { readOnly: true, signal: controller.signal });
  const failed = assert.rejects(running, ENOUGH);
  await until(async () => (await sleeps(first.url)).length + (await sleeps(second.url)).length > 0);
  const [own] = await sleeps(first.url);
  assert.ok(own !== undefined);

  const other = await connectionNumber(Number(own["id"]), second.url);
  const victim = other.query("select sleep(120) as slept");
  await until(async () => (await sleeps(second.url)).length > 0);
  controller.abort(ENOUGH);
  await failed;
  assert.equal((await sleeps(second.url)).length, 1, "the other client's statement runs on");
  assert.equal(app.engine.status().idle, 0, "the connection is given up");

  other.destroy();
  await victim.catch(() => {});
  await session.execute(sql`select 1`, { readOnly: true });
  await session.close();
});

test("an abort behind a balancer that leads to the same server ends the statement, and the connection lives on", async (t) => {
  const server = await mariadbServer(t);
  await using app = new Multibind().init({ databaseUri: await balancer(t, [server.url]) });
  await using session = app.session();
  const controller = new AbortController();
  const running = session.execute(sql`select sleep(120)`, { readOnly: true, signal: controller.signal });
  const failed = assert.rejects(running, ENOUGH);
  await until(async () => (await sleeps(server.url)).length > 0);
  controller.abort(ENOUGH);
  await failed;
  assert.deepEqual(await sleeps(server.url), []);
  assert.equal(app.engine.status().idle, 1);
});

type Between = (t: TestContext, url: string) => Promise<{ readonly url: string }>;

const BETWEEN: Readonly<Record<string, Between>> = {
  "PgBouncer in session mode": (t, url) => pgbouncer(t, url, "session"),
  "PgBouncer in transaction mode": (t, url) => pgbouncer(t, url, "transaction"),
  "Pgpool-II": (t, url) => pgpool(t, url),
  HAProxy: (t, url) => haproxy(t, url),
};

for (const [program, between] of Object.entries(BETWEEN)) {
  for (const options of [{}, { preparedStatements: false }] satisfies EngineOptions[]) {
    const how = "preparedStatements" in options ? ", without prepared statements" : "";
    test(`an abort through ${program} ends the statement, and the connection lives on${how}`, async (t) => {
      const url = await databaseForPooler(t);
      await using app = new Multibind().init({ databaseUri: (await between(t, url)).url, engineOptions: options });
      await using session = app.session();
      const sleeping = async () => {
        const [row] = await onPostgres(
          "select count(*)::int as n from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()",
          url,
        );
        return row!["n"] as number;
      };
      for (let round = 0; round < 3; round++) {
        const controller = new AbortController();
        const running = session.execute(sql`select pg_sleep(120)`, { readOnly: true, signal: controller.signal });
        const failed = assert.rejects(running, ENOUGH);
        await until(async () => (await sleeping()) > 0);
        controller.abort(ENOUGH);
        await failed;
        assert.equal(await sleeping(), 0);
        // A connection that is given up for not being sure would not be there.
        assert.equal(app.engine.status().idle, 1);
        for (let n = 0; n < 20; n++) await session.execute(sql`select ${n}::int`, { readOnly: true });
      }
    });
  }
}
