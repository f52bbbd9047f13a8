import assert from "node:assert/strict";
import { test } from "node:test";
import { expressionBuilder, sql } from "kysely";
import { typed } from "../../../src/engine/statement/typed.ts";
import { InvalidValueError, UndefinedValueError } from "../../../src/errors/value.ts";
import { text, varchar } from "../../../src/schema/types/string.ts";
import { timestamp } from "../../../src/schema/types/temporal.ts";
import {
  account,
  assertSent,
  compile,
  type Database,
  FAMILIES,
  familiesWith,
  foreign,
  insertInto,
  item,
  LATER,
  query,
  sent,
  tag,
} from "./support.ts";

const when = sent(LATER);
const truth = { sqlite: 1, postgres: true, mysql: 1 };
const eb = expressionBuilder<Database, string>();
const items = query.selectFrom(item).select("id");

for (const operator of ["=", "!=", "<>", "<", "<=", ">", ">=", "is", "is not"] as const) {
  test(`a value is converted opposite a column: ${operator}`, () => {
    assertSent(items.where("at", operator, LATER), `select "id" from "item" where "at" ${operator} ?`, [when]);
  });
}

test("null-safe comparisons are said in the words that the database has", () => {
  const condition = (sql: string) => `select "id" from "item" where ${sql}`;
  const [same, other] = ['"at" is not distinct from ?', '"at" is distinct from ?'].map(condition);
  assertSent(
    items.where("at", "is not distinct from", LATER),
    { sqlite: same!, postgres: same!, mysql: condition('"at" <=> ?') },
    [when],
  );
  assertSent(
    items.where("at", "is distinct from", LATER),
    { sqlite: other!, postgres: other!, mysql: condition('("at" <=> ?) = 0') },
    [when],
  );
});

test("a value is converted on the left side too", () => {
  assertSent(items.where(eb.val(LATER), "<", eb.ref("item.at")), `select "id" from "item" where ? < "item"."at"`, [
    when,
  ]);
});

test("every value of a list is converted", () => {
  assertSent(items.where("at", "in", [LATER, LATER]), `select "id" from "item" where "at" in (?, ?)`, [when, when]);
  assertSent(items.where("at", "not in", [LATER]), `select "id" from "item" where "at" not in (?)`, [when]);
});

test("a list may hold expressions and columns", () => {
  assertSent(
    items.where("at", "in", [eb.val(LATER), sql<Date>`now()`, null]),
    `select "id" from "item" where "at" in (?, now(), ?)`,
    [when, null],
  );
  assertSent(items.where(eb.val(LATER), "in", [eb.ref("at")]), `select "id" from "item" where ? in ("at")`, [when]);
});

test("both ends of a range are converted", () => {
  const text = `select "id" from "item" where "at" between`;
  assertSent(items.where(eb.between("at", LATER, LATER)), `${text} ? and ?`, [when, when]);
  assertSent(
    items.where(eb.betweenSymmetric("at", LATER, LATER)),
    `${text} symmetric ? and ?`,
    [when, when],
    ["postgres"],
  );
  assertSent(
    items.where(eb.between(eb.val(LATER), sql<Date>`now()`, eb.ref("at"))),
    `select "id" from "item" where ? between now() and "at"`,
    [when],
  );
});

test("members of tuples are converted one by one", () => {
  const tuples = [eb.tuple(1, LATER), eb.tuple(2, LATER)];
  assertSent(
    items.where(eb(eb.refTuple("id", "at"), "in", tuples as never)),
    `select "id" from "item" where ("id", "at") in ((?, ?), (?, ?))`,
    [1, when, 2, when],
  );
  assertSent(
    items.where(eb(eb.tuple(true, LATER) as never, "=", eb.refTuple("sold", "at") as never)),
    `select "id" from "item" where (?, ?) = ("sold", "at")`,
    [truth, when],
  );
  assertSent(
    items.where(eb(eb.tuple(true, LATER) as never, "in", query.selectFrom(item).select(["sold", "at"]) as never)),
    `select "id" from "item" where (?, ?) in (select "sold", "at" from "item")`,
    [truth, when],
  );
});

test("a value opposite a subquery is converted as its column is", () => {
  assertSent(
    items.where(eb.val(LATER), "in", query.selectFrom(item).select("at")),
    `select "id" from "item" where ? in (select "at" from "item")`,
    [when],
  );
});

