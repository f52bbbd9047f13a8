import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type BindKey,
  CommitPolicyError,
  DatabaseConnectionError,
  type Engine,
  type Entity,
  FailedTransactionError,
  ForeignKeyViolationError,
  InvalidOptionError,
  integer,
  Multibind,
  PartialCommitError,
  SessionError,
  type SessionOptions,
  sql,
  stateOf,
  text,
  UniqueViolationError,
  varchar,
} from "../../src/index.ts";
import { onMysql, onPostgres } from "../fixtures/databases.ts";
import {
  onEachFamily,
  record,
  type Sent,
  sessionOf,
  sharedDatabase,
  start,
  threeUrls,
  verbs,
} from "../fixtures/matrix.ts";
import { until } from "../fixtures/until.ts";

const db = new Multibind<"auth" | "meta">();
class Post extends db.model("post", { id: integer().primaryKey(), title: varchar(40) }) {}
class User extends db.model("user", { id: integer().primaryKey(), name: varchar(40).unique() }, { bindKey: "auth" }) {}
class Event extends db.model("event", { id: integer().primaryKey(), what: text() }, { bindKey: "meta" }) {}

const MODELS = [User, Event, Post] as const;

async function threeBinds(
  t: Parameters<typeof start>[0],
  options: SessionOptions = {},
  commitOrder?: ("auth" | "meta" | null)[],
) {
  const app = await start(t, db, { ...(await threeUrls()), ...(commitOrder === undefined ? {} : { commitOrder }) });
  const session = sessionOf(app, options);
  const stored = async () => {
    const check = sessionOf(app);
    const counts: number[] = [];
    for (const Model of MODELS) counts.push(await check.select(Model as typeof User).count());
    return counts;
  };
  return { app, session, stored };
}

function oneOfEach(): [User, Event, Post] {
  return [new User({ name: "ada" }), new Event({ what: "signup" }), new Post({ title: "one" })];
}

/** Makes the next commit of a bind fail before it is sent. */
function refuseCommit(engine: Engine): Error {
  const error = new Error("injected");
  const stop = engine.onStatement(({ sql }) => {
    if (sql !== "commit") return;
    stop();
    throw error;
  });
  return error;
}

/** Kills the connection of the bind on its next commit. */
function killOnCommit(engine: Engine, pid: () => Promise<void>): void {
  const stop = engine.onStatement(({ sql }) => {
    if (sql !== "commit") return;
    stop();
    void pid();
  });
}

function commits(sent: readonly Sent[]): BindKey[] {
  return sent.filter((one) => one.sql === "commit").map(({ bindKey }) => bindKey);
}

test("binds commit in the order of configuration, the default last", async (t) => {
  const { app, session, stored } = await threeBinds(t);
  session.addAll(oneOfEach());
  const sent = record(app);
  await session.commit();

  assert.deepEqual(commits(sent), ["auth", "meta", null]);
  assert.deepEqual(await stored(), [1, 1, 1]);
});

test("or in the order that the configuration names", async (t) => {
  const { app, session } = await threeBinds(t, {}, [null, "meta", "auth"]);
  session.addAll(oneOfEach());
  const sent = record(app);
  await session.commit();

  assert.deepEqual(commits(sent), [null, "meta", "auth"]);
});

test("a bind that was only read has no transaction", async (t) => {
  const { app, session } = await threeBinds(t);
  const sent = record(app);
  await session.select(User).all();
  await session.select(Event).all();
  session.addAll([new Post({ title: "one" }), new Post({ title: "two" })]);
  await session.commit();

  assert.deepEqual([...new Set(sent.filter(({ sql }) => sql === "commit").map(({ bindKey }) => bindKey))], [null]);
});

test("a refused commit of the first bind rolls the others back, and is thrown as it is", async (t) => {
  const { app, session, stored } = await threeBinds(t);
  const error = refuseCommit(app.engines.get("auth"));
  const entities = oneOfEach();
  session.addAll(entities);

  await assert.rejects(session.commit(), (thrown) => thrown === error);
  assert.deepEqual(await stored(), [0, 0, 0]);
  assert.deepEqual(entities.map(stateOf), ["transient", "transient", "transient"]);
  assert.deepEqual(
    entities.map(({ id }) => id),
    [undefined, undefined, undefined],
  );
  session.addAll(entities);
  await session.commit();
  assert.deepEqual(await stored(), [1, 1, 1]);
});

