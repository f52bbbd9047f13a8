import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { type TestContext, test } from "node:test";
import {
  type Application,
  DatabaseConnectionError,
  type Engine,
  type FamilyName,
  ForeignKeyViolationError,
  integer,
  Multibind,
  OperationalError,
  PartialCommitError,
  sql,
  stateOf,
  varchar,
} from "../../src/index.ts";
import { onPostgres } from "../fixtures/databases.ts";
import { sessionOf } from "../fixtures/matrix.ts";
import { preparingDatabase, preparingPostgres } from "../fixtures/preparing-servers.ts";
import { type TcpProxy, tcpProxy } from "../fixtures/tcp-proxy.ts";

const db = new Multibind<"decider" | "other">();
class Decided extends db.model("decided", { id: integer().primaryKey(), name: varchar(40) }, { bindKey: "decider" }) {}
class Prepared extends db.model("prepared", { id: integer().primaryKey(), name: varchar(40) }, { bindKey: "other" }) {}
class Third extends db.model("third", { id: integer().primaryKey(), name: varchar(40) }) {}

type App = Application<"decider" | "other">;
type Server = "postgres" | "mysql";

const SERVERS: readonly Server[] = ["postgres", "mysql"];
const PREPARE = /^(prepare transaction|xa prepare)/;
const COMMIT = /^(commit|xa commit '[^']+' one phase)$/;
const COMMIT_PREPARED = /^(commit prepared|xa commit '[^']+'$)/;

/** A decision bind, another one that is prepared, a third that is too; the first two behind proxies. */
async function threeBinds(t: TestContext, decider: FamilyName, other: Server) {
  const urls = {
    decider: await preparingDatabase(decider),
    other: await preparingDatabase(other),
    third: await preparingDatabase(other === "mysql" ? "postgres" : "mysql"),
  };
  const setup = db.init({ databaseUri: urls.third, binds: { decider: urls.decider, other: urls.other } });
  await setup.createAll();
  await setup.dispose();
  const proxies = {
    decider: decider === "sqlite" ? undefined : await tcpProxy(t, urls.decider),
    other: await tcpProxy(t, urls.other),
  };
  const app = db.init({
    databaseUri: urls.third,
    binds: {
      decider: { url: proxies.decider?.url ?? urls.decider, poolTimeout: 10 },
      other: { url: proxies.other.url, poolTimeout: 10 },
    },
    commitPolicy: "twoPhase",
  });
  t.after(() => app.dispose());
  const session = sessionOf(app);
  t.after(() => session.close());
  const warm = app.session();
  warm.addAll([new Decided({ name: "warm" }), new Prepared({ name: "warm" })]);
  await warm.commit();
  await warm.close();
  return { app, session, urls, ...(proxies as { decider: TcpProxy; other: TcpProxy }) };
}

function oneOfEach(): [Decided, Prepared, Third] {
  return [new Decided({ name: "d" }), new Prepared({ name: "p" }), new Third({ name: "t" })];
}

/** How many rows each bind has beside the one that was there. */
async function counts(app: App): Promise<number[]> {
  const session = app.session({ commitPolicy: "ordered" });
  try {
    const [d, p, t] = [
      await session.select(Decided).count(),
      await session.select(Prepared).count(),
      await session.select(Third).count(),
    ];
    return [d - 1, p - 1, t];
  } finally {
    await session.close();
  }
}

/** Does something just before a bind is sent the next statement of a kind. */
function before(engine: Engine, statement: RegExp, run: () => void): void {
  const stop = engine.onStatement(({ sql }) => {
    if (!statement.test(sql)) return;
    stop();
    run();
  });
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new assert.AssertionError({ message: "it was to fail" });
}

function onEachServer(name: string, run: (t: TestContext, server: Server) => Promise<void>): void {
  for (const server of SERVERS) test(`${name} (${server})`, (t) => run(t, server));
}

onEachServer("a bind that refuses to be prepared has everything rolled back", async (t, server) => {
  const { app, session } = await threeBinds(t, "sqlite", server);
  const entities = oneOfEach();
  session.addAll(entities);
  const refused = new Error("refused");
  before(app.engines.get("other"), PREPARE, () => {
    throw refused;
  });
  assert.equal(await failure(session.commit()), refused);
  assert.deepEqual(entities.map(stateOf), ["transient", "transient", "transient"]);
  assert.deepEqual(await counts(app), [0, 0, 0]);
  assert.deepEqual(await app.inDoubt(), []);

  session.addAll(entities);
  await session.commit();
  assert.deepEqual(await counts(app), [1, 1, 1]);
});

