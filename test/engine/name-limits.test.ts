import assert from "node:assert/strict";
import { test } from "node:test";
import {
  DdlError,
  enumeration,
  type FamilyName,
  InvalidNameError,
  integer,
  Multibind,
  SchemaError,
  sql,
  text,
  unique,
} from "../../src/index.ts";
import { freshDatabase } from "../fixtures/databases.ts";
import { onEachFamily, record, sessionOf, start } from "../fixtures/matrix.ts";

const BYTES_64 = "x".repeat(64);
/** Names that a family does not keep in a statement, with part of the reason. */
const REFUSED: Readonly<Record<FamilyName, readonly (readonly [name: string, reason: RegExp])[]>> = {
  sqlite: [
    ["a\0b", /NUL/],
    ["\ud800", /surrogate/],
  ],
  postgres: [
    ["a\0b", /NUL/],
    ["\udc00x", /surrogate/],
    ["", /empty/],
    [BYTES_64, /64 bytes/],
    ["ä".repeat(32), /64 bytes/],
    ["😀".repeat(16), /64 bytes/],
  ],
  mysql: [
    ["a\0b", /NUL/],
    ["\ud800", /surrogate/],
    ["x".repeat(251), /251 bytes/],
    ["ä".repeat(126), /252 bytes/],
    ["😀", /U\+FFFF/],
    [" a", /begins with a space/],
    ["\ta", /begins with a space/],
  ],
};
/** Names at the limits. */
const KEPT: Readonly<Record<FamilyName, readonly string[]>> = {
  sqlite: ["", " ", "x".repeat(1000), "😀"],
  postgres: [" ", "x".repeat(63), `x${"ä".repeat(31)}`, "😀".repeat(15)],
  mysql: ["", "a ", "x".repeat(64), "x".repeat(250), "ä".repeat(125)],
};

onEachFamily("an alias that the database would not keep is refused before anything is sent", async (t, url, family) => {
  const db = new Multibind();
  const thing = db.table("thing", { id: integer().primaryKey(), word: text().default("w") });
  const app = await start(t, db, { databaseUri: url });
  const engine = app.engines.get(null);
  const session = sessionOf(app);
  await session.insertInto(thing).values({}).execute();
  await session.commit();
  for (const name of KEPT[family]) {
    const row = { [name]: "w" };
    const aliased = session.selectFrom(thing).select((eb) => eb.ref("word").as(name));
    assert.deepEqual(await aliased.execute(), [row]);
    assert.deepEqual(
      (await session.execute(sql`select word as ${sql.id(name)} from thing`.compile(engine.kysely))).rows,
      [row],
    );
    const rows = await session.selectFrom(aliased.as("inner")).selectAll().execute();
    assert.deepEqual(rows, [row]);
  }
  const sent = record(app);
  for (const [name, reason] of REFUSED[family]) {
    const isInvalid = (error: unknown) => {
      assert.ok(error instanceof InvalidNameError && error instanceof SchemaError, String(error));
      assert.equal(error.code, "INVALID_NAME");
      assert.equal(error.identifier, name);
      assert.equal(error.bindKey, null);
      assert.match(error.message, reason);
      assert.doesNotMatch(error.message, /\0/);
      return true;
    };
    const ways: Record<string, () => Promise<unknown>> = {
      alias: () =>
        session
          .selectFrom(thing)
          .select((eb) => eb.ref("word").as(name))
          .execute(),
      engine: () =>
        engine.kysely
          .selectFrom(thing)
          .select((eb) => eb.ref("word").as(name))
          .execute(),
    };
    if (reason.source !== "begins with a space") {
      ways["table alias"] = () => session.selectFrom(thing.as(name)).select("word").execute();
      ways["column"] = () => session.execute(sql`select ${sql.id(name)} from thing`);
      ways["table"] = () => sql`select 1 from ${sql.id(name)}`.execute(engine.kysely);
      ways["schema"] = () => sql`select 1 from ${sql.id(name, "thing")}`.execute(engine.kysely);
      ways["create table"] = () => engine.kysely.schema.createTable("made").addColumn(name, "integer").execute();
      ways["savepoint"] = () =>
        engine.kysely
          .startTransaction()
          .execute()
          .then(async (transaction) => {
            try {
              await transaction.savepoint(name).execute();
            } finally {
              await transaction.rollback().execute();
            }
          });
      ways["with"] = () =>
        session
          .with(name, (qc) => qc.selectFrom(thing).select("word"))
          .selectFrom(name)
          .selectAll()
          .execute();
    }
    for (const [way, run] of Object.entries(ways)) {
      sent.length = 0;
      await assert.rejects(run, isInvalid, `${way} ${JSON.stringify(name)}`);
      assert.deepEqual(
        sent.filter((one) => !/^(begin|start|rollback)/i.test(one.sql)),
        [],
        way,
      );
    }
  }
  await session.close();
});

