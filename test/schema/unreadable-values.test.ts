import assert from "node:assert/strict";
import { test } from "node:test";
import { parseJson } from "../../src/engine/values/exact-json.ts";
import {
  bigint,
  boolean,
  date,
  type FamilyName,
  InvalidValueError,
  integer,
  json,
  jsonArrayFrom,
  Multibind,
  native,
  PrecisionError,
  sql,
  text,
  timestamp,
} from "../../src/index.ts";
import { onEachFamily, sharedDatabase, start } from "../fixtures/matrix.ts";

const db = new Multibind();
class Flag extends db.model("unreadable_flag", {
  id: integer().primaryKey(),
  name: text(),
  on: boolean(),
  n: integer(),
}) {}

onEachFamily("the error of a value that a column cannot hold names the row and the way out", async (t, url, family) => {
  const app = db.init({ databaseUri: url });
  t.after(() => app.dropAll().finally(() => app.dispose()));
  const run = (statement: string) => sql.raw(statement).execute(app.engines.get(null).kysely);
  const quote = family === "mysql" ? "`" : '"';
  await run(
    `create table unreadable_flag (id integer primary key, name varchar(20) not null, ${quote}on${quote} smallint, n integer)`,
  );
  await run(`insert into unreadable_flag values (1, 'a', 1, 1), (2, 'b', 2, 2)`);
  const isTold = (row: RegExp) => (error: unknown) =>
    error instanceof InvalidValueError &&
    error.table === "unreadable_flag" &&
    error.column === "on" &&
    /declare the column as smallint\(\)/.test(error.message) &&
    row.test(error.row ?? "") &&
    row.test(error.message);
  await app.run(async () => {
    await assert.rejects(db.select(Flag).all(), isTold(/id = 2/));
    await assert.rejects(Promise.resolve(db.session.get(Flag, 2)), isTold(/id = 2/));
    await assert.rejects(db.selectFrom(Flag).selectAll().execute(), isTold(/id = 2/));
    await assert.rejects(db.selectFrom(Flag).select("on").orderBy("id").execute(), isTold(/number 2/));
    const prepared = db.prepare(() => db.select(Flag).orderBy("id"));
    await assert.rejects(prepared.all({}), isTold(/id = 2/));
    assert.equal((await db.session.get(Flag, 1))?.on, true);
  });
});

test("zero dates of MariaDB are told with their row", async (t) => {
  const own = new Multibind();
  class Draft extends own.model("unreadable_draft", { id: integer().primaryKey(), day: date(), at: timestamp() }) {}
  const app = own.init({ databaseUri: await sharedDatabase("mysql") });
  t.after(() => app.dropAll().finally(() => app.dispose()));
  const run = (statement: string) => sql.raw(statement).execute(app.engines.get(null).kysely);
  await run("create table unreadable_draft (id int primary key, day date not null, at datetime not null)");
  await run(
    "insert into unreadable_draft values (1, '2026-01-31', '2026-01-31 12:00:00'), (2, '0000-00-00', '2026-01-31 12:00:00'), (3, '2026-01-31', '0000-00-00 00:00:00')",
  );
  await app.run(async () => {
    await assert.rejects(Promise.resolve(own.session.get(Draft, 2)), { column: "day", row: "with id = 2" });
    await assert.rejects(own.select(Draft).where("id", "=", 3).all(), { column: "at", row: "with id = 3" });
    const rows = own.selectFrom(Draft).select("id").where("day", "=", "2026-01-31").orderBy("id");
    assert.deepEqual(await rows.execute(), [{ id: 1 }, { id: 3 }]);
  });
  const raw = new Multibind();
  class Read extends raw.model("unreadable_draft", {
    id: integer().primaryKey(),
    day: native<string>("date"),
    at: native<string>("datetime"),
  }) {}
  const reading = raw.init({ databaseUri: await sharedDatabase("mysql") });
  t.after(() => reading.dispose());
  await reading.run(async () => {
    assert.deepEqual(
      (await raw.select(Read).orderBy("id").all()).map(({ day, at }) => [day, at]),
      [
        ["2026-01-31", "2026-01-31 12:00:00"],
        ["0000-00-00", "2026-01-31 12:00:00"],
        ["2026-01-31", "0000-00-00 00:00:00"],
      ],
    );
  });
});

