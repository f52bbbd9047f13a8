import assert from "node:assert/strict";
import { test } from "node:test";
import {
  DatabaseConnectionError,
  DataError,
  integer,
  Multibind,
  MultibindError,
  ProgrammingError,
  type Session,
  sql,
  text,
  varchar,
} from "../../src/index.ts";
import { freshDatabase } from "../fixtures/databases.ts";
import { onEachFamily } from "../fixtures/matrix.ts";
import { untilTheFileEnds } from "../fixtures/until-the-file-ends.ts";

const db = new Multibind<"auth">();
class Post extends db.model("mn_post", { id: integer().primaryKey(), title: text().nullable() }) {}
class User extends db.model(
  "mn_user",
  { id: integer().primaryKey(), name: varchar(5), bornOn: integer().nullable().named("born_on") },
  { bindKey: "auth" },
) {}

// biome-ignore lint/suspicious/noExplicitAny: tables are named by text here, of which the types know nothing
type Untyped = any;

/** The error of work in a session of its own. */
function failureIn(app: { session(): unknown }, work: (session: Session) => unknown): Promise<MultibindError> {
  return failureOf(async () => {
    // Of whatever binds: the works name them.
    const session = app.session() as Session;
    try {
      await work(session);
    } finally {
      await session.close();
    }
  });
}

async function failureOf(work: () => unknown): Promise<MultibindError> {
  try {
    await work();
  } catch (error) {
    assert.ok(error instanceof MultibindError, String(error));
    return error;
  }
  assert.fail("nothing went wrong");
}

const READS: Readonly<Record<string, (session: Session) => unknown>> = {
  read: (s) => s.select(User).all(),
  get: (s) => s.get(User, 1),
  count: (s) => s.select(User).count(),
  flush: async (s) => {
    s.add(new User({ name: "ada" }));
    await s.flush();
  },
  "Kysely's form": (s) => s.selectFrom(User).selectAll().execute(),
  "an insert of Kysely's form": (s) => s.insertInto(User).values({ name: "ada" }).execute(),
  "session.kysely": (s) => (s.kysely("auth") as Untyped).selectFrom("mn_user").selectAll().execute(),
  "SQL text": (s) => s.execute(sql`select * from mn_user`, { bindKey: "auth" }),
  stream: async (s) => {
    for await (const _ of s.select(User).stream());
  },
};

onEachFamily("a table of the models that is missing in the database", async (t, url) => {
  const app = db.init({ databaseUri: url, binds: { auth: url } });
  t.after(() => app.dispose());
  for (const [what, use] of Object.entries(READS)) {
    const error = await failureIn(app, use);
    assert.ok(error instanceof ProgrammingError, what);
    assert.equal(error.table, "mn_user", what);
    assert.equal(error.bindKey, "auth", what);
    assert.match(
      error.message,
      /The table "mn_user" of your models is missing in the database\. Run `await app\.createAll\(\{ bindKey: "auth" \}\)`, or your migrations\.$/,
      what,
    );
  }
  const engine = await failureOf(() => app.engines.get("auth").kysely.selectFrom(User).selectAll().execute());
  assert.match(engine.message, /app\.createAll/);
  const main = await failureIn(app, (session) => session.select(Post).all());
  assert.match(main.message, /Run `await app\.createAll\(\)`/);
});

onEachFamily("a table that no model has", async (t, url) => {
  const app = db.init({ databaseUri: url, binds: { auth: url } });
  t.after(() => app.dispose());
  const run = (statement: string, bindKey: "auth" | null = null) =>
    failureIn(app, (session) => session.execute(sql.raw(statement), { bindKey }));
  const typo = await run("select * from mn_pots");
  assert.ok(typo instanceof ProgrammingError);
  assert.match(typo.table!, /mn_pots$/);
  assert.match(typo.message, /No model or table of the default bind has that name\. Did you mean "mn_post"\?$/);
  assert.doesNotMatch(typo.message, /createAll/);
  const other = await run("select * from mn_user");
  assert.match(
    other.message,
    /The table "mn_user" belongs to bind "auth": run the statement there, with `\{ bindKey: "auth" \}`\.$/,
  );
  const back = await run("select * from mn_post", "auth");
  assert.match(back.message, /belongs to the default bind: run the statement there, with `\{ bindKey: null \}`\.$/);
  const drop = await run("drop table mn_nowhere");
  assert.doesNotMatch(drop.message, /No model/);
});

