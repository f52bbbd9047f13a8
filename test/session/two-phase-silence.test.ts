import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
  type Application,
  DatabaseConnectionError,
  type Engine,
  type EngineOptions,
  integer,
  Multibind,
  PartialCommitError,
} from "../../src/index.ts";
import { onMysql, onPostgres } from "../fixtures/databases.ts";
import { preparingDatabase } from "../fixtures/preparing-servers.ts";
import { type TcpProxy, tcpProxy } from "../fixtures/tcp-proxy.ts";

type Server = "postgres" | "mysql";
type App = Application<"decider" | "other">;

/** Far more than the options below allow, and far less than for ever. */
const LONG = 120_000;
const SHORT: EngineOptions = { poolTimeout: 5, networkTimeout: 1 };
const PREPARE = /^(prepare transaction|xa prepare)/;
const COMMIT_PREPARED = /^(commit prepared|xa commit '[^']+'$)/;

const db = new Multibind<"decider" | "other">();
class Decided extends db.model("decided", { id: integer().primaryKey() }, { bindKey: "decider" }) {}
class Prepared extends db.model("prepared", { id: integer().primaryKey() }, { bindKey: "other" }) {}

type Kill = readonly [run: typeof onMysql, others: string, end: (id: number) => string];

const ON_POSTGRES: Kill = [
  onPostgres,
  "select pid as id from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
  (id) => `select pg_terminate_backend(${id})`,
];
const ON_MYSQL: Kill = [
  onMysql,
  "select id from information_schema.processlist where db = database() and id <> connection_id()",
  (id) => `kill ${id}`,
];

interface Binds {
  readonly app: App;
  readonly deciderProxy: TcpProxy;
  readonly otherProxy: TcpProxy;
  /** Ends the connections to a bind, and waits until its server has. */
  kill(bind: "decider" | "other"): Promise<void>;
}

async function twoBinds(t: TestContext, server: Server, commitPolicy: "twoPhase" | "ordered"): Promise<Binds> {
  const urls = { decider: await preparingDatabase(server), other: await preparingDatabase(server) };
  const [deciderProxy, otherProxy] = [await tcpProxy(t, urls.decider), await tcpProxy(t, urls.other)];
  const app = db.init({
    binds: { decider: { ...SHORT, url: deciderProxy.url }, other: { ...SHORT, url: otherProxy.url } },
    commitPolicy,
    decisionBind: "decider",
    commitOrder: ["decider", "other"],
  });
  t.after(() => app.dispose());
  await app.createAll();
  await store(app, 1);
  const kill = async (bind: "decider" | "other") => {
    const [run, others, end] = server === "postgres" ? ON_POSTGRES : ON_MYSQL;
    for (const { id } of await run(others, urls[bind])) await run(end(Number(id)), urls[bind]);
    while ((await run(others, urls[bind])).length > 0);
  };
  return { app, deciderProxy, otherProxy, kill };
}

async function store(app: App, id: number): Promise<void> {
  await using session = app.session();
  session.addAll([new Decided({ id }), new Prepared({ id })]);
  await session.commit();
}

/** How many rows each bind has. */
async function counts(app: App): Promise<number[]> {
  await using session = app.session({ commitPolicy: "ordered" });
  return [await session.select(Decided).count(), await session.select(Prepared).count()];
}

function before(engine: Engine, statement: RegExp, run: () => void): void {
  const stop = engine.onStatement(({ sql }) => {
    if (!statement.test(sql)) return;
    stop();
    run();
  });
}

/** The error of what fails, in time. */
async function failure(promise: Promise<unknown>): Promise<unknown> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error("It took too long.")), LONG);
  const failed = promise.then(
    () => assert.fail("it was to fail"),
    (error: unknown) => error,
  );
  try {
    return await Promise.race([failed, late]);
  } finally {
    clearTimeout(timer);
  }
}