test("what a database finds only when the transaction is prepared is reported as what it is", async (t) => {
  const { app, session } = await threeBinds(t, "sqlite", "postgres");
  await session.execute(sql`create table child (id int references prepared (id) deferrable initially deferred)`, {
    bindKey: "other",
  });
  await session.commit();
  session.addAll(oneOfEach());
  await session.execute(sql`insert into child values (77)`, { bindKey: "other" });
  const error = await failure(session.commit());
  assert.ok(error instanceof ForeignKeyViolationError);
  assert.equal(error.bindKey, "other");
  assert.deepEqual(await counts(app), [0, 0, 0]);
  assert.deepEqual(await app.inDoubt(), []);
});

test("the decision bind may refuse its commit when all others are prepared", async (t) => {
  const { app, session } = await threeBinds(t, "postgres", "mysql");
  await session.execute(sql`create table child (id int references decided (id) deferrable initially deferred)`, {
    bindKey: "decider",
  });
  await session.commit();
  const entities = oneOfEach();
  session.addAll(entities);
  await session.execute(sql`insert into child values (77)`, { bindKey: "decider" });
  assert.ok((await failure(session.commit())) instanceof ForeignKeyViolationError);
  assert.deepEqual(entities.map(stateOf), ["transient", "transient", "transient"]);
  assert.deepEqual(await counts(app), [0, 0, 0]);
  assert.deepEqual(await app.inDoubt(), []);
});

test("a transaction that has failed is not taken for prepared", async (t) => {
  const { app } = await threeBinds(t, "sqlite", "postgres");
  const connection = await app.engines.get("other").connect({});
  t.after(() => connection.release());
  await connection.begin();
  await assert.rejects(connection.execute(connection.engine.rawQuery("select 1 / 0")));
  const error = await failure(connection.prepare("multibind:failed"));
  assert.ok(error instanceof OperationalError);
  assert.match(error.message, /bind "other" had failed before, so the server rolled it back/);
});

onEachServer("a connection lost while a bind is prepared has everything rolled back", async (t, server) => {
  for (const lose of ["cut", "loseAnswer"] as const) {
    const { app, session, other } = await threeBinds(t, "sqlite", server);
    session.addAll(oneOfEach());
    await session.flush();
    before(app.engines.get("other"), PREPARE, () => {
      void Promise.resolve(other[lose]()).then(() => other.restore());
    });
    const error = await failure(session.commit());
    assert.ok(error instanceof DatabaseConnectionError, String(error));
    assert.deepEqual(await counts(app), [0, 0, 0]);
    assert.deepEqual(await app.inDoubt(), []);
  }
});

onEachServer("a connection lost when all is decided does not stop the bind from committing", async (t, server) => {
  for (const lose of ["cut", "loseAnswer"] as const) {
    const { app, session, other } = await threeBinds(t, "sqlite", server);
    const entities = oneOfEach();
    session.addAll(entities);
    before(app.engines.get("other"), COMMIT_PREPARED, () => {
      void Promise.resolve(other[lose]()).then(() => other.restore());
    });
    await session.commit();
    assert.deepEqual(entities.map(stateOf), ["persistent", "persistent", "persistent"]);
    assert.deepEqual(await counts(app), [1, 1, 1]);
    assert.deepEqual(await app.inDoubt(), []);
  }
});

