import assert from "node:assert/strict";
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import Database from "better-sqlite3";
import {
  type CommitPolicy,
  CommitPolicyError,
  FailedTransactionError,
  integer,
  Multibind,
  PartialCommitError,
  SelfDeadlockError,
  type SessionOptions,
  StreamInTransactionError,
  sql,
  stateOf,
  UniqueViolationError,
  varchar,
} from "../../src/index.ts";
import { record, verbs } from "../fixtures/matrix.ts";

const db = new Multibind<"b" | "c">();
class A extends db.model("a", { id: integer().primaryKey(), text: varchar(20).unique() }) {}
class B extends db.model("b", { id: integer().primaryKey(), text: varchar(20).unique() }, { bindKey: "b" }) {}
class C extends db.model("c", { id: integer().primaryKey(), text: varchar(20).unique() }, { bindKey: "c" }) {}

/** The other names of a file `app.db` in a folder. */
const NAMES: Readonly<Record<string, (folder: string) => string>> = {
  "the same path": (folder) => `sqlite:///${join(folder, "app.db")}`,
  "a path with detours": (folder) => `sqlite:///${folder}/x/../app.db`,
  "a symbolic link": (folder) => {
    symlinkSync(join(folder, "app.db"), join(folder, "link.db"));
    return `sqlite:///${join(folder, "link.db")}`;
  },
  "a link of the folder": (folder) => {
    symlinkSync(folder, join(folder, "folder"));
    return `sqlite:///${join(folder, "folder", "app.db")}`;
  },
  "a hard link": (folder) => {
    new Database(join(folder, "app.db")).exec("create table made (a)").close();
    linkSync(join(folder, "app.db"), join(folder, "hard.db"));
    return `sqlite:///${join(folder, "hard.db")}`;
  },
  "a URI": (folder) => `sqlite:///file:${join(folder, "app.db")}?uri=true`,
};

async function setUp(t: TestContext, name = "the same path", { policy = "ordered" }: { policy?: CommitPolicy } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "multibind-"));
  mkdirSync(join(folder, "x"));
  const app = db.init({
    databaseUri: `sqlite:///${join(folder, "app.db")}`,
    binds: { b: NAMES[name]!(folder), c: `sqlite:///${join(folder, "other.db")}` },
    commitOrder: [null, "c", "b"],
    commitPolicy: policy,
    engineOptions: { poolTimeout: 2 },
  });
  const sessions: { close(): Promise<void> }[] = [];
  t.after(async () => {
    for (const session of sessions) await session.close().catch(() => {});
    await app.dispose();
    rmSync(folder, { recursive: true, force: true });
  });
  await app.createAll();
  const open = (options: SessionOptions = {}) => {
    const session = app.session(options);
    sessions.push(session);
    return session;
  };
  const texts = async () => {
    await using reader = app.session();
    return [
      await reader.select(A).pluck("text"),
      await reader.select(B).pluck("text"),
      await reader.select(C).pluck("text"),
    ];
  };
  return { app, open, texts, folder, session: open() };
}

for (const name of Object.keys(NAMES)) {
  test(`two bind keys of one file have one transaction in a session: ${name}`, async (t) => {
    const { app, session, texts } = await setUp(t, name);
    const sent = record(app);
    const [a, b] = [new A({ text: "a" }), new B({ text: "b" })];
    session.addAll([a, b]);
    await session.flush();
    assert.equal((await session.select(B).all()).length, 1);
    await session.rollback();
    assert.deepEqual([stateOf(a), stateOf(b)], ["transient", "transient"]);
    assert.deepEqual(await texts(), [[], [], []]);
    sent.length = 0;
    session.addAll([a, b]);
    await session.commit();
    assert.deepEqual(verbs(sent), ["begin", "insert", "insert", "commit"]);
    assert.deepEqual(
      new Set(sent.filter(({ sql: text }) => text.startsWith("insert")).map(({ bindKey }) => bindKey)),
      new Set([null, "b"]),
    );
    assert.deepEqual(await texts(), [["a"], ["b"], []]);
    assert.equal(app.engine.status().inUse + app.engines.get("b").status().inUse, 0);
  });

  test(`sessions that write by different keys of one file take turns: ${name}`, async (t) => {
    const { app, open, texts } = await setUp(t, name);
    const [first, second] = [open(), open()];
    first.add(new A({ text: "first" }));
    await first.flush();
    second.add(new B({ text: "second" }));
    const waiting = second.commit();
    while (app.engine.status().waiting === 0) await new Promise((resolve) => setImmediate(resolve));
    await first.commit();
    await waiting;
    assert.deepEqual(await texts(), [["first"], ["second"], []]);
  });
}

