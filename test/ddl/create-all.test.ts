import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "kysely";
import { createAll } from "../../src/ddl/create-all.ts";
import type { DdlError } from "../../src/errors/ddl.ts";
import { SchemaError, UnknownTableError } from "../../src/errors/schema.ts";
import { Multibind } from "../../src/multibind.ts";
import { foreignKey, index } from "../../src/schema/constraint.ts";
import { enumeration } from "../../src/schema/types/enumeration.ts";
import { integer } from "../../src/schema/types/integer.ts";
import { text, varchar } from "../../src/schema/types/string.ts";
import { onEachFamily, TestDatabase } from "./test-database.ts";

onEachFamily("a bind without tables is sent nothing", async (database) => {
  const db = new Multibind();
  await createAll([database.target(db)], db.metadatas);
  assert.deepEqual(database.sent, []);
});

onEachFamily("the tables of a bind are made in one transaction, where the database has that", async (database) => {
  const db = new Multibind();
  db.table("one", { id: integer().primaryKey() });
  db.table("two", { id: integer().primaryKey() });
  await createAll([database.target(db)], db.metadatas);
  const verbs = database.sent.map((statement) => statement.slice(0, 18).replaceAll("`", '"'));
  assert.deepEqual(verbs, database.inTransaction('create table "one"', 'create table "two"'));
});

onEachFamily("a table that is there is left alone", async (database) => {
  const db = new Multibind();
  db.table("one", { id: integer().primaryKey(), label: text() });
  await database.run("create table one (id int primary key)");
  await database.run("insert into one values (7)");
  await createAll([database.target(db)], db.metadatas);
  assert.deepEqual(await database.run("select * from one"), [{ id: 7 }]);
});

onEachFamily("only what is missing is made", async (database) => {
  const db = new Multibind();
  db.table("one", { id: integer().primaryKey() });
  await createAll([database.target(db)], db.metadatas);
  db.table("two", { id: integer().primaryKey(), one: integer().references("one.id") });
  database.sent.length = 0;
  await createAll([database.target(db)], db.metadatas);
  assert.equal(database.sent.length, database.inTransaction("create table").length);
  assert.deepEqual(await database.tables(), ["one", "two"]);
});

onEachFamily("a second call changes nothing", async (database) => {
  const db = new Multibind();
  db.table("one", { id: integer().primaryKey(), label: varchar(10).index() });
  await createAll([database.target(db)], db.metadatas);
  database.sent.length = 0;
  await createAll([database.target(db)], db.metadatas);
  assert.deepEqual(database.sent, database.inTransaction());
});

onEachFamily("a view stands for a table", async (database) => {
  const db = new Multibind();
  db.table("one", { id: integer().primaryKey() });
  await database.run("create view one as select 1 as id");
  await createAll([database.target(db)], db.metadatas);
  assert.deepEqual(database.sent.slice(1), database.inTransaction());
});

onEachFamily("a table comes after those that it refers to", async (database) => {
  const db = new Multibind();
  db.table("comment", { id: integer().primaryKey(), post: integer().references("post.id") });
  db.table("post", { id: integer().primaryKey(), author: integer().references("author.id") });
  db.table("author", { id: integer().primaryKey() });
  await createAll([database.target(db)], db.metadatas);
  const created = database.sent.flatMap((statement) => /^create table .(\w+)/.exec(statement)?.[1] ?? []);
  assert.deepEqual(created, ["author", "post", "comment"]);
});

onEachFamily("indexes come after their table", async (database) => {
  const db = new Multibind();
  db.table(
    "one",
    { id: integer().primaryKey(), a: integer().index(), b: integer() },
    { constraints: [index(["b", "a"], { unique: true })] },
  );
  db.table("two", { id: integer().primaryKey() });
  await createAll([database.target(db)], db.metadatas);
  const created = database.sent.flatMap((statement) => /^create (?:unique )?\w+ .(\w+)/.exec(statement)?.[1] ?? []);
  assert.deepEqual(created, ["one", "ix_one_a", "ix_one_b_a", "two"]);
});

onEachFamily("a table may refer to itself", async (database) => {
  const db = new Multibind();
  db.table("node", { id: integer().primaryKey(), parent: integer().nullable().references("node.id") });
  await createAll([database.target(db)], db.metadatas);
  assert.equal(database.sent.length, database.inTransaction("create table").length);
  await database.run("insert into node (id, parent) values (1, null), (2, 1)");
  await assert.rejects(database.run("insert into node (id, parent) values (3, 99)"), { code: "FOREIGN_KEY_VIOLATION" });
});

onEachFamily("tables may refer to each other", async (database) => {
  const db = new Multibind();
  db.table("person", { id: integer().primaryKey(), home: integer().nullable().references("house.id") });
  db.table("house", { id: integer().primaryKey(), owner: integer().nullable().references("person.id") });
  await createAll([database.target(db)], db.metadatas);
  await database.run("insert into person (id, home) values (1, null)");
  await database.run("insert into house (id, owner) values (1, 1)");
  await assert.rejects(database.run("update person set home = 99"), { code: "FOREIGN_KEY_VIOLATION" });
  await assert.rejects(database.run("update house set owner = 99"), { code: "FOREIGN_KEY_VIOLATION" });
});