test("a refused commit after others tells the truth of each bind, and the entities know it", async (t) => {
  const { app, session, stored } = await threeBinds(t);
  const [user, event, post] = oneOfEach();
  const old = new Post({ title: "old" });
  session.add(old);
  await session.commit();
  session.addAll([user, event, post]);
  old.title = "changed";
  const changes: [Entity, string][] = [];
  session.on("modelsCommitted", (all) =>
    changes.push(...all.map(([entity, what]): [Entity, string] => [entity, what])),
  );
  let committed = 0;
  session.on("afterCommit", () => committed++);
  const cause = refuseCommit(app.engines.get("meta"));

  await assert.rejects(session.commit(), (error) => {
    assert.ok(error instanceof PartialCommitError);
    assert.deepEqual(
      [error.committed, error.failed, error.rolledBack, error.unknown],
      [["auth"], ["meta"], [null], []],
    );
    assert.equal(error.cause, cause);
    assert.match(error.message, /committed: bind "auth".*failed: bind "meta".*rolled back: the default bind/);
    return true;
  });
  assert.deepEqual(await stored(), [1, 0, 1]);
  assert.deepEqual([user, event, post, old].map(stateOf), ["persistent", "transient", "transient", "persistent"]);
  assert.equal(old.title, "old");
  assert.deepEqual(changes, [[user, "insert"]]);
  assert.equal(committed, 0);

  session.addAll([event, post]);
  await session.commit();
  assert.deepEqual(await stored(), [1, 1, 2]);
  assert.equal(committed, 1);
});

test("deletes and updates are kept where they were committed, and taken back elsewhere", async (t) => {
  const { app, session, stored } = await threeBinds(t);
  const [user, event, post] = oneOfEach();
  session.addAll([user, event, post]);
  await session.commit();
  for (const entity of [user, event, post]) session.delete(entity);
  refuseCommit(app.engine);

  await assert.rejects(session.commit(), PartialCommitError);
  assert.deepEqual(await stored(), [0, 0, 1]);
  assert.deepEqual([user, event, post].map(stateOf), ["detached", "detached", "persistent"]);
  assert.equal(await session.get(Post, post.id), post);
});

test("a foreign key that is checked at the commit fails there", async (t) => {
  const url = await sharedDatabase("postgres");
  await onPostgres(
    "create table anchor (id integer primary key); create table leaf (id integer primary key, anchor integer references anchor (id) deferrable initially deferred)",
    url,
  );
  t.after(() => onPostgres("drop table leaf, anchor", url));
  const other = new Multibind<"auth">();
  class Leaf extends other.model("leaf", { id: integer().primaryKey(), anchor: integer() }) {}
  class Account extends other.model("account", { id: integer().primaryKey() }, { bindKey: "auth" }) {}
  const app = other.init({ databaseUri: url, binds: { auth: await sharedDatabase("mysql") } });
  t.after(async () => {
    await app.dropAll({ bindKey: "auth" });
    await app.dispose();
  });
  await app.createAll({ bindKey: "auth" });
  const session = app.session();
  t.after(() => session.close());

  const leaf = new Leaf({ id: 1, anchor: 99 });
  session.add(leaf);
  await assert.rejects(session.commit(), ForeignKeyViolationError);
  assert.equal(stateOf(leaf), "transient");
  await session.rollback();
  const account = new Account();
  session.addAll([leaf, account]);
  await assert.rejects(session.commit(), (error) => {
    assert.ok(error instanceof PartialCommitError);
    assert.deepEqual([error.committed, error.failed], [["auth"], [null]]);
    assert.ok(error.cause instanceof ForeignKeyViolationError);
    return true;
  });
  assert.deepEqual([stateOf(leaf), stateOf(account)], ["transient", "persistent"]);
  assert.equal(await session.select(Leaf).count(), 0);
});

