import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AmbiguousTableError,
  type BindKey,
  CrossBindError,
  integer,
  Multibind,
  type Session,
  type Statement,
  select,
  sql,
  text,
  UnboundExecutionError,
  UnknownTableError,
} from "../../src/index.ts";
import { record } from "../fixtures/matrix.ts";

const db = new Multibind<"auth" | "meta" | "absent">();
class Post extends db.model("post", { id: integer().primaryKey(), authorId: integer(), title: text() }) {}
class User extends db.model("user", { id: integer().primaryKey(), name: text() }, { bindKey: "auth" }) {}
class Login extends db.model("login", { id: integer().primaryKey(), userId: integer() }, { bindKey: "auth" }) {}
class Gone extends db.model("gone", { id: integer().primaryKey() }, { bindKey: "absent" }) {}
const tag = db.table("tag", { id: integer().primaryKey(), label: text() }, { bindKey: "meta" });
const note = db.table("note", { id: integer().primaryKey(), body: text() }, { bindKey: "meta" });
// One name in two binds.
const authLog = db.table("log", { id: integer().primaryKey(), what: text() }, { bindKey: "auth" });
const metaLog = db.table("log", { id: integer().primaryKey(), what: text() }, { bindKey: "meta" });

type Keys = "auth" | "meta" | "absent";

const app = db.init({ databaseUri: "sqlite://", binds: { auth: "sqlite://", meta: "sqlite://" } });
const session = app.session();
test.after(async () => {
  await session.close();
  await app.dispose();
});

function bindOf(statement: Statement, bindKey?: Keys | null): BindKey {
  return session.getBind({ statement, ...(bindKey === undefined ? {} : { bindKey }) }).bindKey;
}

test("a model, a table, a statement or a bind key tells the engine", () => {
  assert.equal(session.getBind({ model: User }), app.engines.get("auth"));
  assert.equal(session.getBind({ table: tag }), app.engines.get("meta"));
  assert.equal(session.getBind({ table: tag.as("t") }), app.engines.get("meta"));
  assert.equal(session.getBind({ table: User.table }), app.engines.get("auth"));
  assert.equal(session.getBind({ statement: select(User) }), app.engines.get("auth"));
  assert.equal(session.getBind({ bindKey: "meta" }), app.engines.get("meta"));
  assert.equal(session.getBind({ bindKey: null }), app.engine);
  assert.equal(session.getBind({ model: Post }), app.engine);
  assert.equal(session.getBind(), app.engine);
  assert.equal(session.getBind({}), app.engine);
});

test("whatever is named has to agree", () => {
  assert.equal(session.getBind({ model: User, bindKey: "auth", statement: select(Login) }).bindKey, "auth");
  assert.throws(() => session.getBind({ model: User, bindKey: "meta" }), CrossBindError);
  assert.throws(() => session.getBind({ model: User, bindKey: null }), CrossBindError);
  assert.throws(() => session.getBind({ model: User, table: tag }), CrossBindError);
  assert.throws(() => session.getBind({ model: Post, statement: select(User) }), CrossBindError);
  assert.throws(() => session.getBind({ table: tag, statement: select(Post) }), CrossBindError);
});

test("a bind key without engine is an error that names it", () => {
  for (const target of [
    { bindKey: "absent" as const },
    { model: Gone },
    { table: Gone.table },
    { statement: select(Gone) },
  ]) {
    assert.throws(
      () => session.getBind(target),
      (error) => error instanceof UnboundExecutionError && error.bindKey === "absent" && /'absent'/.test(error.message),
    );
  }
});

test("without a default engine nothing falls back to it", async () => {
  const other = db.init({ binds: { auth: "sqlite://" } });
  const lone = other.session();
  assert.equal(lone.getBind({ model: User }).bindKey, "auth");
  for (const target of [{}, { bindKey: null }, { model: Post }, { statement: sql`select 1` }]) {
    assert.throws(
      () => lone.getBind(target),
      (error) => error instanceof UnboundExecutionError && error.bindKey === null && /default/.test(error.message),
    );
  }
  await assert.rejects(lone.execute(sql`select 1`), UnboundExecutionError);
  await assert.rejects(lone.get(Post, 1), UnboundExecutionError);
  await assert.rejects(lone.select(Post).all(), UnboundExecutionError);
  lone.add(new Post({ authorId: 1, title: "x" }));
  await assert.rejects(lone.flush(), UnboundExecutionError);
  await lone.close();
  await other.dispose();
});

