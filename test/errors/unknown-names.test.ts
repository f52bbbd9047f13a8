import assert from "node:assert/strict";
import {
  type Application,
  alias,
  integer,
  Multibind,
  type Session,
  select,
  sql,
  text,
  UnknownColumnError,
  UnknownTableError,
  varchar,
} from "../../src/index.ts";
import { onEachFamily, record, sessionOf, start } from "../fixtures/matrix.ts";

const db = new Multibind();
class User extends db.model("user", {
  id: integer().primaryKey(),
  name: varchar(80).unique(),
  joinedOn: integer().nullable().named("joined_on"),
}) {}
class Post extends db.model("post", {
  id: integer().primaryKey(),
  userId: integer(),
  title: text().nullable(),
}) {}
class Animal extends db.model(
  "animal",
  { id: integer().primaryKey(), kind: varchar(10), legs: integer().nullable() },
  { discriminator: "kind", identity: "animal" },
) {}
class Bird extends Animal.extend(
  "bird",
  { id: integer().primaryKey().references("animal.id"), wings: integer() },
  { identity: "bird" },
) {
  static {
    db.register(Bird);
  }
}

// biome-ignore lint/suspicious/noExplicitAny: the tests give names that the types refuse
type Untyped = any;

const COLUMNS = 'Columns: "id", "name", "joinedOn".';
const NAME = `"user" (the default bind) has no column "nmae". Did you mean "name"? ${COLUMNS}`;