test("values in case are converted opposite what they are compared with", () => {
  assertSent(
    query.selectFrom(item).select((eb as Database).case("at").when(LATER).then("a").else("b").end().as("x")),
    `select case "at" when ? then ? else ? end as "x" from "item"`,
    [when, "a", "b"],
  );
  assertSent(
    query.selectFrom(item).select(eb.case().when("at", "<", LATER).then("a").end().as("x")),
    `select case when "at" < ? then ? end as "x" from "item"`,
    [when, "a"],
  );
});

test("a value is converted through parentheses, templates of one part, aggregates and coalesce", () => {
  assertSent(items.where(eb.parens(eb.ref("at")), "=", sql.val(LATER)), `select "id" from "item" where ("at") = ?`, [
    when,
  ]);
  assertSent(items.where(sql.ref("item.at"), "=", LATER), `select "id" from "item" where "item"."at" = ?`, [when]);
  assertSent(items.having(eb.fn.max("at"), ">", LATER), `select "id" from "item" having max("at") > ?`, [when]);
  assertSent(
    items.where(eb.fn.coalesce("at", eb.val(LATER)), "=", LATER),
    `select "id" from "item" where coalesce("at", ?) = ?`,
    [when, when],
  );
});

test("values are converted in join conditions, filters and nested conditions", () => {
  assertSent(
    query
      .selectFrom(item)
      .innerJoin(tag, (join) => join.on("item.at", ">", LATER).onRef("tag.id", "=", "item.id"))
      .select(eb.fn.count("item.id").filterWhere("at", "<", LATER).as("n"))
      .where(eb.not(eb.or([eb("item.at", "=", LATER), eb.and([eb("item.sold", "=", true)])]))),
    `select count("item"."id") filter(where "at" < ?) as "n" from "item" inner join "tag" on "item"."at" > ? and "tag"."id" = "item"."id"` +
      ` where not ("item"."at" = ? or "item"."sold" = true)`,
    [when, when, when],
    familiesWith("filterWhere"),
  );
});

test("null stays null, and immediate values stay", () => {
  assertSent(items.where("at", "is", null), `select "id" from "item" where "at" is null`);
  assertSent(items.where("at", "=", null), `select "id" from "item" where "at" = ?`, [null]);
  assertSent(items.where("sold", "is", true), `select "id" from "item" where "sold" is true`);
});

test("a truth value that is compared is written into the statement, and one in a list or a template is not", () => {
  assertSent(items.where("sold", "=", false), `select "id" from "item" where "sold" = false`);
  assertSent(items.where(eb.val(true), "=", eb.ref("sold")), `select "id" from "item" where true = "sold"`);
  assertSent(items.where("sold", "in", [true, false]), `select "id" from "item" where "sold" in (?, ?)`, [
    truth,
    { sqlite: 0, postgres: false, mysql: 0 },
  ]);
  assertSent(items.where(sql<boolean>`sold = ${true}`), `select "id" from "item" where sold = ?`, [
    { sqlite: 1n, postgres: true, mysql: true },
  ]);
});

test("every kind is converted", () => {
  assertSent(items.where("serial", "=", 5n), `select "id" from "item" where "serial" = ?`, [
    { sqlite: 5n, postgres: "5", mysql: 5n },
  ]);
  assertSent(
    items.where("key", "=", "F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6"),
    `select "id" from "item" where "key" = ?`,
    ["f81d4fae-7dec-11d0-a765-00a0c91e6bf6"],
  );
  assertSent(insertInto(item).values({ data: { a: [1] } }), `insert into "item" ("data") values (?)`, ['{"a":[1]}']);
  assert.deepEqual(compile("sqlite", items.where("price", "=", "1.5")).query.parameters, [">1.5"]);
});

test("text that the column could not hold matches nothing", () => {
  const long = "x".repeat(99);
  assertSent(
    query.selectFrom(account).select("id").where("name", "=", long),
    `select "id" from "account" where "name" = ?`,
    [long],
  );
  assertSent(
    query.selectFrom(account).select("id").where("kind", "in", ["free", "other"]),
    `select "id" from "account" where "kind" in (?, ?)`,
    ["free", "other"],
  );
});

test("what is no text is refused opposite text, with bind, table and column", () => {
  for (const family of FAMILIES) {
    assert.throws(
      () => compile(family, query.selectFrom(account).select("id").where("name", "=", 5)),
      (error) =>
        error instanceof InvalidValueError &&
        error.bindKey === "shop" &&
        error.table === "account" &&
        error.column === "name",
    );
  }
});

