import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  boolean,
  FailedTransactionError,
  InvalidValueError,
  integer,
  json,
  keyOf,
  Multibind,
  NotNullViolationError,
  numeric,
  type Session,
  stateOf,
  timestamp,
  UniqueViolationError,
  uuid,
  varchar,
} from "../../src/index.ts";
import { onEachFamily, sessionOf, sharedDatabase, start } from "../fixtures/matrix.ts";

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
class Token extends db.model(
  "token",
  { id: uuid().primaryKey(), price: numeric(6, 2), at: timestamp(), data: json<unknown>().nullable(), ok: boolean() },
  { bindKey: "auth" },
) {}
class Versioned extends db.model(
  "versioned",
  { id: integer().primaryKey(), note: varchar(20).nullable(), count: integer().version() },
  { bindKey: "auth" },
) {}

/** Lets every commit be heard of, so that it goes the long way. */
function heard(session: Session<"auth">): Session<"auth"> {
  session.on("afterCommit", () => {});
  return session;
}

onEachFamily("one new row is committed, and its entity is what it is after any commit", async (t, url) => {
  const app = await start(t, db, { binds: { auth: url } });
  const session = sessionOf(app);
  const ada = new User({ name: "ada" });
  session.add(ada);
  await session.commit();
  assert.deepEqual({ ...ada }, { id: 1, name: "ada", age: null, seen: 3 });
  assert.equal(stateOf(ada), "persistent");
  assert.equal(session.inTransaction, false);
  assert.equal(session.dirty.size + session.new.size, 0);
  await session.rollback();
  assert.equal(ada.id, 1);
  await sessionOf(app).select(User).where({ id: 1 }).update({ age: 36 });
  assert.equal(await sessionOf(app).select(User).where({ age: 36 }).count(), 0);
  // What was committed is stale: the row is read again, and gives back the same entity.
  assert.equal(await session.get(User, 1), ada);
});

onEachFamily("a value that cannot be stored is refused before anything, and the session goes on", async (t, url) => {
  const app = await start(t, db, { binds: { auth: url } });
  const session = sessionOf(app);
  const nameless = new User({ age: 1 } as never);
  session.add(nameless);
  await assert.rejects(session.commit(), NotNullViolationError);
  nameless.name = "x".repeat(21);
  await assert.rejects(session.commit(), InvalidValueError);
  assert.equal(stateOf(nameless), "pending");
  nameless.name = "bob";
  await session.commit();
  assert.equal(await sessionOf(app).select(User).count(), 1);
});

onEachFamily("what the database refuses has failed the transaction, until it is rolled back", async (t, url) => {
  const app = await start(t, db, { binds: { auth: url } });
  const session = sessionOf(app);
  const first = new User({ name: "ada" });
  session.add(first);
  await session.commit();
  const second = new User({ name: "ada" });
  session.add(second);
  await assert.rejects(session.commit(), UniqueViolationError);
  assert.equal(session.isActive, false);
  assert.equal(stateOf(second), "transient");
  assert.deepEqual({ ...second }, { id: undefined, name: "ada", age: undefined, seen: undefined });
  session.add(new User({ name: "bob" }));
  await assert.rejects(session.commit(), FailedTransactionError);
  await session.rollback();
  session.add(new User({ name: "bob" }));
  await session.commit();
  assert.deepEqual(await sessionOf(app).select(User).orderBy("name").pluck("name"), ["ada", "bob"]);
});

onEachFamily("what is changed or waits for a key beside the new row is stored with it", async (t, url) => {
  const app = await start(t, db, { binds: { auth: url } });
  const session = sessionOf(app);
  const ada = new User({ name: "ada" });
  session.add(ada);
  await session.commit();
  ada.age = 36;
  const bob = new User({ name: "bob", age: 1 });
  bob.age = keyOf(ada);
  session.add(bob);
  await session.commit();
  assert.equal(bob.age, ada.id);
  assert.deepEqual(await sessionOf(app).select(User).orderBy("id").pluck("age"), [36, 1]);
});

onEachFamily("listeners are called, whenever they were added", async (t, url) => {
  const app = await start(t, db, { binds: { auth: url } });
  const session = sessionOf(app);
  session.add(new User({ name: "ada" }));
  await session.commit();
  const told: string[] = [];
  const stop = session.on("modelsCommitted", (changes) => {
    for (const [entity, operation] of changes) told.push(`${operation} ${(entity as User).name}`);
  });
  session.add(new User({ name: "bob" }));
  await session.commit();
  stop();
  session.add(new User({ name: "eve" }));
  await session.commit();
  assert.deepEqual(told, ["insert bob"]);
});