test("a connection lost during the commit leaves the bind unknown", async (t) => {
  const url = await sharedDatabase("postgres");
  const { app, session } = await threeBinds(t);
  // The commit waits long enough for somebody to end its connection.
  await onPostgres(
    `create function wait_a_little() returns trigger language plpgsql as $$ begin perform pg_sleep(5); return null; end $$;
     create constraint trigger slow after insert on post deferrable initially deferred for each row execute function wait_a_little()`,
    url,
  );
  t.after(() => onPostgres("drop function wait_a_little cascade", url));
  const [user, event, post] = oneOfEach();
  session.addAll([user, event, post]);
  await session.flush();
  const { rows } = await session.execute(sql<{ pid: number }>`select pg_backend_pid() as pid`);
  killOnCommit(app.engine, async () => {
    for (let tries = 0; tries < 100; tries++) {
      const [row] = await onPostgres(`select wait_event from pg_stat_activity where pid = ${rows[0]!.pid}`);
      if (row?.["wait_event"] === "PgSleep") break;
    }
    await onPostgres(`select pg_terminate_backend(${rows[0]!.pid})`);
  });

  await assert.rejects(session.commit(), (error) => {
    assert.ok(error instanceof PartialCommitError, String(error));
    assert.deepEqual(
      [error.committed, error.failed, error.rolledBack, error.unknown],
      [["auth", "meta"], [], [], [null]],
    );
    assert.ok(error.cause instanceof DatabaseConnectionError);
    return true;
  });
  assert.deepEqual([user, event, post].map(stateOf), ["persistent", "persistent", "detached"]);
  assert.equal(session.contains(post), false);
  assert.equal(await session.select(User).count(), 1, "the session goes on");
});

test("a connection that is lost before the commit is noticed by it, and every bind is rolled back", async (t) => {
  const { app, session, stored } = await threeBinds(t);
  const [user, event, post] = oneOfEach();
  session.addAll([user, event, post]);
  await session.flush();
  const { rows } = await session.execute(sql<{ id: unknown }>`select connection_id() as id`, { bindKey: "auth" });
  await onMysql(`kill ${rows[0]!.id}`);

  await assert.rejects(session.commit(), DatabaseConnectionError);
  assert.deepEqual(await stored(), [0, 0, 0]);
  assert.deepEqual([user, event, post].map(stateOf), ["transient", "transient", "transient"]);
  assert.equal(app.engines.get("auth").status().inUse, 0);
});

// After an error

onEachFamily(
  "after an error within a transaction its bind is unusable until rollback, with the first cause",
  async (t, url) => {
    const app = await start(t, db, { databaseUri: "sqlite://", binds: { auth: url, meta: "sqlite://" } });
    const session = sessionOf(app);
    session.add(new User({ name: "ada" }));
    await session.commit();
    let first: unknown;
    await assert.rejects(session.insertInto(User).values({ name: "ada" }).execute(), (error) => {
      first = error;
      return error instanceof UniqueViolationError;
    });

    const attempts: (() => Promise<unknown>)[] = [
      () => session.select(User).all(),
      () => session.insertInto(User).values({ name: "eve" }).execute(),
      () => session.execute(sql`select 1 as one`, { bindKey: "auth" }),
      () => session.commit(),
    ];
    for (const attempt of attempts) {
      await assert.rejects(attempt(), (error) => {
        assert.ok(error instanceof FailedTransactionError);
        assert.equal(error.cause, first);
        assert.equal(error.bindKey, "auth");
        assert.match(error.message, /rollback/);
        return true;
      });
    }
    assert.deepEqual(await session.select(Event).all(), [], "other binds are not affected");
    await session.rollback();
    assert.equal(await session.select(User).count(), 1);
  },
);

onEachFamily("a statement that was refused before it was sent costs nothing", async (t, url) => {
  const app = await start(t, db, { databaseUri: "sqlite://", binds: { auth: url, meta: "sqlite://" } });
  const session = sessionOf(app);
  await session.insertInto(User).values({ name: "ada" }).execute();
  await assert.rejects(
    session
      .insertInto(User)
      .values({ name: 5 as never })
      .execute(),
  );
  await assert.rejects(
    session
      .selectFrom([User.table, Event.table] as never)
      .selectAll()
      .execute(),
  );
  await session.commit();

  assert.equal(await session.select(User).count(), 1);
});

