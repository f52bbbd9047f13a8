import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { copyFile } from "node:fs/promises";
import { type TestContext, test } from "node:test";
import {
  type Application,
  DecisionsLostError,
  type Engine,
  type FamilyName,
  InvalidOptionError,
  integer,
  Multibind,
  type Recovery,
  sql,
  varchar,
} from "../../src/index.ts";
import { FAMILIES, onMysql, onPostgres } from "../fixtures/databases.ts";
import { mariadbServer } from "../fixtures/mariadb-server.ts";
import { postgresServer } from "../fixtures/postgres-server.ts";
import { preparingDatabase, preparingMariadb, preparingPostgres } from "../fixtures/preparing-servers.ts";
import { tcpProxy } from "../fixtures/tcp-proxy.ts";
import { until } from "../fixtures/until.ts";

type Binds = "decider" | "other" | "copy";

const db = new Multibind<Binds>();
class Decided extends db.model("decided", { id: integer().primaryKey(), name: varchar(40) }, { bindKey: "decider" }) {}
class Prepared extends db.model("prepared", { id: integer().primaryKey(), name: varchar(40) }, { bindKey: "other" }) {}

type App = Application<Binds>;
type Urls = { readonly decider: string; readonly other: string; readonly copy?: string };

function open(t: TestContext, binds: Urls): App {
  const app = db.init({ databaseUri: "sqlite://", binds, decisionBind: "decider", commitPolicy: "twoPhase" });
  t.after(() => app.dispose());
  return app;
}

async function counts(app: App): Promise<number[]> {
  const session = app.session({ commitPolicy: "ordered" });
  try {
    return [await session.select(Decided).count(), await session.select(Prepared).count()];
  } finally {
    await session.close();
  }
}

async function commitBoth(app: App): Promise<void> {
  await app.transaction(() => db.session.addAll([new Decided({ name: "d" }), new Prepared({ name: "p" })]));
}

function before(engine: Engine, statement: RegExp, run: () => void): void {
  const stop = engine.onStatement(({ sql }) => {
    if (!statement.test(sql)) return;
    stop();
    run();
  });
}

