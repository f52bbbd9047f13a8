import assert from "node:assert/strict";
import {
  alias,
  CrossBindError,
  enumeration,
  integer,
  json,
  Multibind,
  sql,
  text,
  timestamp,
  UnsupportedError,
  varchar,
} from "../../src/index.ts";
import { onEachFamily, record, sessionOf, start } from "../fixtures/matrix.ts";

const db = new Multibind<"auth">();
class User extends db.model(
  "user_row",
  {
    id: integer().primaryKey(),
    name: varchar(40).named("user_name"),
    born: timestamp().nullable().named("born_at"),
    tags: json<string[]>().default([]),
  },
  { bindKey: "auth" },
) {}
class Login extends db.model("login", { id: integer().primaryKey(), userId: integer() }, { bindKey: "auth" }) {}
class Shape extends db.model(
  "shape",
  { id: integer().primaryKey(), kind: enumeration(["circle", "square"]) },
  { bindKey: "auth", discriminator: "kind" },
) {}
class Square extends Shape.extend({ side: integer() }, { identity: "square" }) {
  static {
    db.register(Square);
  }
}
class Other extends db.model("other", { id: integer().primaryKey(), label: text() }) {}

const NOON = new Date("2026-01-31T12:00:00.000Z");

async function filled(t: Parameters<typeof start>[0], url: string) {
  const app = await start(t, db, { databaseUri: "sqlite://", binds: { auth: url } });
  const session = sessionOf(app);
  session.addAll([
    new User({ id: 1, name: "ada", born: NOON, tags: ["x"] }),
    new User({ id: 2, name: "bob" }),
    new User({ id: 3, name: "eve" }),
    new Login({ userId: 1 }),
    new Square({ id: 1, side: 3 }),
  ]);
  await session.commit();
  return { app, session: sessionOf(app) };
}

onEachFamily("entities are made of the rows that SQL text gives, on the model's bind", async (t, url) => {
  const { app, session } = await filled(t, url);
  const sent = record(app);
  const users = session.select(User).fromSql(sql`select * from user_row where id < ${3}`);
  const all = await users.orderBy("id", "desc").all();
  assert.deepEqual(
    all.map((user) => ({ ...user })),
    [
      { id: 2, name: "bob", born: null, tags: [] },
      { id: 1, name: "ada", born: NOON, tags: ["x"] },
    ],
  );
  assert.ok(all.every((user) => user instanceof User));
  assert.deepEqual(new Set(sent.map(({ bindKey }) => bindKey)), new Set(["auth"]));
  assert.equal(await session.get(User, 1), all[1]);
  assert.equal(await users.count(), 2);
});

onEachFamily("whatever else a select says applies to these rows", async (t, url) => {
  const { session } = await filled(t, url);
  const users = session.select(User).fromSql(sql`select * from user_row where user_name <> ${"eve"}`);
  assert.equal((await users.where("born", "=", NOON).one()).name, "ada");
  assert.equal(await users.where({ name: "eve" }).first(), null);
  assert.deepEqual(await users.innerJoin(Login, "login.userId", "user_row.id").pluck("user_row.name"), ["ada"]);
  assert.deepEqual(await users.orderBy("name", "desc").select(["name as who", "born"]).all(), [
    { who: "bob", born: null },
    { who: "ada", born: NOON },
  ]);
  const page = await users.orderBy("name").paginate({ perPage: 1, page: 2 });
  assert.deepEqual([page.items[0]?.name, page.total], ["bob", 2]);
  assert.deepEqual((await users.orderBy("name").keyset({ perPage: 1 })).items[0]?.tags, ["x"]);
  const older = alias(User, "older");
  const named = session.select(older).fromSql(sql`select * from user_row`).where("older.id", "=", 3);
  assert.equal((await named.one()).name, "eve");
  assert.equal((await session.select(Square).fromSql(sql`select * from shape`).one()).side, 3);
});

onEachFamily("text is no way to another bind, and nothing is written by it", async (t, url) => {
  const { session } = await filled(t, url);
  const users = session.select(User).fromSql(sql`select * from user_row`);
  await assert.rejects(
    session
      .select(User)
      .fromSql(sql`select * from ${sql.table("other")}`)
      .all(),
    CrossBindError,
  );
  assert.equal(await session.select(Other).count(), 0);
  await assert.rejects(users.delete(), UnsupportedError);
  await assert.rejects(users.update({ name: "x" }), UnsupportedError);
});
