import assert from "node:assert/strict";
import { test } from "node:test";
import { expectTypeOf } from "expect-type";
import fc from "fast-check";
import {
  boolean,
  CrossBindError,
  enumeration,
  InvalidValueError,
  integer,
  Multibind,
  MultipleResultsError,
  NoContextError,
  NoResultError,
  type Params,
  type PreparedRows,
  type PreparedSelect,
  select,
  text,
  timestamp,
  typed,
  UndefinedValueError,
  UnsupportedError,
  varchar,
} from "../../src/index.ts";
import { onEachFamily, record, sessionOf, start } from "../fixtures/matrix.ts";

const db = new Multibind<"other">();
let made = 0;
class User extends db.model("user", {
  id: integer().primaryKey(),
  name: varchar(40).named("user_name"),
  admin: boolean().default(false),
  bio: text().nullable(),
  born: timestamp().nullable(),
  serial: integer().default(() => ++made),
  changed: integer()
    .nullable()
    .onUpdate(() => ++made),
}) {}
class Elsewhere extends db.model("elsewhere", { id: integer().primaryKey() }, { bindKey: "other" }) {}

const NOON = new Date("2026-01-31T12:00:00.000Z");

// Kept in the module, outside of any context and before any engine is there.
const byId = db.prepare((p: Params<{ id: number }>) => select(User).where("id", "=", p("id")));
const bornAfter = db.prepare((p: Params<{ since: Date; admin: boolean }>) =>
  select(User).where("born", ">", p("since")).where("admin", "=", p("admin")).orderBy("id"),
);
const everybody = db.prepare(() => select(User).orderBy("id"));
const namesLike = db.prepare((p: Params<{ pattern: string; most: number }>, qb) =>
  qb.selectFrom(User).select(["name", "born"]).where("name", "like", p("pattern")).orderBy("id").limit(p("most")),
);
const add = db.prepare((p: Params<{ name: string; born: Date | null }>, qb) =>
  qb.insertInto(User).values({ name: p("name"), born: p("born") }),
);
const setBio = db.prepare((p: Params<{ id: number; bio: string | null }>, qb) =>
  qb
    .updateTable(User)
    .set({ bio: p("bio") })
    .where("id", "=", p("id")),
);
const remove = db.prepare((p: Params<{ id: number }>, qb) => qb.deleteFrom(User).where("id", "=", p("id")));

async function filled(t: Parameters<typeof start>[0], url: string) {
  const app = await start(t, db, { databaseUri: url, binds: { other: "sqlite://" } });
  const session = sessionOf(app);
  session.addAll([
    new User({ name: "ada", admin: true, born: NOON, bio: "b" }),
    new User({ name: "bob", born: NOON }),
    new User({ name: "eve" }),
  ]);
  await session.commit();
  return { app, session };
}

onEachFamily("a prepared select gives entities of the context's session", async (t, url) => {
  const { app } = await filled(t, url);
  await app.run(async () => {
    const ada = await byId.one({ id: 1 });
    assert.ok(ada instanceof User);
    assert.deepEqual([ada.name, ada.admin, ada.born], ["ada", true, NOON]);
    assert.equal(await byId.one({ id: 1 }), ada);
    assert.equal(await db.session.get(User, 1), ada);
    assert.equal((await byId.first({ id: 2 }))?.name, "bob");
    assert.equal(await byId.first({ id: 9 }), null);
    assert.equal(await byId.oneOrNull({ id: 9 }), null);
    assert.equal(await byId.count({ id: 1 }), 1);
    assert.equal(await byId.exists({ id: 9 }), false);
    assert.equal(await byId.exists({ id: 1 }), true);
    const before = new Date(NOON.getTime() - 1);
    assert.deepEqual(
      (await bornAfter.all({ since: before, admin: false })).map(({ name }) => name),
      ["bob"],
    );
    assert.deepEqual(await bornAfter.all({ since: NOON, admin: false }), []);
    assert.equal((await everybody.all()).length, 3);
    await assert.rejects(byId.one({ id: 9 }), NoResultError);
    await assert.rejects(everybody.one(), MultipleResultsError);
  });
});

onEachFamily("a session outside of a context runs it too", async (t, url) => {
  const { session } = await filled(t, url);
  await assert.rejects(byId.one({ id: 1 }), NoContextError);
  const ada = await byId.on(session).one({ id: 1 });
  assert.equal(ada, await session.get(User, 1));
  assert.deepEqual(await namesLike.on(session).execute({ pattern: "%e%", most: 5 }), [{ name: "eve", born: null }]);
});

