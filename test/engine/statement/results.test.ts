import assert from "node:assert/strict";
import { test } from "node:test";
import { expressionBuilder, sql } from "kysely";
import type { FamilyName } from "../../../src/engine/options/database-url.ts";
import { typed } from "../../../src/engine/statement/typed.ts";
import { PrecisionError } from "../../../src/errors/value.ts";
import { numeric } from "../../../src/schema/types/numeric.ts";
import { timestamp } from "../../../src/schema/types/temporal.ts";
import {
  account,
  compile,
  type Database,
  insertInto,
  item,
  LATER,
  query,
  type Statement,
  sent,
  tag,
} from "./support.ts";

const eb = expressionBuilder<Database, string>();
const stored = sent(LATER).sqlite;

/** What becomes of a row that a database gave. */
function read(
  statement: Statement,
  row: Record<string, unknown>,
  family: FamilyName = "sqlite",
): Record<string, unknown> {
  const copy = { ...row };
  compile(family, statement).readRows?.([copy]);
  return copy;
}

function assertConverted(statement: Statement, name = "at", family: FamilyName = "sqlite"): void {
  assert.deepEqual(read(statement, { [name]: sent(LATER)[family] }, family), { [name]: LATER });
}

function assertLeft(statement: Statement, name = "at"): void {
  assert.deepEqual(read(statement, { [name]: stored }), { [name]: stored });
}

test("a selected column is converted", () => {
  assertConverted(query.selectFrom(item).select("at"));
  assertConverted(query.selectFrom(item).select("item.at"));
  assertConverted(query.selectFrom(account).select("createdAt"), "createdAt");
  assertConverted(query.selectFrom(account).select("created_at"), "created_at");
});

test("a column is converted under its alias", () => {
  assertConverted(query.selectFrom(item).select("at as x"), "x");
  assertConverted(query.selectFrom(item.as("i")).select(eb.ref("i.at").as("x")), "x");
  assertConverted(query.selectFrom(item).select(eb.parens(eb.ref("at")).as("x")), "x");
  assertConverted(query.selectFrom(item).select(sql.ref("at").as("x")), "x");
});

test("stars are converted", () => {
  assertConverted(query.selectFrom(item).selectAll());
  assertConverted(query.selectFrom(item.as("i")).innerJoin(tag, "tag.id", "i.id").selectAll("i"));
  assertConverted(query.selectFrom(account).selectAll(), "createdAt");
});

test("null stays null, and a column that is not there is not added", () => {
  assert.deepEqual(read(query.selectFrom(item).selectAll(), { at: null, other: 1 }), { at: null, other: 1 });
});

test("a table named by a string is looked up", () => {
  assertConverted(query.selectFrom("item").select("at"));
  assertConverted(query.selectFrom("item as i").selectAll());
  assertLeft(query.selectFrom("unheard_of").select("at"));
  assertLeft(query.selectFrom("other.item").select("at"));
});

test("columns of subqueries are converted", () => {
  const sub = query.selectFrom(item).select(["at", "at as x", "item.id as id"]).as("s");
  assertConverted(query.selectFrom(sub).select("s.at"));
  assertConverted(query.selectFrom(sub).selectAll(), "x");
  assertConverted(query.selectFrom(tag).innerJoin(sub, "s.id", "tag.id").select("x"), "x");
  assertConverted(
    query
      .selectFrom(tag)
      .leftJoinLateral(sub, (join) => join.onTrue())
      .select("s.at"),
    "at",
    "postgres",
  );
});

test("a scalar subquery is converted", () => {
  assertConverted(query.selectFrom(tag).select(query.selectFrom(item).select("at").limit(1).as("x")), "x");
  assertConverted(query.selectFrom(item).select(eb.selectFrom(tag).select("item.at").as("x")), "x");
});

test("min, max, coalesce and ifnull give what they are given", () => {
  assertConverted(query.selectFrom(item).select(eb.fn.max("at").as("x")), "x");
  assertConverted(query.selectFrom(item).select(eb.fn.min("item.at").over().as("x")), "x");
  assertConverted(query.selectFrom(item).select(eb.fn("MAX", ["at"]).as("x")), "x");
  assertConverted(query.selectFrom(item).select(eb.fn.coalesce(sql`f()`, "at").as("x")), "x");
  assertConverted(query.selectFrom(item).select(eb.fn("ifnull", ["at", eb.val(null)]).as("x")), "x");
});

