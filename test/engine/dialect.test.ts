import assert from "node:assert/strict";
import { after, type TestContext, test } from "node:test";
import SqliteDatabase from "better-sqlite3";
import { type Dialect, PGliteDialect, PostgresDialect, SqliteDialect } from "kysely";
import pg from "pg";
import {
  bigint,
  binary,
  boolean,
  DatabaseConnectionError,
  date,
  enumeration,
  type FamilyName,
  float,
  integer,
  json,
  Multibind,
  numeric,
  SelfDeadlockError,
  smallint,
  sql,
  text,
  time,
  timestamp,
  UniqueViolationError,
  uuid,
  varchar,
} from "../../src/index.ts";
import { connectionString, freshDatabase } from "../fixtures/databases.ts";
import { openPGlite, PG_TYPES, PGLITE_PARSERS, type PGliteServer } from "../fixtures/dialects.ts";
import { oneBind } from "../fixtures/one-bind.ts";

let pglite: Promise<PGliteServer> | undefined;

after(async () => (await pglite)?.close());

/** A dialect on the one PGlite of these tests, emptied. It takes long to make, so it outlives the engines. */
async function pgliteDialect(): Promise<Dialect> {
  pglite ??= openPGlite({ parsers: PGLITE_PARSERS });
  const server = await pglite;
  await server.exec("drop schema public cascade; create schema public");
  const kept = new Proxy(server, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property);
      if (property === "close") return async () => {};
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
  return new PGliteDialect({ pglite: kept as never });
}

function poolOn(url: string): pg.Pool {
  const pool = new pg.Pool({ connectionString: connectionString(url), max: 20, types: PG_TYPES });
  // The database may be dropped before the pool is closed.
  pool.on("error", () => {});
  return pool;
}

/** Somebody else's dialects, by name. */
const DIALECTS: readonly (readonly [name: string, family: FamilyName, make: (t: TestContext) => Promise<Dialect>])[] = [
  ["PGlite", "postgres", pgliteDialect],
  [
    "Kysely's own for PostgreSQL",
    "postgres",
    async (t) => {
      const url = await freshDatabase(t, "postgres");
      return new PostgresDialect({ pool: async () => poolOn(url) });
    },
  ],
  [
    "Kysely's own for SQLite",
    "sqlite",
    async () => new SqliteDialect({ database: async () => new SqliteDatabase(":memory:") }),
  ],
];

for (const [name, family, make] of DIALECTS) {
  test(`a dialect is a bind's value: tables, session, transactions and savepoints (${name})`, async (t) => {
    const db = new Multibind<"auth">();
    class User extends db.model(
      "user",
      { id: integer().primaryKey(), name: varchar(80).unique() },
      { bindKey: "auth" },
    ) {}
    const app = db.init({ binds: { auth: { dialect: await make(t) } } });
    t.after(() => app.dispose());
    assert.equal(app.engines.get("auth").family.name, family);
    await app.createAll();
    await app.run(async () => {
      const ada = new User({ name: "ada" });
      db.session.add(ada);
      await db.session.commit();
      assert.equal(ada.id, 1);

      const nested = await db.session.beginNested();
      db.session.add(new User({ name: "bob" }));
      await db.session.flush();
      await nested.rollback();
      db.session.add(new User({ name: "eve" }));
      await db.session.commit();
      assert.deepEqual(
        (await db.select(User).orderBy("name").all()).map((user) => user.name),
        ["ada", "eve"],
      );

      db.session.add(new User({ name: "ada" }));
      await assert.rejects(db.session.commit(), UniqueViolationError);
      await db.session.rollback();
    });
    await app.run(async () => {
      assert.equal(await db.select(User).count(), 2);
    });
    await app.dropAll();
  });

  test(`values go through a dialect unharmed (${name})`, async (t) => {
    const db = new Multibind<"auth">();
    class Thing extends db.model(
      "thing",
      {
        id: bigint().primaryKey(),
        small: smallint(),
        big: bigint(),
        money: numeric(30, 10),
        ratio: float(),
        flag: boolean(),
        words: text(),
        day: date(),
        hour: time(),
        at: timestamp(),
        data: json(),
        bytes: binary(),
        key: uuid(),
        state: enumeration(["a", "b"]),
        nothing: date().nullable(),
      },
      { bindKey: "auth" },
    ) {}
    const app = db.init({ binds: { auth: { dialect: await make(t) } } });
    t.after(() => app.dispose());
    await app.createAll();
    const values = {
      id: 1n,
      small: -5,
      big: family === "sqlite" ? 2n ** 53n - 1n : 2n ** 63n - 1n,
      money: "-12345678901234567890.1234567890",
      ratio: 0.1,
      flag: true,
      words: "é😀'\\",
      day: "2024-02-29",
      hour: "23:59:59.999",
      at: new Date("2026-01-31T12:00:00.123Z"),
      data: { a: [1, null, "b"] },
      bytes: new Uint8Array([0, 255]),
      key: "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
      state: "b" as const,
      nothing: null,
    };
    await app.transaction(() => db.session.add(new Thing(values)));
    await app.run(async () => {
      assert.deepStrictEqual({ ...(await db.session.get(Thing, 1n)) }, values);
      assert.deepStrictEqual(await db.selectFrom(Thing).selectAll().execute(), [values]);
    });
  });

  test(`a dialect may be made by a function at the first connection, when the family is said (${name})`, async (t) => {
    const dialect = await make(t);
    let calls = 0;
    const made = async () => {
      calls++;
      return dialect;
    };
    const { engine } = oneBind(t, { dialect: made, family });
    assert.equal(calls, 0);
    await Promise.all([1, 2, 3].map(() => sql`select 1`.execute(engine.kysely)));
    assert.equal(calls, 1);
  });

  test(`the listeners see a dialect's statements too, and its errors name the bind (${name})`, async (t) => {
    const { engine } = oneBind(t, { dialect: await make(t) });
    const seen: string[] = [];
    engine.onStatement(({ sql: statement }) => seen.push(statement));
    await assert.rejects(sql`select * from nowhere`.execute(engine.kysely), {
      code: "PROGRAMMING",
      bindKey: "auth",
      message: /nowhere.*\(bind "auth"\)/,
    });
    assert.deepEqual(seen, ["select * from nowhere"]);
  });
}