// Where a table can stand in a statement: with one of another bind there, it is refused.

type S = Session<Keys>;

/** Statements over one bind, and the same with a table of another in one place. */
const PLACES: Record<string, { readonly one: (s: S) => Statement; readonly two: (s: S) => Statement }> = {
  "a join": {
    one: (s) => s.selectFrom(User).innerJoin(Login, "login.userId", "user.id").selectAll(),
    two: (s) => s.selectFrom(User).innerJoin(tag, "tag.id", "user.id").selectAll(),
  },
  "a left join by callback": {
    one: (s) =>
      s
        .selectFrom(User)
        .leftJoin(Login, (join) => join.onRef("login.userId", "=", "user.id"))
        .selectAll(),
    two: (s) =>
      s
        .selectFrom(User)
        .leftJoin(Post, (join) => join.onRef("post.authorId", "=", "user.id"))
        .selectAll(),
  },
  "a join with a subquery": {
    one: (s) =>
      s
        .selectFrom(User)
        .innerJoin(
          (eb) => eb.selectFrom(Login).select("userId").as("l"),
          (join) => join.onRef("l.userId", "=", "user.id"),
        )
        .selectAll(),
    two: (s) =>
      s
        .selectFrom(User)
        .innerJoin(
          (eb) => eb.selectFrom(Post).select("authorId").as("p"),
          (join) => join.onRef("p.authorId", "=", "user.id"),
        )
        .selectAll(),
  },
  "several tables in from": {
    one: (s) => s.selectFrom([User, Login]).selectAll(),
    two: (s) => s.selectFrom([User, tag]).selectAll(),
  },
  "a subquery in from": {
    one: (s) => s.selectFrom((eb) => eb.selectFrom(tag).selectAll().as("t")).selectAll(),
    two: (s) => s.selectFrom([User, (eb: S) => eb.selectFrom(tag).selectAll().as("t")] as never).selectAll(),
  },
  "the select list": {
    one: (s) => s.selectFrom(User).select((eb) => eb.selectFrom(Login).select("id").limit(1).as("l")),
    two: (s) => s.selectFrom(User).select((eb) => eb.selectFrom(tag).select("id").limit(1).as("l")),
  },
  "where in": {
    one: (s) =>
      s
        .selectFrom(User)
        .selectAll()
        .where("id", "in", (eb) => eb.selectFrom(Login).select("userId")),
    two: (s) =>
      s
        .selectFrom(User)
        .selectAll()
        .where("id", "in", (eb) => eb.selectFrom(Post).select("authorId")),
  },
  "where exists": {
    one: (s) =>
      s
        .selectFrom(User)
        .selectAll()
        .where(({ exists, selectFrom }) => exists(selectFrom(Login).select("id"))),
    two: (s) =>
      s
        .selectFrom(User)
        .selectAll()
        .where(({ exists, selectFrom }) => exists(selectFrom(tag).select("id"))),
  },
  "a nested subquery": {
    one: (s) =>
      s
        .selectFrom(User)
        .selectAll()
        .where("id", "in", (eb) =>
          eb
            .selectFrom(Login)
            .select("userId")
            .where("userId", "in", (deep) => deep.selectFrom(User).select("id")),
        ),
    two: (s) =>
      s
        .selectFrom(User)
        .selectAll()
        .where("id", "in", (eb) =>
          eb
            .selectFrom(Login)
            .select("userId")
            .where("userId", "in", (deep) => deep.selectFrom(tag).select("id")),
        ),
  },
  having: {
    one: (s) =>
      s
        .selectFrom(User)
        .select("name")
        .groupBy("name")
        .having((eb) => eb.exists(eb.selectFrom(Login).select("id"))),
    two: (s) =>
      s
        .selectFrom(User)
        .select("name")
        .groupBy("name")
        .having((eb) => eb.exists(eb.selectFrom(note).select("id"))),
  },
  "order by": {
    one: (s) =>
      s
        .selectFrom(User)
        .selectAll()
        .orderBy((eb) => eb.selectFrom(Login).select("id").limit(1)),
    two: (s) =>
      s
        .selectFrom(User)
        .selectAll()
        .orderBy((eb) => eb.selectFrom(note).select("id").limit(1)),
  },
  "a case": {
    one: (s) =>
      s
        .selectFrom(User)
        .select((eb) =>
          eb.case().when("id", "in", eb.selectFrom(Login).select("userId")).then(1).else(0).end().as("x"),
        ),
    two: (s) =>
      s
        .selectFrom(User)
        .select((eb) => eb.case().when("id", "in", eb.selectFrom(tag).select("id")).then(1).else(0).end().as("x")),
  },
  "a function's argument": {
    one: (s) =>
      s.selectFrom(User).select((eb) => eb.fn.coalesce(eb.selectFrom(Login).select("id").limit(1), eb.val(0)).as("x")),
    two: (s) =>
      s.selectFrom(User).select((eb) => eb.fn.coalesce(eb.selectFrom(tag).select("id").limit(1), eb.val(0)).as("x")),
  },
  "a union": {
    one: (s) => s.selectFrom(User).select("id").union(s.selectFrom(Login).select("id")),
    two: (s) => s.selectFrom(User).select("id").union(s.selectFrom(tag).select("id")),
  },
  "a union by callback": {
    one: (s) =>
      s
        .selectFrom(User)
        .select("id")
        .unionAll((eb) => eb.selectFrom(Login).select("id")),
    two: (s) =>
      s
        .selectFrom(User)
        .select("id")
        .unionAll((eb) => eb.selectFrom(tag).select("id")),
  },
  "an intersection": {
    one: (s) => s.selectFrom(tag).select("id").intersect(s.selectFrom(note).select("id")),
    two: (s) => s.selectFrom(tag).select("id").intersect(s.selectFrom(Post).select("id")),
  },
  "a difference": {
    one: (s) => s.selectFrom(tag).select("id").except(s.selectFrom(note).select("id")),
    two: (s) => s.selectFrom(tag).select("id").except(s.selectFrom(User).select("id")),
  },
  "insert from select": {
    one: (s) =>
      s
        .insertInto(Login)
        .columns(["userId"])
        .expression((eb) => eb.selectFrom(User).select("id")),
    two: (s) =>
      s
        .insertInto(Login)
        .columns(["userId"])
        .expression((eb) => eb.selectFrom(Post).select("authorId")),
  },
  "a value of an insert": {
    one: (s) => s.insertInto(Login).values((eb) => ({ userId: eb.selectFrom(User).select("id").limit(1) })),
    two: (s) => s.insertInto(Login).values((eb) => ({ userId: eb.selectFrom(Post).select("authorId").limit(1) })),
  },
  "what an insert does on conflict": {
    one: (s) =>
      s
        .insertInto(Login)
        .values({ userId: 1 })
        .onConflict((oc) => oc.column("id").doUpdateSet({ userId: (eb) => eb.selectFrom(User).select("id").limit(1) })),
    two: (s) =>
      s
        .insertInto(Login)
        .values({ userId: 1 })
        .onConflict((oc) => oc.column("id").doUpdateSet({ userId: (eb) => eb.selectFrom(tag).select("id").limit(1) })),
  },
  "what an update sets": {
    one: (s) => s.updateTable(User).set({ name: (eb) => eb.selectFrom(authLog).select("what").limit(1) }),
    two: (s) => s.updateTable(User).set({ name: (eb) => eb.selectFrom(metaLog).select("what").limit(1) }),
  },
  "an update's from": {
    one: (s) => s.updateTable(User).from(Login).set({ name: "x" }).whereRef("login.userId", "=", "user.id"),
    two: (s) => s.updateTable(User).from(tag).set({ name: "x" }).whereRef("tag.id", "=", "user.id"),
  },
  "an update's where": {
    one: (s) =>
      s
        .updateTable(User)
        .set({ name: "x" })
        .where("id", "in", (eb) => eb.selectFrom(Login).select("userId")),
    two: (s) =>
      s
        .updateTable(User)
        .set({ name: "x" })
        .where("id", "in", (eb) => eb.selectFrom(note).select("id")),
  },
  "a delete's using": {
    one: (s) => s.deleteFrom(User).using(Login).whereRef("login.userId", "=", "user.id"),
    two: (s) => s.deleteFrom(User).using(tag).whereRef("tag.id", "=", "user.id"),
  },
  "a delete's where": {
    one: (s) => s.deleteFrom(User).where("id", "in", (eb) => eb.selectFrom(Login).select("userId")),
    two: (s) => s.deleteFrom(User).where("id", "in", (eb) => eb.selectFrom(Post).select("authorId")),
  },
  returning: {
    one: (s) => s.deleteFrom(User).returning((eb) => eb.selectFrom(Login).select("id").limit(1).as("l")),
    two: (s) => s.deleteFrom(User).returning((eb) => eb.selectFrom(tag).select("id").limit(1).as("l")),
  },
  "a common table expression": {
    one: (s) =>
      s
        .with("u", (qc) => qc.selectFrom(User).select("id"))
        .selectFrom("u")
        .innerJoin(Login, "login.userId", "u.id")
        .selectAll(),
    two: (s) =>
      s
        .with("u", (qc) => qc.selectFrom(User).select("id"))
        .selectFrom("u")
        .innerJoin(tag, "tag.id", "u.id")
        .selectAll(),
  },
  "a recursive expression": {
    one: (s) =>
      s
        .withRecursive("r(id)", (qc) =>
          qc
            .selectFrom(User)
            .select("id")
            .unionAll(
              (eb) => eb.selectFrom("r").innerJoin(Login, "login.id", "r.id").select("login.userId as id") as never,
            ),
        )
        .selectFrom("r")
        .selectAll(),
    two: (s) =>
      s
        .withRecursive("r(id)", (qc) =>
          qc
            .selectFrom(User)
            .select("id")
            .unionAll((eb) => eb.selectFrom("r").innerJoin(tag, "tag.id", "r.id").select("tag.id as id") as never),
        )
        .selectFrom("r")
        .selectAll(),
  },
  "an expression that is not used": {
    one: (s) =>
      s
        .with("u", (qc) => qc.selectFrom(Login).select("id"))
        .selectFrom(User)
        .selectAll(),
    two: (s) =>
      s
        .with("u", (qc) => qc.selectFrom(note).select("id"))
        .selectFrom(User)
        .selectAll(),
  },
  "an expression that writes": {
    one: (s) =>
      s
        .with("d", (qc) => qc.deleteFrom(Login).returning("userId") as never)
        .selectFrom(User)
        .selectAll(),
    two: (s) =>
      s
        .with("d", (qc) => qc.deleteFrom(tag).returning("id") as never)
        .selectFrom(User)
        .selectAll(),
  },
  "SQL text with tables": {
    one: () => sql`select * from ${User.table} join ${Login.table} on true`,
    two: () => sql`select * from ${User.table} join ${tag} on true`,
  },
  "SQL text with names of tables": {
    one: () => sql`select * from ${sql.table("user")} join ${sql.table("login")} on true`,
    two: () => sql`select * from ${sql.table("user")} join ${sql.table("tag")} on true`,
  },
  "SQL text with statements in it": {
    one: (s) => sql`select (${s.selectFrom(User).select("id")}) in (${select(Login)})`,
    two: (s) => sql`select (${s.selectFrom(User).select("id")}) in (${select(Post)})`,
  },
  "SQL text within a statement": {
    one: (s) => s.selectFrom(User).selectAll().where(sql<boolean>`exists (select * from ${Login.table})`),
    two: (s) => s.selectFrom(User).selectAll().where(sql<boolean>`exists (select * from ${tag})`),
  },
  "a select of entities": {
    one: (s) => s.select(User).where("id", "in", (eb) => eb.selectFrom(Login).select("userId")),
    two: (s) => s.select(User).where("id", "in", (eb) => eb.selectFrom(Post).select("authorId")),
  },
  "a join of a select of entities": {
    one: (s) => s.select(User).innerJoin(Login, "login.userId", "user.id"),
    // The types refuse it, so that only a cast gets here.
    two: (s) => s.select(User).innerJoin(tag as never, "tag.id" as never, "user.id" as never),
  },
  "a left join of a select of entities": {
    one: (s) => s.select(User).leftJoin(Login, (join) => join.onRef("login.userId", "=", "user.id")),
    two: (s) => s.select(User).leftJoin(Post as never, ((join: { onTrue(): unknown }) => join.onTrue()) as never),
  },
  "a select of entities within a statement": {
    one: (s) =>
      s
        .selectFrom(Login)
        .selectAll()
        .where("userId", "in", (eb) => eb.parens(select(User) as never)),
    two: (s) =>
      s
        .selectFrom(Login)
        .selectAll()
        .where("userId", "in", (eb) => eb.parens(select(Post) as never)),
  },
  "an alias": {
    one: (s) => s.selectFrom(User.as("a")).innerJoin(User.as("b"), "a.id", "b.id").select("a.name"),
    two: (s) => s.selectFrom(User.as("a")).innerJoin(tag.as("b"), "a.id", "b.id").select("a.name"),
  },
  "tables of one name": {
    one: (s) => s.selectFrom(metaLog).innerJoin(tag, "tag.id", "log.id").select("tag.id"),
    two: (s) => s.selectFrom(metaLog).innerJoin(authLog.as("other"), "other.id", "log.id").select("other.id"),
  },
};

