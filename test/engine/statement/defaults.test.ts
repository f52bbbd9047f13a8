import assert from "node:assert/strict";
import { test } from "node:test";
import { expressionBuilder, sql } from "kysely";
import { UnsupportedError } from "../../../src/errors/configuration.ts";
import { integer } from "../../../src/schema/types/integer.ts";
import { text } from "../../../src/schema/types/string.ts";
import { timestamp } from "../../../src/schema/types/temporal.ts";
import {
  account,
  assertSent,
  CHANGED,
  compile,
  type Database,
  db,
  FAMILIES,
  familiesWith,
  insertInto,
  item,
  LATER,
  MADE,
  query,
  sent,
  tag,
} from "./support.ts";

const eb = expressionBuilder<Database, string>();
const made = sent(MADE);
const changed = sent(CHANGED);
const truth = { sqlite: 1, postgres: true, mysql: 1 };
const zero = {
  sqlite: compile("sqlite", query.selectFrom(account).select("id").where("balance", "=", "0")).query.parameters[0],
  postgres: "0.00",
  mysql: "0.00",
};
const defaults = ["free", zero, truth, made];
const COLUMNS = `"kind", "balance_now", "active", "created_at"`;

let serial = 0;
const counted = db.table(
  "counted",
  { id: integer().primaryKey(), n: integer().default(() => ++serial), label: text().nullable() },
  { bindKey: "shop" },
);

test("columns with a default are added", () => {
  assertSent(
    insertInto(account).values({ name: "a" }),
    `insert into "account" ("name", ${COLUMNS}) values (?, ?, ?, ?, ?)`,
    ["a", ...defaults],
  );
});

test("a column that is listed, by whichever name, is not added", () => {
  const expected = `insert into "account" ("name", "created_at", "kind", "balance_now", "active") values (?, ?, ?, ?, ?)`;
  const parameters = ["a", sent(LATER), "free", zero, truth];
  assertSent(insertInto(account).values({ name: "a", createdAt: LATER }), expected, parameters);
  assertSent(insertInto(account).values({ name: "a", created_at: LATER }), expected, parameters);
});

test("a default is made for each row, and for rows that leave out what others list", () => {
  serial = 0;
  const { query: added } = compile("sqlite", insertInto(counted).values([{ label: "a" }, { label: "b" }]));
  assert.deepEqual(added.parameters, ["a", 1, "b", 2]);
  const { query: left } = compile(
    "sqlite",
    insertInto(counted).values([{ n: 9 }, { label: "b" }, { n: undefined, label: "c" }]),
  );
  assert.equal(left.sql, `insert into "counted" ("n", "label") values (?, null), (?, ?), (?, ?)`);
  assert.deepEqual(left.parameters, [9, 3, "b", 4, "c"]);
});

test("undefined is as if not given", () => {
  assertSent(insertInto(tag).values({ label: "a", weight: undefined }), `insert into "tag" ("label") values (?)`, [
    "a",
  ]);
});

test("a row of nothing but defaults", () => {
  serial = 0;
  const { query: compiled } = compile("sqlite", insertInto(counted).defaultValues());
  assert.equal(compiled.sql, `insert into "counted" ("n") values (?)`);
  assertSent(insertInto(item).defaultValues(), `insert into "item" default values`, [], ["sqlite", "postgres"]);
  assertSent(insertInto(item).values([{}, {}]), {
    sqlite: `insert into "item" ("id") values (null), (null)`,
    postgres: `insert into "item" ("id") values (default), (default)`,
    mysql: `insert into "item" ("id") values (default), (default)`,
  });
});

test("what a row leaves out gets the database's default where that can be said", () => {
  const statement = insertInto(item).values([{ id: 1, state: "a" }, { id: 2 }]);
  assert.match(compile("postgres", statement).query.sql, /values \(\$1, \$2\), \(\$3, default\)/);
  assert.match(compile("mysql", statement).query.sql, /values \(\?, \?\), \(\?, default\)/);
  assert.throws(
    () => compile("sqlite", statement),
    (error) =>
      error instanceof UnsupportedError &&
      error.bindKey === "shop" &&
      /"item\.state" \(bind "shop"\)/.test(error.message),
  );
});

test("a row of an unknown table is sent as Kysely sends it", () => {
  assertSent(
    query.insertInto("unheard_of").values({ a: 1, b: "x" }),
    `insert into "unheard_of" ("a", "b") values (?, ?)`,
    [{ sqlite: 1n, postgres: 1, mysql: 1 }, "x"],
  );
});

test("a table named by a string has its defaults too", () => {
  serial = 0;
  assertSent(query.insertInto("tag").values({ label: "a" }), `insert into "tag" ("label") values (?)`, ["a"]);
  assert.deepEqual(compile("sqlite", query.insertInto("counted").values({ label: "a" })).query.parameters, ["a", 1]);
});

test("defaults are added to what a query selects", () => {
  assertSent(
    insertInto(account)
      .columns(["name"])
      .expression(query.selectFrom(tag).select("label").where("label", "=", "x")),
    `insert into "account" ("name", ${COLUMNS}) select "label", ? as "kind", ? as "balance_now", ? as "active", ? as "created_at" from "tag" where "label" = ?`,
    [...defaults, "x"],
  );
});