test("a nested context that writes by another key of the file waits for itself, and says so", async (t) => {
  const { app } = await setUp(t);
  const other = db.init({
    databaseUri: "sqlite://",
    binds: { b: app.engines.get("b").url!.toString(), c: "sqlite://" },
  });
  t.after(() => other.dispose());
  await app.run(
    async () => {
      db.session.add(new A({ text: "outer" }));
      await db.session.flush();
      for (const inner of [app, other]) {
        const write = inner.run(async () => {
          db.session.add(new B({ text: "inner" }));
          await db.session.flush();
        });
        await assert.rejects(write, (error: unknown) => {
          assert.ok(error instanceof SelfDeadlockError, String(error));
          assert.equal(error.bindKey, "b");
          return true;
        });
      }
    },
    { onUncommitted: "ignore" },
  );
});

test("savepoints of binds that share a file are undone and kept together", async (t) => {
  const { session, texts } = await setUp(t);
  session.add(new A({ text: "a" }));
  await session.flush();
  const undone = await session.beginNested();
  const inner = [new B({ text: "b undone" }), new A({ text: "a undone" }), new C({ text: "c undone" })];
  session.addAll(inner);
  await session.flush();
  const deeper = await session.beginNested();
  session.add(new B({ text: "deeper" }));
  await deeper.commit();
  await undone.rollback();
  assert.deepEqual(inner.map(stateOf), ["transient", "transient", "transient"]);
  const kept = await session.beginNested();
  session.addAll([new B({ text: "b" }), new C({ text: "c" })]);
  await kept.commit();
  const failed = await session.beginNested();
  session.add(new B({ text: "b" }));
  await assert.rejects(session.flush(), UniqueViolationError);
  await failed.rollback();
  session.add(new A({ text: "last" }));
  await session.commit();
  assert.deepEqual(await texts(), [["a", "last"], ["b"], ["c"]]);
});

test("a statement that fails on one key fails the transaction of both", async (t) => {
  const { session, texts } = await setUp(t);
  session.add(new A({ text: "a" }));
  await session.flush();
  await session.insertInto(B).values({ text: "b" }).execute();
  await assert.rejects(
    session.execute(sql`insert or rollback into b (text) values ('b')`, { bindKey: "b" }),
    UniqueViolationError,
  );
  // SQLite has rolled back all of it: a statement of the other key would be stored at once.
  await assert.rejects(session.insertInto(A).values({ text: "stray" }).execute(), FailedTransactionError);
  await assert.rejects(session.commit(), FailedTransactionError);
  await session.rollback();
  assert.deepEqual(await texts(), [[], [], []]);
});

test("what commits with the first key is committed, whatever fails after it", async (t) => {
  const { session, texts, app } = await setUp(t);
  await sql`create table child (id integer primary key, c integer references c (id) deferrable initially deferred)`.execute(
    app.engines.get("c").kysely,
  );
  const [a, b, c] = [new A({ text: "a" }), new B({ text: "b" }), new C({ text: "c" })];
  session.addAll([a, b, c]);
  await session.flush();
  await session.execute(sql`insert into child values (1, 77)`, { bindKey: "c" });
  await assert.rejects(session.commit(), (error: unknown) => {
    assert.ok(error instanceof PartialCommitError, String(error));
    assert.deepEqual([new Set(error.committed), error.failed, error.rolledBack], [new Set([null, "b"]), ["c"], []]);
    return true;
  });
  assert.deepEqual([a, b, c].map(stateOf), ["persistent", "persistent", "transient"]);
  assert.deepEqual(await texts(), [["a"], ["b"], []]);

  // The shared one fails: all of it is rolled back, and nothing is committed.
  await sql`create table child (id integer primary key, a integer references a (id) deferrable initially deferred)`.execute(
    app.engine.kysely,
  );
  session.addAll([new A({ text: "a2" }), new B({ text: "b2" }), new C({ text: "c2" })]);
  await session.flush();
  await session.execute(sql`insert into child values (1, 77)`, { bindKey: "b" });
  await assert.rejects(session.commit(), { code: "FOREIGN_KEY_VIOLATION" });
  assert.deepEqual(await texts(), [["a"], ["b"], []]);
});

