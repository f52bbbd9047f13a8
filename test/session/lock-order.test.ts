import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type Application, integer, keyOf, Multibind, type Session, varchar } from "../../src/index.ts";
import { sessionOf, start, threeUrls } from "../fixtures/matrix.ts";

type Keys = "auth" | "meta";

/** A model on each of three servers, whose commit order is auth, meta, default. */
function models() {
  const db = new Multibind<Keys>();
  const columns = { id: integer().primaryKey(), n: integer().default(0), other: integer().nullable() };
  class Auth extends db.model("lock_order_auth", columns, { bindKey: "auth" }) {}
  class Meta extends db.model("lock_order_meta", columns, { bindKey: "meta" }) {}
  class Main extends db.model("lock_order_main", columns) {}
  class Named extends db.model("lock_order_named", { id: integer().primaryKey(), name: varchar(20).unique() }) {}
  class Child extends db.model(
    "lock_order_child",
    { id: integer().primaryKey(), parentId: integer().references("lock_order_auth.id") },
    { bindKey: "auth" },
  ) {}
  return { db, Auth, Meta, Main, Named, Child };
}

type Models = ReturnType<typeof models>;

async function started(
  t: TestContext,
): Promise<Models & { readonly app: Application<Keys>; readonly session: Session<Keys> }> {
  const all = models();
  const app = await start(t, all.db, await threeUrls());
  const session = sessionOf(app);
  session.addAll([1, 2].flatMap(() => [new all.Auth({}), new all.Meta({}), new all.Main({})]));
  await session.commit();
  return { ...all, app, session };
}

/** When statements that write begin and end: `+update auth`, `-update auth`. */
function trace(app: Application<Keys>): string[] {
  const seen: string[] = [];
  for (const [bindKey, engine] of app.engines) {
    const note = (sign: string, sql: string) => {
      const verb = /^(insert|update|delete)/.exec(sql)?.[0];
      if (verb !== undefined) seen.push(`${sign}${verb} ${bindKey}`);
    };
    engine.onStatement(({ sql }) => note("+", sql));
    engine.onStatementFinished(({ sql }) => note("-", sql));
  }
  return seen;
}

/** Statements one after the other, each ended before the next begins. */
function inTurn(...statements: string[]): string[] {
  return statements.flatMap((statement) => [`+${statement}`, `-${statement}`]);
}

test("updates and deletes go bind by bind, in commit order", async (t) => {
  const { app, session, Auth, Meta, Main } = await started(t);
  const rows = await Promise.all([
    session.select(Main).orderBy("id").all(),
    session.select(Meta).orderBy("id").all(),
    session.select(Auth).orderBy("id").all(),
  ]);
  for (const [changed, deleted] of rows) {
    changed!.n = 5;
    session.delete(deleted!);
  }
  const seen = trace(app);
  await session.commit();
  const writes = [null, "auth", "meta"].map((key) => [`update ${key}`, `delete ${key}`]);
  assert.deepEqual(seen, inTurn(...writes[1]!, ...writes[2]!, ...writes[0]!));
});

test("inserts that meet no other transaction run side by side, also beside updates", async (t) => {
  const { app, session, Auth, Main } = await started(t);
  session.addAll([new Main({}), new Auth({})]);
  let seen = trace(app);
  await session.commit();
  assert.deepEqual(new Set(seen.slice(0, 2)), new Set(["+insert auth", "+insert null"]));

  (await session.getOne(Auth, 1)).n = 5;
  session.add(new Main({}));
  seen = trace(app);
  await session.commit();
  assert.deepEqual(new Set(seen.slice(0, 2)), new Set(["+update auth", "+insert null"]));
});

test("inserts that may wait for another transaction go in turn too", async (t) => {
  const { app, session, Auth, Main, Meta, Named, Child } = await started(t);
  session.addAll([new Named({ name: "a" }), new Child({ parentId: 1 })]);
  const seen = trace(app);
  await session.commit();
  assert.deepEqual(seen, inTurn("insert auth", "insert null"));

  session.addAll([new Main({ id: 9 }), new Meta({ id: 9 }), new Auth({ id: 9 })]);
  seen.length = 0;
  await session.commit();
  assert.deepEqual(seen, inTurn("insert auth", "insert meta", "insert null"));
});

test("a row that waits for a key of a later bind holds up nothing but what comes after it", async (t) => {
  const { app, session, Auth, Meta, Main } = await started(t);
  const added = new Main({});
  const [auth, meta, main] = [
    await session.getOne(Auth, 1),
    await session.getOne(Meta, 1),
    await session.getOne(Main, 1),
  ];
  // Main's update comes before its insert, so the first bind's update has to wait for both.
  Object.assign(auth, { other: keyOf(added) });
  meta.n = main.n = 7;
  session.add(added);
  const seen = trace(app);
  await session.commit();
  assert.deepEqual(seen, inTurn("update null", "insert null", "update auth", "update meta"));
  assert.deepEqual([auth.other, meta.n, main.n], [added.id, 7, 7]);
});

test("binds that wait for keys of each other never wait in a circle", async (t) => {
  const { app, session, Auth, Meta, Main } = await started(t);
  const rows = await Promise.all([
    session.select(Auth).orderBy("id").all(),
    session.select(Meta).orderBy("id").all(),
    session.select(Main).orderBy("id").all(),
  ]);
  const old = rows.map(([first]) => first!);
  const added = [new Auth({}), new Meta({}), new Main({})];
  for (const [index, entity] of old.entries()) Object.assign(entity, { other: keyOf(added[(index + 1) % 3]!) });
  for (const [, second] of rows) session.delete(second!);
  session.addAll(added);
  const seen = trace(app);
  await session.commit();
  assert.deepEqual(
    old.map(({ other }) => other),
    [1, 2, 0].map((index) => added[index]!.id),
  );
  assert.equal(seen.length, 18);
});

test("a long chain of keys from bind to bind is stored", async (t) => {
  const { session, Auth, Main } = await started(t);
  const chain: (InstanceType<typeof Auth> | InstanceType<typeof Main>)[] = [new Auth({})];
  for (let n = 1; n < 300; n++) {
    const Model = n % 2 === 0 ? Auth : Main;
    chain.push(new Model({ other: keyOf(chain[n - 1]!) }));
  }
  session.addAll(chain.toReversed());
  (await session.getOne(Auth, 1)).n = (await session.getOne(Main, 1)).n = 3;
  await session.commit();
  assert.deepEqual(
    chain.map(({ other }) => other),
    [null, ...chain.slice(0, -1).map(({ id }) => id)],
  );
});

test("a failure on one bind ends what waits for it on the others", async (t) => {
  const { app, session, Auth, Meta, Main } = await started(t);
  const [auth, meta] = [await session.getOne(Auth, 1), await session.getOne(Meta, 1)];
  const added = new Main({ other: keyOf(auth) });
  await app.engines.get("auth").kysely.deleteFrom(Auth).where("id", "=", 1).execute();
  auth.n = meta.n = 8;
  session.add(added);
  const seen = trace(app);
  await assert.rejects(session.commit(), { code: "STALE_DATA", entities: [auth] });
  assert.ok(!seen.includes("+update meta"), seen.join());
  await session.rollback();
  assert.equal((await session.getOne(Meta, 1)).n, 0);
});
