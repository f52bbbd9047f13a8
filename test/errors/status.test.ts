import assert from "node:assert/strict";
import { test } from "node:test";
import {
  InvalidValueError,
  integer,
  Multibind,
  MultibindError,
  type Session,
  sql,
  UniqueViolationError,
  varchar,
} from "../../src/index.ts";
import { onEachFamily, sessionOf, start } from "../fixtures/matrix.ts";

const db = new Multibind();
class User extends db.model("status_user", { id: integer().primaryKey(), name: varchar(5).unique() }) {}
class Member extends db.model("status_member", { userId: integer().primaryKey(), groupId: integer().primaryKey() }) {}

// biome-ignore lint/suspicious/noExplicitAny: requests bring what the types refuse
type Untyped = any;

/** What a request can bring that no column takes. */
const BAD_REQUESTS: Readonly<Record<string, (session: Session) => unknown>> = {
  "a value of another type": (s) =>
    s
      .select(User)
      .where("id", "=", "x" as Untyped)
      .all(),
  "a value of another type in where({…})": (s) =>
    s
      .select(User)
      .where({ id: "x" } as Untyped)
      .all(),
  "text that is too long": async (s) => {
    s.add(new User({ name: "much too long" }));
    await s.flush();
  },
  "text that is too long in Kysely's form": (s) => s.insertInto(User).values({ name: "much too long" }).execute(),
  "a number out of range": (s) =>
    s
      .select(User)
      .where("id", "=", 2 ** 40)
      .all(),
  "undefined in where({…})": (s) =>
    s
      .select(User)
      .where({ name: undefined } as Untyped)
      .all(),
  "undefined in where": (s) =>
    s
      .select(User)
      .where("name", "=", undefined as Untyped)
      .all(),
  "undefined in an update": (s) =>
    s
      .updateTable(User)
      .set({ name: undefined } as Untyped)
      .execute(),
  "an empty update": (s) => s.select(User).update({}),
  "a key of another type": (s) => s.get(User, "x" as Untyped),
  "a key without all its parts": (s) => s.get(Member, { userId: 1 } as Untyped),
  "a limit that is no number": (s) => s.select(User).limit(Number.NaN).all(),
  "a limit that is no number in Kysely's form": (s) => s.selectFrom(User).selectAll().limit(-1).execute(),
  "a cursor of another query": (s) => s.select(User).keyset({ after: "abc" } as Untyped),
  "a new entity of text": () => new User("x" as Untyped),
};

onEachFamily("values of a request that no column takes have the status 400", async (t, url) => {
  const app = await start(t, db, { databaseUri: url });
  for (const [what, use] of Object.entries(BAD_REQUESTS)) {
    const session = sessionOf(app);
    await assert.rejects(
      async () => await use(session),
      (error) => {
        assert.ok(error instanceof InvalidValueError, `${what}: ${String(error)}`);
        assert.equal(error.status, 400, `${what}: ${error.message}`);
        assert.equal(JSON.parse(JSON.stringify(error)).status, 400, what);
        return true;
      },
    );
    await session.close();
  }
});

onEachFamily("mistakes of the program, stored values and constraints have no status", async (t, url) => {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  await app.transaction(async () => {
    await db.session.execute(sql`insert into status_user (id, name) values (1, 'ada')`);
  });
  const others: Readonly<Record<string, () => unknown>> = {
    "an unknown column": () =>
      session
        .select(User)
        .where("nmae" as Untyped, "=", 1)
        .all(),
    "a constraint": () => session.insertInto(User).values({ id: 2, name: "ada" }).execute(),
    "no table": () => session.execute(sql`select * from status_nowhere`),
  };
  for (const [what, use] of Object.entries(others)) {
    const error = await (async () => await use())().then(
      () => assert.fail(what),
      (reason: unknown) => reason,
    );
    await session.rollback();
    assert.ok(error instanceof MultibindError, what);
    if (what === "a constraint") assert.ok(error instanceof UniqueViolationError);
    assert.ok(!("status" in error), what);
    assert.equal("status" in JSON.parse(JSON.stringify(error)), false, what);
  }
});

test("a stored value that cannot be read has no status", async (t) => {
  const app = await start(t, db, { databaseUri: "sqlite://" });
  const session = sessionOf(app);
  await session.execute(sql`insert into status_member (userId, groupId) values ('abc', 1)`);
  await assert.rejects(session.select(Member).all(), (error) => {
    assert.ok(error instanceof InvalidValueError, String(error));
    assert.equal(error.status, undefined);
    return true;
  });
});
