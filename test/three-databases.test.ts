import assert from "node:assert/strict";
import { test } from "node:test";
import {
  boolean,
  CrossBindError,
  integer,
  keyOf,
  Multibind,
  type StatementEvent,
  sql,
  text,
  timestamp,
  varchar,
} from "../src/index.ts";
import { freshDatabase } from "./fixtures/databases.ts";

function shop() {
  const db = new Multibind<"auth" | "meta">();
  class User extends db.model(
    "user",
    {
      id: integer().primaryKey(),
      name: varchar(80).unique(),
      admin: boolean().default(false),
      bio: text().nullable(),
      createdAt: timestamp().default(() => new Date()),
    },
    { bindKey: "auth" },
  ) {
    get initial(): string {
      return this.name.slice(0, 1);
    }
  }
  class Post extends db.model("post", {
    id: integer().primaryKey(),
    authorId: integer().index(),
    title: varchar(200),
  }) {}
  class Event extends db.model("event", { id: integer().primaryKey(), what: text() }, { bindKey: "meta" }) {}
  const tag = db.table("tag", { id: integer().primaryKey(), label: varchar(40).unique() }, { bindKey: "meta" });
  return { db, User, Post, Event, tag };
}

test("one program on PostgreSQL, MariaDB and SQLite: every statement goes to its own engine", async (t) => {
  const { db, User, Post, Event, tag } = shop();
  const seen: StatementEvent[] = [];
  const app = db.init({
    databaseUri: await freshDatabase(t, "postgres"),
    binds: { auth: await freshDatabase(t, "mysql"), meta: await freshDatabase(t, "sqlite") },
  });
  t.after(() => app.dispose());
  for (const [, engine] of app.engines) engine.onStatement((event) => seen.push(event));

  await app.run(async () => {
    await db.createAll();

    const ada = new User({ name: "ada" });
    const post = new Post({ authorId: keyOf(ada), title: "On engines" });
    db.session.addAll([post, ada, new Event({ what: "signup" })]);
    await db.session.commit();
    assert.equal(post.authorId, ada.id);
    assert.equal(ada.admin, false);

    assert.equal(await db.session.get(User, ada.id), ada);
    assert.deepEqual(await db.select(Post).where({ authorId: ada.id }).all(), [post]);
    assert.equal(await db.select(Event).where("what", "=", "signup").count(), 1);

    await db
      .insertInto(tag)
      .values([{ label: "new" }, { label: "old" }])
      .execute();
    await db.updateTable(User).set({ bio: "countess" }).where("name", "=", "ada").execute();
    await db.session.commit();
    await db.session.refresh(ada);
    assert.equal(ada.bio, "countess");
    assert.deepEqual(await db.selectFrom(tag).select(["label"]).orderBy("label").execute(), [
      { label: "new" },
      { label: "old" },
    ]);

    const versions = await Promise.all([
      db.session.execute(sql<{ v: string }>`select version() as v`, { readOnly: true }),
      db.session.execute(sql<{ v: string }>`select version() as v`, { bindKey: "auth", readOnly: true }),
      db.session.execute(sql<{ v: string }>`select sqlite_version() as v`, { bindKey: "meta", readOnly: true }),
    ]);
    assert.match(versions[0].rows[0]!.v, /PostgreSQL/);
    assert.match(versions[1].rows[0]!.v, /MariaDB|^\d/);

    const before = seen.length;
    await assert.rejects(
      db.selectFrom(User).innerJoin(tag, "tag.id", "user.id").select("user.name").execute(),
      CrossBindError,
    );
    assert.equal(seen.length, before, "nothing was sent");
  });

  for (const [word, bindKey] of [
    ["user", "auth"],
    ["post", null],
    ["event", "meta"],
    ["tag", "meta"],
  ] as const) {
    const statements = seen.filter(({ sql: text }) => new RegExp(`["\`]${word}["\`]`).test(text));
    assert.ok(statements.length > 0, word);
    assert.ok(
      statements.every((event) => event.bindKey === bindKey),
      word,
    );
  }
  await app.dropAll();
});
