import assert from "node:assert/strict";
import {
  type Application,
  FailedTransactionError,
  ForeignKeyViolationError,
  integer,
  Multibind,
  type Session,
  sql,
  stateOf,
  UniqueViolationError,
} from "../../src/index.ts";
import { onEachFamily, sessionOf, start } from "../fixtures/matrix.ts";

const db = new Multibind();
class Anchor extends db.model("anchor_row", { id: integer().primaryKey() }) {}
class Leaf extends db.model("leaf_row", { id: integer().primaryKey(), anchorId: integer() }) {}

/** The reference is checked when the transaction commits. */
async function deferred(t: Parameters<typeof start>[0], url: string): Promise<Application> {
  const app = await start(t, db, { databaseUri: url });
  const { kysely } = app.engine;
  await sql`drop table leaf_row`.execute(kysely);
  await sql`create table leaf_row (id integer primary key,
    "anchorId" integer references anchor_row (id) deferrable initially deferred)`.execute(kysely);
  return app;
}

/** Ways to a commit whose refusal shows only then. */
const SIZES: Record<string, (session: Session) => Leaf[]> = {
  "one row": (session) => added(session, 1),
  "two rows": (session) => added(session, 2),
  "one row, begun before": (session) => {
    session.begin();
    return added(session, 1);
  },
  "one row, with a listener": (session) => {
    session.on("modelsCommitted", () => {});
    return added(session, 1);
  },
};

function added(session: Session, count: number): Leaf[] {
  const leaves = Array.from({ length: count }, (_, place) => new Leaf({ id: place + 1, anchorId: 99 }));
  session.addAll(leaves);
  return leaves;
}

for (const [size, work] of Object.entries(SIZES)) {
  onEachFamily(
    `after a refused commit of ${size} all is rolled back, and the session wants rollback()`,
    async (t, url) => {
      const app = await deferred(t, url);
      const session = sessionOf(app);
      const leaves = work(session);
      await assert.rejects(session.commit(), ForeignKeyViolationError);
      assert.deepEqual([...new Set(leaves.map(stateOf))], ["transient"]);
      assert.deepEqual([session.isActive, session.inTransaction], [false, true]);
      assert.equal(app.engine.status().inUse, 0);
      await assert.rejects(session.select(Anchor).all(), FailedTransactionError);
      await session.rollback();
      assert.deepEqual([session.isActive, session.inTransaction], [true, false]);
      session.addAll([new Anchor({ id: 99 }), ...leaves]);
      await session.commit();
      assert.equal(await session.select(Leaf).count(), leaves.length);
      assert.equal(app.engine.status().inUse, 0);
    },
    ["sqlite", "postgres"],
  );
}

onEachFamily(
  "the same where one row is changed or deleted",
  async (t, url) => {
    const app = await deferred(t, url);
    const session = sessionOf(app);
    const [anchor, leaf] = [new Anchor({ id: 1 }), new Leaf({ id: 1, anchorId: 1 })];
    session.addAll([anchor, leaf]);
    await session.commit();
    leaf.anchorId = 99;
    await assert.rejects(session.commit(), ForeignKeyViolationError);
    assert.deepEqual([leaf.anchorId, session.isActive], [1, false]);
    await session.rollback();
    session.delete(anchor);
    await assert.rejects(session.commit(), ForeignKeyViolationError);
    assert.deepEqual([stateOf(anchor), session.isActive], ["persistent", false]);
    await session.rollback();
    leaf.anchorId = 1;
    await session.commit();
  },
  ["sqlite", "postgres"],
);

onEachFamily("a statement that is refused wants rollback() too, be it alone or not", async (t, url) => {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  session.add(new Anchor({ id: 1 }));
  await session.commit();
  for (const ids of [[1], [2, 1]]) {
    session.addAll(ids.map((id) => new Anchor({ id })));
    await assert.rejects(session.commit(), UniqueViolationError);
    assert.equal(session.isActive, false);
    await assert.rejects(session.select(Anchor).all(), FailedTransactionError);
    await session.rollback();
    assert.equal(await session.select(Anchor).count(), 1);
  }
});
