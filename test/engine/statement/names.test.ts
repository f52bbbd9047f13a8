import assert from "node:assert/strict";
import { test } from "node:test";
import { expressionBuilder, NOOP_QUERY_EXECUTOR, SchemaModule, sql } from "kysely";
import { UnknownColumnError, UnknownTableError } from "../../../src/index.ts";
import {
  account,
  assertSent,
  compile,
  type Database,
  familiesWith,
  insertInto,
  item,
  LATER,
  query,
  sent,
  tag,
} from "./support.ts";

const when = sent(LATER);
const one = { sqlite: 1n, postgres: 1, mysql: 1 };
const eb = expressionBuilder<Database, string>();
const accounts = query.selectFrom(account);

test("a selected column keeps its property's name", () => {
  assertSent(accounts.select(["id", "createdAt"]), `select "id", "created_at" as "createdAt" from "account"`);
  assertSent(accounts.select("account.createdAt"), `select "account"."created_at" as "createdAt" from "account"`);
});

test("an alias stays", () => {
  assertSent(accounts.select("createdAt as made"), `select "created_at" as "made" from "account"`);
  assertSent(accounts.select(eb.ref("createdAt").as("made")), `select "created_at" as "made" from "account"`);
});

test("the database's own name may be used", () => {
  assertSent(
    accounts.select("created_at").where("created_at", ">", LATER),
    `select "created_at" from "account" where "created_at" > ?`,
    [when],
  );
});

test("columns are renamed wherever they are named", () => {
  assertSent(
    accounts
      .select(eb.fn.max("createdAt").as("last"))
      .where("createdAt", ">", LATER)
      .groupBy("createdAt")
      .having("createdAt", ">", LATER)
      .orderBy("createdAt", "desc")
      .orderBy(eb.fn.coalesce("updatedAt", "createdAt")),
    `select max("created_at") as "last" from "account" where "created_at" > ? group by "created_at"` +
      ` having "created_at" > ? order by "created_at" desc, coalesce("updated_at", "created_at")`,
    [when, when],
  );
  assertSent(
    accounts.select("id").distinctOn("createdAt"),
    `select distinct on ("created_at") "id" from "account"`,
    [],
    familiesWith("distinctOn"),
  );
});

test("columns are renamed in windows, aggregates and templates", () => {
  assertSent(
    accounts.select([
      eb.fn
        .countAll()
        .over((over) => over.partitionBy("createdAt").orderBy("updatedAt"))
        .as("n"),
      sql`date(${sql.ref("account.createdAt")})`.as("day"),
    ]),
    `select count(*) over(partition by "created_at" order by "updated_at") as "n", date("account"."created_at") as "day" from "account"`,
  );
});

test("a template's own tables give its columns their names", () => {
  assertSent(sql`select max(${sql.ref("createdAt")}) from ${account}`, `select max("created_at") from "account"`);
});

test("aliased tables are found by their alias", () => {
  assertSent(
    query
      .selectFrom(account.as("a"))
      .innerJoin(account.as("b"), "a.createdAt", "b.updatedAt")
      .select(["a.createdAt", "b.createdAt as other"])
      .where("b.updatedAt", "=", LATER),
    `select "a"."created_at" as "createdAt", "b"."created_at" as "other" from "account" as "a"` +
      ` inner join "account" as "b" on "a"."created_at" = "b"."updated_at" where "b"."updated_at" = ?`,
    [when],
  );
});

test("a name alone means the relation that has it, and nothing where several have", () => {
  assertSent(
    query
      .selectFrom(account)
      .innerJoin(item, "item.accountId", "account.id")
      .select(["createdAt", "at"])
      .where("at", "=", LATER),
    `select "created_at" as "createdAt", "at" from "account" inner join "item" on "item"."accountId" = "account"."id" where "at" = ?`,
    [when],
  );
  assertSent(
    query.selectFrom([account.as("a"), account.as("b")]).select("createdAt"),
    `select "createdAt" from "account" as "a", "account" as "b"`,
  );
});

