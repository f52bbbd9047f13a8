import assert from "node:assert/strict";
import { test } from "node:test";
import Database from "better-sqlite3";
import { integer, Multibind, type Session, SessionClosedError, sql } from "../../src/index.ts";
import { onEachFamily, record, sessionOf, sharedDatabase, start } from "../fixtures/matrix.ts";
import { tcpProxy } from "../fixtures/tcp-proxy.ts";
import { until } from "../fixtures/until.ts";

const db = new Multibind();
class Row extends db.model("begun_row", { id: integer().primaryKey() }) {}

/** Statements that begin a transaction first. */
const STATEMENTS: Record<string, (session: Session) => Promise<unknown>> = {
  "SQL text": (session) => session.execute(sql`insert into begun_row values (7)`),
  "an insert": (session) => session.insertInto(Row).values({ id: 7 }).execute(),
  "a bulk delete": (session) => session.select(Row).delete(),
  "a lock": (session) => session.get(Row, 1, { lock: true }),
  "a read in a transaction": (session) => {
    session.begin();
    return session.select(Row).all();
  },
};

for (const [what, run] of Object.entries(STATEMENTS)) {
  onEachFamily(
    `a session that is closed while a transaction begins for ${what} sends nothing more`,
    async (t, url) => {
      const plain = await start(t, db, { databaseUri: url });
      const proxy = await tcpProxy(t, url);
      const app = db.init({ databaseUri: proxy.url });
      t.after(() => app.dispose());
      const session = sessionOf(plain);
      session.add(new Row({ id: 1 }));
      await session.commit();
      const held = app.session();
      await held.select(Row).all();
      const sent = record(app);
      proxy.hold();
      const statement = run(held);
      statement.catch(() => {});
      await until(() => sent.length > 0);
      const closing = held.close();
      await assert.rejects(statement, SessionClosedError);
      proxy.restore();
      await closing;
      assert.deepEqual(
        sent.filter(({ sql: text }) => !/^(begin|rollback)/.test(text)),
        [],
      );
      assert.deepEqual(await session.select(Row).pluck("id"), [1]);
      assert.equal(app.engine.status().inUse, 0);
    },
    ["postgres", "mysql"],
  );
}

test("a session that is closed while it waits for another process's lock of a file does not wait on", async (t) => {
  const url = await sharedDatabase("sqlite");
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  await session.select(Row).all();
  const other = new Database(url.slice("sqlite:///".length));
  t.after(() => other.close());
  other.exec("begin immediate");
  const sent = record(app);
  const statement = session.insertInto(Row).values({ id: 7 }).execute();
  statement.catch(() => {});
  await until(() => sent.length > 0 || app.engine.status().inUse > 0);
  await session.close();
  await assert.rejects(statement, SessionClosedError);
  other.exec("rollback");
  assert.equal(await sessionOf(app).select(Row).count(), 0);
});

onEachFamily("a session that is closed while it waits for a connection does not wait on", async (t, url) => {
  await start(t, db, { databaseUri: url });
  const app = db.init({ databaseUri: url, engineOptions: { poolSize: 1, poolTimeout: 600 } });
  t.after(() => app.dispose());
  const [holder, waiting] = [app.session(), app.session()];
  await holder.insertInto(Row).values({ id: 7 }).execute();
  const statement = waiting.insertInto(Row).values({ id: 8 }).execute();
  statement.catch(() => {});
  await until(() => app.engine.status().waiting > 0);
  await waiting.close();
  await assert.rejects(statement, SessionClosedError);
  await holder.close();
});
