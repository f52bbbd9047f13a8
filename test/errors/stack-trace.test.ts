import assert from "node:assert/strict";
import { test } from "node:test";
import { integer, Multibind, type Params, select, sql, varchar } from "../../src/index.ts";
import { onEachFamily, sessionOf, start } from "../fixtures/matrix.ts";

const db = new Multibind();
class Post extends db.model("post", { id: integer().primaryKey(), title: varchar(20).unique() }) {}
const missing = db.table("missing", { id: integer().primaryKey() });

type Session = ReturnType<Awaited<ReturnType<typeof start>>["session"]>;
type App = Awaited<ReturnType<typeof start>>;

const twice = (session: Session, count: number) => {
  for (let n = 0; n < count; n++) session.add(new Post({ title: "taken" }));
};
const bad = sql<never>`nope(1)`;
const byTitle = db.prepare((p: Params<{ title: string }>) =>
  select(Post).where("title", "=", p("title")).where(sql<boolean>`nope(1)`),
);

/** Everything that can fail in a database, each on a line of this file. */
const FAILURES: Record<string, (session: Session, app: App) => Promise<unknown>> = {
  "commit of one row": async (session) => {
    twice(session, 1);
    await session.commit();
  },
  "commit of two rows": async (session) => {
    twice(session, 2);
    await session.commit();
  },
  flush: async (session) => {
    twice(session, 2);
    await session.flush();
  },
  autoflush: async (session) => {
    twice(session, 1);
    await session.select(Post).all();
  },
  "nested transaction": async (session) => {
    twice(session, 1);
    await session.beginNested();
  },
  "transaction function": async (session) => {
    await session.transaction(async () => twice(session, 2));
  },
  "transaction of an application": async (_, app) => {
    await app.transaction(() => {
      db.session.add(new Post({ title: "taken" }));
    });
  },
  "select of entities": async (session) => await session.select(Post).where(bad).all(),
  first: async (session) => await session.select(Post).where(bad).first(),
  count: async (session) => await session.select(Post).where(bad).count(),
  paginate: async (session) => await session.select(Post).where(bad).paginate(),
  keyset: async (session) => await session.select(Post).where(bad).orderBy("id").keyset(),
  stream: async (session) => {
    for await (const _ of session.select(Post).where(bad).stream()) assert.fail("a row");
  },
  "bulk update": async (session) => await session.select(Post).where(bad).update({ title: "x" }),
  "bulk delete": async (session) => await session.select(Post).where(bad).delete(),
  "prepared statement": async (_, app) => await app.run(async () => await byTitle.all({ title: "x" })),
  "Kysely's select": async (session) => await session.selectFrom(Post).select(bad.as("d")).execute(),
  "Kysely's insert": async (session) => await session.insertInto(Post).values({ title: bad }).execute(),
  "Kysely's update": async (session) => await session.updateTable(Post).set({ title: bad }).execute(),
  "Kysely's delete": async (session) => await session.deleteFrom(Post).where(bad).execute(),
  "session.kysely": async (session) => await session.kysely(null).selectFrom(Post).select(bad.as("d")).execute(),
  "engine.kysely": async (_, app) => await app.engine.kysely.selectFrom(Post).select(bad.as("d")).execute(),
  "SQL text": async (session) => await session.execute(sql`select nope(1)`),
  "SQL text of the engine": async (_, app) => await sql`select nope(1)`.execute(app.engine.kysely),
  "a table that is not there": async (session) => await session.selectFrom(missing).selectAll().execute(),
  refresh: async (session) => {
    const post = await session.getOne(Post, 1);
    await session.deleteFrom(Post).execute();
    await session.refresh(post);
  },
  getOne: async (session) => await session.getOne(Post, 99),
  getOr404: async (session) => await session.getOr404(Post, 99),
  one: async (session) => await session.select(Post).where({ id: 99 }).one(),
  "a value that does not fit": async (session) => {
    session.add(new Post({ title: "x".repeat(21) }));
    await session.commit();
  },
};

onEachFamily("every error names the caller's line within ten frames", async (t, url) => {
  const app = await start(t, db, { databaseUri: url });
  await sql`drop table ${missing}`.execute(app.engine.kysely);
  for (const [what, fail] of Object.entries(FAILURES)) {
    const session = sessionOf(app);
    await session.deleteFrom(Post).execute();
    await session.insertInto(Post).values({ id: 1, title: "taken" }).execute();
    await session.commit();
    const error = await fail(session, app).then(
      () => assert.fail(`${what} did not fail`),
      (thrown: unknown) => thrown as Error,
    );
    await session.close();
    const frames = error.stack!.split("\n").filter((line) => /^ {4}at /.test(line));
    assert.ok(frames.length <= 10, `${what}: ${frames.length} frames`);
    assert.ok(
      frames.some((line) => line.includes("stack-trace.test.ts")),
      `${what}: ${error.stack}`,
    );
    assert.match(error.stack!, new RegExp(`^${error.name}: `), what);
  }
});

test("the application's own limit of frames counts, and stays", () => {
  const before = Error.stackTraceLimit;
  try {
    for (const limit of [0, 2, 100]) {
      Error.stackTraceLimit = limit;
      assert.throws(
        () => new Multibind({ columnNames: "nope" as never }),
        (error: Error) => error.stack!.split("\n    at ").length <= limit + 1,
      );
      assert.equal(Error.stackTraceLimit, limit);
    }
  } finally {
    Error.stackTraceLimit = before;
  }
});