test("a name that nothing has is refused", () => {
  assert.throws(() => sqlOf("sqlite", accounts.select("nothing")), UnknownColumnError);
  assert.throws(() => sqlOf("sqlite", accounts.select("id").where("account.none", "=", 1)), UnknownColumnError);
  assert.throws(
    () => sqlOf("sqlite", accounts.select("id").where("other.createdAt", "=", 1 as never)),
    UnknownTableError,
  );
});

test("a name alone is looked for further and further out", () => {
  assertSent(
    accounts
      .select("id")
      .where(
        eb.exists(
          query.selectFrom(item).select("item.id").where("at", "<", eb.ref("createdAt")).where("createdAt", ">", LATER),
        ),
      ),
    `select "id" from "account" where exists (select "item"."id" from "item" where "at" < "created_at" and "created_at" > ?)`,
    [when],
  );
});

test("behind a table of which nothing is known, a name alone may mean a column of that", () => {
  assertSent(
    accounts.select("id").where(eb.exists(query.selectFrom("unheard_of").select("x").where("createdAt", ">", 1))),
    `select "id" from "account" where exists (select "x" from "unheard_of" where "createdAt" > ?)`,
    [one],
  );
});

test("a star is sent where nothing is renamed", () => {
  assertSent(query.selectFrom(tag).selectAll(), `select * from "tag"`);
  assertSent(query.selectFrom(tag).selectAll("tag"), `select "tag".* from "tag"`);
  assertSent(query.selectFrom("unheard_of").selectAll(), `select * from "unheard_of"`);
});

const ALL = `"id", "name", "kind", "balance_now" as "balance", "active", "created_at" as "createdAt", "updated_at" as "updatedAt"`;
const all = (table: string) =>
  ALL.replace(/"(\w+)"(?= as|,|$)/g, (name, _, at) =>
    ALL.slice(0, at).endsWith(" as ") ? name : `"${table}".${name}`,
  );

test("a star is spelled out where columns are renamed", () => {
  assertSent(accounts.selectAll(), `select ${ALL} from "account"`);
  assertSent(query.selectFrom(account.as("a")).selectAll("a"), `select ${all("a")} from "account" as "a"`);
});

test("a star over several relations names their columns with them", () => {
  assertSent(
    query.selectFrom(account).innerJoin(tag, "tag.id", "account.id").selectAll(),
    `select ${all("account")}, "tag"."id", "tag"."label", "tag"."weight" from "account" inner join "tag" on "tag"."id" = "account"."id"`,
  );
  assertSent(
    query.selectFrom(account).innerJoin("unheard_of as u", "u.id", "account.id").selectAll(),
    `select ${all("account")}, "u".* from "account" inner join "unheard_of" as "u" on "u"."id" = "account"."id"`,
  );
  assertSent(
    query.selectFrom(account).innerJoin(tag, "tag.id", "account.id").selectAll("tag").select("account.id"),
    `select "tag".*, "account"."id" from "account" inner join "tag" on "tag"."id" = "account"."id"`,
  );
});

test("stars of a set operation are spelled out together", () => {
  assertSent(
    query.selectFrom(account.as("a")).selectAll("a").unionAll(query.selectFrom(tag).selectAll()),
    `select ${all("a")} from "account" as "a" union all select "id", "label", "weight" from "tag"`,
  );
  assertSent(
    query.selectFrom(tag).selectAll().unionAll(query.selectFrom(account).selectAll()),
    `select "id", "label", "weight" from "tag" union all select ${ALL} from "account"`,
  );
  assertSent(
    query.selectFrom(tag).selectAll().union(query.selectFrom(tag).selectAll()),
    `select * from "tag" union select * from "tag"`,
  );
});

test("a subquery's columns are called as it selects them", () => {
  assertSent(
    query
      .selectFrom(accounts.select(["createdAt", "updatedAt as changed"]).as("a"))
      .select(["a.createdAt", "changed"])
      .where("a.createdAt", "=", LATER)
      .where("changed", "=", LATER),
    `select "a"."createdAt", "changed" from (select "created_at" as "createdAt", "updated_at" as "changed" from "account") as "a" where "a"."createdAt" = ? and "changed" = ?`,
    [when, when],
  );
  assertSent(
    query.selectFrom(accounts.selectAll().as("a")).selectAll(),
    `select * from (select ${ALL} from "account") as "a"`,
  );
});