test("defaults are added around a distinct query", () => {
  const dated = db.table("dated", { label: text(), at: timestamp().default(() => MADE) }, { bindKey: "shop" });
  assertSent(
    insertInto(dated).columns(["label"]).expression(query.selectFrom(tag).select("label").distinct()),
    `insert into "dated" ("label", "at") select "rows".*, ? as "at" from (select distinct "label" from "tag") as "rows"`,
    [sent(MADE)],
  );
});

test("a function that makes one row's value is not called for the rows of a query", () => {
  for (const family of FAMILIES) {
    assert.throws(
      () => compile(family, insertInto(counted).columns(["label"]).expression(query.selectFrom(tag).select("label"))),
      (error) => error instanceof UnsupportedError && /"counted\.n" \(bind "shop"\)/.test(error.message),
    );
  }
});

test("defaults cannot be added to a set operation or to raw SQL", () => {
  const labels = query.selectFrom(tag).select("label");
  const refused = (error: unknown) =>
    error instanceof UnsupportedError &&
    error.bindKey === "shop" &&
    /list "kind", "balance", "active", "createdAt"/.test(error.message);
  assert.throws(
    () => compile("sqlite", insertInto(account).columns(["name"]).expression(labels.union(labels))),
    refused,
  );
  assert.throws(() => compile("sqlite", insertInto(account).columns(["name"]).expression(sql`values (1)`)), refused);
  const full = ["name", "kind", "balance", "active", "createdAt"];
  compile("sqlite", insertInto(account).columns(full).expression(labels.union(labels)));
});

test("an insert that lists no columns is left as it is", () => {
  assertSent(insertInto(tag).expression(query.selectFrom(tag).selectAll()), `insert into "tag" select * from "tag"`);
});

test("a default that does not fit is refused", () => {
  const wrong = db.table("wrong", { id: integer().primaryKey(), n: integer().default(() => 1.5) }, { bindKey: "shop" });
  assert.throws(() => compile("sqlite", insertInto(wrong).values({ id: 1 })), {
    code: "INVALID_VALUE",
    table: "wrong",
    column: "n",
  });
});

test("an update adds columns that every update sets", () => {
  assertSent(query.updateTable(account).set({ name: "a" }), `update "account" set "name" = ?, "updated_at" = ?`, [
    "a",
    changed,
  ]);
  assertSent(
    query.updateTable("account as a").set("name", "a"),
    `update "account" as "a" set "name" = ?, "updated_at" = ?`,
    ["a", changed],
  );
});

test("an update that sets such a column itself is left to", () => {
  for (const column of ["updatedAt", "updated_at"]) {
    assertSent(query.updateTable(account).set({ [column]: null }), `update "account" set "updated_at" = ?`, [null]);
    assertSent(query.updateTable(account).set(column, null), `update "account" set "updated_at" = ?`, [null]);
  }
});

test("an upsert adds them too", () => {
  const row = { name: "a", kind: "free", balance: "0", active: true, createdAt: MADE };
  const insert = `insert into "account" ("name", ${COLUMNS}) values (?, ?, ?, ?, ?)`;
  assertSent(
    insertInto(account)
      .values(row)
      .onConflict((oc) => oc.column("id").doUpdateSet({ name: "b" })),
    `${insert} on conflict ("id") do update set "name" = ?, "updated_at" = ?`,
    ["a", ...defaults, "b", changed],
    familiesWith("onConflict"),
  );
  assertSent(
    insertInto(account).values(row).onDuplicateKeyUpdate({ name: "b" }),
    `${insert} on duplicate key update "name" = ?, "updated_at" = ?`,
    ["a", ...defaults, "b", changed],
    familiesWith("onDuplicateKeyUpdate"),
  );
  assertSent(
    insertInto(account)
      .values(row)
      .onConflict((oc) => oc.doNothing()),
    `${insert} on conflict do nothing`,
    ["a", ...defaults],
    familiesWith("onConflict"),
  );
});

test("a merge adds both", () => {
  const merge = query
    .mergeInto("account")
    .using("tag", "tag.id", "account.id")
    .whenMatched()
    .thenUpdateSet({ name: "b" })
    .whenNotMatched()
    .thenInsertValues({ name: (eb: Database) => eb.ref("tag.label") });
  assertSent(
    merge,
    `merge into "account" using "tag" on "tag"."id" = "account"."id" when matched then update set "name" = ?, "updated_at" = ?` +
      ` when not matched then insert ("name", ${COLUMNS}) values ("tag"."label", ?, ?, ?, ?)`,
    ["b", changed, ...defaults],
    familiesWith("mergeInto"),
  );
});

test("writes inside of other statements have defaults too", () => {
  assertSent(
    query
      .with("c", (q) => q.updateTable(account).set({ name: "a" }).returning("id"))
      .selectFrom("c")
      .select("id"),
    `with "c" as (update "account" set "name" = ?, "updated_at" = ? returning "id") select "id" from "c"`,
    ["a", changed],
    ["postgres"],
  );
});

test("expressions as values stay", () => {
  assertSent(
    insertInto(counted).values({ n: eb.selectFrom(tag).select(eb.fn.max("id").as("n")), label: sql`upper(${"x"})` }),
    `insert into "counted" ("n", "label") values ((select max("id") as "n" from "tag"), upper(?))`,
    ["x"],
  );
});