/** Every way to name a column of one table. */
const ONE_TABLE: Readonly<Record<string, (session: Session, app: Application) => unknown>> = {
  "where({…})": (s) => (s.select(User) as Untyped).where({ nmae: "a" }).all(),
  where: (s) => (s.select(User) as Untyped).where("nmae", "=", "a").all(),
  "where with the table": (s) => (s.select(User) as Untyped).where("user.nmae", "=", "a").all(),
  "where null": (s) => (s.select(User) as Untyped).where("nmae", "is", null).all(),
  "where in": (s) => (s.select(User) as Untyped).where("nmae", "in", ["a"]).all(),
  whereRef: (s) => (s.select(User) as Untyped).whereRef("nmae", "=", "name").all(),
  "whereRef, the right side": (s) => (s.select(User) as Untyped).whereRef("name", "=", "user.nmae").all(),
  "eb.ref": (s) => (s.select(User) as Untyped).where((eb: Untyped) => eb(eb.ref("nmae"), "=", "a")).all(),
  "eb.and": (s) => (s.select(User) as Untyped).where((eb: Untyped) => eb.and({ nmae: "a" })).all(),
  "sql.ref": (s) =>
    s
      .select(User)
      .where(sql<boolean>`lower(${sql.ref("nmae")}) = 'a'`)
      .all(),
  "sql.ref with the table": (s) =>
    s
      .select(User)
      .where(sql<boolean>`lower(${sql.ref("user.nmae")}) = 'a'`)
      .all(),
  "a function": (s) =>
    (s.select(User) as Untyped)
      .where((eb: Untyped) => eb(eb.fn.lower?.("nmae") ?? eb.fn("lower", ["nmae"]), "=", "a"))
      .all(),
  orderBy: (s) => (s.select(User) as Untyped).orderBy("nmae").all(),
  "orderBy desc": (s) => (s.select(User) as Untyped).orderBy("user.nmae", "desc").all(),
  groupBy: (s) => (s.select(User) as Untyped).select("name").groupBy("nmae").all(),
  having: (s) => (s.select(User) as Untyped).select("name").groupBy("name").having("nmae", "=", "a").all(),
  "select([…])": (s) => (s.select(User) as Untyped).select(["id", "nmae"]).all(),
  "select with a name": (s) => (s.select(User) as Untyped).select("nmae as n").all(),
  pluck: (s) => (s.select(User) as Untyped).pluck("nmae"),
  first: (s) => (s.select(User) as Untyped).where("nmae", "=", "a").first(),
  count: (s) => (s.select(User) as Untyped).where("nmae", "=", "a").count(),
  stream: async (s) => {
    for await (const _ of (s.select(User) as Untyped).where("nmae", "=", "a").stream());
  },
  "keyset, the order": (s) => (s.select(User) as Untyped).orderBy("nmae").keyset({ perPage: 2 }),
  update: (s) => (s.select(User) as Untyped).update({ nmae: "a" }),
  delete: (s) => (s.select(User) as Untyped).where("nmae", "=", "a").delete(),
  "new User": () => new User({ nmae: "a" } as Untyped),
  prepare: (_, app) =>
    app.run(() =>
      (db as Untyped)
        .prepare((p: Untyped) => (select(User) as Untyped).where("nmae", "=", p("name")))
        .all({ name: "a" }),
    ),
  "prepare in Kysely's form": (_, app) =>
    app.run(() =>
      (db as Untyped)
        .prepare((p: Untyped, qb: Untyped) => (qb.updateTable(User) as Untyped).set({ nmae: p("name") }))
        .execute({ name: "a" }),
    ),
  "selectFrom, where": (s) => (s.selectFrom(User).selectAll() as Untyped).where("nmae", "=", "a").execute(),
  "selectFrom, select": (s) => (s.selectFrom(User) as Untyped).select(["id", "user.nmae"]).execute(),
  "selectFrom, select eb": (s) =>
    (s.selectFrom(User) as Untyped).select((eb: Untyped) => eb.fn.max("nmae").as("m")).execute(),
  "selectFrom, groupBy": (s) => (s.selectFrom(User).select("id") as Untyped).groupBy(["id", "nmae"]).execute(),
  "selectFrom, orderBy": (s) => (s.selectFrom(User).select("id") as Untyped).orderBy("nmae", "desc").execute(),
  "insert values": (s) => (s.insertInto(User) as Untyped).values({ name: "a", nmae: "a" }).execute(),
  "insert many values": (s) => (s.insertInto(User) as Untyped).values([{ name: "a" }, { nmae: "a" }]).execute(),
  "insert columns": (s) =>
    (s.insertInto(User) as Untyped)
      .columns(["nmae"])
      .expression((eb: Untyped) => eb.selectFrom(Post).select("title"))
      .execute(),
  set: (s) => (s.updateTable(User) as Untyped).set({ nmae: "a" }).execute(),
  "set a column": (s) => (s.updateTable(User) as Untyped).set("nmae", "a").execute(),
  "set of an expression": (s) =>
    (s.updateTable(User) as Untyped).set((eb: Untyped) => ({ name: eb.ref("nmae") })).execute(),
  "updateTable, where": (s) => (s.updateTable(User).set({ name: "a" }) as Untyped).where("nmae", "=", "a").execute(),
  "deleteFrom, where": (s) => (s.deleteFrom(User) as Untyped).where("nmae", "=", "a").execute(),
};

onEachFamily(
  "every way to name a column that does not exist gets the same error before anything is sent",
  async (t, url, family) => {
    const app = await start(t, db, { databaseUri: url });
    const session = sessionOf(app);
    session.add(new User({ name: "pending" }));
    const sent = record(app);
    const own: typeof ONE_TABLE = {
      ...ONE_TABLE,
      ...(family === "mysql"
        ? {
            onDuplicateKeyUpdate: (s) =>
              (s.insertInto(User).values({ name: "a" }) as Untyped).onDuplicateKeyUpdate({ nmae: "a" }).execute(),
          }
        : {
            returning: (s) => (s.deleteFrom(User) as Untyped).returning(["nmae"]).execute(),
            "onConflict columns": (s) =>
              (s.insertInto(User).values({ name: "a" }) as Untyped)
                .onConflict((oc: Untyped) => oc.columns(["nmae"]).doNothing())
                .execute(),
            "onConflict set": (s) =>
              (s.insertInto(User).values({ name: "a" }) as Untyped)
                .onConflict((oc: Untyped) => oc.column("name").doUpdateSet({ nmae: "a" }))
                .execute(),
          }),
    };
    for (const [what, use] of Object.entries(own)) {
      await assert.rejects(
        async () => await use(session, app),
        (error) => {
          assert.ok(error instanceof UnknownColumnError, `${what}: ${String(error)}`);
          assert.equal(error.message, NAME, what);
          assert.equal(error.code, "UNKNOWN_COLUMN");
          assert.equal(error.table, "user");
          assert.equal(error.column, "nmae");
          assert.equal(error.bindKey, null);
          return true;
        },
      );
    }
    assert.deepEqual(sent, []);
    await session.rollback();
  },
);