for (const [place, { one, two }] of Object.entries(PLACES)) {
  test(`${place}: one bind`, () => {
    assert.notEqual(bindOf(one(session)), null);
  });

  test(`${place}: two binds are refused before anything is sent`, async () => {
    const sent = record(app);
    const statement = two(session);
    assert.throws(() => bindOf(statement), CrossBindError);
    await assert.rejects(session.execute(statement as never), CrossBindError);
    if ("execute" in statement && !("toOperationNode" in statement && place.startsWith("SQL text"))) {
      await assert.rejects(async () => (statement as { execute(): Promise<unknown> }).execute(), CrossBindError);
    }
    if ("compile" in statement && "execute" in statement && !place.startsWith("SQL text")) {
      assert.throws(() => (statement as { compile(): unknown }).compile(), CrossBindError);
    }
    if ("all" in statement) {
      const entities = statement as unknown as ReturnType<typeof session.select<typeof User>>;
      await assert.rejects(entities.all(), CrossBindError);
      await assert.rejects(entities.count(), CrossBindError);
      await assert.rejects(entities.exists(), CrossBindError);
    }
    assert.deepEqual(sent, []);
  });
}

test("the error names the tables and their binds", () => {
  assert.throws(
    () => bindOf(session.selectFrom([User, Login, Post, tag]).selectAll()),
    (error) => {
      assert.ok(error instanceof CrossBindError);
      assert.deepEqual(error.tables, [
        { table: "user", bindKey: "auth" },
        { table: "login", bindKey: "auth" },
        { table: "post", bindKey: null },
        { table: "tag", bindKey: "meta" },
      ]);
      assert.match(error.message, /"user" \(bind "auth"\).*"post" \(the default bind\)/);
      return true;
    },
  );
});

