import assert from "node:assert/strict";
import { test } from "node:test";
import { type FamilyName, Multibind, sql, UniqueViolationError } from "../../src/index.ts";
import { FAMILIES, freshDatabase } from "../fixtures/databases.ts";

/** Tables with indexes that this library has no words for, and rows of which the second offends a unique one. */
const LEGACY: Readonly<Record<FamilyName, { readonly make: readonly string[]; readonly rows: readonly string[] }>> = {
  postgres: {
    make: [
      "create table account (id int constraint pk_account primary key, email text not null, deleted boolean not null, tags int[] not null default '{}')",
      "create unique index account_email on account (lower(email)) where not deleted",
      "create index account_newest on account (id desc nulls last) include (email)",
      "create index account_tags on account using gin (tags)",
      "create index account_pattern on account (email text_pattern_ops)",
      "create index account_plain on account (email, id)",
    ],
    rows: ["insert into account values (1, 'A@x', false)", "insert into account values (2, 'a@x', false)"],
  },
  mysql: {
    make: [
      "create table account (id int primary key, email varchar(200) not null, body text not null)",
      "create unique index account_email on account (email(3))",
      "create fulltext index account_body on account (body)",
      "create index account_newest on account (id desc)",
      "create index account_plain on account (email, id)",
    ],
    rows: ["insert into account values (1, 'abcd', '')", "insert into account values (2, 'abce', '')"],
  },
  sqlite: {
    make: [
      "create table account (id integer primary key, email text not null, deleted boolean not null)",
      "create unique index account_email on account (lower(email)) where not deleted",
      "create index account_newest on account (id desc)",
      "create index account_nocase on account (email collate nocase)",
      "create index account_plain on account (email, id)",
    ],
    rows: ["insert into account values (1, 'A@x', false)", "insert into account values (2, 'a@x', false)"],
  },
};

const CATALOGUE: Readonly<Record<FamilyName, string>> = {
  postgres: "select indexdef as line from pg_indexes where tablename = 'account' order by 1",
  mysql: `select concat_ws(' ', index_name, column_name, sub_part, index_type, collation, non_unique) as line
    from information_schema.statistics where table_schema = database() order by 1`,
  sqlite: "select sql as line from sqlite_schema where type = 'index' order by name",
};

for (const family of FAMILIES) {
  test(`indexes that only the database can describe are made again as they were (${family})`, async (t) => {
    const db = new Multibind();
    const app = db.init({ databaseUrl: await freshDatabase(t, family) });
    t.after(() => app.dispose());
    const { kysely } = app.engine;
    const lines = async () =>
      (await sql.raw<{ line: string }>(CATALOGUE[family]).execute(kysely)).rows.map(({ line }) => line);
    for (const statement of LEGACY[family].make) await sql.raw(statement).execute(kysely);
    const before = await lines();
    await app.reflect();
    await sql`drop table account`.execute(kysely);
    await app.createAll();
    const written = (line: string) => line.replace(/["`]/g, "").toLowerCase();
    assert.deepEqual((await lines()).map(written), before.map(written));
    const [first, second] = LEGACY[family].rows as [string, string];
    await sql.raw(first).execute(kysely);
    await assert.rejects(sql.raw(second).execute(kysely), UniqueViolationError);
  });
}

test("an index whose making failed is not taken for a unique one (postgres)", async (t) => {
  const db = new Multibind();
  const app = db.init({ databaseUrl: await freshDatabase(t, "postgres") });
  t.after(() => app.dispose());
  const { kysely } = app.engine;
  await sql`create table account (id int primary key, email text not null)`.execute(kysely);
  await sql`insert into account values (1, 'a'), (2, 'a')`.execute(kysely);
  await assert.rejects(sql`create unique index concurrently account_email on account (email)`.execute(kysely));
  await app.reflect();
  const { uniques, indexes } = db.metadata.tables.get("account")!;
  assert.deepEqual([uniques.length, indexes.length], [0, 0]);
});
