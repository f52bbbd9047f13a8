import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { PostgresDialect } from "kysely";
import pg from "pg";
import {
  type Application,
  DatabaseTimeoutError,
  type Duration,
  type Engine,
  type FamilyName,
  InvalidOptionError,
  integer,
  LockTimeoutError,
  Multibind,
  OperationalError,
  type Session,
  type SessionOptions,
  sql,
} from "../../src/index.ts";
import { connectionString } from "../fixtures/databases.ts";
import { sessionOf, sharedDatabase, start } from "../fixtures/matrix.ts";
import { plainDatabase, preparingDatabase } from "../fixtures/preparing-servers.ts";

type Keys = "one" | "two";
const db = new Multibind<Keys>();
class One extends db.model("lock_one", { id: integer().primaryKey(), n: integer().default(0) }, { bindKey: "one" }) {}
class Two extends db.model("lock_two", { id: integer().primaryKey(), n: integer().default(0) }, { bindKey: "two" }) {}

type Pair = readonly [one: FamilyName, two: FamilyName];
const SERVERS: readonly Pair[] = [
  ["postgres", "postgres"],
  ["postgres", "mysql"],
  ["mysql", "postgres"],
  ["mysql", "mysql"],
];

interface Given {
  readonly lockTimeout?: Duration;
  readonly database?: (family: FamilyName) => Promise<string>;
}

/** Two binds, in which waits for locks end after one second, and each of which has one row. */
async function twoBinds(
  t: TestContext,
  [one, two]: Pair,
  { lockTimeout = 1, database = sharedDatabase }: Given = {},
): Promise<Application<Keys>> {
  const binds = {
    one: { url: await database(one), lockTimeout },
    two: { url: await database(two), lockTimeout },
  };
  const app = await start(t, db, { databaseUri: "sqlite://", binds });
  const session = sessionOf(app);
  session.addAll([new One({ id: 1 }), new Two({ id: 1 })]);
  await session.commit();
  return app;
}

function onEachPair(name: string, run: (t: TestContext, pair: Pair) => Promise<void>, pairs = SERVERS): void {
  for (const pair of pairs) test(`${name} (${pair.join(" and ")})`, (t) => run(t, pair));
}

const write = (session: Session<Keys>, Model: typeof One | typeof Two) =>
  session.execute(sql`update ${sql.table(Model.table.tableName)} set n = n + 1`, { bindKey: Model.table.bindKey! });
const writeOne = (session: Session<Keys>) => session.updateTable(One).set({ n: 1 }).where("id", "=", 1).execute();
const writeTwo = (session: Session<Keys>) => session.updateTable(Two).set({ n: 1 }).where("id", "=", 1).execute();

/** The bound of waits for locks on a bind, as the session's statements there see it. */
async function bound({ engines }: Application<Keys>, session: Session<Keys>, bindKey: Keys): Promise<string> {
  const query =
    engines.get(bindKey).family.name === "postgres"
      ? sql<{ value: string }>`select current_setting('lock_timeout') as value`
      : sql<{ value: string }>`select concat(@@innodb_lock_wait_timeout, ' ', @@lock_wait_timeout) as value`;
  const { rows } = await session.execute(query, { bindKey, readOnly: true });
  return rows[0]!.value;
}

const NO_BOUND = { postgres: "0", mysql: "50 86400", sqlite: "" } satisfies Record<FamilyName, string>;
const ONE_SECOND = { postgres: "1s", mysql: "1 1", sqlite: "" } satisfies Record<FamilyName, string>;

function isLockTimeout(error: unknown): boolean {
  assert.ok(
    error instanceof LockTimeoutError && error instanceof DatabaseTimeoutError && error instanceof OperationalError,
  );
  assert.deepEqual([error.code, error.retryable], ["LOCK_TIMEOUT", true]);
  assert.match(error.message, /another database.*lockTimeout.*run the transaction again/);
  return true;
}

