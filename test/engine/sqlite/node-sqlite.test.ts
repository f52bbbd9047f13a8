import assert from "node:assert/strict";
import * as nodeSqlite from "node:sqlite";
import { test } from "node:test";
import {
  DatabaseConnectionError,
  InvalidOptionError,
  integer,
  LockTimeoutError,
  Multibind,
  numeric,
  PrecisionError,
  ProgrammingError,
  sql,
} from "../../../src/index.ts";
import { freshDatabase } from "../../fixtures/databases.ts";
import { oneBind } from "../../fixtures/one-bind.ts";
import { tryWholeEngine } from "../../fixtures/whole-engine.ts";

const driver = nodeSqlite;

test("node:sqlite is a driver of SQLite: a file", async (t) => {
  await tryWholeEngine(t, { url: await freshDatabase(t, "sqlite"), driver }, { streams: true });
});

test("node:sqlite is a driver of SQLite: in memory", async (t) => {
  await tryWholeEngine(t, { url: "sqlite://", driver }, { streams: true });
});

test("both forms in which a module is imported are taken", async (t) => {
  for (const module of [nodeSqlite, { default: nodeSqlite }]) {
    const { engine } = oneBind(t, { url: "sqlite://", driver: module });
    assert.deepEqual((await sql`select 1 as one`.execute(engine.kysely)).rows, [{ one: 1 }]);
  }
});

test("a module that is neither better-sqlite3 nor node:sqlite is refused in init", () => {
  for (const module of [{}, { DatabaseSync: class {} }, { DatabaseSync: 1 }]) {
    assert.throws(
      () => new Multibind().init({ databaseUri: "sqlite://", engineOptions: { driver: module } }),
      (error) => error instanceof InvalidOptionError && /better-sqlite3.*node:sqlite/.test(error.message),
    );
  }
});

test("node:sqlite calculates with decimals exactly", async (t) => {
  const db = new Multibind();
  class Item extends db.model("item", { id: integer().primaryKey(), price: numeric(30, 10) }) {}
  const app = db.init({ databaseUri: "sqlite://", engineOptions: { driver } });
  t.after(() => app.dispose());
  await app.createAll();
  await app.run(async () => {
    db.session.addAll(["0.1000000000", "12345678901234567890.0000000002"].map((price) => new Item({ price })));
    await db.session.commit();
    const [row] = await db
      .selectFrom(Item)
      .select((eb) => [eb.fn.sum("price").as("sum"), eb.fn.max("price").as("most")])
      .execute();
    assert.equal(String(row!.sum), "12345678901234567890.1000000002");
    assert.equal(row!.most, "12345678901234567890.0000000002");
  });
});

test("node:sqlite gives integers beyond 2^53 exactly, and rows that are plain objects", async (t) => {
  const { engine } = oneBind(t, { url: "sqlite://", driver });
  const { rows } = await sql`select 9007199254740993 as big, 5 as small, x'00ff' as bytes`.execute(engine.kysely);
  assert.deepStrictEqual(rows, [{ big: 9007199254740993n, small: 5, bytes: new Uint8Array([0, 255]) }]);
});

test("an integer column with an integer beyond 2^53 is refused with a PrecisionError", async (t) => {
  const { db, app } = oneBind(t, { url: "sqlite://", driver });
  class Big extends db.model("big", { id: integer().primaryKey(), n: integer() }, { bindKey: "auth" }) {}
  await app.createAll();
  await app.run(async () => {
    await db.session.execute(sql`insert into big values (1, 9007199254740993)`, { bindKey: "auth" });
    await assert.rejects(db.select(Big).all(), PrecisionError);
    await db.session.rollback();
  });
});

test("node:sqlite runs one statement at a time, and takes no objects, which it would bind as null", async (t) => {
  const { engine } = oneBind(t, { url: "sqlite://", driver });
  await sql`create table t (n int)`.execute(engine.kysely);
  for (const text of ["select 1; drop table t", "insert into t values (1); select 2"])
    await assert.rejects(sql.raw(text).execute(engine.kysely), ProgrammingError);
  for (const text of ["select 1;", "select 1; -- the end", "select 1 /* the end */;"])
    assert.equal((await sql.raw(text).execute(engine.kysely)).rows.length, 1);
  await assert.rejects(sql`select ${{ a: 1 }} as n`.execute(engine.kysely), ProgrammingError);
  assert.deepEqual((await sql`select * from t`.execute(engine.kysely)).rows, []);
});

test("a file that must exist and does not, or a folder that does not, is a DatabaseConnectionError", async (t) => {
  const file = (await freshDatabase(t, "sqlite")).slice("sqlite:///".length);
  for (const url of [`sqlite:///file:${file}?uri=true&mode=rw`, `sqlite:///${file}/no/x.db`]) {
    const { engine } = oneBind(t, { url, driver });
    await assert.rejects(sql`select 1`.execute(engine.kysely), DatabaseConnectionError);
  }
});

test("another connection's lock is waited for, and told with the class of every database", async (t) => {
  const url = await freshDatabase(t, "sqlite");
  const { engine } = oneBind(t, { url, driver, poolTimeout: "50ms" });
  await sql`create table t (n int)`.execute(engine.kysely);
  const other = new nodeSqlite.DatabaseSync(url.slice("sqlite:///".length));
  t.after(() => other.close());
  other.exec("begin immediate");
  await assert.rejects(sql`insert into t values (1)`.execute(engine.kysely), LockTimeoutError);
  other.exec("rollback");
  await sql`insert into t values (1)`.execute(engine.kysely);
});

test("with readOnly, node:sqlite's connection refuses writes itself", async (t) => {
  const url = await freshDatabase(t, "sqlite");
  const writing = oneBind(t, { url, driver });
  await sql`create table t (n int)`.execute(writing.engine.kysely);
  const { engine } = oneBind(t, { url, driver, readOnly: true });
  assert.deepEqual((await sql`select * from t`.execute(engine.kysely)).rows, []);
  await assert.rejects(sql`insert into t values (1)`.execute(engine.kysely));
  assert.deepEqual((await sql`select * from t`.execute(engine.kysely)).rows, []);
});

test("SQL text that only reads takes no writer, as node:sqlite's programs tell", async (t) => {
  const url = await freshDatabase(t, "sqlite");
  const { db, app } = oneBind(t, { url, driver });
  await app.run(() =>
    db.session.execute(sql`create table t (n int)`, { bindKey: "auth" }).then(() => db.session.commit()),
  );
  for (const [text, begins] of [
    ["select * from t", false],
    ["explain query plan select * from t", false],
    ["/* a */ with x as (select 1) select * from x", false],
    ["insert into t values (1) returning n", true],
    ["pragma journal_mode", true],
  ] as const) {
    await using session = app.session();
    await session.execute(sql.raw(text), { bindKey: "auth" });
    assert.equal(session.inTransaction, begins, text);
  }
});