/** Names that a family does not keep for a table or column. */
const UNSTORED: Readonly<Record<FamilyName, readonly string[]>> = {
  sqlite: [],
  postgres: [BYTES_64, "ä".repeat(32)],
  mysql: ["x".repeat(65), "a ", "😀"],
};

for (const family of ["postgres", "mysql"] as const) {
  test(`a table or column whose name the database would not keep is refused (${family})`, async (t) => {
    const url = await freshDatabase(t, family);
    for (const name of UNSTORED[family]) {
      for (const part of ["table", "column", "named"] as const) {
        const db = new Multibind();
        const columns = { id: integer().primaryKey(), ...(part === "column" ? { [name]: integer().nullable() } : {}) };
        class Thing extends db.model(part === "table" ? name : "thing", {
          ...columns,
          note: part === "named" ? integer().nullable().named(name) : integer().nullable(),
        }) {}
        await using app = db.init({ databaseUri: url });
        const sent = record(app);
        const isInvalid = (error: unknown): boolean => {
          const cause = error instanceof DdlError ? error.cause : error;
          assert.ok(cause instanceof InvalidNameError, String(error));
          const column = { table: undefined, column: name, named: "note" }[part];
          assert.deepEqual([cause.identifier, cause.table, cause.column], [name, Thing.table.fullName, column]);
          return true;
        };
        await assert.rejects(app.createAll(), isInvalid);
        await assert.rejects(app.dropAll(), isInvalid);
        await assert.rejects(app.reflect(), isInvalid);
        await app.run(async () => {
          await assert.rejects(db.session.get(Thing, 1), isInvalid);
          await assert.rejects(db.session.select(Thing).all(), isInvalid);
          await assert.rejects(db.selectFrom(Thing).selectAll().execute(), isInvalid);
          db.session.addAll([new Thing({}), new Thing({})]);
          await assert.rejects(db.session.commit(), isInvalid);
          await db.session.rollback();
        });
        assert.deepEqual(
          sent.filter((one) => !/^(begin|start|rollback)/i.test(one.sql)),
          [],
        );
      }
    }
  });
}

test("a name with a NUL or half a surrogate pair is refused where it is given", () => {
  const db = new Multibind();
  for (const name of ["a\0b", "\ud83d"]) {
    const key = { id: integer().primaryKey() };
    const given: Record<string, () => unknown> = {
      table: () => db.table(name, key),
      schema: () => db.table("t1", key, { schema: name }),
      column: () => db.table("t2", { ...key, [name]: integer() }),
      named: () => db.table("t3", { ...key, a: integer().named(name) }),
      unique: () => db.table("t4", { ...key, a: integer() }, { constraints: [unique(["a"], { name })] }),
      check: () => db.table("t5", { ...key, a: integer().check(sql`a > 0`, name) }),
      reference: () => db.table("t6", { ...key, a: integer().references("t1.id", { name }) }),
      model: () => db.model(name, key),
    };
    for (const [what, define] of Object.entries(given)) {
      assert.throws(
        define,
        (error) => error instanceof InvalidNameError && error.identifier === name && !error.message.includes("\0"),
        what,
      );
    }
  }
  assert.throws(() => db.table("t7", { id: integer().primaryKey(), a: integer().named("") }), InvalidNameError);
});

