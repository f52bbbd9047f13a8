import assert from "node:assert/strict";
import { test } from "node:test";
import { createAll } from "../../src/ddl/create-all.ts";
import { dropAll } from "../../src/ddl/drop-all.ts";
import { reflect } from "../../src/ddl/reflect.ts";
import {
  type Application,
  DdlError,
  ForeignKeyViolationError,
  InvalidOptionError,
  integer,
  Multibind,
  varchar,
} from "../../src/index.ts";
import { freshDatabase } from "../fixtures/databases.ts";
import { onEachFamily, TestDatabase } from "./test-database.ts";

onEachFamily("tables that were reflected stay", async (database) => {
  await database.run("create table theirs (id int primary key)");
  const db = new Multibind();
  db.table("ours", { id: integer().primaryKey() });
  await createAll([database.target(db)], db.metadatas);
  await reflect([database.target(db)]);
  assert.deepEqual([...db.metadata.tables.keys()], ["ours", "theirs"]);
  await dropAll([database.target(db)], db.metadatas);
  assert.deepEqual(await database.tables(), ["theirs"]);
});

onEachFamily("tables that were reflected are dropped if they may go too", async (database) => {
  await database.run("create table theirs (id int primary key)");
  await database.run("create table more (id int primary key, t int, foreign key (t) references theirs (id))");
  const db = new Multibind();
  db.table("ours", { id: integer().primaryKey() });
  await createAll([database.target(db)], db.metadatas);
  await reflect([database.target(db)]);
  await dropAll([database.target(db)], db.metadatas, { reflected: true });
  assert.deepEqual(await database.tables(), []);
});

onEachFamily("a bind with nothing but reflected tables is sent nothing", async (database) => {
  await database.run("create table theirs (id int primary key)");
  const db = new Multibind();
  await reflect([database.target(db)]);
  database.sent.length = 0;
  await dropAll([database.target(db)], db.metadatas);
  assert.deepEqual(database.sent, []);
});

onEachFamily("a table that is defined and there too is ours, before and after it is reflected", async (database) => {
  await database.run("create table one (id int primary key, extra int)");
  const db = new Multibind();
  db.table("one", { id: integer().primaryKey() });
  await reflect([database.target(db)]);
  await reflect([database.target(db)]);
  await dropAll([database.target(db)], db.metadatas);
  assert.deepEqual(await database.tables(), []);
});

onEachFamily("a table that is defined after it was reflected is ours", async (database) => {
  await database.run("create table one (id int primary key, extra int)");
  const db = new Multibind({ redefine: "replace" });
  await reflect([database.target(db)]);
  assert.ok(db.metadata.isReflected(db.metadata.tables.get("one")!));
  db.table("one", { id: integer().primaryKey() });
  assert.ok(!db.metadata.isReflected(db.metadata.tables.get("one")!));
  await dropAll([database.target(db)], db.metadatas);
  assert.deepEqual(await database.tables(), []);
});

onEachFamily("a reflected table that a model is mapped to stays", async (database) => {
  await database.run("create table theirs (id int primary key)");
  const db = new Multibind();
  await reflect([database.target(db)]);
  class Theirs extends db.model(db.metadata.tables.get("theirs")!) {}
  await dropAll([database.target(db)], db.metadatas);
  assert.deepEqual(await database.tables(), ["theirs"]);
  assert.ok(db.metadata.isReflected(Theirs.table));
  await dropAll([database.target(db)], db.metadatas, { reflected: true });
  assert.deepEqual(await database.tables(), []);
});

onEachFamily("a table of ours that refers to a reflected one is dropped", async (database) => {
  await database.run("create table theirs (id int primary key)");
  const db = new Multibind();
  await reflect([database.target(db)]);
  db.table("ours", { id: integer().primaryKey(), theirs: integer().references("theirs.id") });
  await createAll([database.target(db)], db.metadatas);
  await dropAll([database.target(db)], db.metadatas);
  assert.deepEqual(await database.tables(), ["theirs"]);
});

