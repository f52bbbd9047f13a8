import assert from "node:assert/strict";
import {
  boolean,
  enumeration,
  InvalidValueError,
  integer,
  Multibind,
  StaleDataError,
  select,
  sql,
  text,
  timestamp,
  UndefinedValueError,
  UnsupportedError,
  varchar,
} from "../../src/index.ts";
import { onEachFamily, record, sessionOf, start, verbs } from "../fixtures/matrix.ts";

const CHANGED = new Date("2026-03-01T08:00:00.000Z");
const db = new Multibind();
class User extends db.model("user", {
  id: integer().primaryKey(),
  name: varchar(40).named("user_name"),
  admin: boolean().default(false),
  bio: text().nullable(),
  visits: integer().default(0),
  version: integer().version(),
  changedAt: timestamp()
    .nullable()
    .onUpdate(() => CHANGED)
    .named("changed_at"),
}) {}
class Login extends db.model("login", { id: integer().primaryKey(), userId: integer() }) {}
class Shape extends db.model(
  "shape",
  { id: integer().primaryKey(), kind: enumeration(["circle", "square"]), name: text() },
  { discriminator: "kind" },
) {}
class Square extends Shape.extend({ side: integer() }, { identity: "square" }) {
  static {
    db.register(Square);
  }
}
class Circle extends Shape.extend(
  "circle",
  { id: integer().primaryKey().references("shape.id"), radius: integer() },
  { identity: "circle" },
) {
  static {
    db.register(Circle);
  }
}

async function filled(t: Parameters<typeof start>[0], url: string) {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  session.addAll([
    new User({ id: 1, name: "ada", admin: true }),
    new User({ id: 2, name: "bob", bio: "b" }),
    new User({ id: 3, name: "eve", bio: "e" }),
    new Login({ userId: 1 }),
    new Login({ userId: 1 }),
    new Login({ userId: 3 }),
    new Circle({ id: 1, name: "c", radius: 3 }),
    new Square({ id: 2, name: "s", side: 4 }),
  ]);
  await session.commit();
  return { app, session: sessionOf(app) };
}

onEachFamily("update sets all rows that the select finds, and says how many", async (t, url) => {
  const { app, session } = await filled(t, url);
  const sent = record(app);
  assert.equal(await session.select(User).where("admin", "=", false).update({ name: "x", bio: null }), 2);
  assert.deepEqual(verbs(sent).filter((verb) => verb === "update").length, 1);
  assert.equal(await session.select(User).where({ name: "nobody" }).update({ bio: "z" }), 0);
  await session.commit();
  const [ada, bob] = await sessionOf(app).select(User).orderBy("id").all();
  assert.deepEqual([ada?.name, ada?.version, ada?.changedAt], ["ada", 1, null]);
  assert.deepEqual([bob?.name, bob?.bio], ["x", null]);
  assert.deepEqual([bob?.version, bob?.changedAt], [2, CHANGED], "a new version, and what columns say with onUpdate");
});

onEachFamily("what is set may be an expression", async (t, url) => {
  const { session } = await filled(t, url);
  const eve = session.select(User).where({ name: "eve" });
  assert.equal(await eve.update((eb) => ({ visits: eb("visits", "+", 3), bio: eb.ref("name") })), 1);
  assert.equal(await eve.update({ visits: sql<number>`visits + 1`, bio: (eb) => eb.fn<string>("upper", ["bio"]) }), 1);
  const { visits, bio } = await eve.one();
  assert.deepEqual([visits, bio], [4, "EVE"]);
});

onEachFamily("a condition may hold other selects", async (t, url) => {
  const { session } = await filled(t, url);
  const active = select(Login).select("userId");
  assert.equal(await session.select(User).where("id", "in", active).update({ visits: 9 }), 2);
  assert.equal(
    await session
      .select(User)
      .where((eb) => eb.exists(eb.selectFrom(Login).select("id").whereRef("login.userId", "=", "user.id")))
      .delete(),
    2,
  );
  assert.deepEqual(await session.select(User).pluck("name"), ["bob"]);
});

onEachFamily("what is pending is stored before", async (t, url) => {
  const { session } = await filled(t, url);
  session.add(new User({ id: 4, name: "new" }));
  const bob = await session.getOne(User, 2);
  bob.name = "renamed";
  assert.equal(await session.select(User).where("name", "in", ["new", "renamed"]).update({ visits: 5 }), 2);
});

onEachFamily(
  "loaded entities show the values given, and what else has changed after the next query",
  async (t, url) => {
    const { session } = await filled(t, url);
    const [ada, bob] = await session.select(User).orderBy("id").all();
    await session.select(User).where({ id: 2 }).update({ name: "x" });
    assert.deepEqual([bob?.name, bob?.version], ["x", 1]);
    assert.deepEqual(session.dirty.size, 0);
    assert.equal(await session.get(User, 2), bob);
    assert.equal(bob?.version, 2, "`get` asks the database for a stale entity");
    await session.select(User).update({ bio: "all" });
    await session.select(User).all();
    assert.deepEqual([ada?.bio, bob?.bio], ["all", "all"]);
  },
);

