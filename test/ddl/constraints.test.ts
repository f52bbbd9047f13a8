import assert from "node:assert/strict";
import { sql } from "kysely";
import { createAll } from "../../src/ddl/create-all.ts";
import { reflect } from "../../src/ddl/reflect.ts";
import { Multibind } from "../../src/multibind.ts";
import { check, index, unique } from "../../src/schema/constraint.ts";
import type { NamingConvention } from "../../src/schema/naming-convention.ts";
import { enumeration } from "../../src/schema/types/enumeration.ts";
import { integer } from "../../src/schema/types/integer.ts";
import { varchar } from "../../src/schema/types/string.ts";
import { namesIn } from "./constraint-catalogue.ts";
import { onEachFamily } from "./test-database.ts";

const CONVENTION: NamingConvention = {
  pk: "pk_{table}",
  uq: "uq_{table}_{columns}",
  ix: "idx_{table}_{column}",
  fk: "fk_{table}_{columns}_{referredTable}_{referredColumns}",
  ck: "ck_{table}_{name}",
};

onEachFamily("a naming convention names every kind of constraint", async (database) => {
  const db = new Multibind({ namingConvention: CONVENTION });
  db.table("owner", { id: integer().primaryKey() });
  db.table("thing", {
    key: integer().primaryKey().named("thing_key"),
    code: varchar(9).unique(),
    tag: varchar(9).index(),
    size: integer().check(sql`size > 0`, "positive"),
    kind: enumeration(["a", "b"]),
    ownerId: integer().named("owner_id").references("owner.id"),
  });
  await createAll([database.target(db)], db.metadatas);
  const names = await namesIn(database, "thing");
  const expected = [
    "ck_thing_kind",
    "ck_thing_positive",
    "fk_thing_owner_id_owner_id",
    "idx_thing_tag",
    "pk_thing",
    "uq_thing_code",
  ];
  const primary = database.family === "mysql" ? "PRIMARY" : "pk_thing";
  assert.deepEqual(
    expected.map((name) => (name === "pk_thing" ? primary : name)).filter((name) => !names.includes(name)),
    [],
  );
});

onEachFamily("a name of its own wins over the convention, except that a check's is a part of it", async (database) => {
  const db = new Multibind({ namingConvention: CONVENTION });
  db.table("owner", { id: integer().primaryKey() });
  db.table(
    "thing",
    {
      id: integer().primaryKey(),
      a: integer(),
      b: integer(),
      owner: integer().references("owner.id", { name: "my_fk" }),
    },
    {
      constraints: [
        unique(["a", "b"], { name: "my_uq" }),
        index(["b"], { name: "my_ix" }),
        check(sql`a < b`, { name: "my_ck" }),
      ],
    },
  );
  await createAll([database.target(db)], db.metadatas);
  const names = await namesIn(database, "thing");
  assert.deepEqual(
    ["ck_thing_my_ck", "my_fk", "my_ix", "my_uq"].filter((name) => !names.includes(name)),
    [],
  );
});

onEachFamily("without a convention a check keeps its own name and an index has the usual one", async (database) => {
  const db = new Multibind();
  db.table("thing", { id: integer().primaryKey(), a: integer().index().check(sql`a > 0`, "a_positive") });
  await createAll([database.target(db)], db.metadatas);
  const names = await namesIn(database, "thing");
  assert.deepEqual(
    ["a_positive", "ix_thing_a"].filter((name) => !names.includes(name)),
    [],
  );
});

onEachFamily("a name that is too long is cut, and stays unique", async (database) => {
  const long = "c".repeat(50);
  const db = new Multibind();
  db.table("thing", { id: integer().primaryKey(), [`${long}1`]: integer().index(), [`${long}2`]: integer().index() });
  await createAll([database.target(db)], db.metadatas);
  await reflect([database.target(new Multibind())]);
  const names = (await namesIn(database, "thing")).filter((name) => name.startsWith("ix_thing_"));
  assert.equal(new Set(names).size, 2);
  assert.ok(names.every((name) => name.length <= 60));
});

onEachFamily("the database checks the values of an enumeration", async (database) => {
  const db = new Multibind();
  db.table("thing", {
    id: integer().primaryKey(),
    kind: enumeration(["car", "it's"]),
    other: enumeration(["x"]).nullable(),
  });
  await createAll([database.target(db)], db.metadatas);
  await database.run("insert into thing (id, kind, other) values (1, 'it''s', null), (2, 'car', 'x')");
  await assert.rejects(database.run("insert into thing (id, kind) values (3, 'bus')"), { code: "CHECK_VIOLATION" });
  await assert.rejects(database.run("insert into thing (id, kind, other) values (3, 'car', 'y')"), {
    code: "CHECK_VIOLATION",
  });
});

onEachFamily("a check may hold values and name columns by their properties", async (database) => {
  const db = new Multibind();
  db.table("thing", {
    id: integer().primaryKey(),
    unitPrice: integer()
      .named("unit_price")
      .check(sql`${sql.ref("unitPrice")} between ${1} and ${10}`),
    name: varchar(20).check(sql`${sql.ref("name")} <> ${"it's \\ \" x"}`),
  });
  await createAll([database.target(db)], db.metadatas);
  await database.run("insert into thing (id, unit_price, name) values (1, 10, 'x')");
  await assert.rejects(database.run("insert into thing (id, unit_price, name) values (2, 11, 'x')"), {
    code: "CHECK_VIOLATION",
  });
});

onEachFamily("not null and unique hold", async (database) => {
  const db = new Multibind();
  db.table("thing", { id: integer().primaryKey(), a: varchar(9).unique(), b: integer().nullable() });
  await createAll([database.target(db)], db.metadatas);
  await database.run("insert into thing (id, a, b) values (1, 'x', null), (2, 'X', null)");
  await assert.rejects(database.run("insert into thing (id, a) values (3, 'x')"), { code: "UNIQUE_VIOLATION" });
  await assert.rejects(database.run("insert into thing (id, a) values (4, null)"), { code: "NOT_NULL_VIOLATION" });
});

onEachFamily("referential actions are carried out", async (database) => {
  const db = new Multibind();
  db.table("parent", { id: integer().primaryKey() });
  db.table("gone", { id: integer().primaryKey(), parent: integer().references("parent.id", { onDelete: "cascade" }) });
  db.table("kept", {
    id: integer().primaryKey(),
    parent: integer().nullable().references("parent.id", { onDelete: "set null", onUpdate: "cascade" }),
  });
  await createAll([database.target(db)], db.metadatas);
  await database.run("insert into parent (id) values (1), (2)");
  await database.run("insert into gone (id, parent) values (1, 1)");
  await database.run("insert into kept (id, parent) values (1, 1), (2, 2)");
  await database.run("update parent set id = 3 where id = 2");
  await database.run("delete from parent where id = 1");
  assert.deepEqual(await database.run("select * from gone"), []);
  assert.deepEqual(await database.run("select * from kept order by id"), [
    { id: 1, parent: null },
    { id: 2, parent: 3 },
  ]);
});
