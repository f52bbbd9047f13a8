import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
  CrossBindError,
  DatabaseConnectionError,
  type FinishedStatementEvent,
  integer,
  json,
  Multibind,
  type StatementEvent,
  sql,
  timestamp,
  UnsupportedError,
  varchar,
} from "../../src/index.ts";
import { FAMILIES, freshDatabase } from "../fixtures/databases.ts";
import { oneBind } from "../fixtures/one-bind.ts";

const DOWN = {
  postgres: "postgresql://ada:hunter2@127.0.0.1:1/main",
  mysql: "mysql://ada:hunter2@127.0.0.1:1/main",
  sqlite: "sqlite:////does/not/exist/at/all.db",
} as const;

for (const family of FAMILIES) {
  test(`a bind that is down does not disturb the others, and its first use says which it is (${family})`, async (t) => {
    const db = new Multibind<"down" | "up">();
    const app = db.init({ binds: { down: DOWN[family], up: "sqlite://" } });
    t.after(() => app.dispose());
    const { engines } = app;
    await sql`select 1`.execute(engines.get("up").kysely);
    for (let attempt = 0; attempt < 2; attempt++) {
      await assert.rejects(sql`select 1`.execute(engines.get("down").kysely), (error: unknown) => {
        assert.ok(error instanceof DatabaseConnectionError, String(error));
        assert.equal(error.bindKey, "down");
        assert.ok(error.message.includes(`(bind "down", ${DOWN[family].replace("hunter2", "***")}`), error.message);
        assert.ok(error.cause instanceof Error);
        return true;
      });
    }
    await sql`select 1`.execute(engines.get("up").kysely);
    assert.equal(engines.get("down").status().inUse, 0);
  });

  test(`an engine whose database comes up later connects then (${family})`, async (t) => {
    const url = await freshDatabase(t, family);
    let isUp = false;
    const real: { readonly default: new (...given: never[]) => object; readonly createConnection?: unknown } =
      await driverOf(family);
    const driver = unreliable(real, () => isUp);
    const { engine } = oneBind(t, { url, driver });
    await assert.rejects(sql`select 1`.execute(engine.kysely), DatabaseConnectionError);
    isUp = true;
    await sql`select 1`.execute(engine.kysely);
  });

  test(`a listener sees each statement just before it is sent, and what it throws the statement throws (${family})`, async (t) => {
    const { engine } = oneBind(t, { url: await freshDatabase(t, family) });
    const seen: StatementEvent[] = [];
    const stop = engine.onStatement((event) => seen.push(event));
    await sql`select ${1} as a`.execute(engine.kysely);
    assert.equal(seen.length, 1);
    assert.equal(seen[0]!.bindKey, "auth");
    assert.match(seen[0]!.sql, /^select .* as a$/);
    assert.deepEqual(seen[0]!.parameters, [family === "sqlite" ? 1n : 1]);
    const refuse = engine.onStatement(() => {
      throw new Error("not this one");
    });
    await assert.rejects(sql`select 1`.execute(engine.kysely), /^Error: not this one$/);
    refuse();
    stop();
    await sql`select 1`.execute(engine.kysely);
    assert.equal(seen.length, 2);
  });

  test(`a listener sees how long each statement took, and its error (${family})`, async (t) => {
    const { engine } = oneBind(t, { url: await freshDatabase(t, family) });
    const seen: FinishedStatementEvent[] = [];
    const stop = engine.onStatementFinished((event) => seen.push(event));
    await sql`select 1`.execute(engine.kysely);
    const failed = await sql`select * from nowhere`.execute(engine.kysely).catch((error: unknown) => error);
    stop();
    await sql`select 1`.execute(engine.kysely);
    assert.equal(seen.length, 2);
    assert.ok(seen.every(({ duration }) => duration >= 0));
    assert.equal("error" in seen[0]!, false);
    assert.equal(seen[1]!.error, failed);
  });

  test(`the listeners see the beginning and end of transactions (${family})`, async (t) => {
    const { engine } = oneBind(t, { url: await freshDatabase(t, family) });
    const seen: string[] = [];
    engine.onStatement(({ sql: text }) => seen.push(text));
    await engine.kysely.transaction().execute((transaction) => sql`select 1`.execute(transaction));
    await assert.rejects(
      engine.kysely.transaction().execute(async () => {
        throw new Error("change of mind");
      }),
    );
    assert.deepEqual(seen, ["begin", "select 1", "commit", "begin", "rollback"]);
  });

  test(`a statement that was done stays done when a listener to finished ones fails (${family})`, async (t) => {
    const { engine } = oneBind(t, { url: await freshDatabase(t, family) });
    const warn = t.mock.method(process, "emitWarning", () => {});
    let calls = 0;
    const stop = engine.onStatementFinished(() => {
      calls++;
      throw new Error("the disk of the log is full");
    });
    await sql`create table t (id int)`.execute(engine.kysely);
    await engine.kysely.transaction().execute((transaction) => sql`insert into t values (1)`.execute(transaction));
    stop();
    const { rows } = await sql<{ n: unknown }>`select count(*) as n from t`.execute(engine.kysely);
    assert.equal(Number(rows[0]!.n), 1);
    assert.equal(calls, 4);
    assert.match(String(warn.mock.calls[0]?.arguments[0]), /bind "auth".*the disk of the log is full/);
  });

  test(`echo hands every finished statement to a function (${family})`, async (t) => {
    const seen: string[] = [];
    const { engine } = oneBind(t, {
      url: await freshDatabase(t, family),
      echo: ({ bindKey, sql: text }) => seen.push(`${bindKey}: ${text}`),
    });
    await sql`select 1`.execute(engine.kysely);
    assert.deepEqual(seen, ["auth: select 1"]);
  });

  test(`echo writes statements to the console, long values shortened (${family})`, async (t) => {
    const log = t.mock.method(console, "log", () => {});
    const { engine } = oneBind(t, { url: await freshDatabase(t, family), echo: true });
    const type = family === "postgres" ? sql`::text` : sql``;
    await sql`select ${"x".repeat(300)}${type} as a`.execute(engine.kysely);
    await assert.rejects(sql`select * from nowhere`.execute(engine.kysely));
    const lines = log.mock.calls.map(({ arguments: [line] }) => String(line));
    assert.match(lines[0]!, /^\[auth\] select .* as a \["x{200}…"\] \(\d+\.\d ms\)$/);
    assert.match(lines[1]!, /^\[auth\] select \* from nowhere \(\d+\.\d ms failed\)$/);
  });

  test(`the engine's Kysely takes models for tables and converts values, each statement for itself (${family})`, async (t) => {
    const { app, engine, User, at } = await users(t, family);
    const rows = await engine.kysely.selectFrom(User).selectAll().execute();
    assert.deepEqual(rows, [{ id: 1, name: "ada", at, data: { tags: ["a"] } }]);
    await engine.kysely
      .updateTable(User)
      .set({ at: new Date(0) })
      .where("at", "=", at)
      .execute();
    assert.deepEqual(await engine.kysely.selectFrom(User).select("at").where("name", "=", "ada").execute(), [
      { at: new Date(0) },
    ]);
    assert.equal(engine.status().inUse, 0);
    await app.dispose();
  });

  test(`a transaction of the engine's Kysely is committed, or rolled back with what it did (${family})`, async (t) => {
    const { engine, User } = await users(t, family);
    await engine.kysely
      .transaction()
      .execute((transaction) => transaction.updateTable(User).set({ name: "bob" }).execute());
    await assert.rejects(
      engine.kysely.transaction().execute(async (transaction) => {
        await transaction.deleteFrom(User).execute();
        throw new Error("change of mind");
      }),
      /change of mind/,
    );
    assert.deepEqual(await engine.kysely.selectFrom(User).select("name").execute(), [{ name: "bob" }]);
  });

  test(`a controlled transaction of the engine's Kysely has savepoints (${family})`, async (t) => {
    const { engine, User } = await users(t, family);
    const transaction = await engine.kysely.startTransaction().execute();
    await transaction.updateTable(User.table).set({ name: "bob" }).execute();
    const saved = await transaction.savepoint("before").execute();
    await saved.deleteFrom(User.table).execute();
    await saved.rollbackToSavepoint("before").execute();
    await transaction.commit().execute();
    assert.deepEqual(await engine.kysely.selectFrom(User).select("name").execute(), [{ name: "bob" }]);
    assert.equal(engine.status().inUse, 0);
  });

  test(`the engine's Kysely streams, outside of a transaction and in one, and may be left early (${family})`, async (t) => {
    const { engine, User } = await users(t, family);
    const typed = engine.kysely.withTables<{ user: { id?: number; name: string; at: Date; data: unknown } }>();
    await typed
      .insertInto("user")
      .values(
        Array.from({ length: 250 }, (_, index) => ({ name: `user ${index}`, at: new Date(index), data: { index } })),
      )
      .execute();
    const read: unknown[] = [];
    for await (const { at } of engine.kysely.selectFrom(User).select("at").orderBy("id").stream(100)) read.push(at);
    assert.equal(read.length, 251);
    assert.deepEqual(read.at(-1), new Date(249));
    for await (const { name } of engine.kysely.selectFrom(User).select("name").orderBy("id").stream(10))
      if (name === "user 20") break;
    await engine.kysely.transaction().execute(async (transaction) => {
      const names: string[] = [];
      for await (const { name } of transaction.selectFrom(User).select("name").orderBy("id").stream(100))
        names.push(name);
      assert.equal(names.length, 251);
      await transaction.deleteFrom(User).where("id", "<=", 200).execute();
      for await (const _ of transaction.selectFrom(User).select("name").stream(10)) break;
      await transaction.deleteFrom(User).execute();
    });
    assert.deepEqual(await engine.kysely.selectFrom(User).selectAll().execute(), []);
    assert.equal(engine.status().inUse, 0);
  });

  test(`a stream of the engine's Kysely that fails gives the same error as a statement (${family})`, async (t) => {
    const { engine } = oneBind(t, { url: await freshDatabase(t, family) });
    const typed = engine.kysely.withTables<{ nowhere: { id: number } }>();
    await assert.rejects(
      async () => {
        for await (const _ of typed.selectFrom("nowhere").selectAll().stream()) assert.fail("there is nothing");
      },
      { code: "PROGRAMMING", bindKey: "auth" },
    );
    assert.equal(engine.status().inUse, 0);
    await sql`select 1`.execute(engine.kysely);
  });

  test(`a table of another bind does not run on the engine's Kysely, wherever it stands (${family})`, async (t) => {
    const db = new Multibind<"auth" | "other">();
    class Thing extends db.model("thing", { id: integer().primaryKey() }, { bindKey: "auth" }) {}
    class Other extends db.model("thing", { id: integer().primaryKey() }, { bindKey: "other" }) {}
    const app = db.init({ binds: { auth: await freshDatabase(t, family), other: "sqlite://" } });
    t.after(() => app.dispose());
    const { kysely } = app.engines.get("auth");
    const sent: StatementEvent[] = [];
    app.engines.get("auth").onStatement((event) => sent.push(event));
    const refused = [
      () => kysely.selectFrom(Other).selectAll().execute(),
      () => kysely.deleteFrom(Other).execute(),
      () =>
        kysely.selectFrom(Thing).selectAll("thing").where("id", "in", kysely.selectFrom(Other).select("id")).execute(),
      () => sql`select * from ${Other.table}`.execute(kysely),
    ];
    for (const statement of refused) await assert.rejects(async () => statement(), CrossBindError);
    assert.deepEqual(sent, []);
  });

  test(`with readOnly a statement that writes is refused before it is sent (${family})`, async (t) => {
    const { User, db, url } = await users(t, family);
    const app = db.init({ binds: { auth: { url, readOnly: true } } });
    t.after(() => app.dispose());
    const engine = app.engines.get("auth");
    const sent: StatementEvent[] = [];
    engine.onStatement((event) => sent.push(event));
    await assert.rejects(async () => engine.kysely.updateTable(User).set({ name: "bob" }).execute(), UnsupportedError);
    await assert.rejects(async () => engine.kysely.deleteFrom(User).execute(), UnsupportedError);
    await app.run(async () => {
      await assert.rejects(
        async () => db.insertInto(User).values({ name: "bob", at: new Date(), data: 1 }).execute(),
        UnsupportedError,
      );
      db.session.add(new User({ name: "bob", at: new Date(), data: 1 }));
      await assert.rejects(db.session.commit(), UnsupportedError);
      await db.session.rollback();
    });
    assert.deepEqual(sent, []);
    assert.equal((await engine.kysely.selectFrom(User).selectAll().execute()).length, 1);
  });
}

