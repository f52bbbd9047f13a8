import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { type TestContext, test } from "node:test";
import { DatabaseConnectionError, InvalidOptionError, Multibind, sql, UnboundExecutionError } from "../../src/index.ts";
import { FAMILIES, freshDatabase } from "../fixtures/databases.ts";

/** The URL of a server that takes connections and never says a word. */
async function silentServer(t: TestContext, scheme: string): Promise<string> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    t.after(() => socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return `${scheme}://ada:secret@127.0.0.1:${(server.address() as AddressInfo).port}/main`;
}

async function threeBinds(t: TestContext) {
  const db = new Multibind<"auth" | "meta">();
  const [databaseUrl, auth, meta] = await Promise.all(FAMILIES.map((family) => freshDatabase(t, family)));
  const binds = { auth: { url: auth!, poolSize: 1 }, meta: { url: meta!, poolSize: 1, required: false } };
  const app = db.init({ databaseUrl: databaseUrl!, binds });
  t.after(() => app.dispose());
  return { db, app };
}

test("ping asks the database of every bind", async (t) => {
  const { app } = await threeBinds(t);
  const health = await app.ping();
  assert.deepEqual([...health.keys()], ["auth", "meta", null]);
  for (const [, { ok, ms, error, pool }] of health) {
    assert.deepEqual({ ok, error }, { ok: true, error: undefined });
    assert.ok(ms > 0);
    assert.equal(pool.inUse, 0);
  }
  assert.deepEqual(
    [...health.values()].map(({ required }) => required),
    [true, false, true],
  );
});

test("ping waits for no connection of a pool that is empty, nor for a writer", async (t) => {
  const { app } = await threeBinds(t);
  const session = app.session();
  await session.begin();
  for (const bindKey of [null, "auth", "meta"] as const) {
    await session.execute(sql`select 1`, { bindKey });
  }
  assert.deepEqual(
    [...(await app.ping({ timeout: "10s" })).values()].map(({ ok }) => ok),
    [true, true, true],
  );
  await session.close();
});

test("ping asks only the binds that are named", async (t) => {
  const { app } = await threeBinds(t);
  assert.deepEqual([...(await app.ping({ bindKey: null })).keys()], [null]);
  assert.deepEqual([...(await app.ping({ bindKey: ["meta", null] })).keys()], ["meta", null]);
});

for (const scheme of ["postgresql", "mysql"]) {
  test(`ping gives up a ${scheme} server that says nothing, and others answer`, async (t) => {
    const db = new Multibind<"auth">();
    const app = db.init({ databaseUrl: "sqlite://", binds: { auth: await silentServer(t, scheme) } });
    t.after(() => app.dispose());
    const health = await app.ping({ timeout: "300ms" });
    assert.equal(health.get(null)?.ok, true);
    const { ok, ms, error } = health.get("auth")!;
    assert.equal(ok, false);
    assert.ok(error instanceof DatabaseConnectionError, String(error));
    assert.equal(error.bindKey, "auth");
    assert.ok(!String(error.stack).includes("secret"));
    assert.ok(ms < 5000, `${ms} ms`);
  });
}

test("ping of a server that is down says why", async (t) => {
  const db = new Multibind();
  const app = db.init({ databaseUrl: "postgresql://ada:secret@127.0.0.1:1/main" });
  t.after(() => app.dispose());
  const { ok, error } = (await app.ping()).get(null)!;
  assert.equal(ok, false);
  assert.ok(error instanceof DatabaseConnectionError);
});

test("ping refuses options that it does not know, and keys without an engine", async (t) => {
  const { app } = await threeBinds(t);
  // @ts-expect-error there is no such option
  await assert.rejects(app.ping({ timout: 1 }), InvalidOptionError);
  await assert.rejects(app.ping({ timeout: 0 }), InvalidOptionError);
  await assert.rejects(app.ping({ timeout: "soon" }), InvalidOptionError);
  // @ts-expect-error there is no such bind key
  await assert.rejects(app.ping({ bindKey: "shop" }), UnboundExecutionError);
});

test("status counts the connections of every engine", async (t) => {
  const { app } = await threeBinds(t);
  const session = app.session();
  await session.begin();
  await session.execute(sql`select 1`, { bindKey: "auth" });
  const status = app.status();
  assert.deepEqual([...status.keys()], ["auth", "meta", null]);
  assert.equal(status.get("auth")?.inUse, 1);
  assert.equal(status.get("meta")?.inUse, 0);
  await session.close();
});