onEachFamily("names among several tables, subqueries and aliases", async (t, url, family) => {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const sent = record(app);
  const posts = () => session.selectFrom(User).innerJoin(Post, "post.userId", "user.id") as Untyped;
  const cases: readonly (readonly [use: () => unknown, code: string, message: RegExp])[] = [
    [
      () => posts().select("titel").execute(),
      "UNKNOWN_COLUMN",
      /^None of "user", "post" \(the default bind\) has a column "titel"\. Did you mean "post\.title"\? Columns: "user\.id"/,
    ],
    [
      () => posts().select("post.titel").execute(),
      "UNKNOWN_COLUMN",
      /^"post" \(.*\) has no column "titel"\. Did you mean "title"\?/,
    ],
    [
      () => posts().select("pots.title").execute(),
      "UNKNOWN_TABLE",
      /^The statement for the default bind has no table or alias "pots"\. Did you mean "post"\? It has: "user", "post"\.$/,
    ],
    [() => posts().selectAll("pots").execute(), "UNKNOWN_TABLE", /"pots"/],
    [
      () => (session.selectFrom(User) as Untyped).innerJoin(Post, "post.usrId", "user.id").select("user.id").execute(),
      "UNKNOWN_COLUMN",
      /"post" .*"usrId"\. Did you mean "userId"\?/,
    ],
    [
      () =>
        (session.selectFrom(User) as Untyped)
          .leftJoin(Post, (join: Untyped) => join.onRef("post.userId", "=", "user.di"))
          .select("user.id")
          .execute(),
      "UNKNOWN_COLUMN",
      /"user" .*"di"/,
    ],
    [
      () => (session.select(User) as Untyped).innerJoin(Post, "post.userId", "user.nmae").all(),
      "UNKNOWN_COLUMN",
      /"user" .*"nmae"/,
    ],
    [
      () => (session.select(alias(User, "u")) as Untyped).where("u.nmae", "=", "a").all(),
      "UNKNOWN_COLUMN",
      /^"u" .*"nmae"\. Did you mean "name"\?/,
    ],
    [
      () => (session.select(alias(User, "u")) as Untyped).where({ nmae: "a" }).all(),
      "UNKNOWN_COLUMN",
      /^"u" .*"nmae"\. Did you mean "name"\?/,
    ],
    [
      () => (session.select(User) as Untyped).where("usr.name", "=", "a").all(),
      "UNKNOWN_TABLE",
      /Did you mean "user"\?/,
    ],
    [
      () => (session.select(Bird) as Untyped).where("wnigs", "=", 2).all(),
      "UNKNOWN_COLUMN",
      /^"bird" .*"wnigs"\. Did you mean "wings"\? Columns: "id", "kind", "legs", "wings"\.$/,
    ],
    [
      () => (session.select(Bird) as Untyped).where({ wnigs: 2 }).all(),
      "UNKNOWN_COLUMN",
      /^"bird" .*"wnigs"\. Did you mean "wings"\? Columns: "id", "kind", "legs", "wings"\.$/,
    ],
    [
      () =>
        session
          .selectFrom((eb: Untyped) => eb.selectFrom(User).select("name as label").as("s"))
          .select("s.lable" as never)
          .execute(),
      "UNKNOWN_COLUMN",
      /^"s" .*"lable"\. Did you mean "label"\? Columns: "label"\.$/,
    ],
    [
      () =>
        (session.with("recent", (qb) => qb.selectFrom(Post).select(["id", "title"])).selectFrom("recent") as Untyped)
          .select("tilte")
          .execute(),
      "UNKNOWN_COLUMN",
      /^"recent" .*"tilte"\. Did you mean "title"\?/,
    ],
    [
      () =>
        (session.selectFrom(User).select("id") as Untyped)
          .where((eb: Untyped) =>
            eb.exists(eb.selectFrom(Post).select("post.id").whereRef("post.userId", "=", "user.idd")),
          )
          .execute(),
      "UNKNOWN_COLUMN",
      /"user" .*"idd"/,
    ],
    [
      () =>
        (session.selectFrom(User).select("id").union(session.selectFrom(Post).select("id")) as Untyped)
          .orderBy("titel")
          .execute(),
      "UNKNOWN_COLUMN",
      /"titel"/,
    ],
    [
      () => session.execute(sql`select ${sql.ref("user.nmae")} from ${User.table}`),
      "UNKNOWN_COLUMN",
      /"user" .*"nmae"/,
    ],
    [
      () => (session.select(User) as Untyped).where("x".repeat(500), "=", 1).all(),
      "UNKNOWN_COLUMN",
      /has no column "x{64}…"\. Columns/,
    ],
  ];
  for (const [use, code, message] of cases) {
    await assert.rejects(
      async () => await use(),
      (error: Untyped) => {
        assert.match(error.message, message);
        assert.equal(error.code, code, error.message);
        assert.ok(error instanceof UnknownColumnError || error instanceof UnknownTableError);
        return true;
      },
    );
  }
  assert.deepEqual(sent, []);
  assert.ok(family);
});