onEachPair("waits end on the second bind that a transaction writes, and on the first", async (t, pair) => {
  const app = await twoBinds(t, pair);
  const [holder, session] = [sessionOf(app), sessionOf(app)];
  await writeTwo(holder);
  await writeOne(session);
  await assert.rejects(writeTwo(session), isLockTimeout);
  await assert.rejects(writeTwo(session), { code: "FAILED_TRANSACTION" });
  await assert.rejects(session.commit(), { code: "FAILED_TRANSACTION" });
  await session.rollback();
  await holder.rollback();

  await writeOne(holder);
  await writeTwo(session);
  await assert.rejects(writeOne(session), isLockTimeout);
  await session.rollback();
  await holder.rollback();
  await writeOne(session);
  await writeTwo(session);
  await session.commit();
});

onEachPair("entities that are flushed in several flushes cannot hang", async (t, pair) => {
  const app = await twoBinds(t, pair);
  const [left, right] = [sessionOf(app), sessionOf(app)];
  const [one, two] = [await left.getOne(One, 1), await left.getOne(Two, 1)];
  const [otherOne, otherTwo] = [await right.getOne(One, 1), await right.getOne(Two, 1)];
  one.n = 1;
  await left.flush();
  otherTwo.n = 2;
  await right.flush();
  two.n = 1;
  otherOne.n = 2;
  const outcomes = await Promise.allSettled([left.commit(), right.commit()]);
  const failed = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : []));
  assert.ok(failed.length > 0);
  for (const error of failed) isLockTimeout(error);
});

onEachPair("the bound is set for the transaction alone, from the second writing bind on", async (t, pair) => {
  const app = await twoBinds(t, pair);
  for (const end of ["commit", "rollback"] as const) {
    // One after the other they use the same connections.
    const session = sessionOf(app, { recordQueries: true });
    await session.begin();
    const bounds = async () => [await bound(app, session, "one"), await bound(app, session, "two")];
    const [none, second] = [pair.map((family) => NO_BOUND[family]), pair.map((family) => ONE_SECOND[family])];
    assert.deepEqual(await bounds(), none);
    await writeOne(session);
    await writeOne(session);
    assert.deepEqual(await bounds(), none);
    await writeTwo(session);
    assert.deepEqual(await bounds(), second);
    // Like begin and commit, what sets it is none of the application's queries.
    assert.deepEqual(
      session.recordedQueries.filter(({ sql }) => /set_config|least/.test(sql)),
      [],
    );
    await session[end]();
    await session.begin();
    assert.deepEqual(await bounds(), none);
    await session.close();
  }
});

onEachPair("a savepoint that is rolled back to does not end the bound", async (t, pair) => {
  const app = await twoBinds(t, pair);
  const session = sessionOf(app);
  await session.begin();
  await writeOne(session);
  const nested = await session.beginNested();
  await writeOne(session);
  await writeTwo(session);
  await nested.rollback();
  await writeOne(session);
  assert.equal(await bound(app, session, "one"), ONE_SECOND[pair[0]]);

  const holder = sessionOf(app);
  await writeTwo(holder);
  const second = await session.beginNested();
  await assert.rejects(writeTwo(session), isLockTimeout);
  await second.rollback();
  // The statement alone was taken back, and what came before can be committed.
  await session.commit();
  await holder.rollback();
  assert.equal((await holder.getOne(One, 1)).n, 1);
});

onEachPair("a shorter bound stays, and comes back", async (t, pair) => {
  const app = await twoBinds(t, pair, { lockTimeout: 30 });
  const session = sessionOf(app);
  const [family] = pair;
  const shorter = family === "postgres" ? "set local lock_timeout = '2s'" : "set innodb_lock_wait_timeout = 2";
  await session.begin();
  await session.execute(sql.raw(shorter), { bindKey: "one" });
  await writeOne(session);
  await writeTwo(session);
  assert.equal(await bound(app, session, "one"), family === "postgres" ? "2s" : "2 30");
  assert.equal(await bound(app, session, "two"), pair[1] === "postgres" ? "30s" : "30 30");
  await session.commit();
  await session.begin();
  assert.equal(await bound(app, session, "one"), family === "postgres" ? "0" : "2 86400");
});

onEachPair("no bound, by lockTimeout: 0 or where nothing is written", async (t, pair) => {
  const app = await twoBinds(t, pair, { lockTimeout: 0 });
  const session = sessionOf(app);
  await writeOne(session);
  await writeTwo(session);
  assert.equal(await bound(app, session, "one"), NO_BOUND[pair[0]]);
  await session.rollback();
  await session.begin({ readOnly: true });
  await session.select(One).all();
  await session.select(Two).all();
  assert.equal(await bound(app, session, "two"), NO_BOUND[pair[1]]);
});

