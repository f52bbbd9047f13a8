import assert from "node:assert/strict";
import { test } from "node:test";
import { expressionBuilder, sql } from "kysely";
import { typed } from "../../../src/engine/statement/typed.ts";
import { UnsupportedError } from "../../../src/errors/configuration.ts";
import { integer } from "../../../src/schema/types/integer.ts";
import { account, compile, type Database, foreign, insertInto, item, query, type Statement, tag } from "./support.ts";

const eb = expressionBuilder<Database, string>();
const prepares = (statement: Statement) => compile("postgres", statement).query.prepare;
const isPlain = (statement: Statement) => compile("sqlite", statement).query.plainNumbers;
const tags = query.selectFrom(tag).select("id");

test("statements of fixed text are prepared", () => {
  assert.equal(prepares(tags.where("id", "=", 1)), true);
  assert.equal(prepares(tags.where("id", "in", [1, 2])), true);
  assert.equal(prepares(insertInto(tag).values({ label: "a", weight: 1 })), true);
  assert.equal(prepares(query.updateTable(tag).set({ label: "a" })), true);
  assert.equal(prepares(query.selectFrom(account).selectAll()), true);
  assert.equal(
    prepares(
      query
        .with("c", (q) => q.selectFrom(tag).selectAll())
        .selectFrom("c")
        .select("c.id"),
    ),
    true,
  );
});

test("raw SQL is not prepared, nor are definitions", () => {
  assert.equal(prepares(sql`select 1`), undefined);
});

test("lists of any length are not prepared", () => {
  assert.equal(prepares(tags.where("id", "in", [1, 2, 3, 4, 5])), undefined);
  assert.equal(prepares(tags.where(sql`id in (${sql.join([1, 2, 3, 4, 5])})` as never)), undefined);
  assert.equal(prepares(insertInto(tag).values([{ label: "a" }, { label: "b" }])), undefined);
});

test("a star that is sent is not prepared: its columns may change", () => {
  assert.equal(prepares(query.selectFrom(tag).selectAll()), undefined);
  assert.equal(prepares(query.selectFrom(tag).selectAll("tag")), undefined);
  assert.equal(prepares(insertInto(tag).values({ label: "a" }).returningAll()), undefined);
});

test("plain numbers do where every column of the result checks them", () => {
  assert.equal(isPlain(query.selectFrom(item).select(["id", "price", "at"])), true);
  assert.equal(isPlain(query.selectFrom(account).selectAll()), true);
  assert.equal(isPlain(query.selectFrom(tags.as("t")).selectAll()), true);
  assert.equal(isPlain(query.selectFrom(tag).select(typed(sql`count(*)`, integer()).as("n"))), true);
  assert.equal(isPlain(insertInto(tag).values({ label: "a" }).returning("id")), true);
});

test("plain numbers do where nothing comes back", () => {
  assert.equal(isPlain(insertInto(tag).values({ label: "a" })), true);
  assert.equal(isPlain(query.updateTable(tag).set({ label: "a" })), true);
  assert.equal(isPlain(query.deleteFrom(tag)), true);
});

test("plain numbers do not where a column may hold more than they", () => {
  assert.equal(isPlain(query.selectFrom(item).select(["id", "serial"])), undefined);
  assert.equal(isPlain(query.selectFrom(foreign).select("any")), undefined);
  assert.equal(isPlain(query.selectFrom(tag).select(eb.fn.countAll().as("n"))), undefined);
  assert.equal(isPlain(query.selectFrom("unheard_of").select("id")), undefined);
  assert.equal(isPlain(query.selectFrom(tag).select(eb.fn.max("id") as never)), undefined);
  assert.equal(isPlain(sql`select 1`), undefined);
});

test("plain numbers do not behind a star: the table may have columns that are not described", () => {
  assert.equal(isPlain(query.selectFrom(tag).selectAll()), undefined);
  assert.equal(isPlain(query.selectFrom(query.selectFrom(tag).selectAll().as("t")).selectAll()), undefined);
});

test("returning is refused where a family lacks it", () => {
  const update = query.updateTable(tag).set({ label: "a" }).returning("id");
  const refused = (error: unknown) =>
    error instanceof UnsupportedError && error.bindKey === "shop" && /bind "shop".*returning/.test(error.message);
  assert.throws(() => compile("mysql", update), refused);
  const within = query
    .with("c", () => update)
    .selectFrom("c")
    .selectAll();
  for (const family of ["mysql", "sqlite"] as const) assert.throws(() => compile(family, within), UnsupportedError);
  compile("mysql", insertInto(tag).values({ label: "a" }).returning("id"));
  compile("mysql", query.deleteFrom(tag).returning("id"));
  compile("sqlite", update);
  compile("postgres", update);
});