onEachFamily("Kysely's statements: rows and results, values converted both ways", async (t, url) => {
  const { app } = await filled(t, url);
  await app.transaction(async () => {
    assert.deepEqual(await namesLike.execute({ pattern: "%a%", most: 9 }), [{ name: "ada", born: NOON }]);
    assert.deepEqual((await namesLike.execute({ pattern: "%", most: 2 })).length, 2);
    assert.equal(await namesLike.executeTakeFirst({ pattern: "nobody", most: 2 }), undefined);
    await assert.rejects(namesLike.executeTakeFirstOrThrow({ pattern: "nobody", most: 2 }), NoResultError);

    const [inserted] = await add.execute({ name: "fay", born: NOON });
    assert.equal(inserted!.numInsertedOrUpdatedRows, 1n);
    const [updated] = await setBio.execute({ id: 4, bio: "new" });
    assert.equal(updated!.numUpdatedRows, 1n);
    const fay = await byId.one({ id: 4 });
    assert.deepEqual([fay.name, fay.born, fay.bio, fay.admin], ["fay", NOON, "new", false]);
    await setBio.execute({ id: 4, bio: null });
    assert.equal((await byId.one({ id: 4 })).bio, null);
    const [deleted] = await remove.execute({ id: 4 });
    assert.equal(deleted!.numDeletedRows, 1n);
    assert.equal(await byId.exists({ id: 4 }), false);
  });
});

onEachFamily("it belongs to the session's transaction and sees what is pending", async (t, url) => {
  const { app } = await filled(t, url);
  await app.run(
    async () => {
      const ada = await byId.one({ id: 1 });
      ada.bio = "changed";
      db.session.add(new User({ name: "gus" }));
      assert.equal(await everybody.count(), 4);
      await remove.execute({ id: 2 });
      assert.equal(await byId.exists({ id: 2 }), false);
      await db.session.rollback();
      assert.equal(await everybody.count(), 3);
    },
    { onUncommitted: "throw" },
  );
});

onEachFamily("defaults and onUpdate are evaluated each time", async (t, url) => {
  const { app } = await filled(t, url);
  await app.transaction(async () => {
    await add.execute({ name: "x", born: null });
    await add.execute({ name: "y", born: null });
    const [x, y] = await db.select(User).where("name", "in", ["x", "y"]).orderBy("id").all();
    assert.notEqual(x!.serial, y!.serial);
    await setBio.execute({ id: x!.id, bio: "1" });
    await setBio.execute({ id: y!.id, bio: "1" });
    await db.session.refresh(x!);
    await db.session.refresh(y!);
    assert.ok(x!.changed !== null && y!.changed !== null && x!.changed < y!.changed);
  });
});

onEachFamily("the SQL is the same each time, and values are its parameters", async (t, url) => {
  const { app } = await filled(t, url);
  const sent = record(app);
  const shown: (readonly unknown[])[] = [];
  app.engine.onStatement(({ parameters }) => shown.push(parameters));
  await app.run(async () => {
    await byId.one({ id: 1 });
    await byId.oneOrNull({ id: 2 });
  });
  assert.equal(sent[0]!.sql, sent[1]!.sql);
  assert.deepEqual(
    shown.map((parameters) => parameters[0]),
    [1, 2],
  );
});

onEachFamily("what is missing, unknown or does not fit is refused before anything is sent", async (t, url) => {
  const { app } = await filled(t, url);
  const sent = record(app);
  await app.run(async () => {
    const untyped = byId as unknown as PreparedSelect<User, Readonly<Record<string, unknown>>>;
    await assert.rejects(untyped.one(), (error: unknown) => {
      assert.ok(error instanceof UndefinedValueError);
      assert.match(error.message, /Parameter "id" .* is missing/);
      return true;
    });
    await assert.rejects(untyped.one({ id: undefined }), UndefinedValueError);
    await assert.rejects(untyped.one({ id: 1, name: "x" }), (error: unknown) => {
      assert.ok(error instanceof InvalidValueError);
      assert.match(error.message, /no parameter "name"; there is "id"/);
      return true;
    });
    await assert.rejects(untyped.one({ id: "1" }), InvalidValueError);
    await assert.rejects(untyped.one({ id: 1.5 }), InvalidValueError);
    await assert.rejects(untyped.one({ id: null }), /nothing is `= null`.*is not distinct from/s);
  });
  assert.deepEqual(sent, []);
});

