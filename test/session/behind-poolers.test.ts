import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { DatabaseConnectionError, integer, Multibind, sql, UniqueViolationError, varchar } from "../../src/index.ts";
import { onPostgres } from "../fixtures/databases.ts";
import { databaseForPooler, haproxy, type Pooler, pgbouncer, pgpool } from "../fixtures/poolers.ts";
import { preparingDatabase } from "../fixtures/preparing-servers.ts";

const db = new Multibind<"left" | "right">();
class Left extends db.model("left_row", { id: integer().primaryKey(), name: varchar(40) }, { bindKey: "left" }) {}
class Right extends db.model("right_row", { id: integer().primaryKey(), name: varchar(40) }, { bindKey: "right" }) {}

const one = new Multibind();
class Row extends one.model("row_", { id: integer().primaryKey(), name: varchar(40).unique() }) {}

const GID = "select gid from pg_prepared_xacts where database = current_database()";

for (const [name, pooler] of Object.entries<(t: TestContext, url: string) => Promise<Pooler>>({
  "PgBouncer in transaction mode": (t, url) => pgbouncer(t, url, "transaction"),
  "Pgpool-II": pgpool,
  HAProxy: haproxy,
})) {
  for (const options of [{}, { isolationLevel: "serializable", statementTimeout: "20s" } as const]) {
    test(`two-phase commits and their recovery through ${name} (${JSON.stringify(options)})`, async (t) => {
      const direct = [await preparingDatabase("postgres"), await preparingDatabase("postgres")];
      const [left, right] = await Promise.all(direct.map((url) => pooler(t, url)));
      const binds = { left: { url: left!.url, ...options }, right: { url: right!.url, ...options } };
      await using app = db.init({ binds, commitPolicy: "twoPhase" });
      await app.createAll();
      const stored = async () => [
        ...(await onPostgres("select name from left_row order by id", direct[0])),
        ...(await onPostgres("select name from right_row order by id", direct[1])),
      ];
      for (const text of ["first", "second"]) {
        await app.transaction(() => db.session.addAll([new Left({ name: text }), new Right({ name: text })]));
      }
      const rows = [{ name: "first" }, { name: "second" }];
      assert.deepEqual(await stored(), [...rows, ...rows]);
      // A coordinator that is lost after its decision.
      const { left: decider, right: other } = { left: app.engines.get("left"), right: app.engines.get("right") };
      const stops = [decider, other].map((engine) =>
        engine.onStatement(({ sql: text }) => {
          if (text.startsWith("commit prepared")) throw new Error("The process is lost.");
        }),
      );
      const both = () => db.session.addAll([new Left({ name: "third" }), new Right({ name: "third" })]);
      await app.transaction(both).catch(() => {});
      for (const stop of stops) stop();
      assert.equal((await onPostgres(GID, direct[0])).length + (await onPostgres(GID, direct[1])).length, 1);
      assert.equal((await app.recover()).committed.length, 1);
      for (const url of direct) assert.deepEqual(await onPostgres(GID, url), []);
      assert.deepEqual(await stored(), [...rows, { name: "third" }, ...rows, { name: "third" }]);
    });
  }
}

test("in PgBouncer's statement mode single statements run, and transactions are refused by a DatabaseConnectionError", async (t) => {
  const url = await databaseForPooler(t);
  {
    await using app = one.init({ databaseUri: url });
    await app.createAll();
  }
  const pooler = await pgbouncer(t, url, "statement");
  await using app = one.init({ databaseUri: pooler.url });
  const insert = (name: string) =>
    app.run(async () => {
      one.session.add(new Row({ name }));
      await one.session.commit();
    });
  await insert("first");
  await assert.rejects(insert("first"), UniqueViolationError);
  await assert.rejects(app.engine.kysely.insertInto(Row).values({ name: "first" }).execute(), UniqueViolationError);
  assert.equal((await app.run(() => one.session.get(Row, 1)))?.name, "first");
  const { rows } = await sql<{ n: number }>`select ${1}::int as n`.execute(app.engine.kysely);
  assert.deepEqual(rows, [{ n: 1 }]);
  const twice = () => one.session.addAll([new Row({ name: "second" }), new Row({ name: "third" })]);
  await assert.rejects(
    app.transaction(async () => {
      twice();
      await one.session.flush();
      twice();
    }),
    DatabaseConnectionError,
  );
  assert.deepEqual(await onPostgres("select name from row_", url), [{ name: "first" }]);
  assert.equal((await app.run(() => one.session.get(Row, 1)))?.name, "first");
});

test("savepoints, streams and rows that are locked work through PgBouncer in transaction mode", async (t) => {
  const url = await databaseForPooler(t);
  const pooler = await pgbouncer(t, url, "transaction", { default_pool_size: 2 });
  await using app = one.init({ databaseUri: pooler.url });
  await app.createAll();
  const fill = async () => {
    for (let id = 1; id <= 25; id++) one.session.add(new Row({ id, name: `row ${id}` }));
    await one.session.flush();
    await assert.rejects(
      one.session.transaction(async () => {
        one.session.add(new Row({ id: 27, name: "row 1" }));
        await one.session.flush();
      }),
      UniqueViolationError,
    );
    await one.session.transaction(async () => one.session.add(new Row({ id: 26, name: "row 26" })));
  };
  await app.run(() => one.session.transaction(fill));
  await app.run(async () => {
    const names: string[] = [];
    for await (const row of one.select(Row).orderBy("id").stream({ chunkSize: 4 })) {
      names.push(row.name);
      if (names.length === 10) break;
    }
    assert.equal(names.at(-1), "row 10");
  });
  await app.transaction(async () => {
    const row = await one.session.getOne(Row, 26, { lock: true });
    const other = await sql`select 1 from row_ where id = 26 for update skip locked`.execute(app.engine.kysely);
    assert.deepEqual(other.rows, []);
    row.name = "the last";
  });
  assert.deepEqual(await onPostgres("select name from row_ where id = 26", url), [{ name: "the last" }]);
});