onEachServer("a bind that is gone when all is decided is in doubt until it is recovered", async (t, server) => {
  const { app, session, other } = await threeBinds(t, "sqlite", server);
  const announced: unknown[] = [];
  session.on("modelsCommitted", (changes) => announced.push(...changes.map(([entity]) => entity)));
  const entities = oneOfEach();
  session.addAll(entities);
  before(app.engines.get("other"), COMMIT_PREPARED, () => other.refuse());
  const error = await failure(session.commit());
  assert.ok(error instanceof PartialCommitError, String(error));
  assert.deepEqual(new Set(error.committed), new Set(["decider", null]));
  assert.deepEqual(
    { failed: error.failed, rolledBack: error.rolledBack, unknown: error.unknown, inDoubt: error.inDoubt },
    { failed: [], rolledBack: [], unknown: [], inDoubt: ["other"] },
  );
  assert.match(error.message, /in doubt until `app.recover\(\)`: bind "other"/);
  assert.ok(error.cause instanceof DatabaseConnectionError);
  assert.deepEqual(entities.map(stateOf), ["persistent", "detached", "persistent"]);
  assert.deepEqual(new Set(announced), new Set([entities[0], entities[2]]));

  const during = await app.recover();
  assert.deepEqual(
    during.unreachable.map(({ bindKey }) => bindKey),
    ["other"],
  );
  await assert.rejects(app.inDoubt(), DatabaseConnectionError);
  other.restore();
  assert.deepEqual(await counts(app), [1, 0, 1]);
  const [one, ...more] = await app.inDoubt();
  assert.deepEqual(more, []);
  assert.equal(one!.bindKey, "other");
  assert.equal(one!.outcome, "committed");
  assert.ok(one!.gid.includes(one!.transactionId));
  assert.equal(one!.preparedAt instanceof Date, server === "postgres");

  const { committed, rolledBack, left, unreachable } = await app.recover();
  assert.deepEqual(committed, [one]);
  assert.deepEqual([rolledBack, left, unreachable], [[], [], []]);
  assert.deepEqual(await counts(app), [1, 1, 1]);
  assert.deepEqual(await app.recover(), { committed: [], rolledBack: [], left: [], unreachable: [] });
});

onEachServer("a decision bind that is lost in its commit is asked what came of it", async (t, server) => {
  for (const [lose, stored] of [
    ["cut", 0],
    ["loseAnswer", 1],
  ] as const) {
    const { app, session, decider } = await threeBinds(t, "postgres", server);
    const entities = oneOfEach();
    session.addAll(entities);
    before(app.engines.get("decider"), COMMIT, () => {
      void Promise.resolve(decider[lose]()).then(() => decider.restore());
    });
    if (stored === 1) await session.commit();
    else assert.ok((await failure(session.commit())) instanceof DatabaseConnectionError);
    assert.deepEqual(entities.map(stateOf), Array(3).fill(stored === 1 ? "persistent" : "transient"));
    assert.deepEqual(await counts(app), [stored, stored, stored]);
    assert.deepEqual(await app.inDoubt(), []);
  }
});

onEachServer("where it cannot be asked, nobody knows, and all stays prepared until it can", async (t, server) => {
  for (const lose of ["refuse", "loseAnswer"] as const) {
    const { app, session, decider } = await threeBinds(t, "mysql", server);
    const entities = oneOfEach();
    session.addAll(entities);
    before(app.engines.get("decider"), COMMIT, () => {
      // What was sent together with what lost its answer still arrives.
      void Promise.resolve(decider[lose]()).then(() => setTimeout(() => decider.refuse(), 10));
    });
    const error = await failure(session.commit());
    assert.ok(error instanceof PartialCommitError, String(error));
    assert.deepEqual(error.unknown, ["decider"]);
    assert.deepEqual(new Set(error.inDoubt), new Set(["other", null]));
    assert.deepEqual([...error.committed, ...error.failed, ...error.rolledBack], []);
    assert.deepEqual(entities.map(stateOf), ["detached", "detached", "detached"]);
    await assert.rejects(app.recover(), DatabaseConnectionError);

    decider.restore();
    const { committed, rolledBack, left } = await app.recover();
    const stored = lose === "loseAnswer" ? 1 : 0;
    assert.equal((stored === 1 ? committed : rolledBack).length, 2);
    assert.deepEqual([...left, ...(stored === 1 ? rolledBack : committed)], []);
    assert.deepEqual(await counts(app), [stored, stored, stored]);
    assert.deepEqual(await app.inDoubt(), []);
  }
});

