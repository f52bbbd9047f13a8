import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Application,
  integer,
  Multibind,
  type Params,
  type Session,
  select,
  sql,
  timestamp,
  varchar,
} from "../../src/index.ts";
import { onEachFamily, sessionOf, start } from "../fixtures/matrix.ts";

const db = new Multibind();
class User extends db.model("user", {
  id: integer().primaryKey(),
  name: varchar(40),
  seenAt: timestamp().nullable(),
}) {}

const NOON = new Date("2026-06-01T12:00:00.000Z");
const byName = select(User).where("name", "like", "%a%").orderBy("id");
const preparedById = db.prepare((p: Params<{ id: number }>) => select(User).where("id", "=", p("id")));
const preparedNames = db.prepare((p: Params<{ least: number }>, qb) =>
  qb.selectFrom(User).select(["name", "seenAt"]).where("id", ">=", p("least")).orderBy("id"),
);

/** Every way to a row of the session's own database; each gives the name of user 1. */
const WAYS: Readonly<Record<string, (session: Session) => Promise<unknown>>> = {
  get: async (session) => (await session.getOne(User, 1, { refresh: true })).name,
  select: async (session) => (await session.select(byName).first())?.name,
  pluck: async (session) => (await session.select(byName).pluck("name"))[0],
  keyset: async (session) => (await session.select(byName).keyset({ perPage: 1 })).items[0]?.name,
  paginate: async (session) => (await session.select(byName).paginate({ perPage: 1 })).items[0]?.name,
  "a prepared select": async (session) => (await preparedById.on(session).one({ id: 1 })).name,
  "a prepared statement": async (session) => (await preparedNames.on(session).execute({ least: 1 }))[0]?.name,
  "Kysely's form": async (session) =>
    (await session.selectFrom(User).select("name").where("seenAt", "=", NOON).executeTakeFirstOrThrow()).name,
  "session.kysely": async (session) =>
    (await session.kysely(null).selectFrom(User).select("name").executeTakeFirstOrThrow()).name,
  SQL: async (session) =>
    (await session.execute(sql<{ name: string }>`select name from ${sql.table("user")}`, { readOnly: true })).rows[0]
      ?.name,
  "a flush": async (session) => {
    const added = new User({ name: "added" });
    session.add(added);
    await session.flush();
    const user = await session.getOne(User, 1);
    user.seenAt = null;
    await session.flush();
    await session.refresh(user);
    assert.equal(user.seenAt, null);
    await session.rollback();
    return user.name;
  },
  "an update of many": async (session) => {
    assert.equal(await session.select(User).where({ id: 1 }).update({ seenAt: null }), 1);
    const { name } = await session.getOne(User, 1);
    await session.rollback();
    return name;
  },
};

async function filled(app: Application, name: string): Promise<Session> {
  const session = sessionOf(app);
  session.add(new User({ id: 1, name, seenAt: NOON }));
  await session.commit();
  return session;
}

onEachFamily("two applications of one db, interleaved, each use their own engine in every form", async (t, url) => {
  const here = await start(t, db, { databaseUri: url });
  const there = await start(t, db, { databaseUri: "sqlite://" });
  const sessions = [
    [await filled(here, "ada"), "ada"],
    [await filled(there, "barbara"), "barbara"],
  ] as const;
  for (const [way, run] of Object.entries(WAYS))
    for (const order of [sessions, sessions.toReversed()])
      for (const [session, name] of order) assert.equal(await run(session), name, way);
  for (const [way, run] of Object.entries(WAYS)) {
    const names = await Promise.all(sessions.map(([session]) => run(session)));
    assert.deepEqual(names, ["ada", "barbara"], `${way}, side by side`);
  }
});

test("a query that was compiled by one application's engine is refused by another application", async (t) => {
  const here = await start(t, db, { databaseUri: "sqlite://" });
  const there = await start(t, db, { databaseUri: "sqlite://" });
  const compiled = here.engine.kysely.selectFrom(User).select("name").compile();
  await assert.rejects(sessionOf(there).execute(compiled), { code: "UNSUPPORTED" });
  assert.deepEqual((await sessionOf(here).execute(compiled)).rows, []);
});