onEachPair("in two-phase commits the bound holds, and goes with them", async (t, pair) => {
  const app = await twoBinds(t, pair, { database: preparingDatabase });
  const options: SessionOptions = { commitPolicy: "twoPhase" };
  const [holder, session] = [sessionOf(app), sessionOf(app, options)];
  await writeTwo(holder);
  await writeOne(session);
  await assert.rejects(writeTwo(session), isLockTimeout);
  await session.rollback();
  await holder.rollback();
  await writeOne(session);
  await writeTwo(session);
  assert.equal(await bound(app, session, "two"), ONE_SECOND[pair[1]]);
  await session.commit();
  await session.close();
  const later = sessionOf(app);
  await later.begin();
  assert.equal(await bound(app, later, "one"), NO_BOUND[pair[0]]);
  assert.equal(await bound(app, later, "two"), NO_BOUND[pair[1]]);
});

onEachPair("SQL text that only changes a setting can be the first of its transaction", async (t, pair) => {
  const app = await twoBinds(t, pair);
  const session = sessionOf(app);
  await writeOne(session);
  const [, family] = pair;
  if (family === "postgres")
    await session.execute(sql`set transaction isolation level serializable`, { bindKey: "two" });
  else await session.execute(sql`set @something = 1`, { bindKey: "two" });
  await writeTwo(session);
  assert.equal(await bound(app, session, "two"), ONE_SECOND[family]);
});

onEachPair(
  "the writer of a SQLite file is waited for as long, by a transaction that writes elsewhere",
  async (t, pair) => {
    const app = await twoBinds(t, pair, { lockTimeout: "200ms", database: plainDatabase });
    const [holder, session] = [sessionOf(app), sessionOf(app)];
    await writeTwo(holder);
    await writeOne(session);
    await assert.rejects(writeTwo(session), (error: unknown) => {
      assert.ok(error instanceof LockTimeoutError && error.retryable && error.bindKey === "two");
      assert.match(error.message, /another database.*run the transaction again/);
      return true;
    });
    await session.rollback();
    await holder.commit();
    await writeOne(session);
    await writeTwo(session);
    await session.commit();
  },
  [
    ["postgres", "sqlite"],
    ["mysql", "sqlite"],
    ["sqlite", "sqlite"],
  ],
);

onEachPair("transaction(fn, { retries }) begins anew after the wait", async (t, pair) => {
  const app = await twoBinds(t, pair);
  const [holder, session] = [sessionOf(app), sessionOf(app)];
  await write(holder, Two);
  let runs = 0;
  await session.transaction(
    async (tx) => {
      if (++runs === 2) await holder.commit();
      (await tx.getOne(One, 1)).n = 5;
      (await tx.getOne(Two, 1)).n = 5;
    },
    { retries: 1 },
  );
  assert.equal(runs, 2);
  assert.equal((await holder.getOne(Two, 1, { refresh: true })).n, 5);
});

test("a bind with a dialect has the bound too", async (t) => {
  const [url, other] = [await sharedDatabase("postgres"), await sharedDatabase("mysql")];
  const pool = new pg.Pool({ connectionString: connectionString(url) });
  const one = { dialect: new PostgresDialect({ pool }), lockTimeout: 1 };
  const app = await start(t, db, { databaseUri: "sqlite://", binds: { one, two: { url: other, lockTimeout: 1 } } });
  const session = sessionOf(app);
  session.addAll([new One({ id: 1 }), new Two({ id: 1 })]);
  await session.flush();
  assert.equal(await bound(app, session, "one"), ONE_SECOND.postgres);
  await session.rollback();
});

test("lockTimeout is a time, 10 seconds by default", () => {
  const options = (given: object): Engine["options"] =>
    new Multibind().init({ databaseUri: "sqlite://", engineOptions: given }).engines.get(null).options;
  assert.equal(options({}).lockTimeout, 10_000);
  assert.equal(options({ lockTimeout: "500ms" }).lockTimeout, 500);
  assert.equal(options({ lockTimeout: 0 }).lockTimeout, undefined);
  for (const lockTimeout of [-1, 10_000, "soon", Number.NaN])
    assert.throws(() => options({ lockTimeout }), InvalidOptionError);
});