/** A process dies while it commits: the other bind's part stays prepared. */
async function dieInCommit(t: TestContext, urls: Urls, decided: boolean): Promise<void> {
  const proxy = await tcpProxy(t, urls.other);
  const app = db.init({
    databaseUri: "sqlite://",
    binds: { decider: urls.decider, other: { url: proxy.url, poolTimeout: 10 } },
    decisionBind: "decider",
    commitPolicy: "twoPhase",
  });
  await app.createAll();
  assert.deepEqual(await app.inDoubt(), []);
  if (decided) {
    before(app.engines.get("other"), /^(commit prepared|xa commit '[^']+'$)/, () => proxy.refuse());
  } else {
    before(app.engines.get("decider"), /^commit$/, () => {
      proxy.refuse();
      throw new Error("the process dies");
    });
  }
  await assert.rejects(commitBoth(app), { code: "PARTIAL_COMMIT" });
  await app.dispose();
  proxy.restore();
}

/** Runs SQL text on the decision bind, and commits it. */
function statementsOn(app: App): (text: string) => Promise<readonly { outcome: string }[]> {
  return (text) =>
    app.run(
      async () => {
        const { rows } = await db.session.execute<{ outcome: string }>(sql.raw(text), { bindKey: "decider" });
        await db.session.commit();
        return rows;
      },
      { commitPolicy: "ordered" },
    );
}

function shape({ committed, rolledBack, left, unreachable }: Recovery): number[] {
  return [committed.length, rolledBack.length, left.length, unreachable.length];
}

function nameOf(url: string): string {
  return new URL(url).pathname.slice(1);
}

/** How the database of decisions is copied. Returns the copy's URL. */
const COPIES: Record<string, { readonly family: FamilyName; copy(url: string): Promise<string> }> = {
  "a copied file": {
    family: "sqlite",
    copy: async (url) => {
      const file = url.slice("sqlite:///".length);
      await copyFile(file, `${file}.copy`);
      return `${url}.copy`;
    },
  },
  "a database restored on the same server": {
    family: "postgres",
    copy: async (url) => {
      const name = `copy_${randomBytes(6).toString("hex")}`;
      const server = await preparingPostgres();
      await onPostgres(`create database ${name} template ${nameOf(url)}`, server.url);
      return Object.assign(new URL(url), { pathname: `/${name}` }).href;
    },
  },
  "a dump restored on the same server": {
    family: "mysql",
    copy: async (url) => {
      const name = `copy_${randomBytes(6).toString("hex")}`;
      const copy = await (await preparingMariadb()).createDatabase(name);
      for (const table of ["decided", "multibind_decision"]) {
        await onMysql(`create table ${name}.${table} like ${nameOf(url)}.${table}`, copy);
        await onMysql(`insert into ${name}.${table} select * from ${nameOf(url)}.${table}`, copy);
      }
      return copy;
    },
  },
};

for (const [how, { family, copy }] of Object.entries(COPIES)) {
  for (const decided of [false, true]) {
    for (const other of ["mysql", "postgres"] as const) {
      const state = decided ? "decided" : "undecided";
      test(`${how} does not end what is ${state} by its original (${family} for ${other})`, async (t) => {
        const urls = { decider: await preparingDatabase(family), other: await preparingDatabase(other) };
        await dieInCommit(t, urls, decided);
        const copied = await copy(urls.decider);
        const staging = open(t, { ...urls, decider: copied });

        const first = await staging.recover();
        assert.deepEqual(shape(first), [0, 0, 1, 0]);
        const [left] = first.left;
        assert.match(left!.refused!, /is a copy of the other.*app\.recover\(\{ adopt: \["[0-9a-z]{7}"\] \}\)/);
        assert.equal(left!.outcome, undefined);
        assert.deepEqual(await staging.inDoubt(), [left]);
        // The copy works on, under a name of its own.
        await commitBoth(staging);
        assert.deepEqual(shape(await staging.recover()), [0, 0, 1, 0]);

        const production = open(t, urls);
        const [doubt] = await production.inDoubt();
        assert.deepEqual([doubt!.gid, doubt!.refused], [left!.gid, undefined]);
        assert.deepEqual(shape(await production.recover()), decided ? [1, 0, 0, 0] : [0, 1, 0, 0]);
        assert.deepEqual(await staging.inDoubt(), []);
        assert.deepEqual(await counts(production), decided ? [1, 2] : [0, 1]);
      });
    }
  }
}

test("a server of copied files does not end what is its original's (mysql)", async (t) => {
  const original = await mariadbServer(t);
  const urls = { decider: await original.createDatabase("decisions"), other: await preparingDatabase("mysql") };
  await dieInCommit(t, urls, true);
  await original.stop();
  const copied = await mariadbServer(t, {}, original);
  const staging = open(t, { ...urls, decider: `${copied.url}decisions` });
  assert.deepEqual(shape(await staging.recover()), [0, 0, 1, 0]);

  await original.start();
  const production = open(t, urls);
  assert.deepEqual(shape(await production.recover()), [1, 0, 0, 0]);
  assert.deepEqual(await counts(production), [1, 1]);
});

test("a promoted standby of the decision bind ends what it was told to take over, and nothing before", async (t) => {
  const original = await postgresServer(t);
  const urls = { decider: await original.createDatabase("decisions"), other: await preparingDatabase("mysql") };
  const standby = await postgresServer(t, {}, original);
  await dieInCommit(t, urls, true);
  const [{ lsn }] = (await onPostgres("select pg_current_wal_lsn()::text as lsn", original.url)) as [{ lsn: string }];
  await until(async () => {
    const [row] = await onPostgres(`select pg_last_wal_replay_lsn() >= '${lsn}' as here`, standby.url);
    return row?.["here"] === true;
  });
  const follower = open(t, { ...urls, decider: `${standby.url.replace(/postgres$/, "decisions")}` });
  assert.deepEqual(shape(await follower.recover()), [0, 0, 1, 0]);

  await onPostgres("select pg_promote()", standby.url);
  const promoted = open(t, { ...urls, decider: `${standby.url.replace(/postgres$/, "decisions")}` });
  const { left } = await promoted.recover();
  const adopt = /adopt: \["([0-9a-z]{7})"\]/.exec(left[0]!.refused!)![1]!;
  await assert.rejects(promoted.recover({ adopt: adopt as unknown as string[] }), InvalidOptionError);
  await assert.rejects(promoted.recover({ adopted: [adopt] } as object), InvalidOptionError);
  assert.deepEqual(shape(await promoted.recover({ adopt: ["0000000"] })), [0, 0, 1, 0]);
  assert.deepEqual(shape(await promoted.recover({ adopt: [adopt] })), [1, 0, 0, 0]);
  assert.deepEqual(await counts(promoted), [1, 1]);
});

test("a replica as another bind has no part ended, and its primary gets what was decided", async (t) => {
  const primary = await postgresServer(t, { max_prepared_transactions: 10 });
  const urls = { decider: await preparingDatabase("sqlite"), other: await primary.createDatabase("other") };
  const standby = await postgresServer(t, { max_prepared_transactions: 10 }, primary);
  const replica = standby.url.replace(/postgres$/, "other");
  await dieInCommit(t, urls, true);
  const prepared = async (url: string) => (await onPostgres("select gid from pg_prepared_xacts", url)).length;
  const [{ lsn }] = (await onPostgres("select pg_current_wal_lsn()::text as lsn", urls.other)) as [{ lsn: string }];
  await until(async () => {
    const [row] = await onPostgres(`select pg_last_wal_replay_lsn() >= '${lsn}' as here`, replica);
    return row?.["here"] === true;
  });
  const app = open(t, { ...urls, copy: replica });
  await primary.stop();
  await onPostgres("select pg_promote()", standby.url);
  await until(async () => (await prepared(replica)) === 1);

  const during = await app.recover();
  assert.deepEqual(shape(during), [0, 0, 1, 1]);
  assert.deepEqual([during.left[0]!.bindKey, during.left[0]!.refused], ["other", undefined]);
  assert.equal(await prepared(replica), 1);

  await primary.start();
  const after = await app.recover();
  assert.deepEqual(shape(after), [1, 0, 0, 0]);
  assert.equal(after.committed[0]!.bindKey, "other");
  assert.deepEqual(await counts(app), [1, 1]);
  // The replica's own is not ended, but told.
  const later = await app.recover();
  assert.deepEqual(shape(later), [0, 0, 1, 0]);
  assert.equal(later.left[0]!.bindKey, "copy");
  assert.match(later.left[0]!.refused!, /prepared for bind "other".*bind "copy" is a replica or a copy/);
  assert.equal(await prepared(replica), 1);
  await onPostgres(`rollback prepared '${later.left[0]!.gid}'`, replica);
  assert.deepEqual(await app.inDoubt(), []);
});

test("a part that another bind of its server tells of waits for its own bind", async (t) => {
  const urls = { decider: await preparingDatabase("sqlite"), other: await preparingDatabase("mysql") };
  await dieInCommit(t, urls, true);
  const proxy = await tcpProxy(t, urls.other);
  const app = open(t, { decider: urls.decider, other: `${proxy.url}?connect_timeout=2`, copy: urls.other });
  proxy.refuse();
  const during = await app.recover();
  assert.deepEqual(shape(during), [0, 0, 1, 1]);
  assert.deepEqual([during.left[0]!.bindKey, during.left[0]!.refused], ["other", undefined]);
  proxy.restore();
  assert.deepEqual(shape(await app.recover()), [1, 0, 0, 0]);
  assert.deepEqual(await counts(app), [1, 1]);
  assert.deepEqual(await app.inDoubt(), []);
});

test("a decision is kept while any bind does not answer", async (t) => {
  const urls = { decider: await preparingDatabase("sqlite"), other: await preparingDatabase("mysql") };
  await dieInCommit(t, urls, true);
  const proxy = await tcpProxy(t, await preparingDatabase("postgres"));
  proxy.refuse();
  const app = open(t, { ...urls, copy: proxy.url });
  assert.deepEqual(shape(await app.recover()), [1, 0, 0, 1]);
  const { rows } = await app.run(() => db.session.execute(DECISIONS, { bindKey: "decider", readOnly: true }));
  assert.equal(rows.length, 1);
});

test("a part of a bind that the application does not have is left, and told", async (t) => {
  const urls = { decider: await preparingDatabase("sqlite"), other: await preparingDatabase("mysql") };
  await dieInCommit(t, urls, true);
  const small = new Multibind<"decider">();
  const app = small.init({
    databaseUri: urls.other,
    binds: { decider: urls.decider },
    decisionBind: "decider",
    commitPolicy: "twoPhase",
  });
  t.after(() => app.dispose());
  const { left, committed } = await app.recover();
  assert.deepEqual([committed.length, left.length], [0, 1]);
  assert.match(left[0]!.refused!, /for a bind that this application does not have/);
  assert.deepEqual(shape(await open(t, urls).recover()), [1, 0, 0, 0]);
});

const DECISIONS = sql`select id from multibind_decision where id <> 'domain'`;
const DOMAIN_ROW = "multibind_decision where id = 'domain'";

for (const family of FAMILIES) {
  test(`a decision bind without the name of its decisions is told, and nothing is ended (${family})`, async (t) => {
    const urls = { decider: await preparingDatabase(family), other: await preparingDatabase("mysql") };
    await dieInCommit(t, urls, true);
    const app = open(t, urls);
    const onDecider = statementsOn(app);
    const [domain] = await onDecider(`select outcome from ${DOMAIN_ROW}`);
    await onDecider(`delete from ${DOMAIN_ROW}`);

    const lost = (error: unknown) =>
      error instanceof DecisionsLostError && error.code === "DECISIONS_LOST" && error.bindKey === "decider";
    await assert.rejects(app.recover(), lost);
    await assert.rejects(app.inDoubt(), lost);
    await assert.rejects(commitBoth(open(t, urls)), lost);
    assert.deepEqual(await onDecider(`select outcome from ${DOMAIN_ROW}`), []);
    await onDecider(
      `insert into multibind_decision (id, outcome, branches) values ('domain', '${domain!.outcome}', 0)`,
    );
    assert.deepEqual(shape(await app.recover()), [1, 0, 0, 0]);
    await commitBoth(app);
    assert.deepEqual(await counts(app), [2, 2]);
  });
}

test("an emptied table of decisions is told too", async (t) => {
  const urls = { decider: await preparingDatabase("sqlite"), other: await preparingDatabase("mysql") };
  await dieInCommit(t, urls, false);
  const app = open(t, urls);
  await statementsOn(app)("delete from multibind_decision");
  await assert.rejects(app.recover(), DecisionsLostError);
});

for (const family of ["sqlite", "postgres"] as const) {
  test(`what was decided in a table that was dropped is told, and ended when its name is back (${family})`, async (t) => {
    const urls = { decider: await preparingDatabase(family), other: await preparingDatabase("mysql") };
    await dieInCommit(t, urls, true);
    const app = open(t, urls);
    const onDecider = statementsOn(app);
    const { transactionId, gid } = (await app.inDoubt())[0]!;
    await onDecider("drop table multibind_decision");
    const { left, rolledBack } = await app.recover();
    assert.deepEqual([left.length, rolledBack.length], [1, 0]);
    const domain = gid.split(":")[1]!;
    assert.match(left[0]!.refused!, new RegExp(`decided by the domain "${domain}"`));

    await onDecider(`update multibind_decision set outcome = '${domain}' where id = 'domain'`);
    await onDecider(
      `insert into multibind_decision (id, outcome, branches) values ('${transactionId}', 'committed', 1)`,
    );
    assert.deepEqual(shape(await app.recover()), [1, 0, 0, 0]);
  });
}