onEachFamily("what was changed of a loaded entity stays changed", async (t, url) => {
  const { session } = await filled(t, url);
  const square = await session.getOne(Square, 2);
  await session.select(Square).update({ name: "bulk", side: 7 });
  square.name = "mine";
  await session.select(Square).all();
  assert.deepEqual([square.name, square.side], ["mine", 7]);
});

onEachFamily("an entity with a version must be read anew before it is changed", async (t, url) => {
  const { session } = await filled(t, url);
  const bob = await session.getOne(User, 2);
  await session.select(User).update({ bio: "all" });
  await session.refresh(bob);
  bob.name = "renamed";
  await session.commit();
  await session.select(User).update({ bio: "again" });
  bob.name = "too late";
  await assert.rejects(session.commit(), StaleDataError);
});

onEachFamily("an entity that was changed elsewhere by an update is known to be old", async (t, url) => {
  const { app, session } = await filled(t, url);
  const other = sessionOf(app);
  const bob = await session.getOne(User, 2);
  await other.select(User).where({ id: 2 }).update({ visits: 1 });
  await other.commit();
  bob.name = "late";
  await assert.rejects(session.commit(), StaleDataError);
});

onEachFamily("delete deletes all rows that the select finds, and says how many", async (t, url) => {
  const { app, session } = await filled(t, url);
  const [ada, bob, eve] = await session.select(User).orderBy("id").all();
  assert.equal(await session.select(User).where("id", ">", 1).delete(), 2);
  assert.equal(session.stateOf(bob!), "persistent", "nothing is known of single entities yet");
  assert.equal(await session.get(User, 2), null);
  assert.equal(session.stateOf(bob!), "detached", "`get` finds no row and lets go of the entity");
  assert.deepEqual(await session.select(User).all(), [ada]);
  eve!.name = "ghost";
  await assert.rejects(session.flush(), StaleDataError);
  await session.rollback();
  assert.equal(await sessionOf(app).select(User).count(), 3);
});

onEachFamily("a rollback gives back what was there before", async (t, url) => {
  const { session } = await filled(t, url);
  const bob = await session.getOne(User, 2);
  await session.select(User).update({ name: "x" });
  await session.refresh(bob);
  assert.equal(bob.name, "x");
  await session.rollback();
  assert.equal(bob.name, "bob");
  await session.select(User).delete();
  await session.rollback();
  assert.equal(await session.get(User, 2), bob);
});

onEachFamily("children of one table are updated and deleted as such", async (t, url) => {
  const { session } = await filled(t, url);
  assert.equal(await session.select(Square).update({ side: 5, name: "big" }), 1);
  assert.equal((await session.select(Square).one()).side, 5);
  assert.equal(await session.select(Shape).where({ name: "c" }).update({ name: "round" }), 1);
  assert.deepEqual(await session.select(Shape).orderBy("id").pluck("name"), ["round", "big"]);
  assert.equal(await session.select(Square).delete(), 1);
  assert.equal(await session.select(Shape).count(), 1);
  await assert.rejects(session.select(Circle).update({ radius: 1 }), UnsupportedError);
  await assert.rejects(session.select(Circle).delete(), UnsupportedError);
  await assert.rejects(session.select(Shape).delete(), /spread over joined tables/);
});

onEachFamily(
  "more than conditions, and values that fit no column, are refused before anything is sent",
  async (t, url) => {
    const { app, session } = await filled(t, url);
    const sent = record(app);
    const users = session.select(User);
    const wrong = [
      users.limit(1),
      users.limit(1).offset(1),
      users.orderBy("id"),
      users.distinct(),
      users.groupBy("id"),
      users.forUpdate(),
      users.innerJoin(Login, "login.userId", "user.id"),
      users.joinAndSelect(Login, "login.userId", "user.id"),
      users.select("id"),
    ];
    for (const [index, select] of wrong.entries()) {
      await assert.rejects(select.update({ visits: 1 }), UnsupportedError, `update ${index}`);
      await assert.rejects(select.delete(), UnsupportedError, `delete ${index}`);
    }
    await assert.rejects(users.update({}), InvalidValueError);
    await assert.rejects(users.update({ name: undefined } as never), UndefinedValueError);
    await assert.rejects(users.update({ nope: 1 } as never), InvalidValueError);
    await assert.rejects(users.update((() => ({ nope: 1 })) as never), InvalidValueError);
    await assert.rejects(users.update({ visits: "1" as never }), InvalidValueError);
    assert.deepEqual(sent, []);
  },
);
