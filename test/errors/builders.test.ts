import assert from "node:assert/strict";
import { inspect } from "node:util";
import { InvalidStatementError, integer, Multibind, sql, text } from "../../src/index.ts";
import { onEachFamily, record, sessionOf, start } from "../fixtures/matrix.ts";

const db = new Multibind();
class Post extends db.model("post", { id: integer().primaryKey(), title: text().nullable() }) {}

// biome-ignore lint/suspicious/noExplicitAny: the tests call the builders in ways that their types refuse
type Untyped = any;

const names = { code: "INVALID_STATEMENT", message: /\.execute\(\)/ };

onEachFamily("a builder that is awaited without being executed throws", async (t, url, family) => {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const { kysely } = app.engine;
  const sent = record(app);
  const builders: Record<string, () => unknown> = {
    insert: () => session.insertInto(Post).values({ title: "a" }),
    "insert without values": () => session.insertInto(Post),
    "insert of a name": () => (session as Untyped).kysely(null).insertInto("post").values({ title: "a" }),
    "insert with a CTE": () =>
      session
        .with("p", (qb) => qb.selectFrom(Post).select("id"))
        .insertInto(Post)
        .values({ title: "a" }),
    update: () => session.updateTable(Post).set({ title: "a" }),
    "update with a condition": () => session.updateTable(Post).set({ title: "a" }).where("id", "=", 1),
    delete: () => session.deleteFrom(Post),
    "session.kysely": () => session.kysely(null).deleteFrom(Post),
    "engine.kysely insert": () => kysely.insertInto(Post).values({ title: "a" }),
    "engine.kysely delete": () => kysely.deleteFrom(Post),
    "engine.kysely schema": () => kysely.schema.createTable("never").addColumn("id", "integer"),
    "session.kysely schema": () => session.kysely(null).schema.dropTable("post"),
    "a transaction of Kysely": () => kysely.transaction(),
    ...(family === "postgres" ? {} : { replace: () => session.replaceInto(Post).values({ title: "a" }) }),
    ...(family === "mysql" ? {} : { returning: () => session.deleteFrom(Post).returning("id") }),
    ...(family === "postgres"
      ? {
          merge: () =>
            session.mergeInto(Post).using(Post.as("other"), "other.id", "post.id").whenMatched().thenDelete(),
        }
      : {}),
  };
  for (const [what, builder] of Object.entries(builders)) {
    await assert.rejects(async () => await builder(), names, what);
    await assert.rejects(async () => builder(), names, `${what}, returned`);
    await assert.rejects(Promise.all([builder()]), names, `${what}, in Promise.all`);
  }
  assert.deepEqual(sent, []);
  const error = (await Promise.resolve(builders["insert"]!()).then(undefined, (thrown: unknown) => thrown)) as Error;
  assert.match(error.stack!, /builders\.test/);
});

onEachFamily("what is executed, and a select, is no thenable", async (t, url) => {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  await session.insertInto(Post).values({ id: 1, title: "a" }).execute();
  const select = await (async () => session.selectFrom(Post).select("id"))();
  assert.deepEqual(await select.where("id", "=", 1).execute(), [{ id: 1 }]);
  const entities = await (async () => session.select(Post))();
  assert.equal((await entities.all()).length, 1);
  const { compile } = session.deleteFrom(Post);
  assert.equal(typeof compile, "function");
  assert.ok(!("then" in session.deleteFrom(Post)));
  inspect(session.deleteFrom(Post));
  const result = await session
    .with("p", (qb) => qb.selectFrom(Post).select("id"))
    .selectFrom("p")
    .selectAll()
    .execute();
  assert.deepEqual(result, [{ id: 1 }]);
  // Callbacks and whole statements take builders as they are.
  await session.execute(session.updateTable(Post).set({ title: "b" }));
  const prepared = db.prepare((_, qb) => qb.deleteFrom(Post).where("id", "=", 7));
  await session.rollback();
  await app.transaction(async () => await prepared.execute({}));
});