// Common table expressions and names

test("the name of an expression is no table, whatever binds have one of that name", () => {
  const statement = session
    .with("tag", (qc) => qc.selectFrom(User).select(["id", "name"]))
    .selectFrom("tag")
    .innerJoin(Login, "login.userId", "tag.id")
    .select("tag.name");
  assert.equal(bindOf(statement), "auth");
});

test("a table object is its table, also where an expression has its name", () => {
  const statement = session
    .with("tag", (qc) => qc.selectFrom(User).select("id"))
    .selectFrom(tag)
    .selectAll();
  assert.throws(() => bindOf(statement), CrossBindError);
});

test("an expression is known after itself, and within its own statement only", () => {
  const after = session
    .with("a", (qc) => qc.selectFrom(User).select("id"))
    .with("b", (qc) => qc.selectFrom("a").select("id"))
    .selectFrom("b")
    .selectAll();
  assert.equal(bindOf(after), "auth");

  // Its own name, without `recursive`, is the table of that name.
  const own = session
    .with("tag", (qc) => qc.selectFrom(sql.table("tag").as("t") as never).select("t.id" as never))
    .selectFrom("tag")
    .selectAll();
  assert.equal(bindOf(own), "meta");

  const inner = session
    .selectFrom(User)
    .selectAll()
    .where(
      "id",
      "in",
      (eb) =>
        eb.selectFrom(
          sql`(with "tag" as (${session.selectFrom(Login).select("id")}) select id from tag)`.as("x") as never,
        ) as never,
    );
  assert.equal(bindOf(inner), "auth");
});

