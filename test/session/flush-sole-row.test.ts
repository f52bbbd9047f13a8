import assert from "node:assert/strict";
import {
  FailedTransactionError,
  InvalidValueError,
  integer,
  Multibind,
  type Session,
  stateOf,
  UniqueViolationError,
  varchar,
} from "../../src/index.ts";
import { onEachFamily, sessionOf, start } from "../fixtures/matrix.ts";

const db = new Multibind<"auth">();
class User extends db.model(
  "user",
  {
    id: integer().primaryKey(),
    name: varchar(20).unique(),
    age: integer().nullable(),
    seen: integer().default(() => 3),
  },
  { bindKey: "auth" },
) {}

/** Lets every flush be heard of, so that it goes the long way. */
function heard(session: Session<"auth">): Session<"auth"> {
  session.on("afterFlush", () => {});
  return session;
}

/** What a session shows of a transaction with one new row, the key included, after each step. */
async function steps(session: Session<"auth">, name: string): Promise<unknown[]> {
  const seen: unknown[] = [];
  const user = new User({ name });
  const note = () =>
    seen.push([stateOf(user), { ...user, id: typeof user.id, name: undefined }, session.inTransaction]);
  await session.transaction(async (tx) => {
    tx.add(user);
    note();
    await tx.flush();
    note();
    user.age = 36;
    await tx.flush();
    note();
  });
  note();
  await session
    .transaction(async (tx) => {
      user.age = 37;
      tx.add(new User({ name: `${name}'s child` }));
      await tx.flush();
      throw new Error("no");
    })
    .catch(() => {});
  note();
  seen.push(session.new.size, session.dirty.size);
  return seen;
}

onEachFamily("a new row that is flushed in a transaction is what it is after any flush", async (t, url) => {
  const app = await start(t, db, { binds: { auth: url } });
  const session = sessionOf(app);
  assert.deepEqual(await steps(session, "ada"), await steps(heard(sessionOf(app)), "bob"));
  const names = await sessionOf(app).select(User).orderBy("name").all();
  assert.deepEqual(
    names.map(({ name, age }) => [name, age]),
    [
      ["ada", 36],
      ["bob", 36],
    ],
  );
});

onEachFamily("a rollback gives back what a flushed new row was before", async (t, url) => {
  const app = await start(t, db, { binds: { auth: url } });
  const session = sessionOf(app);
  session.begin();
  const ada = new User({ name: "ada" });
  session.add(ada);
  await session.flush();
  assert.equal(stateOf(ada), "persistent");
  assert.equal(await sessionOf(app).select(User).count(), 0);
  await session.rollback();
  assert.equal(stateOf(ada), "transient");
  assert.deepEqual([ada.id, ada.seen], [undefined, undefined]);
  assert.equal(session.inTransaction, false);
});

onEachFamily("a savepoint takes a flushed new row back alone", async (t, url) => {
  const app = await start(t, db, { binds: { auth: url } });
  const session = sessionOf(app);
  const [ada, bob] = [new User({ name: "ada" }), new User({ name: "bob" })];
  await session.transaction(async (tx) => {
    tx.add(ada);
    await tx.flush();
    const nested = await tx.beginNested();
    tx.add(bob);
    await tx.flush();
    await nested.rollback();
  });
  assert.deepEqual([stateOf(ada), stateOf(bob)], ["persistent", "transient"]);
  assert.equal(await sessionOf(app).select(User).count(), 1);
});

onEachFamily("a row that the database refuses fails the transaction until it is rolled back", async (t, url) => {
  const app = await start(t, db, { binds: { auth: url } });
  await sessionOf(app).transaction(async (tx) => tx.add(new User({ name: "ada" })));
  const session = sessionOf(app);
  session.begin();
  session.add(new User({ name: "bob" }));
  await session.flush();
  const twin = new User({ name: "ada" });
  session.add(twin);
  await assert.rejects(session.flush(), UniqueViolationError);
  assert.equal(stateOf(twin), "transient");
  await assert.rejects(session.commit(), FailedTransactionError);
  await session.rollback();
  assert.equal(await session.select(User).count(), 1);
});

onEachFamily("a value that cannot be stored is refused before a transaction begins", async (t, url) => {
  const app = await start(t, db, { binds: { auth: url } });
  const session = sessionOf(app);
  session.begin();
  const user = new User({ name: "x".repeat(21) });
  session.add(user);
  await assert.rejects(session.flush(), InvalidValueError);
  user.name = "bob";
  await session.commit();
  assert.equal(await sessionOf(app).select(User).count(), 1);
});
