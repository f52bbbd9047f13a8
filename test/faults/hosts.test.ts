import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { DatabaseConnectionError, type Engine, InvalidUrlError, Multibind, sql } from "../../src/index.ts";
import { onPostgres } from "../fixtures/databases.ts";
import { postgresServer } from "../fixtures/postgres-server.ts";

async function portOf(engine: Engine): Promise<string> {
  const { rows } = await sql<{ port: string }>`select current_setting('port') as port`.execute(engine.kysely);
  return rows[0]!.port;
}

test("target_session_attrs says which of several hosts will do, also after a failover", async (t) => {
  const primary = await postgresServer(t);
  const standby = await postgresServer(t, {}, primary);
  const [one, two] = [primary.url, standby.url].map((url) => new URL(url).port) as [string, string];
  const to = async (target: string, hosts: readonly string[], options = {}): Promise<string> => {
    const places = hosts.map((port) => `127.0.0.1:${port}`).join(",");
    const databaseUri = `postgresql://postgres@${places}/postgres?target_session_attrs=${target}`;
    await using app = new Multibind().init({ databaseUri, engineOptions: options });
    return await portOf(app.engine);
  };
  assert.equal(await to("any", [two, one]), two);
  assert.equal(await to("read-write", [two, one]), one);
  assert.equal(await to("primary", [two, one]), one);
  assert.equal(await to("read-only", [one, two]), two);
  assert.equal(await to("standby", [one, two]), two);
  assert.equal(await to("prefer-standby", [one, two]), two);
  assert.equal(await to("prefer-standby", [one]), one);
  assert.equal(await to("read-write", [two, one], { readOnly: true }), one);
  await assert.rejects(to("read-write", [two]), (error: unknown) => {
    assert.ok(error instanceof DatabaseConnectionError, String(error));
    assert.match(
      error.message,
      /The server is a standby, and target_session_attrs wants "read-write" \(the default bind/,
    );
    return true;
  });
  await primary.kill();
  await onPostgres("select pg_promote()", standby.url);
  assert.equal(await to("read-write", [one, two]), two);
  await assert.rejects(to("standby", [one, two]), DatabaseConnectionError);
});

test("a host that does not answer does not take the time of the others", async (t) => {
  const [silent, server] = [await postgresServer(t), await postgresServer(t)];
  silent.freeze();
  const hosts = [silent, server].map(({ url }) => new URL(url).host).join(",");
  await using app = new Multibind().init({
    databaseUri: `postgresql://postgres@${hosts}/postgres`,
    engineOptions: { poolTimeout: 5 },
  });
  assert.equal(await portOf(app.engine), new URL(server.url).port);
});

test("a host that does not answer has the time of one connection, however many ways to connect there are", async (t) => {
  const sockets = new Set<Socket>();
  const silent = createServer((socket) => sockets.add(socket)).listen(0, "127.0.0.1");
  await once(silent, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    silent.close();
  });
  const { port } = silent.address() as AddressInfo;
  await using app = new Multibind().init({
    databaseUri: `postgresql://postgres@127.0.0.1:${port}/main?sslmode=prefer&target_session_attrs=prefer-standby`,
    engineOptions: { poolTimeout: 0.5 },
  });
  await using session = app.session();
  await assert.rejects(session.execute(sql`select 1`, { readOnly: true }), DatabaseConnectionError);
  assert.equal(sockets.size, 1);
});

test("a target_session_attrs that there is not is refused in init", () => {
  assert.throws(
    () => new Multibind().init({ databaseUri: "postgresql://a,b/main?target_session_attrs=writable" }),
    (error: unknown) => error instanceof InvalidUrlError && /read-write/.test(error.message),
  );
});
