import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { integer, Multibind, sql, varchar } from "../../src/index.ts";
import { onEachFamily, sessionOf, sharedDatabase, start } from "../fixtures/matrix.ts";

const db = new Multibind<"auth">();
class User extends db.model("user", { id: integer().primaryKey(), name: varchar(20) }, { bindKey: "auth" }) {}

const NAMES = Array.from({ length: 170 }, (_, place) => `user ${place}`);

/** Stores many users in one flush, and compares what they are told with what is there. */
async function storesMany(app: Awaited<ReturnType<typeof start<"auth">>>): Promise<readonly number[]> {
  const session = sessionOf(app);
  const users = NAMES.map((name) => new User({ name }));
  session.addAll(users);
  await session.commit();
  const check = sessionOf(app);
  for (const user of users) assert.equal((await check.get(User, user.id))?.name, user.name);
  return users.map(({ id }) => id);
}

async function sqlite(t: TestContext) {
  const app = await start(t, db, { binds: { auth: await sharedDatabase("sqlite") } });
  const run = (text: string) => sql.raw(text).execute(app.engines.get("auth").kysely);
  return { app, run };
}

onEachFamily("each of many new rows is told its own key", async (t, url) => {
  const app = await start(t, db, { binds: { auth: url } });
  const first = await storesMany(app);
  const second = await storesMany(app);
  assert.equal(new Set([...first, ...second]).size, 2 * NAMES.length);
  assert.ok(second.every((id, place) => place === 0 || id > second[place - 1]!));
});

test("a trigger that adds rows to the same table does not shift keys", async (t) => {
  const { app, run } = await sqlite(t);
  await storesMany(app);
  await run(
    `create trigger doubled after insert on "user" when new.name not like '% again'
     begin insert into "user" (name) values (new.name || ' again'); end`,
  );
  const ids = await storesMany(app);
  assert.equal(ids[1]! - ids[0]!, 2);
  await run("drop trigger doubled");
  const after = await storesMany(app);
  assert.equal(after[1]! - after[0]!, 1);
});

test("a temporary trigger does not either", async (t) => {
  const { app } = await sqlite(t);
  await storesMany(app);
  const session = sessionOf(app);
  await session.execute(
    sql.raw(
      `create temp trigger doubled after insert on main."user" when new.name not like '% again'
       begin insert into "user" (name) values (new.name || ' again'); end`,
    ),
    { bindKey: "auth" },
  );
  await session.commit();
  const ids = await storesMany(app);
  assert.equal(ids[1]! - ids[0]!, 2);
});

for (const largest of ["9007199254740991", "9223372036854775807"]) {
  test(`keys behind ${largest} are refused, not guessed`, async (t) => {
    const others = new Multibind<"auth">();
    class Row extends others.model("others", { id: integer().primaryKey(), name: varchar(20) }, { bindKey: "auth" }) {}
    const app = others.init({ binds: { auth: await sharedDatabase("sqlite") } });
    const run = (text: string) => sql.raw(text).execute(app.engines.get("auth").kysely);
    // A table as others have made it: behind the largest key of all, the next ones are drawn by lot.
    await run("create table others (id integer primary key, name text not null)");
    t.after(async () => {
      await run("drop table others");
      await app.dispose();
    });
    await run(`insert into others values (${largest}, 'last')`);
    const session = app.session();
    session.addAll(NAMES.map((name) => new Row({ name })));
    await assert.rejects(session.commit(), /2\^53/);
    await session.close();
    const { rows } = await sql<{ count: number }>`select count(*) as count from others`.execute(
      app.engines.get("auth").kysely,
    );
    assert.equal(rows[0]!.count, 1);
  });
}
