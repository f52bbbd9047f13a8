import assert from "node:assert/strict";
import { test } from "node:test";
import {
  boolean,
  enumeration,
  InvalidValueError,
  integer,
  json,
  Multibind,
  MultipleResultsError,
  NoResultError,
  SessionError,
  select,
  sql,
  text,
  timestamp,
  UnsupportedError,
  varchar,
} from "../../src/index.ts";
import { onEachFamily, record, sessionOf, start } from "../fixtures/matrix.ts";

const db = new Multibind();
class User extends db.model("user", {
  id: integer().primaryKey(),
  name: varchar(40).named("user_name"),
  admin: boolean().default(false),
  bio: text().nullable(),
  born: timestamp().nullable(),
  tags: json<string[]>().default([]),
}) {}
class Login extends db.model("login", {
  id: integer().primaryKey(),
  userId: integer().named("user_id"),
  at: timestamp(),
}) {}
class Shape extends db.model(
  "shape",
  { id: integer().primaryKey(), kind: enumeration(["circle", "square"]), name: text() },
  { discriminator: "kind" },
) {}
class Circle extends Shape.extend(
  "circle",
  { id: integer().primaryKey().references("shape.id"), radius: integer().named("r") },
  { identity: "circle" },
) {
  static {
    db.register(Circle);
  }
}
class Square extends Shape.extend({ side: integer() }, { identity: "square" }) {
  static {
    db.register(Square);
  }
}

const NOON = new Date("2026-01-31T12:00:00.000Z");

async function filled(t: Parameters<typeof start>[0], url: string) {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  session.addAll([
    new User({ name: "ada", admin: true, born: NOON, tags: ["math"] }),
    new User({ name: "bob", bio: "b" }),
    new User({ name: "eve", bio: "e" }),
    new User({ name: "Eve" }),
  ]);
  session.addAll([1, 1, 2].map((userId) => new Login({ userId, at: NOON })));
  session.addAll([new Circle({ name: "c", radius: 3 }), new Square({ name: "s", side: 4 })]);
  await session.commit();
  return { app, session };
}

const names = (users: readonly User[]) => users.map(({ name }) => name);

onEachFamily("conditions of every form", async (t, url) => {
  const { session } = await filled(t, url);
  const all = session.select(User).orderBy("id");

  assert.deepEqual(names(await all.where("name", "=", "eve").all()), ["eve"]);
  assert.deepEqual(names(await all.where("name", "like", "b%").all()), ["bob"]);
  assert.deepEqual(names(await all.where("admin", "=", true).all()), ["ada"]);
  assert.deepEqual(names(await all.where("born", "=", NOON).all()), ["ada"]);
  assert.deepEqual(names(await all.where("user.name", "in", ["ada", "bob"]).all()), ["ada", "bob"]);
  assert.deepEqual(names(await all.where("id", "in", []).all()), []);
  assert.deepEqual(names(await all.where("id", "not in", []).all()).length, 4);
  assert.deepEqual(names(await all.where("bio", "is", null).all()), ["ada", "Eve"]);
  assert.deepEqual(names(await all.where((eb) => eb.or([eb("admin", "=", true), eb("id", ">", 3)])).all()), [
    "ada",
    "Eve",
  ]);
  assert.deepEqual(names(await all.where(sql<boolean>`id % 2 = 0`).all()), ["bob", "Eve"]);
  assert.deepEqual(names(await all.whereRef("id", "=", "id").where("id", "<", 3).all()), ["ada", "bob"]);
  assert.deepEqual(names(await all.where("id", "in", (eb) => eb.selectFrom(Login).select("userId")).all()), [
    "ada",
    "bob",
  ]);
  assert.deepEqual(names(await all.where((eb) => eb(eb.fn<number>("length", ["name"]), ">", 2)).all()).length, 4);
  assert.deepEqual(
    names(
      await all
        .where(({ not, exists, selectFrom }) =>
          not(exists(selectFrom(Login).select("id").whereRef("login.userId", "=", "user.id"))),
        )
        .all(),
    ),
    ["eve", "Eve"],
  );
});

onEachFamily("equalities: values, null, lists, JSON", async (t, url) => {
  const { session } = await filled(t, url);
  const all = session.select(User).orderBy("id");

  assert.deepEqual(names(await all.where({ name: "bob", bio: "b" }).all()), ["bob"]);
  assert.deepEqual(names(await all.where({ bio: null, admin: false }).all()), ["Eve"]);
  assert.deepEqual(names(await all.where({ name: ["ada", "eve"] }).all()), ["ada", "eve"]);
  assert.deepEqual(names(await all.where({ name: [] }).all()), []);
  assert.deepEqual(names(await all.where({ born: NOON }).all()), ["ada"]);
  assert.deepEqual(names(await all.where({}).all()).length, 4);
  assert.throws(() => all.where({ name: undefined } as never), InvalidValueError);
  // @ts-expect-error There is no such column.
  assert.throws(() => all.where({ nope: 1 }), InvalidValueError);
  await assert.rejects(async () => all.where({ id: "1" as never }).all(), InvalidValueError);
});