onEachFamily("null matches null where the statement says so", async (t, url) => {
  const { app } = await filled(t, url);
  const byBio = db.prepare((p: Params<{ bio: string | null }>) =>
    select(User).where("bio", "is not distinct from", p("bio")).orderBy("id"),
  );
  const otherBio = db.prepare((p: Params<{ bio: string | null }>) =>
    select(User).where("bio", "is distinct from", p("bio")).orderBy("id"),
  );
  await app.run(async () => {
    const names = (users: readonly User[]) => users.map(({ name }) => name);
    assert.deepEqual(names(await byBio.all({ bio: null })), ["bob", "eve"]);
    assert.deepEqual(names(await byBio.all({ bio: "b" })), ["ada"]);
    assert.deepEqual(names(await otherBio.all({ bio: null })), ["ada"]);
    assert.deepEqual(names(await otherBio.all({ bio: "b" })), ["bob", "eve"]);
  });
});

onEachFamily("rows and several entities of a select are prepared like entities", async (t, url) => {
  const { app } = await filled(t, url);
  const names = db.prepare((p: Params<{ admin: boolean }>) =>
    select(User).where("admin", "=", p("admin")).orderBy("id").select(["name", "born"]),
  );
  await app.run(async () => {
    const rows = await names.all({ admin: false });
    expectTypeOf(rows).toEqualTypeOf<{ name: string; born: Date | null }[]>();
    assert.deepEqual(rows, [
      { name: "bob", born: NOON },
      { name: "eve", born: null },
    ]);
    assert.equal(await names.count({ admin: true }), 1);
    assert.deepEqual(await names.first({ admin: true }), { name: "ada", born: NOON });
  });
});

onEachFamily("how many rows are read may be a parameter", async (t, url) => {
  const { app } = await filled(t, url);
  const some = db.prepare((p: Params<{ most: number; after: number }>) =>
    select(User).orderBy("id").limit(p("most")).offset(p("after")),
  );
  await app.run(async () => {
    const names = async (most: number, after: number) => (await some.all({ most, after })).map(({ name }) => name);
    assert.deepEqual(await names(2, 0), ["ada", "bob"]);
    assert.deepEqual(await names(9, 1), ["bob", "eve"]);
    assert.deepEqual(await names(0, 0), []);
    assert.equal((await some.one({ most: 1, after: 2 })).name, "eve");
    assert.equal((await some.first({ most: 2, after: 1 }))?.name, "bob");
    assert.equal(await some.count({ most: 2, after: 2 }), 1);
    for (const most of [-1, 1.5, Number.NaN, "1; drop table user" as never]) {
      await assert.rejects(some.all({ most, after: 0 }), InvalidValueError);
    }
  });
});

onEachFamily("a prepared statement finds what the same statement finds that is built", async (t, url) => {
  const { session } = await filled(t, url);
  const columns = ["id", "name", "admin", "bio", "born", "serial"] as const;
  const operators = ["=", "<>", "<", ">=", "is not distinct from"] as const;
  const prepared = new Map(
    columns.flatMap((column) =>
      operators.map((operator) => [
        `${column} ${operator}`,
        db.prepare((p) => select(User).where(column, operator, p("value")).orderBy("id")).on(session),
      ]),
    ),
  );
  const valuesOf = (column: (typeof columns)[number]) => {
    if (column === "admin") return fc.boolean();
    if (column === "born") return fc.constantFrom(NOON, new Date(0), new Date(NOON.getTime() + 1));
    if (column === "name" || column === "bio") return fc.oneof(fc.constantFrom("ada", "bob", "b", ""), fc.string());
    return fc.integer({ min: -1, max: 9 });
  };
  const cases = fc
    .constantFrom(...columns)
    .chain((column) => fc.tuple(fc.constant(column), fc.constantFrom(...operators), valuesOf(column)));
  await fc.assert(
    fc.asyncProperty(cases, async ([column, operator, value]) => {
      fc.pre(typeof value !== "string" || !/\0|[\ud800-\udfff]/.test(value));
      const built = await session
        .select(User)
        .where(column, operator, value as never)
        .orderBy("id")
        .all();
      assert.deepEqual(await prepared.get(`${column} ${operator}`)!.all({ value }), built);
    }),
    { numRuns: 60 },
  );
});

onEachFamily("a type may be said where no column stands opposite", async (t, url) => {
  const { app } = await filled(t, url);
  const inDays = db.prepare((p: Params<{ at: Date }>, qb) =>
    qb
      .selectFrom(User)
      .select(["id", typed(p("at"), timestamp()).as("at")])
      .where("id", "=", 1),
  );
  await app.run(async () => {
    assert.deepEqual(await inDays.execute({ at: NOON }), [{ id: 1, at: NOON }]);
  });
});