test("an engine shows itself without its password", (t) => {
  const { engine } = oneBind(t, { url: "mysql://ada:hunter2@h/users" });
  assert.equal(String(engine), 'Engine(bind "auth", mysql://ada:***@h/users?charset=utf8mb4)');
});

test("an engine's options have every default filled in, and times in milliseconds", (t) => {
  const { engine } = oneBind(t, { url: "mysql://h/users", poolTimeout: "2s", driverOptions: { password: "hunter2" } });
  const { url, ...others } = engine.options;
  assert.equal(url, engine.url);
  assert.deepEqual(others, {
    family: "mysql",
    poolSize: 10,
    poolTimeout: 2000,
    poolRecycle: 7_200_000,
    poolPrePing: false,
    echo: false,
    log: undefined,
    isolationLevel: undefined,
    statementTimeout: undefined,
    lockTimeout: 10_000,
    preparedStatements: undefined,
    networkTimeout: 30_000,
    readOnly: false,
    managed: true,
    required: true,
    showValues: false,
  });
});

async function users(t: TestContext, family: (typeof FAMILIES)[number]) {
  const db = new Multibind<"auth">();
  class User extends db.model(
    "user",
    { id: integer().primaryKey(), name: varchar(80), at: timestamp(), data: json() },
    { bindKey: "auth" },
  ) {}
  const url = await freshDatabase(t, family);
  const app = db.init({ binds: { auth: url } });
  t.after(() => app.dispose());
  await app.createAll();
  const at = new Date("2026-01-31T12:00:00.123Z");
  await app.transaction(() => db.session.add(new User({ name: "ada", at, data: { tags: ["a"] } })));
  return { db, app, engine: app.engines.get("auth"), User, at, url };
}

async function driverOf(family: (typeof FAMILIES)[number]) {
  const module: unknown = await (family === "postgres"
    ? import("pg")
    : family === "mysql"
      ? import("mariadb")
      : import("better-sqlite3"));
  // The three modules have nothing in common but their default export.
  return module as { readonly default: new (...given: never[]) => object };
}

/** A driver's module whose connections fail until `isUp`. */
function unreliable(module: { readonly default: object }, isUp: () => boolean): unknown {
  const down = () => {
    if (!isUp()) throw Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
  };
  return new Proxy(module.default, {
    construct(target, given) {
      down();
      return Reflect.construct(target as new (...all: unknown[]) => object, given);
    },
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (name === "Client") return unreliable({ default: member as object }, isUp);
      if (name !== "createConnection") return member;
      return async (...given: unknown[]) => {
        down();
        return (member as (...all: unknown[]) => unknown)(...given);
      };
    },
  });
}
