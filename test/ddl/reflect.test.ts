import assert from "node:assert/strict";
import { test } from "node:test";
import { createAll } from "../../src/ddl/create-all.ts";
import { reflect } from "../../src/ddl/reflect.ts";
import { Multibind } from "../../src/multibind.ts";
import { integer } from "../../src/schema/types/integer.ts";
import { varchar } from "../../src/schema/types/string.ts";
import { describeMetadata, describeTable } from "./table-description.ts";
import { onEachFamily, TestDatabase } from "./test-database.ts";

async function reflected(database: TestDatabase): Promise<Multibind> {
  const db = new Multibind();
  await reflect([database.target(db)]);
  db.metadatas.check();
  return db;
}

onEachFamily("the tables of the database are in the metadata", async (database) => {
  await database.run("create table a (id int primary key)");
  await database.run("create table b (id int primary key)");
  const db = await reflected(database);
  assert.deepEqual([...db.metadata.tables.keys()], ["a", "b"]);
});

onEachFamily("an empty database has no tables", async (database) => {
  assert.equal((await reflected(database)).metadata.tables.size, 0);
});

onEachFamily("views are left out", async (database) => {
  await database.run("create table a (id int primary key)");
  await database.run("create view v as select id from a");
  assert.deepEqual([...(await reflected(database)).metadata.tables.keys()], ["a"]);
});

onEachFamily("a table that is defined already is left as it is", async (database) => {
  await database.run("create table one (id int primary key, extra int)");
  const db = new Multibind();
  const one = db.table("one", { id: integer().primaryKey(), name: varchar(9) });
  await reflect([database.target(db)]);
  assert.equal(db.metadata.tables.get("one"), one);
});

onEachFamily("reflecting again adds what is new", async (database) => {
  await database.run("create table one (id int primary key)");
  const db = await reflected(database);
  const one = db.metadata.tables.get("one");
  await database.run("create table two (id int primary key)");
  await reflect([database.target(db)]);
  assert.equal(db.metadata.tables.get("one"), one);
  assert.equal(db.metadata.tables.size, 2);
});

onEachFamily("each bind's tables go into its own metadata", async (database) => {
  await using other = await TestDatabase.open("sqlite", "other");
  await database.run("create table one (id int primary key)");
  await other.run("create table one (id int primary key, more text)");
  const db = new Multibind();
  await reflect([database.target(db), other.target(db)]);
  assert.deepEqual(Object.keys(db.metadata.tables.get("one")!.columns), ["id"]);
  assert.deepEqual(Object.keys(db.metadatas.get("other").tables.get("one")!.columns), ["id", "more"]);
});

onEachFamily("the catalogue is read in a transaction that changes nothing", async (database) => {
  await reflected(database);
  assert.deepEqual(database.sent, ["begin read only", "rollback"]);
});

onEachFamily("the primary key has the key's own order", async (database) => {
  await database.run("create table one (a int not null, b int not null, c int, primary key (b, a))");
  const { primaryKey, columnList, generatedKey } = (await reflected(database)).metadata.tables.get("one")!;
  assert.deepEqual(
    primaryKey.map(({ name }) => name),
    ["b", "a"],
  );
  assert.deepEqual(
    columnList.map(({ name }) => name),
    ["a", "b", "c"],
  );
  assert.equal(generatedKey, undefined);
});

onEachFamily("a table need not have a primary key", async (database) => {
  await database.run("create table one (a int)");
  assert.deepEqual((await reflected(database)).metadata.tables.get("one")!.primaryKey, []);
});

onEachFamily("a key that the database does not number is not generated", async (database) => {
  await database.run("create table one (id int primary key)");
  await createAll([database.target(await reflected(database))], new Multibind().metadatas);
  const db = await reflected(database);
  assert.equal(db.metadata.tables.get("one")!.generatedKey, undefined);
});

onEachFamily("a foreign key to a table of another schema is left out", async (database) => {
  if (database.family === "sqlite") return;
  const schema = `other_${Math.random().toString(36).slice(2)}`;
  await database.run(`create schema ${schema}`);
  await database.run(`create table ${schema}.far (id int primary key)`);
  await database.run(
    `create table near (id int primary key, far int, foreign key (far) references ${schema}.far (id))`,
  );
  assert.deepEqual((await reflected(database)).metadata.tables.get("near")!.foreignKeys, []);
  const db = new Multibind();
  db.table("far", { id: integer().primaryKey() }, { schema });
  await reflect([database.target(db)]);
  db.metadatas.check();
  assert.deepEqual(db.metadata.tables.get("near")!.foreignKeys[0]!.target, { table: `${schema}.far`, columns: ["id"] });
  await database.run("drop table near");
  if (database.family === "mysql") await database.run(`drop schema ${schema}`);
});