test("each application compiles it for its own database", async (t) => {
  const first = db.init({ databaseUri: "sqlite://", binds: { other: "sqlite://" } });
  const second = db.init({ databaseUri: "sqlite://", binds: { other: "sqlite://" } });
  t.after(() => Promise.all([first.dispose(), second.dispose()]));
  for (const [app, name] of [
    [first, "one"],
    [second, "two"],
  ] as const) {
    await app.transaction(async () => {
      await db.createAll({ bindKey: null });
      db.session.add(new User({ name }));
    });
  }
  assert.equal(await first.run(async () => (await byId.one({ id: 1 })).name), "one");
  assert.equal(await second.run(async () => (await byId.one({ id: 1 })).name), "two");
});

test("a statement over two binds, and a list as a parameter, are refused", async (t) => {
  const app = db.init({ databaseUri: "sqlite://", binds: { other: "sqlite://" } });
  t.after(() => app.dispose());
  const across = db.prepare((_, qb) => qb.selectFrom(User).innerJoin(Elsewhere, "elsewhere.id", "user.id").selectAll());
  const listed = db.prepare((p, qb) => qb.selectFrom(User).select("id").where("id", "in", p("ids")));
  await app.run(async () => {
    await assert.rejects(across.execute(), CrossBindError);
    await assert.rejects(listed.execute({ ids: [1, 2] }), UnsupportedError);
    await assert.rejects(listed.execute({ ids: [1, 2] }), /"ids" stands where `in` wants a list/);
  });
});

test("a parameter outside of a prepared statement has no value", async (t) => {
  const app = db.init({ databaseUri: "sqlite://", binds: { other: "sqlite://" } });
  t.after(() => app.dispose());
  let stolen: unknown;
  db.prepare((p, qb) => {
    stolen = p("id");
    return qb.selectFrom(User).selectAll();
  });
  await app.run(async () => {
    await assert.rejects(
      db
        .selectFrom(User)
        .selectAll()
        .where("id", "=", stolen as never)
        .execute(),
      /belongs into `db.prepare`/,
    );
  });
});

test("what is prepared is a statement", () => {
  assert.throws(() => db.prepare((() => 1) as never), InvalidValueError);
});

test("a class that comes later is one of those that rows can be of", async (t) => {
  const zoo = new Multibind();
  class Animal extends zoo.model(
    "animal",
    { id: integer().primaryKey(), kind: enumeration(["cat", "dog"]) },
    { discriminator: "kind" },
  ) {}
  const all = zoo.prepare(() => select(Animal).orderBy("id"));
  class Cat extends Animal.extend({ lives: integer().nullable() }, { identity: "cat" }) {
    static {
      zoo.register(Cat);
    }
  }
  const app = zoo.init({ databaseUri: "sqlite://" });
  t.after(() => app.dispose());
  await app.transaction(async () => {
    await zoo.createAll();
    zoo.session.add(new Cat({ lives: 9 }));
    await zoo.session.flush();
    zoo.session.expungeAll();
    const [cat] = await all.all();
    assert.ok(cat instanceof Cat);
    assert.equal(cat.lives, 9);
  });
});

test("types: names and values of parameters, entities and rows", () => {
  expectTypeOf(byId).toEqualTypeOf<PreparedSelect<User, { id: number }>>();
  expectTypeOf(namesLike).toEqualTypeOf<
    PreparedRows<{ name: string; born: Date | null }, { pattern: string; most: number }>
  >();
  const wrong = () => {
    // @ts-expect-error an id is a number
    byId.one({ id: "1" });
    // @ts-expect-error there is no such parameter
    byId.one({ id: 1, name: "x" });
    // @ts-expect-error it needs its parameter
    byId.one();
    // @ts-expect-error a parameter of the wrong type does not stand opposite the column
    db.prepare((p: Params<{ id: Date }>) => select(User).where("id", "=", p("id")));
    // @ts-expect-error there is no such parameter
    db.prepare((p: Params<{ id: number }>) => select(User).where("id", "=", p("ident")));
    // @ts-expect-error nor such a column
    db.prepare((p) => select(User).where("nope", "=", p("id")));
    // @ts-expect-error a number is no statement
    db.prepare(() => 1);
  };
  void wrong;
  const loose = db.prepare((p) => select(User).where("id", "=", p("id")));
  expectTypeOf(loose).toEqualTypeOf<PreparedSelect<User, Readonly<Record<string, unknown>>>>();
});