onEachFamily("order, limit and offset", async (t, url) => {
  const { session } = await filled(t, url);
  const all = session.select(User);

  assert.deepEqual(names(await all.orderBy("name", "desc").all()), ["eve", "bob", "ada", "Eve"]);
  assert.deepEqual(names(await all.orderBy("admin", "desc").orderBy("id", "desc").all()), ["ada", "Eve", "eve", "bob"]);
  assert.deepEqual(names(await all.orderBy("id").limit(2).all()), ["ada", "bob"]);
  assert.deepEqual(names(await all.orderBy("id").limit(2).offset(1).all()), ["bob", "eve"]);
  assert.deepEqual(names(await all.orderBy("id").offset(3).all()), ["Eve"]);
  assert.deepEqual(names(await all.limit(0).all()), []);
  for (const wrong of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "1" as never]) {
    assert.throws(() => all.limit(wrong), InvalidValueError);
    assert.throws(() => all.offset(wrong), InvalidValueError);
  }
});

onEachFamily("first, one and oneOrNull", async (t, url) => {
  const { session } = await filled(t, url);
  const all = session.select(User).orderBy("id");

  assert.equal((await all.first())?.name, "ada");
  assert.equal(await all.where("id", ">", 100).first(), null);
  assert.equal((await all.offset(2).first())?.name, "eve");
  assert.equal((await all.where({ name: "bob" }).one()).name, "bob");
  assert.equal(await all.where({ name: "nobody" }).oneOrNull(), null);
  await assert.rejects(all.where({ name: "nobody" }).one(), NoResultError);
  await assert.rejects(all.one(), MultipleResultsError);
  await assert.rejects(all.oneOrNull(), MultipleResultsError);
  assert.equal((await all.limit(1).one()).name, "ada");
  assert.equal(await all.limit(0).first(), null);
});

onEachFamily("count and exists mean the rows that all would give", async (t, url) => {
  const { session } = await filled(t, url);
  const all = session.select(User);
  const joined = all.innerJoin(Login, "login.userId", "user.id");
  const statements = [
    all,
    all.where("id", ">", 100),
    all.orderBy("name"),
    all.limit(2),
    all.limit(0),
    all.limit(10).offset(3),
    all.offset(4),
    all.orderBy("name").limit(1),
    joined,
    joined.distinct(),
    joined.distinct().orderBy("user.name").limit(1),
    joined.distinct().limit(5).offset(1),
    joined.distinct().limit(5).offset(2),
    all.distinct().orderBy("name"),
    joined.orderBy("login.at"),
  ];
  for (const [index, statement] of statements.entries()) {
    // Rows that a join repeats are one entity, and counted as rows.
    const rows = (await session.execute<object>(statement)).rows.length;
    assert.equal(await statement.count(), rows, `count ${index}`);
    assert.equal(await statement.exists(), rows > 0, `exists ${index}`);
  }
});

onEachFamily("joins are for conditions and order; the result is the first model's entities", async (t, url) => {
  const { session } = await filled(t, url);
  const users = await session
    .select(User)
    .innerJoin(Login, "login.userId", "user.id")
    .where("login.at", "<=", NOON)
    .orderBy("login.id", "desc")
    .all();
  assert.deepEqual(names(users), ["bob", "ada", "ada"]);
  assert.equal(users[1], users[2]);
  assert.deepEqual(
    names(await session.select(User).innerJoin(Login, "login.userId", "user.id").distinct().orderBy("user.id").all()),
    ["ada", "bob"],
  );
  const without = session
    .select(User)
    .leftJoin(Login, (join) => join.onRef("login.userId", "=", "user.id"))
    .where("login.id", "is", null);
  assert.deepEqual(names(await without.orderBy("user.id").all()), ["eve", "Eve"]);
  const other = User.as("other");
  assert.equal(
    await session.select(User).innerJoin(other, "other.id", "user.id").where("other.name", "=", "ada").count(),
    1,
  );
});

onEachFamily("selects of a family of models count, order and join like others", async (t, url) => {
  const { session } = await filled(t, url);

  assert.equal(await session.select(Shape).count(), 2);
  assert.equal(await session.select(Circle).where("radius", "=", 3).count(), 1);
  assert.equal((await session.select(Circle).where({ name: "c", radius: 3 }).one()).radius, 3);
  assert.equal(await session.select(Square).where({ side: 4 }).exists(), true);
  assert.deepEqual(
    (await session.select(Shape).orderBy("name", "desc").limit(1).all()).map(({ name }) => name),
    ["s"],
  );
  assert.equal(await session.select(Circle).innerJoin(Login, "login.id", "circle.radius").count(), 1);
  assert.deepEqual(
    await session
      .selectFrom(Circle)
      .innerJoin(Shape, "shape.id", "circle.id")
      .select(["radius", "shape.name"])
      .execute(),
    [{ radius: 3, name: "c" }],
  );
});