test("other kinds are checked as in a write", () => {
  for (const [column, value] of [
    ["at", "yesterday"],
    ["at", new Date(Number.NaN)],
    ["id", 1.5],
    ["id", 2 ** 40],
    ["sold", 1],
    ["price", "0.001"],
    ["key", "no"],
  ] as const) {
    assert.throws(() => compile("postgres", items.where(column, "=", value)), { code: "INVALID_VALUE", column });
  }
});

test("text that the column cannot hold is refused in writes", () => {
  const name = "x".repeat(11);
  const refused = { code: "INVALID_VALUE", bindKey: "shop", table: "account", column: "name" };
  assert.throws(() => compile("sqlite", insertInto(account).values({ name })), refused);
  assert.throws(() => compile("sqlite", query.updateTable(account).set({ name })), refused);
  assert.throws(
    () => compile("sqlite", query.updateTable(account).set("name", eb.fn.coalesce("name", eb.val(name)))),
    refused,
  );
  assert.throws(() => compile("sqlite", insertInto(account).values({ kind: "other" })), { column: "kind" });
});

test("like and other operators do not take the value for one of the column", () => {
  const like = (column: string) => {
    const sent = `select "id" from "item" where "${column}" like ?`;
    return { sqlite: sent.replace("like", "glob"), postgres: sent, mysql: sent };
  };
  const pattern = (text: string) => ({ sqlite: text.replace("%", "*"), postgres: text, mysql: text });
  assertSent(items.where("state", "like", "a%"), like("state"), [pattern("a%")]);
  assertSent(items.where("at", "like", "2026%"), like("at"), [pattern("2026%")]);
  const added = query.updateTable(item).set("serial", eb("serial", "+", 1));
  assertSent(added, `update "item" set "serial" = "serial" + ?`, [{ sqlite: 1n, postgres: 1, mysql: 1 }]);
});

test("a path into JSON is not the column", () => {
  assertSent(
    items.where(eb.ref("data", "->>").key("at" as never), "=", "x"),
    `select "id" from "item" where "data"->>'at' = ?`,
    ["x"],
    ["sqlite", "postgres"],
  );
});

test("values of an insert are converted in every form", () => {
  const rows = [
    { accountId: 1, at: LATER, sold: true },
    { accountId: 2, at: sql`now()`, sold: null },
    { accountId: 3, at: eb.val(LATER) },
  ];
  assertSent(
    insertInto(item).values(rows),
    {
      sqlite: `insert into "item" ("accountId", "at", "sold") values (?, ?, ?), (?, now(), ?), (?, ?, null)`,
      postgres: `insert into "item" ("accountId", "at", "sold") values (?, ?, ?), (?, now(), ?), (?, ?, default)`,
      mysql: `insert into "item" ("accountId", "at", "sold") values (?, ?, ?), (?, now(), ?), (?, ?, default)`,
    },
    [1, when, truth, 2, null, 3, when],
  );
});

test("values of an update are converted, named one by one or together", () => {
  assertSent(query.updateTable(item).set({ at: LATER, sold: true }), `update "item" set "at" = ?, "sold" = ?`, [
    when,
    truth,
  ]);
  assertSent(query.updateTable(item).set("at", LATER), `update "item" set "at" = ?`, [when]);
  assertSent(
    query.updateTable(item).set("at", eb.case().when("sold", "=", true).then(eb.val(LATER)).else(null).end()),
    `update "item" set "at" = case when "sold" = true then ? else null end`,
    [when],
  );
});

test("values of an upsert are converted", () => {
  assertSent(
    insertInto(item)
      .values({ id: 1 })
      .onConflict((oc) => oc.column("id").doUpdateSet({ at: LATER }).where("item.at", "<", LATER)),
    `insert into "item" ("id") values (?) on conflict ("id") do update set "at" = ? where "item"."at" < ?`,
    [1, when, when],
    familiesWith("onConflict"),
  );
  assertSent(
    insertInto(item).values({ id: 1 }).onDuplicateKeyUpdate({ at: LATER }),
    `insert into "item" ("id") values (?) on duplicate key update "at" = ?`,
    [1, when],
    familiesWith("onDuplicateKeyUpdate"),
  );
});

test("values of a merge are converted", () => {
  assertSent(
    query
      .mergeInto("item")
      .using("tag", "tag.id", "item.id")
      .whenMatchedAnd("item.at", "<", LATER)
      .thenUpdateSet({ sold: true })
      .whenNotMatched()
      .thenInsertValues({ accountId: 1, at: LATER }),
    `merge into "item" using "tag" on "tag"."id" = "item"."id" when matched and "item"."at" < ? then update set "sold" = ?` +
      ` when not matched then insert ("accountId", "at") values (?, ?)`,
    [when, truth, 1, when],
    familiesWith("mergeInto"),
  );
});