test('the policy "single" takes two keys of one file for one', async (t) => {
  const { open, texts } = await setUp(t);
  const session = open({ commitPolicy: "single" });
  session.addAll([new A({ text: "a" }), new B({ text: "b" })]);
  await session.flush();
  session.add(new C({ text: "c" }));
  await assert.rejects(session.flush(), CommitPolicyError);
  await session.rollback();
  session.addAll([new A({ text: "a" }), new B({ text: "b" })]);
  await session.commit();
  assert.deepEqual(await texts(), [["a"], ["b"], []]);
});

test("in a two-phase commit either key of the file decides for both", async (t) => {
  const { open, texts, app } = await setUp(t, "a symbolic link");
  const session = open({ commitPolicy: "twoPhase" });
  for (const text of ["one", "two"]) {
    // By the key that is not the decision bind first, then by the other.
    session.add(text === "one" ? new B({ text }) : new A({ text }));
    await session.flush();
    session.add(text === "one" ? new A({ text }) : new B({ text }));
    await session.commit();
  }
  session.addAll([new B({ text: "b" }), new C({ text: "c" })]);
  await assert.rejects(session.commit(), CommitPolicyError);
  await session.rollback();
  assert.deepEqual(await texts(), [["one", "two"], ["one", "two"], []]);
  assert.deepEqual(await app.inDoubt(), []);
});

test("reads by the other key see what the transaction has written, and one snapshot", async (t) => {
  const { session, open } = await setUp(t);
  await session.execute(sql`insert into b (text) values ('raw')`, { bindKey: null });
  assert.deepEqual(await session.select(B).pluck("text"), ["raw"]);
  assert.equal((await session.execute(sql`select * from b`, { bindKey: "b" })).rows.length, 1);
  await assert.rejects(async () => {
    for await (const _ of session.select(B).stream()) return;
  }, StreamInTransactionError);
  const reader = open();
  reader.begin({ readOnly: true });
  assert.deepEqual(await reader.select(A).all(), []);
  await session.commit();
  assert.deepEqual(await reader.select(B).all(), [], "the snapshot of the first read");
  await reader.commit();
  assert.deepEqual(await reader.select(B).pluck("text"), ["raw"]);
});

test("statements of both keys that begin side by side have one transaction", async (t) => {
  const { session, texts } = await setUp(t);
  await Promise.all([
    session.insertInto(A).values({ text: "a" }).execute(),
    session.insertInto(B).values({ text: "b" }).execute(),
    session.insertInto(C).values({ text: "c" }).execute(),
  ]);
  await session.commit();
  assert.deepEqual(await texts(), [["a"], ["b"], ["c"]]);
});

test("a link that leads elsewhere meanwhile has a transaction of its own", async (t) => {
  const { session, folder } = await setUp(t, "a symbolic link");
  session.addAll([new A({ text: "a" }), new B({ text: "b" })]);
  await session.commit();
  const other = new Database(join(folder, "new.db"));
  other.exec("create table b (id integer primary key, text text)").close();
  unlinkSync(join(folder, "link.db"));
  symlinkSync(join(folder, "new.db"), join(folder, "link.db"));
  session.add(new A({ text: "a2" }));
  await session.flush();
  session.add(new B({ text: "b2" }));
  await assert.rejects(session.flush(), { code: "OPERATIONAL" }, "the link was followed before");
  await session.rollback();
  session.addAll([new A({ text: "a2" }), new B({ text: "b2" })]);
  await session.commit();
  const stored = new Database(join(folder, "new.db"), { readonly: true });
  assert.deepEqual(stored.prepare("select text from b").pluck().all(), ["b2"]);
  stored.close();
});