const secret = "s3cret";
const CALLS: Record<string, (from: Untyped) => unknown> = {
  "where of two": (qb) => qb.selectFrom(Post).selectAll().where("title", secret),
  "where of four": (qb) => qb.selectFrom(Post).selectAll().where("title", "=", secret, secret),
  "where of nothing": (qb) => qb.selectFrom(Post).selectAll().where(),
  "a value alone": (qb) => qb.selectFrom(Post).selectAll().where(secret),
  "a column alone": (qb) => qb.deleteFrom(Post).where("id"),
  "undefined alone": (qb) => qb.deleteFrom(Post).where(undefined),
  "a value alone in a join": (qb) => qb.selectFrom(Post).innerJoin("post as p", (join: Untyped) => join.on("id")),
  "a bigint among wrong arguments": (qb) => qb.selectFrom(Post).selectAll().where("id", 12345678901234567890n),
  "no operator": (qb) => qb.selectFrom(Post).selectAll().where("title", secret, "="),
  "a reference of four parts": (qb) => qb.selectFrom(Post).select("a.b.c.d"),
  "a direction": (qb) => qb.selectFrom(Post).selectAll().orderBy("id", "down"),
  "a direction in the text": (qb) => qb.selectFrom(Post).selectAll().orderBy("id down"),
  "a join without condition": (qb) => qb.selectFrom(Post).innerJoin("post as p", "p.id"),
  "values of nothing": (qb) => qb.insertInto(Post).values(),
  "values of null": (qb) => qb.insertInto(Post).values(null),
  "set of nothing": (qb) => qb.updateTable(Post).set(),
  "inside a callback": (qb) =>
    qb
      .selectFrom(Post)
      .selectAll()
      .where((eb: Untyped) => eb.or([eb("title", secret)])),
  "an operator inside a callback": (qb) =>
    qb
      .selectFrom(Post)
      .selectAll()
      .where((eb: Untyped) => eb("title", "=~=", secret)),
  literal: (qb) =>
    qb
      .selectFrom(Post)
      .selectAll()
      .where((eb: Untyped) => eb("title", "=", eb.lit(secret))),
};

onEachFamily("Kysely's checks of arguments are errors of ours, without values", async (t, url) => {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const sent = record(app);
  for (const [what, call] of Object.entries(CALLS)) {
    for (const from of [session, session.kysely(null), app.engine.kysely]) {
      const error = await (async () => {
        await (call(from) as Untyped).execute();
      })().then(
        () => assert.fail(`${what} did not fail`),
        (thrown: unknown) => thrown,
      );
      assert.ok(error instanceof InvalidStatementError, `${what}: ${inspect(error)}`);
      assert.ok(!inspect(error, { depth: 9 }).includes(secret), inspect(error));
    }
  }
  for (const entity of [
    () => (session.select(Post) as Untyped).where("title", secret),
    () => (session.select(Post) as Untyped).where("title", "=~=", secret),
    () => (session.select(Post) as Untyped).orderBy("id", "down"),
    () => (session.select(Post) as Untyped).having("id"),
  ])
    assert.throws(entity, InvalidStatementError);
  assert.deepEqual(sent, []);
});

onEachFamily("an error of a callback stays as it is", async (t, url) => {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  for (const own of [new Error("invalid arguments of mine"), new TypeError("mine"), new RangeError("mine")]) {
    const fail = () => {
      throw own;
    };
    const same = (error: unknown) => error === own;
    assert.throws(() => session.selectFrom(Post).where(fail), same);
    assert.throws(() => session.selectFrom(Post).where((eb) => eb.or([eb.exists(fail as Untyped)])), same);
    assert.throws(() => session.select(Post).where(fail), same);
    await assert.rejects(async () => session.updateTable(Post).set(fail), same);
  }
});

onEachFamily("a write without anything to write is refused before it is sent", async (t, url, family) => {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const sent = record(app);
  for (const from of [session, session.kysely(null), app.engine.kysely] as Untyped[]) {
    const writes: Record<string, () => Promise<unknown>> = {
      "insert without values": () => from.insertInto(Post).execute(),
      "insert of an empty list": () => from.insertInto(Post).values([]).execute(),
      "update without set": () => from.updateTable(Post).where("id", "=", 1).execute(),
      "update of an empty object": () => from.updateTable(Post).set({}).execute(),
      ...(family === "postgres"
        ? { merge: () => from.mergeInto(Post).using(Post.as("o"), "o.id", "post.id").execute() }
        : {}),
    };
    for (const [what, write] of Object.entries(writes)) {
      await assert.rejects(write, { code: "INVALID_STATEMENT", message: /Add|Leave/ }, what);
    }
  }
  assert.deepEqual(sent, []);
  await session.rollback();
  if (family === "mysql") await session.insertInto(Post).values({}).execute();
  else await session.insertInto(Post).defaultValues().execute();
  await session.insertInto(Post).values({}).execute();
  await session
    .insertInto(Post)
    .columns(["title"])
    .expression((eb) => eb.selectFrom(Post.as("p")).select(sql<string>`'x'`.as("title")).limit(1))
    .execute();
  assert.equal((await session.selectFrom(Post).selectAll().execute()).length, 3);
});