onEachFamily("a bind that is not managed is not told to call createAll", async (t, url) => {
  const app = db.init({ databaseUri: url, binds: { auth: { url, managed: false } } });
  t.after(() => app.dispose());
  const error = await failureIn(app, (session) => session.select(User).all());
  assert.match(error.message, /managed: false`: create the table in the database\.$/);
});

onEachFamily("a column of the models that the table in the database does not have", async (t, url, family) => {
  const app = db.init({ databaseUri: url, binds: { auth: url } });
  const engine = app.engines.get("auth").kysely;
  await engine.schema
    .createTable("mn_user")
    .addColumn("id", "integer", (c) => c.primaryKey())
    .addColumn("name", "text")
    .execute();
  t.after(async () => {
    await engine.schema.dropTable("mn_user").execute();
    await app.dispose();
  });
  const uses: Readonly<Record<string, (s: Session) => unknown>> = {
    ...READS,
    "SQL text": (s) => s.execute(sql`select born_on from mn_user`, { bindKey: "auth" }),
    "SQL text with the table": (s) => s.execute(sql`select mn_user.born_on from mn_user`, { bindKey: "auth" }),
    "an alias": (s) => s.execute(sql`select u.born_on from mn_user u`, { bindKey: "auth" }),
    "an update": (s) => s.updateTable(User).set({ bornOn: 1 }).execute(),
    "an insert of Kysely's form": (s) => s.insertInto(User).values({ id: 1, name: "ada", bornOn: 1 }).execute(),
    "session.kysely": (s) => (s.kysely("auth") as Untyped).selectFrom("mn_user").select("bornOn").execute(),
  };
  delete (uses as Record<string, unknown>)["count"];
  for (const [what, use] of Object.entries(uses)) {
    if (what === "flush") continue;
    const error = await failureIn(app, use);
    assert.ok(error instanceof ProgrammingError, `${what}: ${error.message}`);
    if (what === "Kysely's form") assert.ok(family);
    assert.equal(error.column, "bornOn", `${what}: ${error.message}`);
    assert.equal(error.table, "mn_user", what);
    assert.match(
      error.message,
      /The model of "mn_user" has the column "bornOn", and the table in the database has not: it is older\. Migrate it\. createAll\(\) does not change tables that exist\.$/,
      what,
    );
  }
  const typo = await failureIn(app, (session) => session.execute(sql`select nmae from mn_user`, { bindKey: "auth" }));
  assert.ok(typo instanceof ProgrammingError);
  assert.match(typo.message, /No column of "mn_user" has that name\. Did you mean "name"\?$/);
  assert.equal(typo.column, "nmae");
  assert.equal(typo.table, "mn_user");
});

onEachFamily("a column that several tables have", async (t, url) => {
  const app = db.init({ databaseUri: url, binds: { auth: url } });
  t.after(() => app.dropAll().finally(() => app.dispose()));
  await app.createAll();
  const error = await failureIn(app, (session) => session.execute(sql`select id from mn_post, mn_post as other`));
  assert.ok(error instanceof ProgrammingError, error.name);
  assert.equal(error.column, "id");
  assert.match(error.message, /Put the table in front: "table\.id"\.$/);
  const built = await failureIn(app, (session) =>
    (session.selectFrom(Post) as Untyped)
      .innerJoin(Post.as("other"), (join: Untyped) => join.onTrue())
      .select("id")
      .execute(),
  );
  assert.ok(built instanceof ProgrammingError, built.name);
  assert.match(built.message, /Put the table in front/);
});

onEachFamily(
  "a database that does not exist",
  async (t, url) => {
    const missing = new URL(url);
    missing.pathname = "/mn_nowhere";
    const app = db.init({ databaseUri: missing.href, binds: { auth: url } });
    t.after(() => app.dispose());
    const error = await failureIn(app, (session) => session.execute(sql`select 1`));
    assert.ok(error instanceof DatabaseConnectionError);
    assert.match(error.message, /Create it: `create database mn_nowhere`, or correct the URL\.$/);
  },
  ["postgres", "mysql"],
);

test("a schema that does not exist (postgres)", async (t) => {
  const own = new Multibind();
  own.table("thing", { id: integer().primaryKey() }, { schema: "mn_nowhere" });
  const app = own.init({ databaseUri: await freshDatabase(untilTheFileEnds, "postgres") });
  t.after(() => app.dispose());
  const error = await failureOf(() => app.createAll());
  assert.match(error.message, /Create it: `create schema mn_nowhere`\. createAll\(\) creates tables, not schemas\.$/);
});

onEachFamily("a value that the database refuses is a DataError", async (t, url, family) => {
  const app = db.init({ databaseUri: url, binds: { auth: url } });
  t.after(() => app.dropAll().finally(() => app.dispose()));
  await app.createAll();
  const statements: Readonly<Record<string, readonly string[]>> = {
    sqlite: [
      "insert into mn_user (id, name) values ('secret', 'a')",
      "select sum(9223372036854775807) + sum(x) from (select 9223372036854775807 as x union all select 1)",
      "select json('secret{')",
    ],
    postgres: [
      "insert into mn_user (id, name) values (1, 'secret much too long')",
      "insert into mn_user (id, name) values (3000000000, 'a')",
      "insert into mn_user (id, name) values ('secret'::text::integer, 'a')",
      "select 1 / 0",
      "select 'secret{'::json",
      "select date '2024-02-31'",
    ],
    mysql: [
      "insert into mn_user (id, name) values (1, 'secret much too long')",
      "insert into mn_user (id, name) values (3000000000, 'a')",
      "insert into mn_user (id, name) values ('secret', 'a')",
      "insert into mn_user (id, name) values (1 / 0, 'a')",
      "select cast(9223372036854775807 as signed) + 1",
      "insert into mn_user (id, name, born_on) values (1, 'a', 'secret for column ''x'' at row 9')",
    ],
  };
  for (const statement of statements[family]!) {
    const error = await failureIn(app, (session) => session.execute(sql.raw(statement), { bindKey: "auth" }));
    assert.ok(error instanceof DataError, `${statement}: ${error.name}: ${error.message}`);
    assert.equal(error.code, "DATA");
    assert.equal(error.status, 400);
    assert.equal(JSON.parse(JSON.stringify(error)).status, 400);
    assert.equal(error.bindKey, "auth");
    assert.ok(!(error instanceof ProgrammingError));
    assert.doesNotMatch(error.message, /secret/);
    if (family === "mysql" && statement.startsWith("insert") && !statement.includes("/ 0")) {
      assert.equal(error.table, "mn_user", statement);
      assert.equal(
        error.column,
        statement.includes("born_on") ? "bornOn" : statement.includes("long") ? "name" : "id",
        statement,
      );
    }
  }
});
