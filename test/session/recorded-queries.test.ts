import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { type TestContext, test } from "node:test";
import {
  type Application,
  bigint,
  InvalidOptionError,
  integer,
  Multibind,
  type RecordedQuery,
  sql,
  UniqueViolationError,
  varchar,
} from "../../src/index.ts";
import { sessionOf, start, threeUrls } from "../fixtures/matrix.ts";

const db = new Multibind<"auth" | "meta">();

class Order extends db.model("recorded_order", { id: integer().primaryKey(), total: bigint() }) {}
class User extends db.model(
  "recorded_user",
  { id: integer().primaryKey(), name: varchar(40).unique() },
  { bindKey: "auth" },
) {}
class Note extends db.model("recorded_note", { id: integer().primaryKey(), text: varchar(80) }, { bindKey: "meta" }) {}

async function startRecording(t: TestContext): Promise<Application<"auth" | "meta">> {
  return start(t, db, { ...(await threeUrls()), recordQueries: true });
}

const verbsOf = (queries: readonly RecordedQuery[]) =>
  queries.map(({ bindKey, sql }) => `${/^\w+/.exec(sql)?.[0].toLowerCase()} ${bindKey}`);

/** The text of the line that a record leads to. */
async function lineAt({ location }: RecordedQuery): Promise<string> {
  const [, file, line] = /^(.*):(\d+):\d+$/.exec(location ?? "")!;
  return (await readFile(file!, "utf8")).split("\n")[Number(line) - 1]!.trim();
}

test("nothing is recorded unless that is asked for", async (t) => {
  const app = await start(t, db, await threeUrls());
  const session = sessionOf(app);
  await session.get(Note, 1);
  assert.deepEqual(session.recordedQueries, []);
});

test("a record has the SQL, the parameters, the bind, the start, the duration in milliseconds and the place", async (t) => {
  const app = await startRecording(t);
  const session = sessionOf(app);
  const before = Date.now();
  await session.get(User, 7); // the place
  const [record, ...others] = session.recordedQueries;
  assert.deepEqual(others, []);
  assert.match(record!.sql, /^select .* from .*recorded_user/);
  assert.deepEqual(record!.parameters, [7]);
  assert.equal(record!.bindKey, "auth");
  assert.ok(record!.start.getTime() >= before && record!.start.getTime() <= Date.now());
  assert.ok(record!.duration > 0 && record!.duration <= Date.now() - before + 1);
  assert.equal("error" in record!, false);
  assert.match(await lineAt(record!), /\/\/ the place$/);
});

test("statements of all binds are recorded as they are done; begin, commit and their like are not", async (t) => {
  const app = await startRecording(t);
  const session = sessionOf(app);
  await session.select(Note).all();
  await session.select(User).first();
  session.add(new Order({ total: 5n }));
  await session.commit();
  const nested = await session.beginNested();
  await session.execute(sql`select 1`, { bindKey: "meta" });
  await nested.rollback();
  await session.rollback();
  assert.deepEqual(verbsOf(session.recordedQueries), ["select meta", "select auth", "insert null", "select meta"]);
});

test("a statement that failed is recorded with its error", async (t) => {
  const app = await startRecording(t);
  const session = sessionOf(app);
  session.addAll([new User({ id: 1, name: "ada" })]);
  await session.commit();
  await assert.rejects(session.insertInto(User).values({ id: 2, name: "ada" }).execute(), UniqueViolationError);
  const failed = session.recordedQueries.at(-1)!;
  assert.ok(failed.error instanceof UniqueViolationError);
  assert.match(failed.sql, /^insert/);
});

test("many rows that are written by one statement are one record, with the parameters of each", async (t) => {
  const app = await startRecording(t);
  const session = sessionOf(app);
  session.addAll([new Note({ text: "a" }), new Note({ text: "b" })]);
  await session.flush();
  assert.deepEqual(
    session.recordedQueries.map(({ parameters }) => parameters),
    [[["a"], ["b"]]],
  );
});

test("every way to the database leads back to the line that asked for it", async (t) => {
  const app = await startRecording(t);
  const session = sessionOf(app);
  const ways: (() => Promise<void>)[] = [
    async () => {
      await session.get(User, 1);
    },
    async () => {
      await session.getOne(User, 1).catch(() => {});
    },
    async () => {
      await session.get(User, 1, { lock: true });
    },
    async () => {
      await session.select(Order).all();
    },
    async () => {
      await session.select(Order).count();
    },
    async () => {
      await session.execute(sql`select 1`, { bindKey: "auth" });
    },
    async () => {
      await session.selectFrom(Note).selectAll().execute();
    },
    async () => {
      await session.insertInto(Note).values({ text: "x" }).executeTakeFirst();
    },
    async () => {
      await session.kysely("auth").selectFrom(User).selectAll().execute();
    },
    async () => {
      session.add(new Order({ total: 1n }));
      await session.flush();
    },
    async () => {
      session.addAll([new Order({ total: 2n }), new User({ name: "bob" }), new Note({ text: "n" })]);
      await session.commit();
    },
    async () => {
      for await (const _ of session.select(Order).stream()) break;
    },
    async () => {
      await session.transaction(async (tx) => tx.select(Note).all());
    },
    async () => {
      await Promise.all([session.get(Order, 8), session.get(User, 8)]);
    },
    async () => {
      await Promise.allSettled([session.get(Order, 8), session.get(User, 8)]);
    },
  ];
  for (const way of ways) {
    const done = session.recordedQueries.length;
    await way();
    const queries = session.recordedQueries.slice(done);
    assert.notEqual(queries.length, 0, String(way));
    for (const query of queries) {
      assert.ok(String(way).includes(await lineAt(query)), `${way}: ${query.sql}: ${query.location}`);
    }
    await session.rollback();
  }
});

test("records belong to the session of the context, and are there after it has ended", async (t) => {
  const app = await startRecording(t);
  const context = app.context();
  await context.run(async () => {
    await db.select(Note).all();
    await app.run(async () => {
      assert.deepEqual(db.session.recordedQueries, []);
      await db.select(User).all();
      assert.deepEqual(verbsOf(db.session.recordedQueries), ["select auth"]);
    });
    await app.engines.get(null).kysely.selectFrom(Order).selectAll().execute();
    assert.deepEqual(verbsOf(db.session.recordedQueries), ["select meta", "select null"]);
  });
  await context.close();
  assert.deepEqual(verbsOf(context.recordedQueries), ["select meta", "select null"]);
});

test("one session or context can be recorded, or left out", async (t) => {
  const urls = await threeUrls();
  const quiet = await start(t, db, urls);
  const recording = db.init({ ...urls, recordQueries: true });
  t.after(() => recording.dispose());
  const counted = async (app: Application<"auth" | "meta">, recordQueries: boolean) => {
    await using session = app.session({ recordQueries });
    await session.get(Note, 1);
    const inContext = await app.run(
      async () => {
        await db.session.get(Note, 1);
        return db.session.recordedQueries.length;
      },
      { recordQueries },
    );
    return [session.recordedQueries.length, inContext];
  };
  assert.deepEqual(await counted(quiet, true), [1, 1]);
  assert.deepEqual(await counted(recording, false), [0, 0]);
});

test("recordQueries is true or false", () => {
  assert.throws(
    () => db.init({ databaseUri: "sqlite://", recordQueries: "yes" as unknown as boolean }),
    (error: unknown) => error instanceof InvalidOptionError && /recordQueries/.test(error.message),
  );
});