test("a dialect with one connection is waited for in turn", async (t) => {
  const { engine } = oneBind(t, {
    dialect: new SqliteDialect({ database: async () => new SqliteDatabase(":memory:") }),
  });
  await sql`create table t (n integer)`.execute(engine.kysely);
  await sql`insert into t values (0)`.execute(engine.kysely);
  await Promise.all(
    Array.from({ length: 20 }, () =>
      engine.kysely.transaction().execute(async (transaction) => {
        const { rows } = await sql<{ n: number }>`select n from t`.execute(transaction);
        await new Promise((resolve) => setImmediate(resolve));
        await sql`update t set n = ${rows[0]!.n + 1}`.execute(transaction);
      }),
    ),
  );
  assert.deepEqual((await sql`select n from t`.execute(engine.kysely)).rows, [{ n: 20 }]);
  assert.equal(engine.status().size, 1);
});

test("a dialect's one connection that the outer work holds is not waited for by the inner", async (t) => {
  const { db, app } = oneBind(t, { dialect: await pgliteDialect() });
  await app.run(async () => {
    await db.session.execute(sql`create table t (id int)`, { bindKey: "auth" });
    await assert.rejects(
      app.run(() => db.session.execute(sql`select 1`, { bindKey: "auth" })),
      SelfDeadlockError,
    );
    await db.session.rollback();
  });
});

test("a dialect that cannot be made, or cannot connect, is tried again at the next statement", async (t) => {
  let isUp = false;
  const { engine } = oneBind(t, {
    family: "sqlite",
    dialect: () => {
      if (!isUp) throw Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
      return new SqliteDialect({ database: async () => new SqliteDatabase(":memory:") });
    },
  });
  const { engine: other } = oneBind(t, {
    dialect: new SqliteDialect({
      database: async () => {
        if (!isUp) throw Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
        return new SqliteDatabase(":memory:");
      },
    }),
  });
  for (const one of [engine, other]) await assert.rejects(sql`select 1`.execute(one.kysely), DatabaseConnectionError);
  isUp = true;
  for (const one of [engine, other]) await sql`select 1`.execute(one.kysely);
});

test("an engine whose dialect could not be made can be disposed", async () => {
  const app = new Multibind().init({
    databaseUri: null,
    engineOptions: {
      family: "sqlite",
      dialect: async () => {
        throw new Error("no");
      },
    },
  });
  const failing = assert.rejects(sql`select 1`.execute(app.engine.kysely));
  await app.dispose();
  await failing;
});

test("a dialect's transactions are begun with the isolation level and access of the options", async (t) => {
  const url = await freshDatabase(t, "postgres");
  const dialect = new PostgresDialect({ pool: async () => poolOn(url) });
  const { engine } = oneBind(t, { dialect, isolationLevel: "serializable", readOnly: true });
  const asked = sql<{
    level: string;
    access: string;
  }>`select current_setting('transaction_isolation') as level, current_setting('transaction_read_only') as access`;
  const { rows } = await engine.kysely.transaction().execute((transaction) => asked.execute(transaction));
  assert.deepEqual(rows, [{ level: "serializable", access: "on" }]);
});

test("poolSize limits how many connections of a dialect are used at once", async (t) => {
  const url = await freshDatabase(t, "postgres");
  const dialect = new PostgresDialect({ pool: async () => poolOn(url) });
  const { engine } = oneBind(t, { dialect, poolSize: 3 });
  let most = 0;
  await Promise.all(
    Array.from({ length: 30 }, async () => {
      await sql`select pg_sleep(0.002)`.execute(engine.kysely);
      most = Math.max(most, engine.status().inUse);
    }),
  );
  assert.ok(most <= 3);
});

test("a disposed engine ends its dialect, and makes a function's anew at the next statement", async (t) => {
  let made = 0;
  const { engine } = oneBind(t, {
    family: "sqlite",
    dialect: () => {
      made++;
      return new SqliteDialect({ database: async () => new SqliteDatabase(":memory:") });
    },
  });
  await sql`create table t (id int)`.execute(engine.kysely);
  await engine.dispose();
  await sql`create table t (id int)`.execute(engine.kysely);
  assert.equal(made, 2);
});

test("a function that makes no dialect is refused when it is called", async (t) => {
  const { engine } = oneBind(t, { family: "sqlite", dialect: () => undefined as unknown as Dialect });
  await assert.rejects(sql`select 1`.execute(engine.kysely), {
    name: "InvalidOptionError",
    message: /function in `dialect` of bind "auth" returned no Kysely dialect/,
  });
});