test("nested expressions shadow outer ones, and are gone after their statement", () => {
  const statement = session
    .with("x", (qc) =>
      (qc as unknown as typeof session)
        .with("tag", (inner) => inner.selectFrom(User).select("id"))
        .selectFrom("tag")
        .select("id"),
    )
    .selectFrom("x")
    .where(sql<boolean>`exists (select * from ${sql.table("tag")})`)
    .selectAll();
  assert.throws(() => bindOf(statement), CrossBindError, "outside, tag is the table");
});

test("a name that one bind has is routed there", () => {
  assert.equal(bindOf(sql`select * from ${sql.table("tag")}`), "meta");
  assert.equal(bindOf(sql`delete from ${sql.table("user")}`), "auth");
  assert.equal(bindOf(sql`select * from ${sql.table("post")}`), null);
  assert.equal(bindOf(sql`select * from ${sql.table("tag")}`, "meta"), "meta");
});

test("a name that two binds have needs a table object or a bind key", () => {
  assert.throws(
    () => bindOf(sql`select * from ${sql.table("log")}`),
    (error) => {
      assert.ok(error instanceof AmbiguousTableError);
      assert.match(error.message, /bind "auth" and bind "meta"/);
      return true;
    },
  );
  assert.equal(bindOf(sql`select * from ${sql.table("log")}`, "meta"), "meta");
  assert.equal(bindOf(sql`select * from ${metaLog}`), "meta");
  assert.equal(bindOf(sql`select * from ${authLog}`), "auth");
  assert.throws(() => bindOf(sql`select * from ${sql.table("log")}`, null), AmbiguousTableError);
});