for (const server of ["postgres", "mysql"] as const) {
  const at = (name: string) => `${name} (${server})`;

  test(
    at("a bind that falls silent while it is prepared has everything rolled back, at the latest by recovery"),
    async (t) => {
      const { app, otherProxy } = await twoBinds(t, server, "twoPhase");
      before(app.engines.get("other"), PREPARE, () => otherProxy.hold());
      const error = await failure(store(app, 2));
      assert.ok(error instanceof PartialCommitError || error instanceof DatabaseConnectionError, String(error));
      if (error instanceof PartialCommitError) assert.deepEqual([error.committed, error.unknown], [[], []]);
      otherProxy.restore();
      await app.recover();
      assert.deepEqual(await counts(app), [1, 1]);
      assert.deepEqual(await app.inDoubt(), []);
    },
  );

  test(at("a bind that falls silent when all is decided is in doubt until recovery"), async (t) => {
    const { app, otherProxy } = await twoBinds(t, server, "twoPhase");
    before(app.engines.get("other"), COMMIT_PREPARED, () => otherProxy.hold());
    const error = await failure(store(app, 2));
    assert.ok(error instanceof PartialCommitError, String(error));
    assert.deepEqual([error.committed, error.inDoubt], [["decider"], ["other"]]);
    const { unreachable } = await app.recover();
    assert.deepEqual(
      unreachable.map(({ bindKey }) => bindKey),
      ["other"],
    );
    otherProxy.restore();
    await app.recover();
    assert.deepEqual(await counts(app), [2, 2]);
    assert.deepEqual(await app.inDoubt(), []);
  });

  test(
    at("a decision bind that falls silent leaves all in doubt, and recovery and its list do not wait for it"),
    async (t) => {
      const { app, deciderProxy } = await twoBinds(t, server, "twoPhase");
      before(app.engines.get("decider"), /^commit$/, () => deciderProxy.hold());
      const error = await failure(store(app, 2));
      assert.ok(error instanceof PartialCommitError, String(error));
      assert.deepEqual([error.committed, error.unknown, error.inDoubt], [[], ["decider"], ["other"]]);
      assert.ok((await failure(app.recover())) instanceof DatabaseConnectionError);
      assert.ok((await failure(app.inDoubt())) instanceof DatabaseConnectionError);
      deciderProxy.restore();
      await app.recover();
      const [decided, prepared] = await counts(app);
      assert.equal(decided, prepared);
    },
  );

  test(at("a rollback of what could be prepared does not wait for silent binds"), async (t) => {
    const { app, deciderProxy, otherProxy } = await twoBinds(t, server, "twoPhase");
    await using session = app.session();
    session.addAll([new Decided({ id: 2 }), new Prepared({ id: 2 })]);
    await session.flush();
    deciderProxy.hold();
    otherProxy.hold();
    const over = session.rollback().then(() => Promise.reject(new Error("over")));
    assert.equal(String(await failure(over)), "Error: over");
    deciderProxy.restore();
    otherProxy.restore();
    assert.deepEqual(await counts(app), [1, 1]);
  });

  for (const commitPolicy of ["ordered", "twoPhase"] as const) {
    for (const lost of ["decider", "other"] as const) {
      test(
        at(`a connection of ${lost} that is killed before a commit (${commitPolicy}) has all rolled back`),
        async (t) => {
          const { app, kill } = await twoBinds(t, server, commitPolicy);
          await using session = app.session();
          session.addAll([new Decided({ id: 2 }), new Prepared({ id: 2 })]);
          await session.flush();
          await kill(lost);
          const error = await failure(session.commit());
          assert.ok(error instanceof DatabaseConnectionError, String(error));
          assert.equal(error.bindKey, lost);
          assert.deepEqual(await counts(app), [1, 1]);
          assert.deepEqual(await app.inDoubt(), []);
          await store(app, 2);
          assert.deepEqual(await counts(app), [2, 2]);
        },
      );
    }
  }

  for (const commitPolicy of ["ordered", "twoPhase"] as const) {
    test(
      at(`a connection that is killed before the commit of one bind (${commitPolicy}) is no unknown outcome`),
      async (t) => {
        const { app, kill } = await twoBinds(t, server, commitPolicy);
        for (const begin of [true, false]) {
          await using session = app.session();
          if (begin) session.begin();
          session.add(new Prepared({ id: 2 }));
          await session.flush();
          await kill("other");
          assert.ok((await failure(session.commit())) instanceof DatabaseConnectionError);
          assert.deepEqual(await counts(app), [1, 1]);
        }
      },
    );
  }
}