onEachServer("a bind that cannot be told to roll back is in doubt too, and is rolled back later", async (t, server) => {
  const { app, session, other } = await threeBinds(t, "sqlite", server);
  session.addAll(oneOfEach());
  const refused = new Error("refused");
  before(app.engines.get("decider"), COMMIT, () => {
    other.refuse();
    throw refused;
  });
  const error = await failure(session.commit());
  assert.ok(error instanceof PartialCommitError, String(error));
  assert.equal(error.cause, refused);
  assert.deepEqual(
    { committed: error.committed, failed: error.failed, rolledBack: error.rolledBack, inDoubt: error.inDoubt },
    { committed: [], failed: ["decider"], rolledBack: [null], inDoubt: ["other"] },
  );
  other.restore();
  const [one] = await app.inDoubt();
  assert.equal(one!.bindKey, "other");
  const { rolledBack } = await app.recover();
  assert.equal(rolledBack.length, 1);
  assert.deepEqual(await counts(app), [0, 0, 0]);
});

onEachServer("recovery leaves alone what a live session is just committing", async (t, server) => {
  const { app, session, decider, urls } = await threeBinds(t, "mysql", server);
  const elsewhere = db.init({ databaseUri: urls.third, binds: { decider: urls.decider, other: urls.other } });
  t.after(() => elsewhere.dispose());
  session.addAll(oneOfEach());
  const { promise: isHeld, resolve } = Promise.withResolvers<void>();
  before(app.engines.get("decider"), COMMIT, () => {
    decider.hold();
    resolve();
  });
  const committing = session.commit();
  await isHeld;
  assert.equal((await elsewhere.inDoubt()).length, 2);
  const { left, committed, rolledBack } = await elsewhere.recover();
  assert.equal(left.length, 2);
  assert.deepEqual([committed, rolledBack], [[], []]);
  decider.restore();
  await committing;
  assert.deepEqual(await counts(app), [1, 1, 1]);
  assert.deepEqual(await app.inDoubt(), []);
});

onEachServer("several processes may recover at once", async (t, server) => {
  const { app, session, urls, other } = await threeBinds(t, server === "mysql" ? "postgres" : "mysql", server);
  const helpers = Array.from({ length: 3 }, () =>
    db.init({ databaseUri: urls.third, binds: { decider: urls.decider, other: urls.other } }),
  );
  t.after(() => Promise.all(helpers.map((helper) => helper.dispose())));
  for (const stored of [0, 1]) {
    session.addAll(oneOfEach());
    const [engine, statement] =
      stored === 1 ? [app.engines.get("other"), COMMIT_PREPARED] : ([app.engines.get("decider"), COMMIT] as const);
    before(engine, statement, () => {
      other.refuse();
      if (stored === 0) throw new Error("refused");
    });
    await assert.rejects(session.commit(), PartialCommitError);
    other.restore();
    const recovered = await Promise.all(helpers.map((helper) => helper.recover()));
    assert.deepEqual(
      recovered.flatMap(({ left, unreachable }) => [...left, ...unreachable]),
      [],
    );
    const ended = recovered.flatMap(({ committed, rolledBack }) => (stored === 1 ? committed : rolledBack));
    assert.equal(ended.length, 1);
    assert.deepEqual(await counts(app), [stored, stored, stored]);
    assert.deepEqual(await app.inDoubt(), []);
  }
});

test("what others have prepared is never touched", async (t) => {
  const { app } = await threeBinds(t, "sqlite", "postgres");
  const { url } = await preparingPostgres();
  const [foreign, stranger] = [
    `foreign-${randomBytes(4).toString("hex")}`,
    `multibind:${"0".repeat(16)}:${"0".repeat(7)}:${randomBytes(8).toString("hex")}:${"0".repeat(8)}`,
  ];
  const own = new URL(url);
  own.pathname = `/${new URL(app.engines.get("other").url!.render({ hidePassword: false })).pathname.slice(1)}`;
  for (const gid of [foreign, stranger]) {
    await onPostgres(`begin; insert into prepared (name) values ('x'); prepare transaction '${gid}'`, own.href);
  }
  assert.deepEqual(await app.inDoubt(), []);
  assert.deepEqual(await app.recover(), { committed: [], rolledBack: [], left: [], unreachable: [] });
  const rows = await onPostgres("select gid from pg_prepared_xacts order by gid", own.href);
  for (const gid of [foreign, stranger]) {
    assert.ok(rows.some((row) => row["gid"] === gid));
    await onPostgres(`rollback prepared '${gid}'`, own.href);
  }
});