test("after a failed flush every bind is rolled back and unusable until rollback", async (t) => {
  const { session, stored } = await threeBinds(t);
  session.add(new User({ name: "ada" }));
  await session.commit();
  const post = new Post({ title: "one" });
  session.add(post);
  await session.flush();
  const event = new Event({ what: "x" });
  session.addAll([new User({ name: "ada" }), event]);
  let first: unknown;
  await assert.rejects(session.flush(), (error) => {
    first = error;
    return error instanceof UniqueViolationError;
  });

  assert.deepEqual([stateOf(post), stateOf(event)], ["transient", "transient"]);
  for (const attempt of [
    () => session.select(Post).all(),
    () => session.get(User, 1),
    () => session.execute(sql`select 1 as one`),
    () => session.beginNested(),
    () => session.commit(),
  ]) {
    await assert.rejects(attempt(), (error) => error instanceof FailedTransactionError && error.cause === first);
  }
  assert.throws(() => session.begin(), FailedTransactionError);
  assert.deepEqual(await stored(), [1, 0, 0]);
  await session.rollback();
  assert.equal(await session.select(User).count(), 1);
});

test("rollback over three binds gives back entities of all", async (t) => {
  const { session, stored } = await threeBinds(t);
  const [user, event, post] = oneOfEach();
  session.addAll([user, event, post]);
  await session.commit();
  user.name = "changed";
  session.delete(event);
  post.title = "changed";
  const other = new Post({ title: "two" });
  session.add(other);
  await session.flush();
  await session.rollback();

  assert.deepEqual([user.name, post.title, stateOf(event), stateOf(other)], ["ada", "one", "persistent", "transient"]);
  assert.deepEqual(await stored(), [1, 1, 1]);
});

onEachFamily("rollback of what was never flushed", async (t, url) => {
  const app = await start(t, db, { databaseUri: "sqlite://", binds: { auth: url, meta: "sqlite://" } });
  const session = sessionOf(app);
  const ada = new User({ name: "ada" });
  session.add(ada);
  await session.commit();
  const eve = new User({ name: "eve" });
  session.add(eve);
  ada.name = "changed";
  const sent = record(app);
  await session.rollback();

  assert.deepEqual([ada.name, stateOf(eve), stateOf(ada)], ["ada", "transient", "persistent"]);
  session.delete(ada);
  await session.rollback();
  assert.equal(session.deleted.size, 0);
  assert.deepEqual(sent, []);
});

// The policy "single"

test('with "single" a second bind that writes is refused at its first write, and nothing is sent there', async (t) => {
  const { app, session, stored } = await threeBinds(t, { commitPolicy: "single" });
  session.add(new User({ name: "ada" }));
  await session.flush();
  assert.equal(await session.select(Post).count(), 0, "reads are free");
  const sent = record(app);

  const attempts: (() => Promise<unknown>)[] = [
    () => session.insertInto(Post).values({ title: "x" }).execute(),
    () => session.execute(sql`delete from post`),
    () => session.select(Post).forUpdate().all(),
  ];
  for (const attempt of attempts) {
    await assert.rejects(attempt(), (error) => error instanceof CommitPolicyError && error.bindKey === null);
  }
  session.add(new Event({ what: "x" }));
  await assert.rejects(session.flush(), (error) => error instanceof CommitPolicyError && error.bindKey === "meta");
  assert.deepEqual(sent, []);
  session.expunge([...session.new][0]!);
  await session.commit();
  assert.deepEqual(await stored(), [1, 0, 0]);

  session.add(new Post({ title: "one" }));
  await session.commit();
  assert.deepEqual(await stored(), [1, 0, 1], "the next transaction may write elsewhere");
});

test('with "single" one flush over two binds is refused before anything is sent, and all stays pending', async (t) => {
  const { app, session } = await threeBinds(t, { commitPolicy: "single" });
  session.addAll([new User({ name: "ada" }), new Post({ title: "one" })]);
  const sent = record(app);

  await assert.rejects(session.commit(), CommitPolicyError);
  assert.deepEqual(sent, []);
  assert.equal(session.new.size, 2);
});

test('with "single" two statements at once do not both become the writer', async (t) => {
  const { session, stored } = await threeBinds(t, { commitPolicy: "single" });
  const outcomes = await Promise.allSettled([
    session.insertInto(User).values({ name: "ada" }).execute(),
    session.insertInto(Post).values({ title: "one" }).execute(),
  ]);

  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ["fulfilled", "rejected"],
  );
  await session.commit();
  assert.deepEqual(await stored(), [1, 0, 0]);
});