test("a name that no bind has needs a bind key, and is never the default's by guess", () => {
  assert.throws(() => bindOf(sql`select * from ${sql.table("nowhere")}`), UnknownTableError);
  assert.throws(() => bindOf(sql`select * from ${sql.table("other.user")}`), UnknownTableError);
  assert.equal(bindOf(sql`select * from ${sql.table("nowhere")}`, "meta"), "meta");
  assert.equal(bindOf(sql`select * from ${sql.table("nowhere")}`, null), null);
  assert.throws(() => bindOf(sql`select * from ${sql.table("nowhere")} join ${tag} on true`), UnknownTableError);
  assert.equal(bindOf(sql`select * from ${sql.table("nowhere")} join ${tag} on true`, "meta"), "meta");
  assert.throws(() => bindOf(sql`select * from ${sql.table("nowhere")} join ${tag} on true`, "auth"), CrossBindError);
});

test("SQL text without tables goes where it is told, else to the default", () => {
  assert.equal(bindOf(sql`select 1`), null);
  assert.equal(bindOf(sql`select 1`, "auth"), "auth");
  assert.equal(bindOf(sql`select * from tag`), null, "text is not read");
});

test("a bind key beside tables has to be theirs", async () => {
  assert.equal(bindOf(select(User), "auth"), "auth");
  assert.throws(() => bindOf(select(User), "meta"), CrossBindError);
  assert.throws(() => bindOf(select(User), null), CrossBindError);
  const sent = record(app);
  await assert.rejects(session.execute(select(User), { bindKey: "meta" }), CrossBindError);
  await assert.rejects(session.kysely("meta").selectFrom(User).selectAll().execute(), CrossBindError);
  assert.deepEqual(sent, []);
});

test("names of columns, aliases and values are no tables", () => {
  const statement = session
    .selectFrom(User)
    .select(["user.id as tag", "name as post"])
    .where("name", "=", "tag")
    .where((eb) => eb("user.name", "in", ["post", "note"]))
    .orderBy("user.id");
  assert.equal(bindOf(statement), "auth");
  const looksLikeOne = { kind: "TableNode", table: { identifier: { name: "tag" } } };
  assert.equal(bindOf(session.insertInto(User).values({ name: looksLikeOne as never })), "auth");
});

test("a table in a schema is known by its full name", async () => {
  const other = new Multibind<"auth">();
  const inSchema = other.table("user", { id: integer().primaryKey() }, { schema: "app", bindKey: "auth" });
  other.table("user", { id: integer().primaryKey() });
  const one = other.init({ databaseUri: "sqlite://", binds: { auth: "sqlite://" } });
  const s = one.session();
  assert.equal(s.getBind({ table: inSchema }).bindKey, "auth");
  assert.equal(s.getBind({ statement: sql`select * from ${sql.table("app.user")}` }).bindKey, "auth");
  assert.equal(s.getBind({ statement: sql`select * from ${sql.table("user")}` }).bindKey, null);
  assert.equal(s.getBind({ statement: s.selectFrom(inSchema).select("user.id") }).bindKey, "auth");
  await s.close();
  await one.dispose();
});

test("getBind does not connect, and sends nothing", async () => {
  const far = db.init({ databaseUri: "postgresql://nowhere.invalid/x", binds: { auth: "mysql://nowhere.invalid/x" } });
  const s = far.session();
  assert.equal(s.getBind({ model: User }).family.name, "mysql");
  assert.equal(s.getBind({ statement: select(Post) }).family.name, "postgres");
  await s.close();
  await far.dispose();
});
