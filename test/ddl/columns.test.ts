import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "kysely";
import { createAll } from "../../src/ddl/create-all.ts";
import { UnsupportedError } from "../../src/errors/configuration.ts";
import type { DdlError } from "../../src/errors/ddl.ts";
import { Multibind } from "../../src/multibind.ts";
import { type AnyColumn, Column } from "../../src/schema/column.ts";
import { foreignKey, index, unique } from "../../src/schema/constraint.ts";
import { binary } from "../../src/schema/types/binary.ts";
import { boolean } from "../../src/schema/types/boolean.ts";
import { bigint, integer } from "../../src/schema/types/integer.ts";
import { json } from "../../src/schema/types/json.ts";
import { numeric } from "../../src/schema/types/numeric.ts";
import { text, varchar } from "../../src/schema/types/string.ts";
import { date, timestamp } from "../../src/schema/types/temporal.ts";
import { onEachFamily, TestDatabase } from "./test-database.ts";

/** The value that a new row has in a column when it was given none. */
async function defaultOf(column: AnyColumn, database: TestDatabase): Promise<unknown> {
  const db = new Multibind();
  const table = db.table("thing", { id: integer().primaryKey(), value: column });
  await createAll([database.target(db)], db.metadatas);
  await database.run("insert into thing (id) values (1)");
  const [row] = await database.run<{ value: unknown }>("select value from thing");
  return database.engine.converter(table.columnNamed("value")!).read(row!.value);
}

onEachFamily("the present is the default of a timestamp, with milliseconds", async (database) => {
  const before = Date.now();
  const value = (await defaultOf(timestamp().default(sql`current_timestamp`), database)) as Date;
  assert.ok(value.getTime() >= before - 1000 && value.getTime() <= Date.now() + 1000, value.toISOString());
});

onEachFamily("the present as a default is stored as the same Date would be", async (database) => {
  const db = new Multibind();
  const table = db.table("thing", {
    id: integer().primaryKey(),
    at: timestamp().default(sql`now()`),
    copy: timestamp().nullable(),
  });
  await createAll([database.target(db)], db.metadatas);
  await database.run("insert into thing (id) values (1)");
  const [row] = await database.run<{ at: unknown }>("select at from thing");
  const converter = database.engine.converter(table.columns.at);
  const written = converter.write(converter.read(row!.at)) as string;
  await database.run(`update thing set copy = '${written}'`);
  assert.deepEqual(await database.run("select id from thing where at = copy"), [{ id: 1 }]);
});

onEachFamily("the present is the default of a timestamp as text", async (database) => {
  const before = Date.now();
  const value = (await defaultOf(timestamp({ text: true }).default(sql`current_timestamp`), database)) as string;
  assert.ok(Date.parse(value) >= before - 1000 && Date.parse(value) <= Date.now() + 1000, value);
});

onEachFamily("today is the default of a date", async (database) => {
  assert.match(String(await defaultOf(date().default(sql`current_date`), database)), /^\d{4}-\d\d-\d\d$/);
});

onEachFamily("an expression is a default", async (database) => {
  assert.equal(await defaultOf(varchar(20).default(sql`lower('ABC')`), database), "abc");
});

onEachFamily("a value in an expression is written out", async (database) => {
  const odd = "it's \\ a \" `test` ?, $1";
  assert.equal(await defaultOf(varchar(50).default(sql`${odd}`), database), odd);
});

onEachFamily("a text of any length has a default", async (database) => {
  assert.equal(await defaultOf(text().default(sql`'abc'`), database), "abc");
});

onEachFamily("null, true, numbers and JSON are defaults", async (database) => {
  assert.equal(await defaultOf(integer().nullable().default(sql`null`), database), null);
  for (const [column, value] of [
    [boolean().default(sql`${true}`), true],
    [integer().default(sql`${-5}`), -5],
    [bigint().default(sql`${2n ** 60n}`), 2n ** 60n],
    [json().default(sql`${'{"a": [1]}'}`), { a: [1] }],
  ] as const) {
    await database.run("drop table thing");
    assert.deepEqual(await defaultOf(column, database), value);
  }
});

onEachFamily("bytes are a default", async (database) => {
  assert.deepEqual(
    await defaultOf(binary().default(sql`${new Uint8Array([0, 39, 255])}`), database),
    new Uint8Array([0, 39, 255]),
  );
});

onEachFamily("a Date is a default", async (database) => {
  const instant = new Date("2026-01-31T12:34:56.789Z");
  assert.deepEqual(await defaultOf(timestamp().default(sql`${instant}`), database), instant);
});