test("other expressions are left as the driver reads them", () => {
  assertLeft(query.selectFrom(item).select(eb.fn("lower", ["at"]).as("x")), "x");
  assertLeft(query.selectFrom(item).select(sql`"at"`.as("at")));
  assertLeft(query.selectFrom(item).select(eb.cast("at", "text").as("at")));
  assertLeft(
    query.selectFrom(item).select(
      eb
        .ref("data", "->>")
        .key("at" as never)
        .as("at") as never,
    ),
  );
  assertLeft(query.selectFrom(item).select(eb.fn.count("at").as("at")));
});

test("the first query of a set operation decides", () => {
  assertConverted(query.selectFrom(item).select("at").union(query.selectFrom(tag).select("label as at")));
  assertLeft(query.selectFrom(tag).select("label as at").union(query.selectFrom(item).select("at")));
});

test("a common table expression is converted", () => {
  assertConverted(
    query
      .with("c", (q) => q.selectFrom(item).select("at"))
      .selectFrom("c")
      .select("c.at"),
  );
  assertConverted(
    query
      .with("c", (q) => q.selectFrom(item).select("at"))
      .selectFrom("c as d")
      .selectAll(),
  );
  assertConverted(
    query
      .with("c(x)" as "c", (q) => q.selectFrom(item).select("at"))
      .selectFrom("c")
      .select("x"),
    "x",
  );
  assertConverted(
    query
      .with("c", (q) => q.updateTable(item).set({ sold: true }).returning("at"))
      .selectFrom("c")
      .selectAll(),
    "at",
    "postgres",
  );
});

test("a recursive common table expression is converted as its first query is", () => {
  const recursive = query
    .withRecursive("c", (q) =>
      q
        .selectFrom(item)
        .select(["id", "at"])
        .unionAll(q.selectFrom("c").innerJoin(item, "item.id", "c.id").select(["c.id", "c.at"])),
    )
    .selectFrom("c")
    .selectAll();
  assertConverted(recursive);
});

test("a later common table expression may use an earlier one", () => {
  assertConverted(
    query
      .with("a", (q) => q.selectFrom(item).select("at as x"))
      .with("b", (q) => q.selectFrom("a").select("x as y"))
      .selectFrom("b")
      .select("y"),
    "y",
  );
});

test("a common table expression hides a table named by a string, not a table object", () => {
  const shadowed = query.with("item", (q) => q.selectFrom(tag).select("label as at"));
  assertLeft(shadowed.selectFrom("item").select("at"));
  assertConverted(shadowed.selectFrom(item).select("at"));
});

test("a common table expression's own name means the table inside of it", () => {
  assertConverted(
    query
      .with("item", (q) => q.selectFrom("item").select("at as x"))
      .selectFrom("item")
      .select("x"),
    "x",
  );
});

test("a common table expression of an inner query ends with it", () => {
  const inner = query
    .with("item", (q) => q.selectFrom(tag).select("label as at"))
    .selectFrom("item")
    .select("at")
    .as("s");
  assertLeft(query.selectFrom(inner).select("s.at"));
  assertConverted(query.selectFrom(inner).innerJoin("item", "item.at", "s.at").select("item.at as x"), "x");
});

test("rows that a write returns are converted", () => {
  assertConverted(insertInto(item).values({ id: 1 }).returning("at"));
  assertConverted(query.updateTable(item).set({ id: 1 }).returningAll());
  assertConverted(query.deleteFrom(item).returning("item.at as x"), "x");
  assertConverted(query.updateTable(tag).from(item).set({ label: "x" }).returning("item.at as x"), "x");
});

test("of several columns of one name, the last decides", () => {
  assertConverted(query.selectFrom(item).select([sql`1`.as("at"), "item.at"]));
  assertLeft(query.selectFrom(item).select(["item.at", sql`'x'`.as("at")]));
});

test("a typed expression is converted", () => {
  assertConverted(query.selectFrom(tag).select(typed(sql`now()`, timestamp()).as("x")), "x");
  assertConverted(query.selectFrom(tag).select(typed(eb.fn("f", ["id"]), item.columns["at"]).as("x")), "x");
  assert.deepEqual(read(query.selectNoFrom([typed(sql`sum(x)`, numeric(10, 2)).as("x")]), { x: null }), { x: null });
});

test("what cannot be given back without loss is refused, naming the column", () => {
  assert.throws(
    () => read(query.selectFrom(item).select("at as x"), { x: "2026-01-01 00:00:00.000001" }),
    (error) =>
      error instanceof PrecisionError && error.column === "at" && error.table === "item" && error.bindKey === "shop",
  );
});

test("a plan is left as the driver reads it", () => {
  const node = query.selectFrom(item).select("at").toOperationNode();
  const explained = { ...node, explain: { kind: "ExplainNode" } } as typeof node;
  assertLeft({ toOperationNode: () => explained });
});

test("raw SQL is left as the driver reads it", () => {
  assertLeft(sql`select at from ${item}`);
});
