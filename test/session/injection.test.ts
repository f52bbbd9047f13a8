import assert from "node:assert/strict";
import fc from "fast-check";
import { type IsolationLevel, sql } from "kysely";
import { InvalidOptionError, integer, Multibind } from "../../src/index.ts";
import { onEachFamily, record, sessionOf, start } from "../fixtures/matrix.ts";

const db = new Multibind();
class Post extends db.model("post", { id: integer().primaryKey() }) {}

/** Text that would do harm where it is taken for SQL. */
const hostile = fc
  .tuple(
    fc.constantFrom("'", '"', "`", ";", "\\", "--", "/*", "serializable;", "a"),
    fc.string({ unit: fc.constantFrom(..."'\"`;\\-/* ab"), maxLength: 12 }),
    fc.constantFrom("; drop table post; --", '"; drop table post; --', "`; drop table post; -- ", " or 1 = 1"),
  )
  .map((parts) => parts.join(""));

onEachFamily("an isolation level that there is not never comes into a statement", async (t, url) => {
  for (const commitPolicy of ["ordered", "twoPhase"] as const) {
    const app = await start(t, db, { databaseUri: url });
    const session = sessionOf(app, { commitPolicy });
    const sent = record(app);
    await fc.assert(
      fc.asyncProperty(hostile, async (text) => {
        const isolationLevel = text as IsolationLevel;
        assert.throws(() => session.begin({ isolationLevel }), InvalidOptionError);
        await assert.rejects(
          session.transaction(async (tx) => tx.execute(sql`select 1`), { isolationLevel }),
          InvalidOptionError,
        );
      }),
      { numRuns: 30 },
    );
    assert.deepEqual(sent, []);
    assert.equal(await session.select(Post).count(), 0);
  }
});

onEachFamily("the name of a savepoint is a name, whatever is in it", async (t, url) => {
  const app = await start(t, db, { databaseUri: url });
  await fc.assert(
    fc.asyncProperty(hostile, async (text) => {
      // No name of MySQL ends with a space.
      const name = `${text}_`;
      const transaction = await app.engine.kysely.startTransaction().execute();
      try {
        await sql`insert into post (id) values (1)`.execute(transaction);
        const nested = await transaction.savepoint(name).execute();
        await sql`insert into post (id) values (2)`.execute(nested);
        const back = await nested.rollbackToSavepoint(name as never).execute();
        const { rows } = await sql<{ n: unknown }>`select count(*) as n from post`.execute(back);
        assert.equal(Number(rows[0]!.n), 1);
      } finally {
        await transaction.rollback().execute();
      }
    }),
    { numRuns: 30 },
  );
});

onEachFamily("a name of a table or column is a name, whatever is in it", async (_, url) => {
  await fc.assert(
    fc.asyncProperty(hostile, hostile, async (first, second) => {
      const own = new Multibind();
      // No name of MySQL ends with a space.
      const [name, column] = [`t${first.slice(0, 30)}_`, `c${second.slice(0, 30)}_`];
      own.table(name, { id: integer().primaryKey(), value: integer().named(column) });
      const app = own.init({ databaseUri: url });
      try {
        await app.createAll();
        const row = sql`insert into ${sql.table(name)} (${sql.ref("id")}, ${sql.id(column)}) values (1, 7)`;
        await app.run(async () => {
          await own.session.execute(row);
          const { rows } = await own.session.execute<{ v: number }>(
            sql<{ v: number }>`select ${sql.id(column)} as v from ${sql.table(name)}` as never,
          );
          assert.equal(rows[0]!.v, 7);
          await own.session.rollback();
        });
      } finally {
        await app.dropAll();
        await app.dispose();
      }
    }),
    { numRuns: 15 },
  );
});
