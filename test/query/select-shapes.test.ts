import assert from "node:assert/strict";
import {
  boolean,
  InvalidValueError,
  integer,
  Multibind,
  type Select,
  select,
  timestamp,
  varchar,
} from "../../src/index.ts";
import { onEachFamily, record, sessionOf, start } from "../fixtures/matrix.ts";

const db = new Multibind();
class User extends db.model("user", {
  id: integer().primaryKey(),
  name: varchar(20),
  admin: boolean(),
  bio: varchar(20).nullable(),
  at: timestamp(),
}) {}

const noon = (day: number) => new Date(Date.UTC(2026, 0, day, 12));

async function fiveUsers(t: Parameters<typeof start>[0], url: string) {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  session.addAll(
    ["ada", "bob", "carl", "dora", "eve"].map(
      (name, index) => new User({ name, admin: index % 2 === 0, bio: index < 2 ? null : name, at: noon(index + 1) }),
    ),
  );
  await session.commit();
  return { app, session };
}

const names = async (statement: { all(): Promise<User[]> }) => (await statement.all()).map(({ name }) => name);

onEachFamily("selects of one shape have each their own values", async (t, url) => {
  const { session } = await fiveUsers(t, url);
  const named = (name: string) => session.select(User).where("name", "=", name).orderBy("id");
  assert.deepEqual(await names(named("ada")), ["ada"]);
  assert.deepEqual(await names(named("bob")), ["bob"]);
  const kept = named("carl");
  assert.deepEqual(await names(named("nobody")), []);
  assert.deepEqual([await names(kept), await names(kept)], [["carl"], ["carl"]]);

  const between = (first: number, last: number, admin: boolean) =>
    names(
      session
        .select(User)
        .where("at", ">=", noon(first))
        .where("user.at", "<=", noon(last))
        .where({ admin })
        .orderBy("name", "desc"),
    );
  assert.deepEqual(await between(1, 3, true), ["carl", "ada"]);
  assert.deepEqual(await between(2, 5, false), ["dora", "bob"]);

  const least = (id: number) => session.select(User).where("id", ">=", id).orderBy("id");
  assert.equal((await least(2).first())?.name, "bob");
  assert.equal((await least(4).first())?.name, "dora");
  assert.equal((await least(5).one()).name, "eve");
  assert.equal(await least(6).oneOrNull(), null);
  assert.deepEqual([await least(2).count(), await least(6).exists()], [4, false]);
});

onEachFamily("what makes another statement is another shape", async (t, url) => {
  const { session } = await fiveUsers(t, url);
  const all = session.select(User);
  for (const [statement, expected] of [
    [all.where("id", "=", 2), ["bob"]],
    [all.where("id", "!=", 2).where("id", "<", 4).orderBy("id"), ["ada", "carl"]],
    [all.where("id", "<", 4).where("id", "!=", 2).orderBy("id", "desc"), ["carl", "ada"]],
    [all.orderBy("id").limit(1), ["ada"]],
    [all.orderBy("id").limit(2), ["ada", "bob"]],
    [all.orderBy("id").limit(2).offset(3), ["dora", "eve"]],
    [all.where({ bio: null }).orderBy("id"), ["ada", "bob"]],
    [all.where({ bio: "dora" }), ["dora"]],
    [all.where("bio", "is", null).where("name", "like", "a%"), ["ada"]],
    [all.where("id", "in", [1, 5]).orderBy("id"), ["ada", "eve"]],
    [all.where("admin", "=", true).orderBy("id"), ["ada", "carl", "eve"]],
    [all.where("admin", "=", false).orderBy("id"), ["bob", "dora"]],
    [all.where("admin", "!=", true).where({ name: "bob" }), ["bob"]],
    [all.where((eb) => eb("id", "=", 3)), ["carl"]],
    [all.where((eb) => eb("id", "=", 4)).where("name", "=", "dora"), ["dora"]],
  ] as const) {
    assert.deepEqual(await names(statement as Select<never, never, User, null, unknown>), expected);
    assert.deepEqual(await names(statement as Select<never, never, User, null, unknown>), expected);
  }
});

onEachFamily("a value that its column cannot hold is refused, whatever was asked before", async (t, url) => {
  const { app, session } = await fiveUsers(t, url);
  const aged = (id: number) => session.select(User).where("id", "=", id);
  assert.equal((await aged(1).all()).length, 1);
  const sent = record(app);
  await assert.rejects(aged(1.5).all(), InvalidValueError);
  await assert.rejects(session.select(User).where("at", ">", new Date(Number.NaN)).all(), InvalidValueError);
  assert.deepEqual(sent, []);
  assert.equal((await aged(2).all()).length, 1);
});

onEachFamily("a detached select runs on several sessions, with what is pending stored before", async (t, url) => {
  const { app, session } = await fiveUsers(t, url);
  const admins = select(User).where("admin", "=", true).orderBy("id");
  assert.deepEqual(await names(session.select(admins)), ["ada", "carl", "eve"]);
  session.add(new User({ name: "fay", admin: true, bio: null, at: noon(9) }));
  assert.deepEqual(await names(session.select(admins)), ["ada", "carl", "eve", "fay"]);
  assert.deepEqual(await names(sessionOf(app).select(admins)), ["ada", "carl", "eve"]);
  await session.rollback();
});
