import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
  type Application,
  CommitPolicyError,
  type Configuration,
  EndedTransactionError,
  FailedTransactionError,
  type FamilyName,
  InvalidOptionError,
  integer,
  Multibind,
  type Session,
  sql,
  stateOf,
  UnsupportedError,
  varchar,
} from "../../src/index.ts";
import { FAMILIES } from "../fixtures/databases.ts";
import { mariadbServer } from "../fixtures/mariadb-server.ts";
import { record, type Sent, sessionOf, start, verbs } from "../fixtures/matrix.ts";
import { plainDatabase, preparingDatabase } from "../fixtures/preparing-servers.ts";

const db = new Multibind<"left" | "right">();
class Left extends db.model("left_row", { id: integer().primaryKey(), name: varchar(40) }, { bindKey: "left" }) {}
class Right extends db.model("right_row", { id: integer().primaryKey(), name: varchar(40) }, { bindKey: "right" }) {}
class Other extends db.model("other_row", { id: integer().primaryKey(), name: varchar(40) }) {}

type Families = readonly [left: FamilyName, right: FamilyName];

const PAIRS: readonly Families[] = [
  ["sqlite", "postgres"],
  ["sqlite", "mysql"],
  ["postgres", "mysql"],
  ["mysql", "postgres"],
  ["postgres", "postgres"],
  ["mysql", "mysql"],
];

async function twoBinds(
  t: TestContext,
  [left, right]: Families,
  configuration: Omit<Configuration<"left" | "right">, "binds"> = {},
) {
  const binds = { left: await preparingDatabase(left), right: await preparingDatabase(right) };
  // Models of binds that a test does not need have their tables in memory.
  const app = await start(t, db, { databaseUri: "sqlite://", commitPolicy: "twoPhase", ...configuration, binds });
  return { app, session: sessionOf(app) };
}

function onEachPair(name: string, run: (t: TestContext, families: Families) => Promise<void>): void {
  for (const families of PAIRS) test(`${name} (${families.join(" and ")})`, (t) => run(t, families));
}

async function counts(app: Application<"left" | "right">): Promise<number[]> {
  const session = sessionOf(app, { commitPolicy: "ordered" });
  return [await session.select(Left).count(), await session.select(Right).count()];
}

function addBoth(session: Session<"left" | "right">): [Left, Right] {
  const both: [Left, Right] = [new Left({ name: "l" }), new Right({ name: "r" })];
  session.addAll(both);
  return both;
}

