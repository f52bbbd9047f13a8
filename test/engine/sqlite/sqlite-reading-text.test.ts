import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { integer, Multibind, sql, varchar } from "../../../src/index.ts";
import { freshDatabase } from "../../fixtures/databases.ts";

const db = new Multibind();
class Note extends db.model("note", { id: integer().primaryKey(), text: varchar(20) }) {}

async function setUp(t: TestContext, url?: string) {
  const ends: (() => unknown)[] = [];
  const databaseUri = url ?? (await freshDatabase({ after: (end) => void ends.push(end as () => unknown) }, "sqlite"));
  const app = db.init({ databaseUri, engineOptions: { poolTimeout: 1 } });
  t.after(async () => {
    await app.dispose();
    for (const end of ends) await end();
  });
  await app.createAll();
  const seed = app.session();
  seed.add(new Note({ id: 1, text: "one" }));
  await seed.commit();
  await seed.close();
  return app;
}

const READS = [
  ...["select * from note", "-- first\nSELECT 1", "/* a */ with n as (select * from note) select count(*) from n"],
  ...["values (1), (2)", "explain query plan select * from note", "explain select 1", "pragma table_info(note)"],
  ...["pragma main.index_list('note')", "pragma user_version", "select name from pragma_table_info('note')"],
  ...[
    "select 'delete from note'",
    "pragma foreign_key_check",
    "select text from note where id = (select max(id) from note)",
  ],
];
const OTHERS = [
  ...["pragma foreign_keys", "pragma cache_size = 100", "select last_insert_rowid()", "select changes ()"],
  ...["insert into note (text) values ('x') returning id", "delete from note", "pragma user_version = 4", "analyze"],
  ...["with n as (select 1) insert into note (text) select 'x' from n", "create table t (a)", "reindex"],
  ...["select * from pragma_foreign_keys", "pragma optimize"],
];

test("SQL text of which SQLite says that it only reads takes no writer and begins nothing", async (t) => {
  const app = await setUp(t);
  await using writer = app.session();
  writer.add(new Note({ id: 2, text: "two" }));
  await writer.flush();
  await using session = app.session({ commitPolicy: "single" });
  for (const text of READS) {
    await session.execute(sql.raw(text));
    await sql.raw(text).execute(session.kysely(null));
    assert.equal(session.inTransaction, false, text);
  }
  const { rows } = await session.execute(sql`select * from note`);
  assert.equal(rows.length, 1, "what the writer has not committed is not seen");
  let streamed = 0;
  for await (const _ of session.select(Note).stream()) streamed++;
  assert.equal(streamed, 1);
  await writer.commit();
  assert.equal((await session.execute(sql`select * from note`)).rows.length, 2);
});

test("SQL text that does anything else takes the writer and begins", async (t) => {
  const app = await setUp(t);
  for (const text of OTHERS) {
    await using session = app.session();
    await session.execute(sql.raw(text));
    assert.equal(session.inTransaction, true, text);
  }
});

test("SQL text that only reads sees what its own transaction has written", async (t) => {
  const app = await setUp(t);
  await using session = app.session();
  session.add(new Note({ id: 2, text: "two" }));
  assert.equal((await session.execute(sql`select * from note`)).rows.length, 2, "flushed before");
  await session.execute(sql`create table later (a)`);
  assert.deepEqual((await session.execute(sql`select * from later`)).rows, []);
  await session.rollback();
  session.begin();
  await session.execute(sql`select 1`);
  assert.equal(session.inTransaction, true);
  await session.rollback();
});

test("temporary and attached tables stay where they are", async (t) => {
  const app = await setUp(t);
  await using session = app.session();
  await session.execute(sql`create temporary table note (id, text)`);
  await session.commit();
  assert.deepEqual((await session.execute(sql`select * from note`)).rows, []);
  await session.execute(sql`drop table temp.note`);
  await session.commit();
  assert.equal((await session.execute(sql`select * from note`)).rows.length, 1);
  await sql`attach ':memory:' as other`.execute(app.engine.kysely);
  await session.execute(sql`create table other.kept (a)`);
  await session.commit();
  assert.deepEqual((await session.execute(sql`select * from other.kept`)).rows, []);
});

test("in memory too, reading text begins nothing", async (t) => {
  const app = await setUp(t, "sqlite://");
  await using session = app.session();
  for (const text of READS) await session.execute(sql.raw(text));
  assert.equal(session.inTransaction, false);
  await assert.rejects(session.execute(sql`select * from nothing`), { code: "PROGRAMMING" });
});

test("the first statement of an application may be one that only reads", async (t) => {
  const ends: (() => unknown)[] = [];
  const url = await freshDatabase({ after: (end) => void ends.push(end as () => unknown) }, "sqlite");
  const app = db.init({ databaseUri: url });
  t.after(async () => {
    await app.dispose();
    for (const end of ends) await end();
  });
  await using session = app.session();
  await session.execute(sql`select 1`);
  assert.equal(session.inTransaction, false);
});
