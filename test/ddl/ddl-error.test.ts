import assert from "node:assert/strict";
import { test } from "node:test";
import type { BindTarget } from "../../src/ddl/bind-target.ts";
import { createAll } from "../../src/ddl/create-all.ts";
import { dropAll } from "../../src/ddl/drop-all.ts";
import { reflect } from "../../src/ddl/reflect.ts";
import { UnsupportedError } from "../../src/errors/configuration.ts";
import { DatabaseConnectionError, ProgrammingError } from "../../src/errors/database.ts";
import { DdlError } from "../../src/errors/ddl.ts";
import { SchemaError } from "../../src/errors/schema.ts";
import { Multibind } from "../../src/multibind.ts";
import { integer } from "../../src/schema/types/integer.ts";
import { native } from "../../src/schema/types/native.ts";
import { familyNames, TestDatabase } from "./test-database.ts";

/** A bind with a table that can be made and one that cannot. */
function brokenBind(db: Multibind, bindKey: string): void {
  db.table("fine", { id: integer().primaryKey() }, { bindKey });
  db.table("broken", { id: integer().primaryKey(), value: native("no such ) type") }, { bindKey });
}

async function failure(work: Promise<void>): Promise<DdlError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof DdlError, String(error));
  return error;
}

for (const family of familyNames) {
  test(`a bind that fails does not keep the others from theirs (${family})`, async () => {
    await using good = await TestDatabase.open(family);
    await using bad = await TestDatabase.open(family, "bad");
    await using idle = await TestDatabase.open(family, "idle");
    const db = new Multibind();
    db.table("user", { id: integer().primaryKey() });
    brokenBind(db, "bad");
    const error = await failure(createAll([good.target(db), bad.target(db), idle.target(db)], db.metadatas));
    assert.equal(error.code, "DDL");
    assert.equal(error.bindKey, "bad");
    assert.deepEqual(error.failed, ["bad"]);
    assert.deepEqual(error.done, [null, "idle"]);
    assert.ok(error.cause instanceof ProgrammingError);
    assert.match(
      error.message,
      /^createAll failed on bind "bad": .* Meanwhile the default bind was done, bind "idle" had nothing to do\.$/s,
    );
    assert.deepEqual(await good.tables(), ["user"]);
  });

  test(`what a bind made before it failed is rolled back, or named where that cannot be (${family})`, async () => {
    await using database = await TestDatabase.open(family, "bad");
    const db = new Multibind();
    brokenBind(db, "bad");
    const error = await failure(createAll([database.target(db)], db.metadatas));
    const left = family === "mysql" ? ["fine"] : [];
    assert.deepEqual(await database.tables(), left);
    assert.deepEqual(
      error.created,
      left.map((table) => ({ table, bindKey: "bad" })),
    );
    assert.deepEqual(error.dropped, []);
    assert.equal(/What it had made before stands there: "fine"\./.test(error.message), family === "mysql");
  });

  test(`what a bind dropped before it failed comes back, or is named where that cannot be (${family})`, async () => {
    await using database = await TestDatabase.open(family, "b");
    const db = new Multibind();
    db.table("one", { id: integer().primaryKey() }, { bindKey: "b" });
    db.table("two", { id: integer().primaryKey() }, { bindKey: "b" });
    await createAll([database.target(db)], db.metadatas);
    database.engine.onStatement(({ sql }) => {
      if (/^drop table .one/.test(sql)) throw new Error("injected");
    });
    const error = await failure(dropAll([database.target(db)], db.metadatas));
    assert.deepEqual(await database.tables(), family === "mysql" ? ["one"] : ["one", "two"]);
    assert.deepEqual(error.dropped, family === "mysql" ? [{ table: "two", bindKey: "b" }] : []);
    assert.equal((error.cause as Error).message, "injected");
    assert.doesNotMatch(error.message, /Meanwhile/);
  });

  test(`a bind that is read-only fails before anything is sent (${family})`, async () => {
    await using database = await TestDatabase.open(family, "r", { readOnly: true });
    const db = new Multibind();
    db.table("one", { id: integer().primaryKey() }, { bindKey: "r" });
    for (const work of [createAll, dropAll]) {
      const error = await failure(work([database.target(db)], db.metadatas));
      assert.ok(error.cause instanceof UnsupportedError);
      assert.match(error.message, /bind "r" is read-only/);
    }
    assert.deepEqual(database.sent, []);
  });

  test(`a bind that is not managed is refused before any other is touched (${family})`, async () => {
    await using mine = await TestDatabase.open(family);
    await using theirs = await TestDatabase.open(family, "theirs", { managed: false });
    const db = new Multibind();
    db.table("one", { id: integer().primaryKey() });
    for (const work of [createAll, dropAll]) {
      const refused = work([mine.target(db), theirs.target(db)], db.metadatas);
      await assert.rejects(refused, (error) => error instanceof SchemaError && /bind "theirs"/.test(error.message));
    }
    assert.deepEqual(mine.sent, []);
  });

  test(`a bind that is read-only and not managed is reflected (${family})`, async () => {
    await using database = await TestDatabase.open(family);
    if (family === "sqlite") return;
    await database.run("create table one (id int primary key)");
    const engine = database.again({ readOnly: true, managed: false });
    const db = new Multibind();
    await reflect([{ engine, metadata: db.metadata }]);
    await engine.close();
    assert.deepEqual([...db.metadata.tables.keys()], ["one"]);
  });
}

test("the failures of several binds are all told", async () => {
  await using one = await TestDatabase.open("sqlite", "one");
  await using two = await TestDatabase.open("postgres", "two");
  const db = new Multibind();
  brokenBind(db, "one");
  brokenBind(db, "two");
  const error = await failure(createAll([one.target(db), two.target(db)], db.metadatas));
  assert.deepEqual(error.failed, ["one", "two"]);
  assert.deepEqual(error.done, []);
  assert.match(error.message, /failed on bind "one": .* createAll failed on bind "two": /s);
});

test("a database that cannot be reached is told like any other failure", async () => {
  await using up = await TestDatabase.open("sqlite");
  await using down = await TestDatabase.open("sqlite", "down", { url: "postgresql://nobody@127.0.0.1:1/none" });
  const db = new Multibind();
  await up.run("create table one (id integer primary key)");
  const targets: BindTarget[] = [up.target(db), down.target(db)];
  const error = await failure(reflect(targets));
  assert.match(error.message, /^reflect failed on bind "down"/);
  assert.ok(error.cause instanceof DatabaseConnectionError);
  assert.deepEqual([...db.metadata.tables.keys()], ["one"]);
});