test("infinite and far dates of PostgreSQL are told with their row", async (t) => {
  const own = new Multibind();
  class Far extends own.model("unreadable_far", { id: integer().primaryKey(), day: date(), at: timestamp() }) {}
  const app = await start(t, own, { databaseUri: await sharedDatabase("postgres") });
  const run = (statement: string) => sql.raw(statement).execute(app.engines.get(null).kysely);
  await run(
    "insert into unreadable_far (day, at) values ('infinity', now()), ('0044-03-15 BC', now()), ('12026-01-01', now())",
  );
  await run("insert into unreadable_far (day, at) values ('2026-01-01', '-infinity')");
  await app.run(async () => {
    for (const id of [1, 2, 3])
      await assert.rejects(Promise.resolve(own.session.get(Far, id)), { column: "day", row: `with id = ${id}` });
    await assert.rejects(Promise.resolve(own.session.get(Far, 4)), { column: "at", row: "with id = 4" });
  });
});

const JSON_TEXT: Readonly<Record<FamilyName, string>> = { sqlite: "text", postgres: "jsonb", mysql: "json" };

onEachFamily("numbers within JSON that JavaScript does not hold exactly are told", async (t, url, family) => {
  const own = new Multibind();
  class Doc extends own.model("inexact_doc", { id: integer().primaryKey(), data: json<unknown>() }) {}
  class Big extends own.model("inexact_big", { id: bigint().primaryKey(), data: json<unknown>() }) {}
  class Plain extends own.model("inexact_plain", {
    id: integer().primaryKey(),
    data: native<unknown>(JSON_TEXT[family]),
  }) {}
  const app = await start(t, own, { databaseUri: url });
  const run = (statement: string) => sql.raw(statement).execute(app.engines.get(null).kysely);
  const exact =
    '{"a": [9007199254740992, 0.1, -1e20, 1.7976931348623157e308, 0.10000000000000001, "9007199254740993"]}';
  const inexact = '{"a": [9007199254740993]}';
  for (const table of ["inexact_doc", "inexact_big", "inexact_plain"])
    await run(`insert into ${table} (id, data) values (1, '${exact}'), (2, '${inexact}')`);
  await app.run(async () => {
    const value = { a: [2 ** 53, 0.1, -1e20, Number.MAX_VALUE, 0.1, "9007199254740993"] };
    assert.deepEqual((await own.session.getOne(Doc, 1)).data, value);
    await assert.rejects(
      Promise.resolve(own.session.get(Doc, 2)),
      (error: unknown) => error instanceof PrecisionError && error.column === "data" && error.row === "with id = 2",
    );
    await assert.rejects(own.selectFrom(Doc).selectAll().execute(), PrecisionError);
    await assert.rejects(Promise.resolve(own.session.get(Big, 2n)), PrecisionError);
    await assert.rejects(own.select(Big).all(), PrecisionError);
    const nested = jsonArrayFrom(own.selectFrom(Doc).select(["id", "data"])).as("docs");
    await assert.rejects(own.selectNoFrom([nested]).execute(), PrecisionError);
    if (family !== "postgres") return;
    // The driver parses JSON by itself, whatever asks for it.
    await assert.rejects(own.session.execute(sql`select data from inexact_doc order by id`), /"data" of row 2/);
    await assert.rejects(Promise.resolve(own.session.get(Plain, 2)), PrecisionError);
    await assert.rejects(
      own.session.execute(sql`select array[data::json] as list from inexact_doc where id = 2`),
      PrecisionError,
    );
    assert.equal((await own.session.execute(sql`select data::text as data from inexact_doc`)).rows.length, 2);
    await own.session.rollback();
  });
});

test("JSON is parsed where every number is what was written", () => {
  for (const text of [
    "9007199254740991",
    "1e21",
    "123456789012345680000",
    "[0.30000000000000004]",
    '{"9007199254740993": "9007199254740993"}',
    "0.000000000000000000001",
    "-0.0",
    "1.50000000000000000000",
    "1.2345678901234567e+30",
    "4.9406564584124654e-324",
  ])
    assert.deepEqual(parseJson(text), JSON.parse(text), text);
  for (const text of [
    "9007199254740993",
    "-9007199254740993",
    "[12345678901234567890]",
    '{"a": 1e400}',
    "0.1234567890123456789",
    "1.0000000000000000000001",
    "9007199254740993.0",
  ])
    assert.throws(() => parseJson(text), /more digits/, text);
});