test("a name in order by means a selection before it means a column", () => {
  assertSent(
    accounts.select("createdAt as updatedAt").orderBy("updatedAt"),
    `select "created_at" as "updatedAt" from "account" order by "updatedAt"`,
  );
  assertSent(
    accounts.select("createdAt as updatedAt").orderBy("account.updatedAt"),
    `select "created_at" as "updatedAt" from "account" order by "account"."updated_at"`,
  );
});

test("after a set operation, names in order by are those of the result", () => {
  assertSent(
    accounts.select("createdAt").union(accounts.select("updatedAt as createdAt")).orderBy("createdAt"),
    `select "created_at" as "createdAt" from "account" union select "updated_at" as "createdAt" from "account" order by "createdAt"`,
  );
});

test("columns of writes are renamed", () => {
  assertSent(
    insertInto(account).values({ name: "a", kind: "free", balance: "1", active: true, createdAt: LATER }),
    `insert into "account" ("name", "kind", "balance_now", "active", "created_at") values (?, ?, ?, ?, ?)`,
    [
      "a",
      "free",
      { sqlite: sqliteBalance("1"), postgres: "1.00", mysql: "1.00" },
      { sqlite: 1, postgres: true, mysql: 1 },
      when,
    ],
  );
  assertSent(
    query.updateTable(account).set({ createdAt: LATER, updatedAt: null }).where("createdAt", "<", LATER),
    `update "account" set "created_at" = ?, "updated_at" = ? where "created_at" < ?`,
    [when, null, when],
  );
  assertSent(
    query.updateTable(account.as("a")).set("updatedAt", eb.ref("a.createdAt")),
    `update "account" as "a" set "updated_at" = "a"."created_at"`,
  );
  assertSent(
    query.deleteFrom(account).where("account.createdAt", "<", LATER),
    `delete from "account" where "account"."created_at" < ?`,
    [when],
  );
});

function sqliteBalance(value: string): unknown {
  return compile("sqlite", query.selectFrom(account).select("id").where("balance", "=", value)).query.parameters[0];
}

const row = { name: "a", kind: "free", balance: "1", active: true, createdAt: LATER };

function sqlOf(family: "sqlite" | "postgres" | "mysql", statement: Parameters<typeof compile>[1]): string {
  return compile(family, statement).query.sql;
}

test("columns of an upsert are renamed, those of the row that was refused too", () => {
  const statement = insertInto(account)
    .values(row)
    .onConflict((oc) =>
      oc
        .columns(["name", "createdAt"])
        .doUpdateSet({ createdAt: (eb: Database) => eb.ref("excluded.createdAt"), updatedAt: null })
        .where("account.createdAt", "<", (eb: Database) => eb.ref("excluded.createdAt")),
    );
  assert.equal(
    sqlOf("sqlite", statement).replace(/^.*values \([?, ]*\) /, ""),
    `on conflict ("name", "created_at") do update set "created_at" = "excluded"."created_at", "updated_at" = ? where "account"."created_at" < "excluded"."created_at"`,
  );
});

test("a name alone in an upsert means the row that is there", () => {
  const statement = insertInto(account)
    .values(row)
    .onConflict((oc) => oc.column("name").doUpdateSet({ updatedAt: (eb: Database) => eb.ref("createdAt") }));
  assert.match(sqlOf("sqlite", statement), /do update set "updated_at" = "created_at"$/);
});

test("columns of MySQL's upsert are renamed", () => {
  const statement = insertInto(account)
    .values(row)
    .onDuplicateKeyUpdate({ createdAt: (eb: Database) => eb.fn("values", ["createdAt"]), updatedAt: null });
  assert.match(
    sqlOf("mysql", statement),
    /on duplicate key update `created_at` = values\(`created_at`\), `updated_at` = \?$/,
  );
});