onEachFamily("a reflected table refers to one that was defined before", async (database) => {
  await database.run("create table parent (id int primary key)");
  await database.run(
    "create table child (id int primary key, parent int, foreign key (parent) references parent (id))",
  );
  const db = new Multibind();
  const parent = db.table("parent", { id: integer().primaryKey() });
  await reflect([database.target(db)]);
  assert.equal(db.metadata.tables.get("child")!.foreignKeys[0]!.resolve(db.metadatas).table, parent);
});

onEachFamily("indexes that are not over plain columns are left out", async (database) => {
  await database.run("create table one (id int primary key, a int, b varchar(50))");
  await database.run("create index plain on one (a, b)");
  await database.run(
    database.family === "mysql" ? "create index part on one (b(5))" : "create index part on one (a) where a > 5",
  );
  if (database.family !== "mysql") await database.run("create index computed on one (lower(b))");
  assert.deepEqual(describeTable((await reflected(database)).metadata.tables.get("one")!).indexes, [
    { name: "plain", columns: ["a", "b"], unique: false },
  ]);
});

onEachFamily("a unique index keeps values apart, however it was made", async (database) => {
  await database.run("create table one (id int primary key, a int, b int)");
  await database.run("create unique index one_of_each on one (b, a)");
  const { uniques, indexes } = (await reflected(database)).metadata.tables.get("one")!;
  // MySQL and MariaDB make no difference between the two.
  const expected = { columns: ["b", "a"], name: "one_of_each" };
  if (database.family === "mysql") assert.deepEqual(uniques, [{ kind: "unique", ...expected }]);
  else assert.deepEqual(indexes, [{ kind: "index", ...expected, unique: true }]);
});

onEachFamily("columns may have any name", async (database) => {
  const odd = "a 'b' [c], (d)";
  const quoted = database.family === "mysql" ? `\`${odd}\`` : `"${odd}"`;
  await database.run(
    `create table one (id int primary key, ${quoted} varchar(3) default 'x', constructor int, unique (${quoted}))`,
  );
  const one = describeTable((await reflected(database)).metadata.tables.get("one")!);
  assert.deepEqual(
    one.columns.map(({ property }) => property),
    ["id", odd, "constructor"],
  );
  assert.deepEqual(
    one.uniques.map(({ columns }) => columns),
    [[odd]],
  );
});

onEachFamily("the values of a foreign enumeration are read from its check, if it looks like ours", async (database) => {
  await database.run(
    "create table one (id int primary key, a varchar(3), b varchar(9), check (a in ('x', 'abc')), check (b in ('x', 'y')))",
  );
  const { columns, checks } = describeTable((await reflected(database)).metadata.tables.get("one")!);
  assert.deepEqual(columns[1]!.type, { kind: "enumeration", values: ["x", "abc"] });
  assert.deepEqual(columns[2]!.type.kind, "varchar");
  assert.equal(checks.length, 1);
});

onEachFamily("five hundred tables are read with as many statements as one", async (database) => {
  let statements = 0;
  const sentFor = async (tables: number) => {
    statements = 0;
    assert.equal((await reflected(database)).metadata.tables.size, tables);
    return statements;
  };
  database.engine.onStatement(() => void statements++);
  let one = 0;
  for (let batch = 0; batch < 500; batch++) {
    if (batch === 1) one = await sentFor(1);
    await database.run(
      `create table t${batch} (id int primary key, a int default 5, b varchar(10) unique, parent int, foreign key (parent) references t${Math.max(0, batch - 1)} (id))`,
    );
    await database.run(`create index ix_${batch} on t${batch} (a, b)`);
  }
  assert.ok(one > 0);
  assert.equal(await sentFor(500), one);
});

test("names that differ only in case are one table on SQLite", async () => {
  await using database = await TestDatabase.open("sqlite");
  await database.run("create table ONE (id integer primary key)");
  await database.run("create table two (id integer primary key, one integer references One (id))");
  const db = new Multibind();
  db.table("one", { id: integer().primaryKey() });
  await reflect([database.target(db)]);
  db.metadatas.check();
  assert.deepEqual([...db.metadata.tables.keys()], ["one", "two"]);
  assert.deepEqual(describeMetadata(db.metadata)["two"]!.foreignKeys[0]!.target, { table: "one", columns: ["id"] });
});