test("a policy that there is not is refused", async () => {
  const app = db.init({ databaseUri: "sqlite://", binds: { auth: "sqlite://", meta: "sqlite://" } });
  assert.throws(() => app.session({ commitPolicy: "double" as never }), InvalidOptionError);
  await app.dispose();
});

// begin

onEachFamily("begin makes every statement part of the transaction, and names no database", async (t, url) => {
  const app = await start(t, db, { databaseUri: "sqlite://", binds: { auth: url, meta: "sqlite://" } });
  const session = sessionOf(app);
  const sent = record(app);
  session.begin();
  assert.deepEqual(sent, []);
  await session.select(User).all();
  await session.select(User).all();
  assert.deepEqual(verbs(sent), ["begin", "select", "select"]);
  assert.throws(() => session.begin(), SessionError);
  await session.commit();
  await session.select(User).all();
  assert.deepEqual(verbs(sent.slice(3)), ["commit", "select"]);
  session.begin();
  await session.rollback();
  session.begin();
  await session.rollback();
});

onEachFamily("begin({ readOnly: true }) reads one state, and refuses to write", async (t, url) => {
  const app = await start(t, db, { databaseUri: "sqlite://", binds: { auth: url, meta: "sqlite://" } });
  const session = sessionOf(app);
  session.begin({ readOnly: true, isolationLevel: "repeatable read" });
  assert.equal(await session.select(User).count(), 0);
  const writer = sessionOf(app);
  writer.add(new User({ name: "ada" }));
  await writer.commit();
  assert.equal(await session.select(User).count(), 0, "what others commit is not seen");

  const sent = record(app);
  await assert.rejects(session.insertInto(User).values({ name: "eve" }).execute(), SessionError);
  session.add(new User({ name: "eve" }));
  await assert.rejects(session.flush(), SessionError);
  session.expungeAll();
  assert.deepEqual(sent, []);
  await session.commit();
  assert.equal(await session.select(User).count(), 1);
});

onEachFamily("a commit of one statement on one bind goes without begin and commit", async (t, url) => {
  const own = new Multibind();
  class Name extends own.model("name", { id: integer().primaryKey(), name: varchar(40).unique() }) {}
  const app = await start(t, own, { databaseUri: url });
  const session = sessionOf(app);
  const sent = record(app);
  const ada = new Name({ name: "ada" });
  session.add(ada);
  await session.commit();
  ada.name = "ada lovelace";
  await session.commit();
  assert.deepEqual(verbs(sent), ["insert", "update"]);

  session.addAll([new Name({ name: "bob" }), new Name({ name: "carl" })]);
  await session.commit();
  assert.deepEqual([verbs(sent)[2], verbs(sent).at(-1)], ["begin", "commit"]);

  session.begin();
  session.add(new Name({ name: "dora" }));
  await session.commit();
  assert.deepEqual(verbs(sent).slice(-3), ["begin", "insert", "commit"]);

  const twin = new Name({ name: "bob" });
  session.add(twin);
  await assert.rejects(session.commit(), UniqueViolationError);
  assert.equal(stateOf(twin), "transient");
  await assert.rejects(session.select(Name).all(), FailedTransactionError);
  await session.rollback();
  assert.equal(await session.select(Name).count(), 4);
});

test("a connection lost during a commit of one statement leaves the bind unknown", async (t) => {
  const url = await sharedDatabase("postgres");
  const { session } = await threeBinds(t);
  await onPostgres(
    `create function wait_in_insert() returns trigger language plpgsql as $$ begin perform pg_sleep(5); return null; end $$;
     create trigger slow after insert on post for each row execute function wait_in_insert()`,
    url,
  );
  t.after(() => onPostgres("drop function wait_in_insert cascade", url));
  const post = new Post({ title: "one" });
  session.add(post);
  const committed = session.commit();
  committed.catch(() => {});
  await until(async () => {
    const ended = await onPostgres(
      "select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep' and query like 'insert%post%' and datname = current_database()",
      url,
    );
    return ended.length > 0;
  });
  await assert.rejects(committed, (error) => {
    assert.ok(error instanceof PartialCommitError, String(error));
    assert.deepEqual([error.committed, error.failed, error.rolledBack, error.unknown], [[], [], [], [null]]);
    assert.ok(error.cause instanceof DatabaseConnectionError);
    return true;
  });
  assert.equal(session.contains(post), false);
  assert.equal(await session.select(User).count(), 0, "the session goes on");
});
