import assert from "node:assert/strict";
import { test } from "node:test";
import { CompiledQuery, type Dialect, MysqlDialect } from "kysely";
import mysql from "mysql2";
import {
  bigint,
  date,
  type FamilyName,
  InvalidOptionError,
  integer,
  json,
  Multibind,
  PrecisionError,
  sql,
  timestamp,
  varchar,
} from "../../../src/index.ts";
import { freshDatabase } from "../../fixtures/databases.ts";
import {
  MYSQL_OPTIONS,
  mysqlDialect,
  openPGlite,
  PG_TYPES,
  pgDialect,
  pgliteDialect,
  postgresJsDialect,
  sqliteDialect,
} from "../../fixtures/dialects.ts";
import { oneBind } from "../../fixtures/one-bind.ts";
import { inZone } from "../../fixtures/whole-engine.ts";

/** A table whose values a dialect may not keep. */
function eventsOn(dialect: Dialect, columns: "instants" | "dates" | "json" | "parents") {
  const db = new Multibind<"auth">();
  const bindKey = { bindKey: "auth" } as const;
  const id = integer().primaryKey();
  const model =
    columns === "instants"
      ? db.model("event", { id, at: timestamp() }, bindKey)
      : columns === "dates"
        ? db.model("event", { id, at: date() }, bindKey)
        : columns === "json"
          ? db.model("event", { id, at: json() }, bindKey)
          : db.model("event", { id, at: integer().references("event.id").nullable() }, bindKey);
  const app = db.init({ binds: { auth: { dialect } } });
  return { db, app, model };
}

async function isRefused(dialect: Dialect, columns: "instants" | "dates" | "json" | "parents", message: RegExp) {
  const { db, app, model } = eventsOn(dialect, columns);
  await using _ = { [Symbol.asyncDispose]: () => app.dispose() };
  const sent: string[] = [];
  app.engines.get("auth").onStatement(({ sql: text }) => sent.push(text));
  await app.run(() =>
    assert.rejects(db.select(model).all(), (error) => {
      assert.ok(error instanceof InvalidOptionError, `${error}`);
      assert.equal(error.bindKey, "auth");
      assert.match(error.message, message);
      return true;
    }),
  );
  assert.deepEqual(sent, []);
}

