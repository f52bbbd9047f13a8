import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { integer, Multibind, type Session, sql, UniqueViolationError, varchar } from "../../src/index.ts";
import { onEachFamily, sessionOf, start } from "../fixtures/matrix.ts";

const db = new Multibind<"other">();
class Post extends db.model("state_post", { id: integer().primaryKey(), title: varchar(40).unique() }) {}
class Note extends db.model("state_note", { id: integer().primaryKey(), text: varchar(40) }, { bindKey: "other" }) {}

async function withPost(t: TestContext, url: string): Promise<Session<"other">> {
  const app = await start(t, db, { databaseUri: url, binds: { other: "sqlite://" } });
  const session = sessionOf(app);
  session.add(new Post({ title: "stored" }));
  await session.commit();
  return session;
}

const stateOfTransaction = ({ inTransaction, inNestedTransaction, isActive }: Session<"other">) =>
  [
    ...(inTransaction ? ["in a transaction"] : []),
    ...(inNestedTransaction ? ["in a nested one"] : []),
    isActive ? "active" : "to be rolled back",
  ].join(", ");

onEachFamily(
  "a session tells whether it is in a transaction: from its first write or lock to its end",
  async (t, url) => {
    const session = await withPost(t, url);
    assert.equal(stateOfTransaction(session), "active");
    await session.select(Post).all();
    const post = new Post({ title: "new" });
    session.add(post);
    assert.equal(stateOfTransaction(session), "active", "reads and what is pending begin none");
    await session.flush();
    assert.equal(stateOfTransaction(session), "in a transaction, active");
    await session.commit();
    assert.equal(stateOfTransaction(session), "active");
    await session.get(Post, post.id, { lock: true });
    assert.equal(stateOfTransaction(session), "in a transaction, active");
    await session.rollback();
    assert.equal(stateOfTransaction(session), "active");
  },
);

test("from begin on it is in one, whatever was sent; within beginNested and transaction(fn) too", async (t) => {
  const session = await withPost(t, "sqlite://");
  session.begin();
  assert.equal(stateOfTransaction(session), "in a transaction, active");
  const nested = await session.beginNested();
  assert.equal(stateOfTransaction(session), "in a transaction, in a nested one, active");
  await nested.commit();
  assert.equal(stateOfTransaction(session), "in a transaction, active");
  await session.commit();
  assert.equal(stateOfTransaction(session), "active");
  await session.transaction(async () => {
    assert.equal(stateOfTransaction(session), "in a transaction, active");
    await session.transaction(async () => {
      assert.equal(stateOfTransaction(session), "in a transaction, in a nested one, active");
    });
  });
  assert.equal(stateOfTransaction(session), "active");
});

onEachFamily("after a failure it is not active until it is rolled back", async (t, url) => {
  const session = await withPost(t, url);
  await assert.rejects(session.insertInto(Post).values({ title: "stored" }).execute(), UniqueViolationError);
  assert.equal(stateOfTransaction(session), "in a transaction, to be rolled back");
  await session.rollback();
  assert.equal(stateOfTransaction(session), "active");

  session.addAll([new Post({ title: "stored" }), new Note({ text: "beside" })]);
  await assert.rejects(session.flush(), UniqueViolationError);
  assert.equal(stateOfTransaction(session), "in a transaction, to be rolled back");
  await session.rollback();
  assert.equal(stateOfTransaction(session), "active");
});

onEachFamily("a failure in a nested transaction is over with that", async (t, url) => {
  const session = await withPost(t, url);
  await session.execute(sql`select 1`, { bindKey: "other" });
  const nested = await session.beginNested();
  session.add(new Post({ title: "stored" }));
  await assert.rejects(session.flush(), UniqueViolationError);
  assert.equal(stateOfTransaction(session), "in a transaction, in a nested one, to be rolled back");
  await nested.rollback();
  assert.equal(stateOfTransaction(session), "in a transaction, active");
});