/** What is said to a server about the transaction as a whole. */
function milestones(sent: readonly Sent[]): string[] {
  return sent.flatMap(({ bindKey, sql }) => {
    if (/^insert into multibind_decision/.test(sql)) return [`${bindKey}: decide`];
    if (/^(prepare transaction|xa prepare)/.test(sql)) return [`${bindKey}: prepare`];
    if (/^(commit prepared|xa commit '[^']+'$)/.test(sql)) return [`${bindKey}: commit prepared`];
    return /^(commit|xa commit '[^']+' one phase)$/.test(sql) ? [`${bindKey}: commit`] : [];
  });
}

onEachPair("the decision bind commits between the preparation and the end of the other", async (t, families) => {
  const { app, session } = await twoBinds(t, families);
  const warm = sessionOf(app);
  addBoth(warm);
  await warm.commit();
  const both = addBoth(session);
  const sent = record(app);
  await session.commit();

  assert.deepEqual(milestones(sent), ["left: decide", "right: prepare", "left: commit", "right: commit prepared"]);
  assert.deepEqual(await counts(app), [2, 2]);
  assert.deepEqual(both.map(stateOf), ["persistent", "persistent"]);
  assert.deepEqual(await app.inDoubt(), []);
});

onEachPair("a transaction that writes one bind is committed plainly", async (t, families) => {
  const { app, session } = await twoBinds(t, families);
  for (const [key, entity] of [
    ["left", new Left({ name: "l" })],
    ["right", new Right({ name: "r" })],
  ] as const) {
    const sent = record(app);
    session.add(entity);
    await session.select(key === "left" ? Right : Left).all();
    await session.commit();
    assert.deepEqual(milestones(sent).at(-1), `${key}: commit`);
    assert.ok(!milestones(sent).some((one) => one.includes("prepare")));
  }
  assert.deepEqual(await counts(app), [1, 1]);
});

onEachPair("a rollback undoes everything, and nothing stays behind", async (t, families) => {
  const { app, session } = await twoBinds(t, families);
  const both = addBoth(session);
  await session.flush();
  await session.rollback();
  assert.deepEqual(both.map(stateOf), ["transient", "transient"]);
  await assert.rejects(
    session.transaction(async () => {
      addBoth(session);
      await session.flush();
      throw new Error("no");
    }),
    { message: "no" },
  );
  assert.deepEqual(await counts(app), [0, 0]);
  assert.deepEqual(await app.inDoubt(), []);
  addBoth(session);
  await session.commit();
  assert.deepEqual(await counts(app), [1, 1]);
});

onEachPair("savepoints, isolation levels and events are what they are otherwise", async (t, families) => {
  const { app, session } = await twoBinds(t, families);
  const events: string[] = [];
  for (const event of ["beforeCommit", "afterCommit"] as const) session.on(event, () => events.push(event));
  session.on("modelsCommitted", (changes) => events.push(...changes.map(([entity]) => (entity as Left).name)));
  await session.transaction(
    async () => {
      const [left, right] = addBoth(session);
      await assert.rejects(
        session.transaction(async () => {
          left.name = "undone";
          right.name = "undone";
          addBoth(session);
          await session.flush();
          throw new Error("no");
        }),
      );
      await session.transaction(async () => {
        left.name = "left";
        right.name = "right";
      });
    },
    { isolationLevel: "serializable" },
  );
  assert.deepEqual(events, ["beforeCommit", "left", "right", "afterCommit"]);
  assert.deepEqual(await counts(app), [1, 1]);
  const check = sessionOf(app);
  assert.equal((await check.select(Left).one()).name, "left");
  assert.equal((await check.select(Right).one()).name, "right");
});

test("a decision bind that was not written stores the decision all the same", async (t) => {
  const { app, session } = await twoBinds(t, ["postgres", "mysql"], {
    databaseUri: await plainDatabase("sqlite"),
  });
  addBoth(session);
  await session.flush();
  const sent = record(app);
  await session.commit();
  const all = milestones(sent);
  assert.equal(all[0], "null: decide");
  assert.deepEqual(all.slice(1, 3).sort(), ["left: prepare", "right: prepare"]);
  assert.equal(all[3], "null: commit");
  assert.deepEqual(all.slice(4).sort(), ["left: commit prepared", "right: commit prepared"]);
  const last = sent.filter(({ bindKey, sql }) => bindKey === null && !/multibind_decision/.test(sql));
  assert.deepEqual(
    last.map((one) => one.sql),
    ["pragma synchronous = full", "begin", "commit"],
    "SQLite forces the decision to the disk",
  );
});

test("a bind that was only read is not prepared", async (t) => {
  const { app, session } = await twoBinds(t, ["postgres", "mysql"], {
    databaseUri: await preparingDatabase("postgres"),
  });
  session.begin();
  await session.select(Other).all();
  addBoth(session);
  const sent = record(app);
  await session.commit();
  assert.deepEqual(milestones(sent), [
    "null: commit",
    "left: decide",
    "right: prepare",
    "left: commit",
    "right: commit prepared",
  ]);
});

test("of two SQLite files one can be written in a transaction, beside what can be prepared", async (t) => {
  const { app, session } = await twoBinds(t, ["sqlite", "sqlite"], {
    databaseUri: await preparingDatabase("postgres"),
  });
  const both = addBoth(session);
  const sent = record(app);
  await assert.rejects(session.flush(), (error) => {
    assert.ok(error instanceof CommitPolicyError);
    assert.equal(error.bindKey, "right");
    assert.match(error.message, /bind "left", and now was to write on bind "right" too: .*bind "right" \(SQLite\)/);
    return true;
  });
  assert.deepEqual(sent, []);
  session.expunge(both[0]);
  session.add(new Other({ name: "o" }));
  await assert.rejects(session.flush(), CommitPolicyError);
  session.expunge(both[1]);
  await session.commit();
  session.add(new Right({ name: "alone" }));
  await session.commit();
  assert.deepEqual(await counts(app), [0, 1]);
  session.addAll([new Left({ name: "l" }), new Other({ name: "o" })]);
  await session.commit();
  assert.deepEqual(await counts(app), [1, 1]);
});

test("a second bind is refused when the first cannot be prepared", async (t) => {
  const { app, session } = await twoBinds(t, ["sqlite", "sqlite"], {
    databaseUri: await preparingDatabase("postgres"),
  });
  session.add(new Right({ name: "r" }));
  await session.flush();
  await assert.rejects(session.execute(sql`select 1`, { bindKey: null }), (error) => {
    assert.ok(error instanceof CommitPolicyError);
    assert.equal(error.bindKey, null);
    return true;
  });
  await session.commit();
  assert.deepEqual(await counts(app), [0, 1]);
});

test("a server that does not allow it is refused at its first write, with the setting's name", async (t) => {
  const binds = { left: await plainDatabase("sqlite"), right: await plainDatabase("postgres") };
  const app = await start(t, db, { databaseUri: "sqlite://", binds, commitPolicy: "twoPhase" });
  const session = sessionOf(app);
  session.add(new Left({ name: "l" }));
  await session.flush();
  const sent = record(app);
  await assert.rejects(session.execute(sql`insert into right_row values (1, 'r')`, { bindKey: "right" }), (error) => {
    assert.ok(error instanceof UnsupportedError);
    assert.equal(error.bindKey, "right");
    assert.match(error.message, /max_prepared_transactions/);
    return true;
  });
  assert.ok(!verbs(sent).includes("insert"));
  await session.rollback();
  assert.deepEqual(await counts(app), [0, 0]);
});

test("so is a member of a Galera cluster", async (t) => {
  const galera = await mariadbServer(t, { "wsrep-on": "ON", "binlog-format": "ROW" });
  const binds = { left: await preparingDatabase("sqlite"), right: await galera.createDatabase("right_bind") };
  const app = db.init({ binds, commitPolicy: "twoPhase" });
  t.after(() => app.dispose());
  await app.createAll({ bindKey: ["left", "right"] });
  const session = sessionOf(app);
  addBoth(session);
  const sent = record(app);
  await assert.rejects(session.commit(), (error) => {
    assert.ok(error instanceof UnsupportedError);
    assert.match(error.message, /wsrep_on/);
    return true;
  });
  assert.ok(!sent.some(({ bindKey, sql }) => bindKey === "right" && /^(xa|insert)/.test(sql)));
  await session.close();
  assert.deepEqual(await counts(app), [0, 0]);
});

test("as the decision bind it will do", async (t) => {
  const binds = { left: await plainDatabase("postgres"), right: await plainDatabase("mysql") };
  const app = await start(t, db, { databaseUri: "sqlite://", binds, commitPolicy: "twoPhase" });
  const session = sessionOf(app);
  addBoth(session);
  await session.commit();
  assert.deepEqual(await counts(app), [1, 1]);
});

test("the policy may be that of one session or context", async (t) => {
  const { app } = await twoBinds(t, ["postgres", "mysql"], { commitPolicy: "ordered" });
  const sent = record(app);
  await app.run(
    async () => {
      addBoth(db.session);
      await db.session.commit();
    },
    { commitPolicy: "twoPhase" },
  );
  assert.ok(milestones(sent).includes("right: prepare"));
  const session = sessionOf(app, { commitPolicy: "twoPhase" });
  session.add(new Right({ name: "r" }));
  session.add(new Left({ name: "l" }));
  await session.commit();
  assert.deepEqual(await counts(app), [2, 2]);
});

test("decisionBind names the bind that decides", async (t) => {
  const { app, session } = await twoBinds(t, ["postgres", "mysql"], { decisionBind: "right" });
  addBoth(session);
  await session.flush();
  const sent = record(app);
  await session.commit();
  assert.deepEqual(milestones(sent), ["right: decide", "left: prepare", "right: commit", "left: commit prepared"]);
});

test("a bind that cannot keep decisions is refused when the application is made", () => {
  const binds = { left: "sqlite:///left.db", right: "mysql://localhost/right" };
  const refused = (configuration: Configuration<"left" | "right">, message: RegExp) =>
    assert.throws(
      () => db.init(configuration),
      (error) => {
        assert.ok(error instanceof InvalidOptionError);
        assert.match(error.message, message);
        return true;
      },
    );
  refused(
    { databaseUri: "sqlite://", decisionBind: null },
    /decisionBind names the default bind, which is a database in memory/,
  );
  refused({ databaseUri: "sqlite://", decisionBind: "left" }, /bind "left", which is not configured/);
  refused({ binds: { ...binds, left: { url: binds.left, readOnly: true } }, decisionBind: "left" }, /readOnly/);
  refused({ binds: { ...binds, right: { url: binds.right, managed: false } }, decisionBind: "right" }, /not managed/);
  refused({ binds: { ...binds, left: `${binds.left}?mode=ro` }, decisionBind: "left" }, /reading only/);
  refused({ databaseUri: "sqlite://", commitPolicy: "twoPhase" }, /"twoPhase" keeps its decisions/);
  const app = db.init({ databaseUri: "sqlite://" });
  assert.throws(() => app.session({ commitPolicy: "twoPhase" }), InvalidOptionError);
});

test("an application without any bind that could decide has nothing to recover", async (t) => {
  const app = db.init({ databaseUri: "sqlite://" });
  t.after(() => app.dispose());
  assert.deepEqual(await app.inDoubt(), []);
  assert.deepEqual(await app.recover(), { committed: [], rolledBack: [], left: [], unreachable: [] });
});

test("many sessions commit at once", async (t) => {
  for (const families of [
    ["sqlite", "postgres"],
    ["postgres", "mysql"],
  ] as const) {
    const { app } = await twoBinds(t, families);
    await Promise.all(
      Array.from({ length: 60 }, () =>
        app.run(async () => {
          addBoth(db.session);
          await db.session.commit();
        }),
      ),
    );
    assert.deepEqual(await counts(app), [60, 60]);
    assert.deepEqual(await app.inDoubt(), []);
  }
});

test("decisions that are carried out are deleted when the application is disposed", async (t) => {
  const binds = { left: await preparingDatabase("sqlite"), right: await preparingDatabase("postgres") };
  const app = await start(t, db, { databaseUri: "sqlite://", binds, commitPolicy: "twoPhase" });
  const ids = async (from: Application<"left" | "right">) => {
    const { rows } = await from.engines
      .get("left")
      .kysely.executeQuery<{ id: string }>(
        sql`select id from multibind_decision`.compile(from.engines.get("left").kysely),
      );
    return rows.map(({ id }) => id);
  };
  const second = db.init({ databaseUri: "sqlite://", binds, commitPolicy: "twoPhase" });
  const session = second.session();
  addBoth(session);
  await session.commit();
  assert.equal((await ids(app)).length, 2);
  await session.close();
  await second.dispose();
  assert.deepEqual(await ids(app), ["domain"]);
});

for (const family of FAMILIES) {
  test(`SQL text that would end the transaction of a decision bind is refused (${family})`, async (t) => {
    const { app, session } = await twoBinds(t, [family, "postgres"]);
    addBoth(session);
    await session.flush();
    await assert.rejects(session.execute(sql`commit`, { bindKey: "left" }), { code: "SESSION", bindKey: "left" });
    await session.commit();
    assert.deepEqual(await counts(app), [1, 1]);
    assert.deepEqual(await app.inDoubt(), []);
  });
}

test("a decision bind whose transaction a procedure has ended decides nothing", async (t) => {
  const { app, session } = await twoBinds(t, ["mysql", "postgres"]);
  await sql`create or replace procedure p() commit`.execute(app.engines.get("left").kysely);
  addBoth(session);
  await session.flush();
  await assert.rejects(session.execute(sql`call p()`, { bindKey: "left" }), EndedTransactionError);
  await assert.rejects(session.commit(), FailedTransactionError);
  await assert.rejects(session.rollback(), EndedTransactionError);
  assert.deepEqual(await counts(app), [1, 0]);
  assert.deepEqual(await app.inDoubt(), []);
});

test("a table of decisions that was dropped is made again", async (t) => {
  const { app, session } = await twoBinds(t, ["sqlite", "postgres"]);
  addBoth(session);
  await session.commit();
  await session.execute(sql`drop table multibind_decision`, { bindKey: "left" });
  await session.commit();
  addBoth(session);
  await assert.rejects(session.commit(), /multibind_decision/);
  assert.deepEqual(await counts(app), [1, 1]);
  addBoth(session);
  await session.commit();
  assert.deepEqual(await counts(app), [2, 2]);
});

test("a serialization failure that shows when a bind is prepared is tried again", async (t) => {
  const { app } = await twoBinds(t, ["sqlite", "postgres"]);
  const setup = sessionOf(app);
  setup.addAll([new Right({ name: "a" }), new Right({ name: "b" })]);
  await setup.commit();
  const [first, second] = [sessionOf(app), sessionOf(app)];
  let runs = 0;
  await first.transaction(
    async () => {
      runs++;
      const rows = await first.select(Right).orderBy("id").all();
      rows[0]!.name = "first";
      await first.flush();
      if (runs === 1) {
        // Each reads what the other writes: they cannot have run one after the other.
        await second.transaction(
          async () => {
            const others = await second.select(Right).orderBy("id").all();
            others[1]!.name = "second";
          },
          { isolationLevel: "serializable" },
        );
      }
      first.add(new Left({ name: String(runs) }));
    },
    { isolationLevel: "serializable", retries: 2 },
  );
  assert.equal(runs, 2);
  assert.deepEqual(await counts(app), [1, 2]);
});

test("a bind key may hold anything", async (t) => {
  const key = 'o\'neil\\; drop table "x" --';
  const odd = new Multibind();
  class One extends odd.model("one", { id: integer().primaryKey() }, { bindKey: key }) {}
  class Two extends odd.model("two", { id: integer().primaryKey() }, { bindKey: `${key}2` }) {}
  const app = await start(t, odd, {
    databaseUri: await plainDatabase("sqlite"),
    binds: { [key]: await preparingDatabase("postgres"), [`${key}2`]: await preparingDatabase("mysql") },
    commitPolicy: "twoPhase",
  });
  const session = sessionOf(app);
  session.addAll([new One({}), new Two({})]);
  const sent = record(app);
  await session.commit();
  const gids = sent.flatMap(({ sql }) => /(?:prepare transaction|xa prepare) '(.*)'$/.exec(sql)?.[1] ?? []);
  assert.equal(gids.length, 2);
  for (const gid of gids) assert.match(gid, /^[a-z0-9:]{1,60}$/);
  assert.equal(await session.select(One).count(), 1);
});