test("a dialect that cuts instants is refused with the option to set, where a table has instants", async (t) => {
  inZone(t);
  const postgres = await freshDatabase(t, "postgres");
  const server = await openPGlite();
  await isRefused(pgDialect(postgres), "instants", /PostgresDialect cuts instants.*"event\.at".*pg's pool `types: /);
  await isRefused(postgresJsDialect(postgres), "instants", /PostgresJSDialect cuts instants.*postgres\(\) `types: /);
  await isRefused(
    mysqlDialect(await freshDatabase(t, "mysql")),
    "instants",
    /MysqlDialect shifts instants.*`timezone: "Z"/,
  );
  await isRefused(pgliteDialect(server), "instants", /PGliteDialect cuts instants.*`parsers: /);
});

test("a dialect that parses JSON only in part is refused, where a table has JSON", async (t) => {
  await isRefused(mysqlDialect(await freshDatabase(t, "mysql")), "json", /parses JSON.*jsonStrings: true/);
});

test("a dialect that does not check foreign keys is refused, where a table has some", async () => {
  const off = () => sqliteDialect(":memory:", (database) => database.pragma("foreign_keys = off"));
  await isRefused(off(), "parents", /does not check foreign keys.*pragma foreign_keys = on/);
  const { app } = eventsOn(off(), "dates");
  await app.createAll();
  await app.dispose();
});

test("a session in another time zone is refused", async (t) => {
  const zone = "America/New_York";
  const url = await freshDatabase(t, "postgres");
  await isRefused(
    pgDialect(url, { types: PG_TYPES, options: `-c TimeZone=${zone}` }),
    "instants",
    /time zone America\/New_York.*-c TimeZone=UTC/,
  );
  const pool = mysql.createPool({ uri: await freshDatabase(t, "mysql"), ...MYSQL_OPTIONS });
  const dialect = new MysqlDialect({
    pool,
    onCreateConnection: async (connection) => {
      await connection.executeQuery(CompiledQuery.raw("set time_zone = '+02:00'"));
    },
  } as ConstructorParameters<typeof MysqlDialect>[0]);
  await isRefused(dialect, "instants", /time zone \+02:00.*onCreateConnection/);
});

test("MySQL without strict mode is refused for every table", async (t) => {
  const pool = mysql.createPool({ uri: await freshDatabase(t, "mysql"), ...MYSQL_OPTIONS });
  const dialect = new MysqlDialect({
    pool,
    onCreateConnection: async (connection) => {
      await connection.executeQuery(CompiledQuery.raw("set sql_mode = ''"));
    },
  } as ConstructorParameters<typeof MysqlDialect>[0]);
  await isRefused(dialect, "parents", /sql_mode is not strict/);
});

test("a dialect that counts only changed rows is refused for every table", async (t) => {
  const url = await freshDatabase(t, "mysql");
  const dialect = mysqlDialect(url, { ...MYSQL_OPTIONS, flags: ["-FOUND_ROWS"] });
  await isRefused(dialect, "parents", /does not say how many rows a statement found/);
});

test("tables without such columns, and SQL text, go through a dialect with its defaults", async (t) => {
  const makes: readonly (readonly [FamilyName, (url: string) => Dialect])[] = [
    ["postgres", (url) => pgDialect(url)],
    ["postgres", (url) => postgresJsDialect(url)],
    ["mysql", (url) => mysqlDialect(url)],
    ["sqlite", () => sqliteDialect()],
  ];
  for (const [family, make] of makes) {
    const { db, app, engine } = oneBind(t, { dialect: make(await freshDatabase(t, family)) });
    class Note extends db.model("note", { id: integer().primaryKey(), text: varchar(20) }, { bindKey: "auth" }) {}
    await app.createAll();
    await app.transaction(() => db.session.add(new Note({ text: "a" })));
    await app.run(async () => assert.equal((await db.session.getOne(Note, 1)).text, "a"));
    assert.equal((await sql`select 1`.execute(engine.kysely)).rows.length, 1);
  }
});

test("a table that is defined after the first connection counts too", async (t) => {
  const { db, app } = oneBind(t, { dialect: pgDialect(await freshDatabase(t, "postgres")) });
  await app.run(async () => {
    await db.session.execute(sql`select 1`, { bindKey: "auth" });
    const Late = db.model("late", { id: integer().primaryKey(), at: timestamp() }, { bindKey: "auth" });
    await db.session.rollback();
    await assert.rejects(db.select(Late).all(), InvalidOptionError);
  });
});

test("dates that come as a Date are read in whichever zone they are at midnight", async (t) => {
  const url = await freshDatabase(t, "postgres");
  const days = ["0044-03-15", "0099-12-31", "1883-11-18", "2022-03-27", "2026-03-08", "9999-12-31"];
  for (const zone of ["America/New_York", "Asia/Beirut", "Pacific/Kiritimati"]) {
    inZone(t, zone);
    for (const dialect of [pgDialect(url), postgresJsDialect(url)]) {
      const { app, db, model } = eventsOn(dialect, "dates");
      await app.createAll();
      await app.run(async () => {
        for (const at of days) db.session.add(new model({ at: at as never }));
        await db.session.commit();
        db.session.expungeAll();
        const rows = await db.session.execute(sql`select "at"::text as day from event order by id`, {
          bindKey: "auth",
        });
        assert.deepEqual(
          rows.rows,
          days.map((day) => ({ day })),
        );
        const events: readonly { readonly id: number; readonly at: unknown }[] = await db.select(model).all();
        assert.deepEqual(
          events.toSorted((a, b) => a.id - b.id).map(({ at }) => at),
          days,
          zone,
        );
        await db.session.rollback();
      });
      await app.dropAll();
      await app.dispose();
    }
  }
});

test("an integer beyond 2^53 that a dialect has rounded is a PrecisionError with the option to set", async (t) => {
  const { db, app } = oneBind(t, { dialect: sqliteDialect() });
  class Big extends db.model("big", { id: integer().primaryKey(), n: bigint() }, { bindKey: "auth" }) {}
  await app.createAll();
  await app.run(async () => {
    db.session.addAll([new Big({ n: 2n ** 53n - 1n }), new Big({ n: 2n ** 53n + 1n })]);
    await db.session.commit();
    db.session.expungeAll();
    assert.equal((await db.session.getOne(Big, 1)).n, 2n ** 53n - 1n);
    await assert.rejects(
      db.session.get(Big, 2),
      (error) => error instanceof PrecisionError && /defaultSafeIntegers\(true\)/.test(error.message),
    );
    await db.session.rollback();
  });
});