for (const isReflected of [true, false]) {
  const what = isReflected ? "a reflected table" : "a table that nobody knows";
  onEachFamily(`${what} with a foreign key to one of ours keeps all of ours, and is named`, async (database) => {
    const db = new Multibind();
    db.table("first", { id: integer().primaryKey() });
    db.table("middle", { id: integer().primaryKey(), first: integer().references("first.id") });
    db.table("last", { id: integer().primaryKey(), middle: integer().references("middle.id") });
    await createAll([database.target(db)], db.metadatas);
    await database.run("create table theirs (id int primary key, f int, foreign key (f) references first (id))");
    if (isReflected) await reflect([database.target(db)]);
    await assert.rejects(dropAll([database.target(db)], db.metadatas), (error) => {
      assert.ok(error instanceof DdlError);
      assert.deepEqual(error.dropped, []);
      const { cause } = error;
      assert.ok(cause instanceof ForeignKeyViolationError);
      assert.equal(cause.table, "first");
      assert.match(cause.message, /table "first" of the default bind: table "theirs".*\{ reflected: true \}/);
      return true;
    });
    assert.deepEqual(await database.tables(), ["first", "last", "middle", "theirs"]);
    if (!isReflected) return;
    await dropAll([database.target(db)], db.metadatas, { reflected: true });
    assert.deepEqual(await database.tables(), []);
  });
}

onEachFamily("a circle of ours and a reflected table keeps all", async (database) => {
  const db = new Multibind();
  db.table("one", { id: integer().primaryKey(), two: integer().nullable().references("two.id") });
  db.table("two", { id: integer().primaryKey(), one: integer().nullable().references("one.id") });
  await createAll([database.target(db)], db.metadatas);
  await database.run("create table theirs (id int primary key, one int, foreign key (one) references one (id))");
  await reflect([database.target(db)]);
  await assert.rejects(dropAll([database.target(db)], db.metadatas), /"theirs"/);
  assert.deepEqual(await database.tables(), ["one", "theirs", "two"]);
  await dropAll([database.target(db)], db.metadatas, { reflected: true });
  assert.deepEqual(await database.tables(), []);
});

test("on PostgreSQL a foreign key of a partition is one of its table", async () => {
  await using database = await TestDatabase.open("postgres");
  const db = new Multibind();
  db.table("post", { id: integer().primaryKey() });
  db.table("note", { id: integer().primaryKey(), post: integer() });
  await database.run("create table post (id int primary key)");
  await database.run("create table note (id int primary key, post int) partition by range (id)");
  await database.run("create table note_1 partition of note for values from (0) to (10)");
  await database.run("alter table note_1 add foreign key (post) references post");
  await dropAll([database.target(db)], db.metadatas);
  assert.deepEqual(await database.tables(), []);
});

for (const family of ["sqlite", "postgres", "mysql"] as const) {
  test(`of one bind or all, the other binds' reflected tables stay (${family})`, async (t) => {
    const urls = [await freshDatabase(t, family), await freshDatabase(t, "sqlite")] as const;
    const first = new Multibind();
    for (const bindKey of [null, "meta"]) first.table("theirs", { id: integer().primaryKey() }, { bindKey });
    const configuration = { databaseUri: urls[0], binds: { meta: urls[1] } };
    const theirs = first.init(configuration);
    await theirs.createAll();

    const db = new Multibind();
    for (const bindKey of [null, "meta"])
      db.table("ours", { id: integer().primaryKey(), name: varchar(9) }, { bindKey });
    const app = db.init(configuration);
    await app.createAll();
    await app.reflect();
    const left = async (of: Application) => {
      const look = new Multibind();
      const its = look.init({ databaseUri: of.engine.url!, binds: { meta: of.engines.get("meta").url! } });
      await its.reflect();
      await its.dispose();
      return [null, "meta"].map((key) => [...look.metadatas.get(key).tables.keys()]);
    };
    await app.dropAll({ bindKey: "meta" });
    assert.deepEqual(await left(app), [["ours", "theirs"], ["theirs"]]);
    await app.dropAll();
    assert.deepEqual(await left(app), [["theirs"], ["theirs"]]);
    await app.dropAll({ bindKey: "meta", reflected: true });
    assert.deepEqual(await left(app), [["theirs"], []]);
    await app.run(() => db.dropAll({ reflected: true }));
    assert.deepEqual(await left(app), [[], []]);
    await app.dispose();
    await theirs.dispose();
  });
}

test("the option is true or false, and belongs to dropAll alone", async () => {
  const db = new Multibind();
  await using app = db.init({ databaseUri: "sqlite://" });
  for (const reflected of ["true", 1, null])
    await assert.rejects(app.dropAll({ reflected } as never), InvalidOptionError);
  await assert.rejects(app.createAll({ reflected: true } as never), InvalidOptionError);
  await assert.rejects(app.reflect({ reflected: true } as never), InvalidOptionError);
});

onEachFamily("the decisions of two-phase commits are never reflected, and so never dropped", async (database) => {
  await database.run("create table multibind_decision (id int primary key)");
  const db = new Multibind();
  await reflect([database.target(db)]);
  assert.equal(db.metadata.tables.size, 0);
});