onEachFamily(
  "the columns of joined tables stay apart however long and alike their names are",
  async (t, url, family) => {
    const long = `long_${"x".repeat(45)}`;
    const db = new Multibind();
    const columns = (one: string) => ({
      [`a${one}`]: integer().named(`${long}_a`),
      [`b${one}`]: integer().named(`${long}_b`),
    });
    class Base extends db.model(
      `base_${long}`,
      { id: integer().primaryKey(), kind: enumeration(["one", "two"]), name: integer().default(1), ...columns("0") },
      { discriminator: "kind" },
    ) {}
    class One extends Base.extend(
      `one_${long}`,
      {
        id: integer().primaryKey().references(Base.columns.id),
        Name: integer(),
        size: integer().named("first"),
        ...columns("1"),
      },
      { identity: "one" },
    ) {}
    class Two extends Base.extend(
      `two_${long}`,
      { id: integer().primaryKey().references(Base.columns.id), size: integer().named("second"), ...columns("2") },
      { identity: "two" },
    ) {}
    db.register(One);
    db.register(Two);
    const app = await start(t, db, { databaseUri: url });
    const session = sessionOf(app);
    session.addAll([
      new One({ id: 1, Name: 2, size: 3, a0: 4, b0: 5, a1: 6, b1: 7 } as never),
      new Two({ id: 2, size: 8, a0: 9, b0: 10, a2: 11, b2: 12 } as never),
    ]);
    await session.commit();
    session.expungeAll();
    const rows = (await session.select(Base).orderBy("id").all()).map((one) => ({ ...one }));
    assert.deepEqual(rows, [
      { id: 1, kind: "one", name: 1, a0: 4, b0: 5, Name: 2, size: 3, a1: 6, b1: 7 },
      { id: 2, kind: "two", name: 1, a0: 9, b0: 10, size: 8, a2: 11, b2: 12 },
    ]);
    assert.ok(family);
  },
);

test("a property may be longer than a name on PostgreSQL, where its column is not", async (t) => {
  const long = `number_${"x".repeat(70)}`;
  const db = new Multibind();
  class Thing extends db.model("thing", { id: integer().primaryKey(), [long]: integer().named("short") }) {}
  await using app = db.init({ databaseUri: await freshDatabase(t, "postgres") });
  await app.createAll();
  await app.run(async () => {
    db.session.add(new Thing({ id: 1, [long]: 7 } as never));
    await db.session.commit();
    db.session.expungeAll();
    assert.deepEqual({ ...(await db.session.get(Thing, 1)) }, { id: 1, [long]: 7 });
  });
});

test("a PostgreSQL URL with a longer database or user is refused", () => {
  for (const url of [
    `postgresql://u@127.0.0.1/${BYTES_64}`,
    `postgresql://${BYTES_64}@127.0.0.1/db`,
    "postgresql://u@127.0.0.1/a%00b",
  ])
    assert.throws(() => new Multibind().init({ databaseUri: url }), { code: "INVALID_URL" });
});

onEachFamily(
  "columns that differ only in case are refused where the database takes them for one",
  async (_t, url, family) => {
    const db = new Multibind();
    class Twin extends db.model("twin", {
      id: integer().primaryKey(),
      word: integer().default(1),
      Word: integer().default(2),
    }) {}
    await using app = db.init({ databaseUri: url });
    if (family === "postgres") {
      await app.createAll();
      await app.run(async () => {
        db.session.add(new Twin({ id: 1 }));
        await db.session.commit();
        db.session.expungeAll();
        assert.deepEqual({ ...(await db.session.get(Twin, 1)) }, { id: 1, word: 1, Word: 2 });
      });
      await app.dropAll();
      return;
    }
    await assert.rejects(app.createAll(), (error) => {
      const { cause } = error as DdlError;
      assert.ok(cause instanceof InvalidNameError);
      assert.deepEqual([cause.table, cause.column, cause.identifier], ["twin", "Word", "Word"]);
      assert.match(cause.message, /"Word" beside "word"/);
      return true;
    });
    await app.run(() => assert.rejects(db.session.get(Twin, 1), InvalidNameError));
  },
);

test("tables that differ only in case are refused on SQLite", async () => {
  const db = new Multibind();
  db.table("user", { id: integer().primaryKey() });
  db.table("User", { id: integer().primaryKey(), more: integer() });
  await using app = db.init({ databaseUri: "sqlite://" });
  await assert.rejects(app.createAll(), (error) => {
    assert.ok((error as Error).cause instanceof InvalidNameError);
    assert.match((error as Error).message, /"User" beside "user"/);
    return true;
  });
});