test("values that an insert selects are converted", () => {
  assertSent(
    insertInto(item)
      .columns(["accountId", "at"])
      .expression(query.selectFrom(tag).select(["id", eb.val(LATER).as("at")])),
    `insert into "item" ("accountId", "at") select "id", ? as "at" from "tag"`,
    [when],
  );
});

test("values opposite nothing go to the driver as it can take them", () => {
  assertSent(
    query.selectNoFrom([sql`f(${true}, ${LATER}, ${5n}, ${null}, ${"x"})`.as("x")]),
    `select f(?, ?, ?, ?, ?) as "x"`,
    [
      { sqlite: 1n, postgres: true, mysql: true },
      { sqlite: when.sqlite, postgres: when.postgres, mysql: when.mysql },
      5n,
      null,
      "x",
    ],
  );
});

test("values opposite nothing that a database does not have are refused", () => {
  const statement = (value: unknown) => query.selectFrom("unheard_of").select("id").where("x", "=", value);
  for (const family of FAMILIES) {
    assert.throws(() => compile(family, statement(undefined)), { code: "UNDEFINED_VALUE", bindKey: "shop" });
    assert.throws(() => compile(family, statement(new Date(Number.NaN))), { code: "INVALID_VALUE", bindKey: "shop" });
  }
  assert.throws(() => compile("sqlite", statement(Number.NaN)), InvalidValueError);
  assert.throws(() => compile("mysql", statement(Number.NaN)), InvalidValueError);
  assert.throws(() => compile("mysql", statement(Number.POSITIVE_INFINITY)), InvalidValueError);
  assert.equal(compile("sqlite", statement(Number.POSITIVE_INFINITY)).query.parameters[0], Number.POSITIVE_INFINITY);
  assert.deepEqual(compile("postgres", statement(Number.NaN)).query.parameters, [Number.NaN]);
});

test("undefined is refused everywhere", () => {
  const refused = (error: unknown) =>
    error instanceof UndefinedValueError && error.column === "label" && error.table === "tag";
  assert.throws(() => compile("sqlite", query.selectFrom(tag).select("id").where("label", "=", undefined)), refused);
  assert.throws(() => compile("sqlite", query.updateTable(tag).set("label", undefined)), refused);
  assert.throws(
    () => compile("sqlite", query.selectFrom(tag).select("id").where("id", "in", [1, undefined])),
    UndefinedValueError,
  );
  assert.throws(
    () => compile("sqlite", query.selectFrom(foreign).select("id").where("any", "=", undefined)),
    UndefinedValueError,
  );
  assert.throws(
    () => compile("sqlite", query.selectFrom(tag).select("id").where("label", "like", undefined)),
    UndefinedValueError,
  );
  assert.throws(
    () =>
      compile(
        "sqlite",
        query
          .selectFrom(tag)
          .select("id")
          .limit(undefined as never),
      ),
    UndefinedValueError,
  );
});

test("an empty list matches nothing, and without it everything", () => {
  assertSent(items.where("at", "in", []), `select "id" from "item" where 1 in (0)`);
  assertSent(items.where("at", "not in", []), `select "id" from "item" where 1 not in (0)`);
  assertSent(items.where(eb.not(eb("at", "in", []))), `select "id" from "item" where not 1 in (0)`);
});

test("values opposite a typed expression are converted", () => {
  assertSent(items.where(typed(sql`now()`, timestamp()), ">", LATER), `select "id" from "item" where now() > ?`, [
    when,
  ]);
  assertSent(
    items.where(typed(sql`lower(state)`, varchar(3)), "=", "longer"),
    `select "id" from "item" where lower(state) = ?`,
    ["longer"],
  );
  assertSent(
    items.where(sql`lower(state)`, "=", typed(eb.val("x"), text())),
    `select "id" from "item" where lower(state) = ?`,
    ["x"],
  );
  assert.throws(() => compile("postgres", items.where(typed(sql`now()`, timestamp()), ">", "x" as never)), {
    code: "INVALID_VALUE",
    bindKey: "shop",
  });
});

test("a value that looks like a node is a value", () => {
  assertSent(insertInto(item).values({ data: { kind: "TableNode" } }), `insert into "item" ("data") values (?)`, [
    '{"kind":"TableNode"}',
  ]);
});