onEachFamily("a number is the default of a numeric column, and sorts", async (database) => {
  assert.equal(await defaultOf(numeric(8, 2).default(sql`-2.5`), database), "-2.50");
  const table = new Multibind().table("thing", { value: numeric(8, 2) });
  const written = database.engine.converter(table.columns.value).write("-10");
  await database.run(`insert into thing (id, value) values (2, '${written}')`);
  assert.deepEqual(await database.run("select id from thing order by value"), [{ id: 2 }, { id: 1 }]);
});

onEachFamily("a generated key counts up and is never given twice", async (database) => {
  for (const key of [integer(), bigint()]) {
    const db = new Multibind({ namingConvention: { pk: "pk_{table}" } });
    db.table("thing", { id: key.primaryKey(), label: varchar(5) });
    await createAll([database.target(db)], db.metadatas);
    await database.run("insert into thing (label) values ('a'), ('b')");
    await database.run("delete from thing where label = 'b'");
    await database.run("insert into thing (label) values ('c')");
    const rows = await database.run<{ id: unknown }>("select id from thing order by id");
    assert.deepEqual(
      rows.map(({ id }) => Number(id)),
      [1, 3],
    );
    await database.run("drop table thing");
  }
});

onEachFamily("a generated key may be given all the same", async (database) => {
  const db = new Multibind();
  db.table("thing", { id: integer().primaryKey() });
  await createAll([database.target(db)], db.metadatas);
  await database.run("insert into thing (id) values (42)");
  assert.deepEqual(await database.run("select id from thing"), [{ id: 42 }]);
});

for (const [what, key] of [
  ["with a default", integer().primaryKey().default(7)],
  ["that refers to another table", integer().primaryKey().references("other.id")],
] as const) {
  onEachFamily(
    `a key ${what} is not generated`,
    async (database) => {
      const db = new Multibind();
      db.table("other", { id: integer().primaryKey() });
      db.table("thing", { id: key, label: varchar(5) });
      await createAll([database.target(db)], db.metadatas);
      await assert.rejects(database.run("insert into thing (label) values ('a')"), { code: "NOT_NULL_VIOLATION" });
    },
    // SQLite numbers every sole integer key.
    ["postgres", "mysql"],
  );
}

onEachFamily("a column may be computed from others", async (database) => {
  const double = new Column<number>({
    type: integer().definition.type,
    generated: { expression: "a * 2", stored: true },
  });
  const db = new Multibind();
  db.table("thing", { id: integer().primaryKey(), a: integer(), double });
  await createAll([database.target(db)], db.metadatas);
  await database.run("insert into thing (id, a) values (1, 21)");
  assert.deepEqual(await database.run("select * from thing"), [{ id: 1, a: 21, double: 42 }]);
});

for (const [what, define] of [
  ["a primary key", (db: Multibind) => db.table("note", { body: text().primaryKey() })],
  ["unique", (db: Multibind) => db.table("note", { id: integer().primaryKey(), body: text().unique() })],
  ["indexed", (db: Multibind) => db.table("note", { id: integer().primaryKey(), body: json().index() })],
  [
    "unique with others",
    (db: Multibind) => db.table("note", { id: integer(), body: binary() }, { constraints: [unique(["id", "body"])] }),
  ],
  [
    "indexed with others",
    (db: Multibind) => db.table("note", { id: integer(), body: text() }, { constraints: [index(["id", "body"])] }),
  ],
  [
    "a foreign key",
    (db: Multibind) => {
      db.table("code", { body: varchar(9).primaryKey() });
      db.table("note", { id: integer(), body: text() }, { constraints: [foreignKey(["body"], "code", ["body"])] });
    },
  ],
] as const) {
  test(`on MySQL a column of any length that is ${what} is refused before anything is sent`, async () => {
    await using database = await TestDatabase.open("mysql", "notes");
    const db = new Multibind();
    const inBind = {
      table: ((name, columns, options) =>
        db.table(name, columns, { ...options, bindKey: "notes" })) as Multibind["table"],
    };
    define(inBind as Multibind);
    await assert.rejects(createAll([database.target(db)], db.metadatas), (error: DdlError) => {
      assert.ok(error.cause instanceof UnsupportedError);
      assert.match(error.message, /"body" of table "note" \(bind "notes"\).*varchar\(n\)/);
      return true;
    });
    assert.deepEqual(database.sent, []);
  });
}