onEachFamily("a foreign key may have several columns", async (database) => {
  const db = new Multibind();
  db.table("pair", { a: integer().primaryKey(), b: integer().primaryKey() });
  db.table(
    "item",
    { id: integer().primaryKey(), x: integer(), y: integer() },
    { constraints: [foreignKey(["x", "y"], "pair", ["a", "b"])] },
  );
  await createAll([database.target(db)], db.metadatas);
  await database.run("insert into pair (a, b) values (1, 2)");
  await database.run("insert into item (id, x, y) values (1, 1, 2)");
  await assert.rejects(database.run("insert into item (id, x, y) values (2, 2, 1)"), { code: "FOREIGN_KEY_VIOLATION" });
});

onEachFamily("a table goes into the schema that it names", async (database) => {
  const schema = `other_${Math.random().toString(36).slice(2)}`;
  await database.run(database.family === "sqlite" ? `attach ':memory:' as ${schema}` : `create schema ${schema}`);
  const db = new Multibind();
  db.table("one", { id: integer().primaryKey(), a: integer().index() }, { schema });
  db.table("two", { id: integer().primaryKey(), one: integer().references(`${schema}.one.id`) }, { schema });
  db.table("one", { id: integer().primaryKey() });
  await createAll([database.target(db)], db.metadatas);
  await createAll([database.target(db)], db.metadatas);
  await database.run(`insert into ${schema}.one (id, a) values (1, 1)`);
  await database.run(`insert into ${schema}.two (id, one) values (1, 1)`);
  assert.deepEqual(await database.run("select * from one"), []);
  if (database.family === "mysql") await database.run(`drop schema ${schema}`);
});

onEachFamily("names may hold any character", async (database) => {
  const odd = "a \"b\" `c` [d] 'e' %; --";
  const db = new Multibind();
  db.table(odd, {
    id: integer().primaryKey(),
    [odd]: varchar(10)
      .unique()
      .index()
      .check(sql`${sql.ref(odd)} <> ${odd}`, `${odd} 2`),
  });
  await createAll([database.target(db)], db.metadatas);
  assert.deepEqual(await database.tables(), [odd]);
});

test("on PostgreSQL a table that is found along the search path is not made again", async () => {
  await using database = await TestDatabase.open("postgres");
  await database.run("create schema first");
  await database.run("create table public.one (id int primary key)");
  const engine = database.again({ driverOptions: { options: "-c search_path=first,public" } });
  const db = new Multibind();
  db.table("one", { id: integer().primaryKey() });
  await createAll([{ engine, metadata: db.metadata }], db.metadatas);
  await engine.close();
  assert.deepEqual(await database.run("select schemaname from pg_tables where tablename = 'one'"), [
    { schemaname: "public" },
  ]);
});

test("SQLite's names ignore case", async () => {
  await using database = await TestDatabase.open("sqlite");
  await database.run("create table ONE (id integer primary key)");
  const db = new Multibind();
  db.table("one", { id: integer().primaryKey() });
  await createAll([database.target(db)], db.metadatas);
  assert.deepEqual(await database.tables(), ["ONE"]);
});

onEachFamily("a foreign key that leads nowhere is found before anything is sent", async (database) => {
  const db = new Multibind();
  db.table("one", { id: integer().primaryKey(), two: integer().references("two.id") });
  await assert.rejects(
    createAll([database.target(db)], db.metadatas),
    (error: DdlError) => error.cause instanceof UnknownTableError,
  );
  assert.deepEqual(database.sent, []);
});

onEachFamily("an expression with a value that has no literal is refused", async (database) => {
  const db = new Multibind();
  db.table("one", { id: integer().primaryKey(), list: text().default(sql`${{ a: 1 }}`) });
  await assert.rejects(
    createAll([database.target(db)], db.metadatas),
    (error: DdlError) => error.cause instanceof SchemaError,
  );
  assert.deepEqual(await database.tables(), []);
});

test("text beyond ASCII in checks and defaults is kept in a database of another character set", async () => {
  await using database = await TestDatabase.open("mysql");
  await database.run("alter database character set latin1");
  const db = new Multibind();
  db.table("greeting", {
    id: integer().primaryKey(),
    language: enumeration(["日本語", "français"]).default(sql`${"日本語"}`),
    body: text().default(sql`${"こんにちは"}`),
  });
  await createAll([database.target(db)], db.metadatas);
  for (const statement of [
    "insert into greeting (id) values (1)",
    "flush tables greeting",
    "insert into greeting (id) values (2)",
  ])
    await database.run(statement);
  assert.deepEqual(await database.run("select language, body from greeting where id = 2"), [
    { language: "日本語", body: "こんにちは" },
  ]);
});
