import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CrossBindError,
  integer,
  Multibind,
  SessionError,
  select,
  UnsupportedError,
  varchar,
} from "../../src/index.ts";
import { onEachFamily, record, sessionOf, start, threeUrls, verbs } from "../fixtures/matrix.ts";

const db = new Multibind<"auth" | "meta">();
class Post extends db.model("post", { id: integer().primaryKey(), title: varchar(40).named("post_title") }) {}
class User extends db.model("user", { id: integer().primaryKey(), name: varchar(40) }, { bindKey: "auth" }) {}
class Event extends db.model("event", { id: integer().primaryKey(), what: varchar(40) }, { bindKey: "meta" }) {}

test("a select shows what would be sent, and where to", async (t) => {
  const app = await start(t, db, await threeUrls());
  const session = sessionOf(app);
  const sent = record(app);
  assert.deepEqual(session.select(Post).where({ title: "x" }).compile(), {
    sql: 'select "post"."id", "post"."post_title" as "title" from "post" where "post"."post_title" = $1',
    parameters: ["x"],
    bindKey: null,
  });
  assert.deepEqual(session.select(User).where("id", "in", [1, 2]).select("name").compile({ bindKey: "auth" }), {
    sql: "select `name` from `user` where `id` in (?, ?)",
    parameters: [1, 2],
    bindKey: "auth",
  });
  assert.equal(
    session.select(Event).where({ what: "it's" }).limit(3).toSQL(),
    `select "event"."id", "event"."what" from "event" where "event"."what" = ? limit 3 -- [ "it's" ]`,
  );
  assert.equal(session.select(Event).toSQL(), 'select "event"."id", "event"."what" from "event"');
  assert.throws(() => session.select(User).compile({ bindKey: "meta" }), CrossBindError);
  assert.throws(() => select(User).compile(), SessionError);
  assert.throws(() => select(User).toSQL(), SessionError);
  assert.deepEqual(sent, [], "nothing was sent");
});

onEachFamily("keys of rows are locked where the database can, and refused where it cannot", async (t, url, family) => {
  const own = new Multibind();
  class Account extends own.model("account", { id: integer().primaryKey() }) {}
  const app = await start(t, own, { databaseUri: url });
  const session = sessionOf(app);
  session.add(new Account({ id: 1 }));
  await session.commit();
  for (const locked of [session.select(Account).forNoKeyUpdate(), session.select(Account).forKeyShare()]) {
    if (family === "mysql") {
      await assert.rejects(locked.all(), UnsupportedError);
      continue;
    }
    const sent = record(app);
    assert.equal((await locked.all()).length, 1);
    assert.equal(verbs(sent)[0], "begin");
    assert.equal(/for (no key update|key share)$/.test(sent.at(-1)!.sql), family === "postgres");
    await session.rollback();
  }
});