test("columns of a merge are renamed", () => {
  const statement = query
    .mergeInto("account as a")
    .using("item as i", "i.accountId", "a.id")
    .whenMatchedAnd("a.createdAt", "<", LATER)
    .thenUpdateSet({ createdAt: (eb: Database) => eb.ref("i.at"), updatedAt: null })
    .whenNotMatched()
    .thenInsertValues({ ...row, createdAt: (eb: Database) => eb.ref("i.at") })
    .returningAll();
  assert.equal(
    sqlOf("postgres", statement),
    `merge into "account" as "a" using "item" as "i" on "i"."accountId" = "a"."id"` +
      ` when matched and "a"."created_at" < $1 then update set "created_at" = "i"."at", "updated_at" = $2` +
      ` when not matched then insert ("name", "kind", "balance_now", "active", "created_at") values ($3, $4, $5, $6, "i"."at")` +
      ` returning ${compiledItem("i")}, ${all("a")}`,
  );
});

function compiledItem(table: string): string {
  return item.columnList.map(({ name }) => `"${table}"."${name}"`).join(", ");
}

test("returning gives back the property's names", () => {
  const tail = (statement: Parameters<typeof compile>[1], family: "sqlite" | "postgres" = "sqlite") =>
    / returning (.*)$/.exec(sqlOf(family, statement))?.[1];
  assert.equal(
    tail(insertInto(account).values(row).returning(["id", "createdAt"])),
    `"id", "created_at" as "createdAt"`,
  );
  assert.equal(tail(insertInto(account).values(row).returningAll()), ALL);
  assert.equal(
    tail(query.updateTable(account).set({ name: "b" }).returning("account.createdAt as made")),
    `"account"."created_at" as "made"`,
  );
  assert.equal(tail(query.deleteFrom(account).returningAll()), ALL);
  const joined = query
    .updateTable(account)
    .from(tag)
    .set({ name: "b" })
    .whereRef("tag.id", "=", "account.id")
    .returningAll();
  assert.equal(tail(joined, "sqlite"), ALL);
  assert.equal(tail(joined, "postgres"), `${all("account")}, "tag"."id", "tag"."label", "tag"."weight"`);
});

test("the column that is set is one of the table that is updated", () => {
  assertSent(
    query.updateTable(tag).from(account).set({ label: "x", id: 2 }).whereRef("account.id", "=", "tag.id"),
    `update "tag" set "label" = ?, "id" = ? from "account" where "account"."id" = "tag"."id"`,
    ["x", 2],
    familiesWith("update … from"),
  );
});

test("MySQL updates several tables at once", () => {
  const statement = query
    .updateTable([account.as("a"), tag])
    .set("a.createdAt", LATER)
    .set("label", "x")
    .whereRef("a.id", "=", "tag.id");
  assert.equal(
    sqlOf("mysql", statement),
    "update `account` as `a`, `tag` set `a`.`created_at` = ?, `label` = ?, `a`.`updated_at` = ? where `a`.`id` = `tag`.`id`",
  );
});

test("a query in a definition is translated, the definition is not", () => {
  const schema = new SchemaModule(NOOP_QUERY_EXECUTOR);
  assertSent(
    schema.createTable("made").as(accounts.select("createdAt").where("createdAt", ">", LATER)),
    `create table "made" as select "created_at" as "createdAt" from "account" where "created_at" > ?`,
    [when],
  );
  assertSent(
    schema.createTable("account").addColumn("createdAt", "text", (column) => column.defaultTo("x")),
    `create table "account" ("createdAt" text default 'x')`,
  );
});

test("a subquery with two columns of one name keeps its star", () => {
  const twice = query.selectFrom(tag).select(["id", "weight as id"]).as("t");
  assertSent(
    query.selectFrom(account).innerJoin(twice, "t.id", "account.id").selectAll(),
    `select ${all("account")}, "t".* from "account" inner join (select "id", "weight" as "id" from "tag") as "t" on "t"."id" = "account"."id"`,
  );
});

test("row variables and locked tables are left alone", () => {
  assertSent(
    query.selectFrom(account).select(eb.fn.toJson("account").as("row")).forUpdate("account"),
    `select to_json("account") as "row" from "account" for update of "account"`,
    [],
    ["postgres"],
  );
});

test("a statement that needs no change is sent as it is", () => {
  const node = query.selectFrom(tag).select(["id", "label"]).where("id", "=", 1).orderBy("label").toOperationNode();
  const { query: compiled } = compile("sqlite", { toOperationNode: () => node });
  assert.equal(compiled.query, node);
});