onEachFamily("a recorded session has the statement, and so has a listener of the engine", async (t, url) => {
  const app = await start(t, db, { binds: { auth: url } });
  const session = sessionOf(app, { recordQueries: true });
  session.add(new User({ name: "ada" }));
  await session.commit();
  assert.match(session.recordedQueries[0]!.sql, /^insert into ["`]user["`]/);
  const seen: string[] = [];
  t.after(app.engines.get("auth").onStatement(({ sql }) => seen.push(sql)));
  const other = sessionOf(app);
  other.add(new User({ name: "bob" }));
  await other.commit();
  assert.match(seen[0]!, /^insert into ["`]user["`]/);
});

test("a commit waits for the owner of the writer", async (t) => {
  const app = await start(t, db, { binds: { auth: await sharedDatabase("sqlite") } });
  const [first, second] = [sessionOf(app), sessionOf(app)];
  first.add(new User({ name: "ada" }));
  await first.flush();
  second.add(new User({ name: "bob" }));
  let isCommitted = false;
  const committing = second.commit().then(() => {
    isCommitted = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(isCommitted, false);
  await first.commit();
  await committing;
  assert.equal(await sessionOf(app).select(User).count(), 2);
});

onEachFamily("an aborted or closed session commits nothing", async (t, url) => {
  const app = await start(t, db, { binds: { auth: url } });
  const controller = new AbortController();
  const session = sessionOf(app, { signal: controller.signal });
  session.add(new User({ name: "ada" }));
  controller.abort(new Error("enough"));
  await assert.rejects(session.commit(), /enough/);
  const other = sessionOf(app);
  other.add(new User({ name: "bob" }));
  await other.close();
  await assert.rejects(other.commit(), /was closed/);
  assert.equal(await sessionOf(app).select(User).count(), 0);
});

onEachFamily("what is changed while the row is on its way is stored by the next commit", async (t, url) => {
  const app = await start(t, db, { binds: { auth: url } });
  const session = sessionOf(app);
  const ada = new User({ name: "ada" });
  session.add(ada);
  const committing = session.commit();
  ada.age = 36;
  const bob = new User({ name: "bob" });
  session.add(bob);
  const then = session.commit();
  await committing;
  await then;
  assert.deepEqual([ada.age, ada.id, bob.id, session.dirty.size], [36, 1, 2, 0]);
  const stored = await sessionOf(app).select(User).orderBy("id").all();
  assert.deepEqual(
    stored.map(({ name, age }) => [name, age]),
    [
      ["ada", 36],
      ["bob", null],
    ],
  );
});

onEachFamily("commits of many sessions wait for connections, and none is lost", async (t, url) => {
  const app = await start(t, db, { binds: { auth: { url, poolSize: 2 } } });
  await Promise.all(
    Array.from({ length: 20 }, async (_, number) => {
      const session = sessionOf(app);
      session.add(new User({ name: `user ${number}` }));
      await session.commit();
    }),
  );
  assert.equal(await sessionOf(app).select(User).count(), 20);
});

onEachFamily("an entity is the same whichever way its commit goes", async (t, url, family) => {
  const app = await start(t, db, { binds: { auth: url } });
  const made = fc.oneof(
    fc
      .record({ name: fc.string({ maxLength: 22 }), age: fc.option(fc.integer({ min: 0, max: 99 })) })
      .map((values) => ({
        make: () => new User(values),
      })),
    fc
      .record({
        id: fc.uuid().map((id) => id.toUpperCase()),
        price: fc.constantFrom("1", "1.5", "12.345", "0.10"),
        at: fc.date({ min: new Date("2000-01-01"), max: new Date("2100-01-01") }),
        data: fc.jsonValue(),
        ok: fc.boolean(),
      })
      .map((values) => ({ make: () => new Token(values) })),
    fc.option(fc.string({ maxLength: 20 })).map((note) => ({ make: () => new Versioned({ note }) })),
  );
  const outcomeOf = async (session: Session<"auth">, entity: User | Token | Versioned) => {
    session.add(entity);
    const error = await session.commit().then(
      () => undefined,
      (reason) => `${reason.name}: ${reason.message}`,
    );
    const outcome = { error, values: { ...entity, id: undefined }, state: stateOf(entity), dirty: session.dirty.size };
    await session.close();
    return outcome;
  };
  const empty = async () => {
    const session = sessionOf(app);
    for (const Model of [User, Token, Versioned]) await session.select(Model as typeof User).delete();
    await session.commit();
    await session.close();
  };
  await fc.assert(
    fc.asyncProperty(made, async ({ make }) => {
      await empty();
      const short = await outcomeOf(sessionOf(app), make());
      await empty();
      assert.deepEqual(short, await outcomeOf(heard(sessionOf(app)), make()));
    }),
    { numRuns: family === "sqlite" ? 200 : 50 },
  );
});