onEachFamily("a family of models is locked", async (t, url) => {
  const { session } = await filled(t, url);
  await session.transaction(async (tx) => {
    const circle = await tx.getOne(Circle, 1, { lock: true });
    assert.equal(circle.radius, 3);
    assert.ok((await tx.getOne(Shape, 1, { lock: true })) instanceof Circle);
    assert.ok((await tx.getOne(Square, 2, { lock: true })) instanceof Square);
    assert.throws(() => tx.select(Shape).forUpdate(), UnsupportedError);
    circle.radius = 4;
  });
});

onEachFamily(
  "the rows of a joined family that a get has locked are locked for others",
  async (t, url) => {
    const { app, session } = await filled(t, url);
    const locked = [
      [() => session.get(Circle, 1, { lock: true }), Circle],
      [() => session.get(Shape, 1, { lock: true }), Shape],
    ] as const;
    for (const [index, [lock]] of locked.entries()) {
      await session.transaction(async () => {
        await lock();
        const other = sessionOf(app);
        const skipped = await other
          .selectFrom(Shape)
          .select("id")
          .where("id", "=", 1)
          .forUpdate()
          .skipLocked()
          .execute();
        assert.deepEqual(skipped, [], `lock ${index}`);
        await other.rollback();
      });
    }
  },
  ["postgres", "mysql"],
);

test("a statement is immutable: each method gives another", async () => {
  const all = select(User);
  const some = all.where({ admin: true });
  const sorted = some.orderBy("id").limit(1);
  assert.notEqual(all, some);
  const app = db.init({ databaseUri: "sqlite://" });
  await app.createAll();
  const session = app.session();
  session.addAll([new User({ name: "a" }), new User({ name: "b", admin: true }), new User({ name: "c", admin: true })]);
  await session.flush();

  assert.equal(await session.select(all).count(), 3);
  assert.equal(await session.select(some).count(), 2);
  assert.deepEqual(names(await session.select(sorted).all()), ["b"]);
  assert.equal(await session.select(all).count(), 3);
  await session.close();
  await app.dispose();
});

test("a statement of no session does not run, and says how", async () => {
  await assert.rejects(select(User).all(), SessionError);
  await assert.rejects(select(User).count(), SessionError);
  assert.throws(() => select(User).stream(), SessionError);
});

onEachFamily("a statement is part of others", async (t, url) => {
  const { session } = await filled(t, url);
  const admins = select(User).where({ admin: true });
  const { rows } = await session.execute<{ name: string }>(admins);
  assert.equal(rows.length, 1);
  assert.equal(rows[0]?.name, "ada");
  const found = await session
    .selectFrom(Login)
    .selectAll()
    .where((eb) => eb.exists(admins as never))
    .execute();
  assert.equal(found.length, 3);
});

onEachFamily("Kysely's functions, cases and set operations take models", async (t, url) => {
  const { session } = await filled(t, url);
  const [row] = await session
    .selectFrom(User)
    .select((eb) => [
      eb.fn.countAll().as("n"),
      eb.fn.max("id").as("m"),
      eb.fn.count("bio").distinct().as("d"),
      eb.fn.coalesce(eb.fn.min("bio"), eb.val("x")).as("c"),
    ])
    .execute();
  assert.deepEqual([Number(row?.n), row?.m, Number(row?.d), row?.c], [4, 4, 2, "b"]);
  const union = await session
    .selectFrom(User)
    .select("id")
    .where("id", "<", 3)
    .union((eb) => eb.selectFrom(Login).select("userId as id"))
    .execute();
  assert.deepEqual(union.map(({ id }) => id).sort(), [1, 2]);
  const logins = await session
    .with("recent", (qc) => qc.selectFrom(Login).selectAll().where("at", "=", NOON))
    .selectFrom("recent")
    .innerJoin(User, "user.id", "recent.userId")
    .select(["user.name", "recent.at"])
    .orderBy("recent.id")
    .execute();
  assert.deepEqual(logins[0], { name: "ada", at: NOON });
  const text = session
    .selectFrom(User)
    .select("name")
    .$if(true, (qb) => qb.where("id", "=", 1));
  assert.deepEqual(await text.$call((qb) => qb.limit(1)).executeTakeFirst(), { name: "ada" });
});

onEachFamily("writes in Kysely's form need a commit, and apply defaults", async (t, url) => {
  const { app, session } = await filled(t, url);
  const sent = record(app);
  await session
    .insertInto(User)
    .values([{ name: "x" }, { name: "y", admin: true }])
    .execute();
  const result = await session.updateTable(User).set({ bio: "set" }).where("name", "in", ["x", "y"]).executeTakeFirst();
  assert.equal(result.numUpdatedRows, 2n);
  assert.equal(await sessionOf(app).select(User).where({ bio: "set" }).count(), 0);
  await session.commit();
  assert.deepEqual([...new Set(sent.map(({ bindKey }) => bindKey))], [null]);
  const [x, y] = await sessionOf(app).select(User).where({ bio: "set" }).orderBy("id").all();
  assert.deepEqual([x?.tags, x?.admin, y?.admin], [[], false, true]);
});
