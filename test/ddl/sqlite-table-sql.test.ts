import assert from "node:assert/strict";
import { test } from "node:test";
import { readTableSql } from "../../src/engine/sqlite/sqlite-table-sql.ts";

const TABLE = `CREATE TABLE "odd ) name" ( -- a comment with ( and '
  id integer /* bigint */ constraint pk primary key autoincrement,
  [a b] text default (')') not null constraint "uq ""1" unique,
  \`check\` int check (\`check\` > (1)), kind varchar(3) constraint ck1 check(kind in ('a,b', 'c)')),
  "double" int generated always as (id * (2)) stored, triple as (id*3),
  p int constraint fk1 references other(id) on delete cascade,
  constraint uq2 unique (p, "a b" collate nocase desc)
  constraint ck2 check ( p <> 1 /* ) */ ),
  constraint fk2 foreign key (p, [a b]) references other (x, y),
  foreign key (kind) references other
) without rowid, strict`;

test("checks are read with their names", () => {
  assert.deepEqual(readTableSql(TABLE).checks, [
    { name: undefined, expression: "`check` > (1)" },
    { name: "ck1", expression: "kind in ('a,b', 'c)')" },
    { name: "ck2", expression: "p <> 1 /* ) */" },
  ]);
});

test("unique constraints are read with their names", () => {
  assert.deepEqual(readTableSql(TABLE).uniques, [
    { name: 'uq "1', columns: ["a b"] },
    { name: "uq2", columns: ["p", "a b"] },
  ]);
});

test("foreign keys are read with their names", () => {
  assert.deepEqual(readTableSql(TABLE).foreignKeys, [
    { name: "fk1", columns: ["p"] },
    { name: "fk2", columns: ["p", "a b"] },
    { name: undefined, columns: ["kind"] },
  ]);
});

test("the expressions of computed columns are read", () => {
  assert.deepEqual(
    [...readTableSql(TABLE).generated],
    [
      ["double", "id * (2)"],
      ["triple", "id*3"],
    ],
  );
});

test("the comments of columns are read", () => {
  assert.deepEqual(readTableSql(TABLE).comments.get("id"), ["/* bigint */"]);
});

test("SQL that cannot be read gives nothing", () => {
  assert.deepEqual(readTableSql("create table broken (a check (").checks, []);
  assert.deepEqual(readTableSql("").checks, []);
});
