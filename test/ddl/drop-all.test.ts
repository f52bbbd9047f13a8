import assert from "node:assert/strict";
import { test } from "node:test";
import { createAll } from "../../src/ddl/create-all.ts";
import { dropAll } from "../../src/ddl/drop-all.ts";
import { ForeignKeyViolationError } from "../../src/errors/database.ts";
import { DdlError } from "../../src/errors/ddl.ts";
import { Multibind } from "../../src/multibind.ts";
import { integer } from "../../src/schema/types/integer.ts";
import { onEachFamily, TestDatabase } from "./test-database.ts";

function postAndComment(): Multibind {
  const db = new Multibind();
  db.table("post", { id: integer().primaryKey() });
  db.table("comment", { id: integer().primaryKey(), post: integer().references("post.id", { onDelete: "restrict" }) });
  return db;
}

function circle(action: "restrict" | "cascade" | "no action"): Multibind {
  const db = new Multibind();
  db.table("person", {
    id: integer().primaryKey(),
    home: integer().nullable().references("house.id", { onDelete: action }),
  });
  db.table("house", {
    id: integer().primaryKey(),
    owner: integer().nullable().references("person.id", { onDelete: action }),
  });
  return db;
}

onEachFamily("tables are dropped in one transaction, each before those that it refers to", async (database) => {
  const db = postAndComment();
  await createAll([database.target(db)], db.metadatas);
  database.sent.length = 0;
  await dropAll([database.target(db)], db.metadatas);
  const sent = database.sent.map((statement) => statement.replaceAll("`", '"'));
  assert.deepEqual(sent, database.inTransaction('drop table "comment"', 'drop table "post"'));
});

onEachFamily("tables with rows are dropped", async (database) => {
  const db = postAndComment();
  await createAll([database.target(db)], db.metadatas);
  await database.run("insert into post (id) values (1)");
  await database.run("insert into comment (id, post) values (1, 1)");
  await dropAll([database.target(db)], db.metadatas);
  assert.deepEqual(await database.tables(), []);
});

onEachFamily("dropping twice is harmless", async (database) => {
  const db = postAndComment();
  await createAll([database.target(db)], db.metadatas);
  await dropAll([database.target(db)], db.metadatas);
  database.sent.length = 0;
  await dropAll([database.target(db)], db.metadatas);
  assert.deepEqual(database.sent, database.inTransaction());
});

onEachFamily("only tables that are there are dropped", async (database) => {
  const db = postAndComment();
  await database.run("create table post (id int primary key)");
  await dropAll([database.target(db)], db.metadatas);
  assert.deepEqual(await database.tables(), []);
});

onEachFamily("tables of others stay", async (database) => {
  const db = postAndComment();
  await createAll([database.target(db)], db.metadatas);
  await database.run("create table theirs (id int primary key)");
  await dropAll([database.target(db)], db.metadatas);
  assert.deepEqual(await database.tables(), ["theirs"]);
});

onEachFamily("a view stays", async (database) => {
  const db = postAndComment();
  await database.run("create view post as select 1 as id");
  await dropAll([database.target(db)], db.metadatas);
  assert.deepEqual(await database.run("select id from post"), [{ id: 1 }]);
});

onEachFamily("a bind without tables is sent nothing", async (database) => {
  const db = new Multibind();
  await dropAll([database.target(db)], db.metadatas);
  assert.deepEqual(database.sent, []);
});

for (const action of ["restrict", "cascade", "no action"] as const) {
  onEachFamily(`tables that refer to each other are dropped with their rows, on delete ${action}`, async (database) => {
    const db = circle(action);
    await createAll([database.target(db)], db.metadatas);
    await database.run("insert into person (id, home) values (1, null)");
    await database.run("insert into house (id, owner) values (1, 1)");
    await database.run("update person set home = 1");
    await dropAll([database.target(db)], db.metadatas);
    assert.deepEqual(await database.tables(), []);
  });
}

onEachFamily("a circle is dropped of which only a part is there", async (database) => {
  const db = circle("restrict");
  await database.run("create table person (id int primary key, home int)");
  await dropAll([database.target(db)], db.metadatas);
  assert.deepEqual(await database.tables(), []);
});

onEachFamily("a table that refers to itself is dropped with its rows", async (database) => {
  const db = new Multibind();
  db.table("node", {
    id: integer().primaryKey(),
    parent: integer().nullable().references("node.id", { onDelete: "restrict" }),
  });
  await createAll([database.target(db)], db.metadatas);
  await database.run("insert into node (id, parent) values (1, null)");
  await database.run("insert into node (id, parent) values (2, 1)");
  await dropAll([database.target(db)], db.metadatas);
  assert.deepEqual(await database.tables(), []);
});

for (const action of ["cascade", "set null", "no action"]) {
  onEachFamily(`the rows of a foreign table are never touched, on delete ${action}`, async (database) => {
    const db = postAndComment();
    await createAll([database.target(db)], db.metadatas);
    await database.run("insert into post (id) values (1)");
    await database.run(
      `create table theirs (id int primary key, post int, foreign key (post) references post (id) on delete ${action})`,
    );
    await database.run("insert into theirs (id, post) values (1, 1)");
    await assert.rejects(dropAll([database.target(db)], db.metadatas), DdlError);
    assert.deepEqual(await database.run("select * from theirs"), [{ id: 1, post: 1 }]);
  });
}

test("on SQLite the error names a foreign table that refers to ours", async () => {
  await using database = await TestDatabase.open("sqlite");
  const db = postAndComment();
  await createAll([database.target(db)], db.metadatas);
  await database.run("create table theirs (id int primary key, post int references POST on delete cascade)");
  await assert.rejects(dropAll([database.target(db)], db.metadatas), (error: DdlError) => {
    assert.ok(error.cause instanceof ForeignKeyViolationError);
    assert.match(error.message, /"POST".*"theirs"/);
    return true;
  });
});

test("SQLite checks foreign keys again after a circle was dropped, and after that has failed", async () => {
  await using database = await TestDatabase.open("sqlite");
  const db = circle("restrict");
  for (const fail of [false, true]) {
    await createAll([database.target(db)], db.metadatas);
    const stop = database.engine.onStatement(({ sql }) => {
      if (fail && sql.startsWith("drop")) throw new Error("no");
    });
    await dropAll([database.target(db)], db.metadatas).catch(() => {});
    stop();
    assert.deepEqual(await database.run("pragma foreign_keys"), [{ foreign_keys: 1 }]);
  }
});

onEachFamily("a table is dropped in the schema that it names", async (database) => {
  const schema = `other_${Math.random().toString(36).slice(2)}`;
  await database.run(database.family === "sqlite" ? `attach ':memory:' as ${schema}` : `create schema ${schema}`);
  const db = new Multibind();
  db.table("one", { id: integer().primaryKey(), two: integer().nullable().references(`${schema}.two.id`) }, { schema });
  db.table("two", { id: integer().primaryKey(), one: integer().nullable().references(`${schema}.one.id`) }, { schema });
  await database.run("create table one (id int primary key)");
  await createAll([database.target(db)], db.metadatas);
  await database.run(`insert into ${schema}.one (id) values (1)`);
  await dropAll([database.target(db)], db.metadatas);
  await assert.rejects(database.run(`select * from ${schema}.one`), { code: "PROGRAMMING" });
  assert.deepEqual(await database.tables(), ["one"]);
  if (database.family === "mysql") await database.run(`drop schema ${schema}`);
});
