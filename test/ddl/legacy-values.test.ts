import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type Entity, InvalidValueError, Multibind, sql } from "../../src/index.ts";
import { freshDatabase } from "../fixtures/databases.ts";

/** A database that others have made, reflected: what its rows hold must come back, and go back, as it is. */
async function legacy(t: TestContext, ...statements: readonly string[]) {
  const db = new Multibind();
  const app = db.init({ databaseUrl: await freshDatabase(t, "mysql") });
  t.after(() => app.dispose());
  const { kysely } = app.engine;
  for (const statement of statements) await sql.raw(statement).execute(kysely);
  await app.reflect();
  return { db, app, kysely };
}

test("bytes of limited length keep their type, and can be keys again", async (t) => {
  const { db, app, kysely } = await legacy(
    t,
    "create table page (token binary(4) primary key, title varbinary(255) not null unique, body mediumblob)",
    "insert into page values (x'00010203', 'one', 'two')",
  );
  const table = db.metadata.tables.get("page")!;
  const rows = await kysely
    .selectFrom(table as never)
    .selectAll()
    .execute();
  assert.deepEqual(rows, [
    {
      token: new Uint8Array([0, 1, 2, 3]),
      title: new Uint8Array(Buffer.from("one")),
      body: new Uint8Array(Buffer.from("two")),
    },
  ]);
  await sql`drop table page`.execute(kysely);
  await app.createAll();
  const columns = await sql<{ type: string }>`select column_type as type from information_schema.columns
    where table_schema = database() and table_name = 'page' order by ordinal_position`.execute(kysely);
  assert.deepEqual(
    columns.rows.map(({ type }) => type),
    ["binary(4)", "varbinary(255)", "mediumblob"],
  );
  await app.run(async () => {
    // The columns of a reflected table are known at run time only.
    class Page extends (db.model(table as never) as unknown as new (values: object) => Entity) {}
    db.session.add(new Page({ token: new Uint8Array([1]), title: new Uint8Array([1]) }));
    await assert.rejects(db.session.flush(), InvalidValueError);
    await db.session.rollback();
  });
});

test("a tinyint(1) with other numbers than 0 and 1 is a number, one without is a boolean", async (t) => {
  const { db, kysely } = await legacy(
    t,
    "create table review (id int primary key, quality tinyint(1) not null default 0, done tinyint(1) null)",
    "insert into review values (1, 0, 1), (2, 2, null)",
  );
  const table = db.metadata.tables.get("review")!;
  assert.deepEqual(
    await kysely
      .selectFrom(table as never)
      .selectAll()
      .execute(),
    [
      { id: 1, quality: 0, done: true },
      { id: 2, quality: 2, done: null },
    ],
  );
});

test("a column whose default is the zero date is read and written as the server writes it", async (t) => {
  const { db, app, kysely } = await legacy(
    t,
    "create table draft (id int auto_increment primary key, sent datetime not null default '0000-00-00 00:00:00', day date not null default '0000-00-00')",
    "insert into draft (sent, day) values ('2026-01-01 09:00:00', '2026-01-01'), (default, default)",
  );
  const table = db.metadata.tables.get("draft")!;
  const rows = await kysely
    .selectFrom(table as never)
    .selectAll()
    .execute();
  assert.deepEqual(rows, [
    { id: 1, sent: "2026-01-01 09:00:00", day: "2026-01-01" },
    { id: 2, sent: "0000-00-00 00:00:00", day: "0000-00-00" },
  ]);
  await sql`drop table draft`.execute(kysely);
  await app.createAll();
  await kysely
    .insertInto(table as never)
    .values(rows as never)
    .execute();
  await sql`insert into draft values ()`.execute(kysely);
  assert.deepEqual(
    (
      await kysely
        .selectFrom(table as never)
        .selectAll()
        .execute()
    ).length,
    3,
  );
});