onEachFamily("names that exist, and those that only the database knows, are sent", async (t, url, family) => {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  await session.insertInto(User).values({ id: 1, name: "ada", joinedOn: 3 }).execute();
  await session.insertInto(Post).values({ id: 1, userId: 1, title: "one" }).execute();
  const users = () => session.selectFrom(User) as Untyped;
  const good: Record<string, () => Promise<unknown>> = {
    "the name in the database": () => users().select("id").where("joined_on", "=", 3).execute(),
    "an alias in orderBy": () => users().select("name as n").orderBy("n").execute(),
    "an alias in groupBy": () => users().select("name as n").groupBy("n").execute(),
    "tables in SQL text": () =>
      users()
        .select("id")
        .where(
          sql`exists (select 1 from post p where ${sql.ref("p.userId")} = ${sql.ref("user.id")} and ${sql.ref("title")} = 'one')`,
        )
        .execute(),
    "a join in SQL text": () =>
      users().innerJoin(sql`post`.as("p"), "p.id", "user.id").select(["p.title", "user.id"]).execute(),
    "sql.id": () =>
      users()
        .select(sql`${sql.id("joined_on")}`.as("j"))
        .execute(),
    "a table named by text": () => (session.kysely(null) as Untyped).selectFrom("user").select("joined_on").execute(),
    "a correlated column": () =>
      users()
        .select((eb: Untyped) =>
          eb.selectFrom(Post).select("title").whereRef("userId", "=", "user.id").where("name", "=", "ada").as("t"),
        )
        .execute(),
  };
  if (family === "sqlite") good["rowid"] = () => users().select("rowid").execute();
  if (family === "postgres") {
    good["ctid"] = () => users().select("ctid").execute();
    good["a whole row"] = () =>
      users()
        .select((eb: Untyped) => eb.fn("to_json", ["user"]).as("j"))
        .execute();
    good["toJson"] = () =>
      users()
        .select((eb: Untyped) => eb.fn.toJson("user").as("j"))
        .execute();
  }
  if (family !== "mysql") {
    good["excluded"] = () =>
      (session.insertInto(User).values({ id: 1, name: "ada" }) as Untyped)
        .onConflict((oc: Untyped) => oc.column("id").doUpdateSet((eb: Untyped) => ({ name: eb.ref("excluded.name") })))
        .returning("id")
        .execute();
  }
  for (const [what, run] of Object.entries(good)) {
    const rows = await run().catch((error: unknown) => assert.fail(`${what}: ${String(error)}`));
    assert.equal((rows as unknown[]).length, 1, what);
  }
});
