import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { integer, keyOf, Multibind, sql, varchar } from "../../src/index.ts";
import { onEachFamily, record, type Sent, sessionOf, sharedDatabase, start, threeUrls } from "../fixtures/matrix.ts";

const ROWS = 1000;

const db = new Multibind<"auth" | "meta">();
class User extends db.model("bulk_user", { id: integer().primaryKey(), name: varchar(20) }, { bindKey: "auth" }) {}
class Post extends db.model("bulk_post", {
  id: integer().primaryKey(),
  userId: integer().nullable(),
  editorId: integer().nullable(),
  number: integer(),
}) {}
class Note extends db.model(
  "bulk_note",
  { id: integer().primaryKey(), postId: integer(), number: integer() },
  { bindKey: "meta" },
) {}
class Comment extends db.model("bulk_comment", {
  id: integer().primaryKey(),
  postId: integer().references("bulk_post.id"),
  number: integer(),
}) {}

/** The inserts that were sent, by table. */
function insertsOf(sent: readonly Sent[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { sql: text } of sent) {
    const table = /^insert into\W+(?:\w+\W+)?(bulk_\w+)/i.exec(text)?.[1];
    if (table !== undefined) counts[table] = (counts[table] ?? 0) + 1;
  }
  return counts;
}

const numbers = (count: number) => Array.from({ length: count }, (_, number) => number);

async function twoBinds(t: TestContext, url: string) {
  const app = await start(t, db, { databaseUri: url, binds: { auth: url, meta: url } });
  return { app, session: sessionOf(app), sent: record(app) };
}

onEachFamily("rows that wait for keys go in as many statements as rows that do not", async (t, url) => {
  const { app, session, sent } = await twoBinds(t, url);
  const users = numbers(ROWS).map((number) => new User({ name: `user ${number}` }));
  session.addAll(users);
  session.addAll(numbers(ROWS).map((number) => new Post({ userId: 7, number })));
  await session.commit();
  const without = insertsOf(sent.splice(0));

  const authors = numbers(ROWS).map((number) => new User({ name: `author ${number}` }));
  const posts = authors.map(
    (author, number) => new Post({ userId: keyOf(author), editorId: keyOf(users[0]!), number }),
  );
  // Children first, and one after the other with their parents.
  for (const number of numbers(ROWS)) session.addAll([posts[number]!, authors[number]!]);
  await session.commit();
  assert.deepEqual(insertsOf(sent), without);

  const check = sessionOf(app);
  const stored = new Map((await check.select(Post).where("editorId", "=", users[0]!.id).all()).map((p) => [p.id, p]));
  assert.equal(stored.size, ROWS);
  for (const [number, author] of authors.entries()) {
    const post = posts[number]!;
    assert.equal(post.userId, author.id);
    assert.equal(stored.get(post.id)?.userId, author.id);
    assert.equal(stored.get(post.id)?.number, number);
  }
});

onEachFamily("a thousand children of one parent go together, and a rollback takes their keys back", async (t, url) => {
  const { session, sent } = await twoBinds(t, url);
  const author = new User({ name: "author" });
  const posts = numbers(ROWS).map((number) => new Post({ userId: keyOf(author), number }));
  session.addAll([...posts, author]);
  await session.flush();
  const inserts = insertsOf(sent);
  assert.equal(inserts["bulk_user"], 1);
  assert.ok(posts.every(({ userId }) => userId === author.id));
  const { id } = author;

  await session.rollback();
  assert.equal(author.id, undefined);
  assert.ok(posts.every((post) => post.id === undefined && post.userId !== id));

  // They wait for the key again.
  sent.length = 0;
  session.addAll([author, ...posts]);
  await session.commit();
  assert.deepEqual(insertsOf(sent), inserts);
  assert.ok(posts.every(({ userId }) => userId === author.id));
});

onEachFamily("within one bind, with a foreign key and without", async (t, url) => {
  const { app, session, sent } = await twoBinds(t, url);
  const posts = numbers(ROWS).map((number) => new Post({ number }));
  const comments = posts.map((post, number) => new Comment({ postId: keyOf(post), number }));
  session.addAll(comments);
  session.addAll(posts);
  await session.commit();
  const first = insertsOf(sent.splice(0));
  assert.equal(first["bulk_comment"], first["bulk_post"]);

  // Rows of one table that refer to rows of the same.
  const roots = numbers(ROWS).map((number) => new Post({ number }));
  const leaves = roots.map((root, number) => new Post({ userId: keyOf(root), number: -number }));
  for (const number of numbers(ROWS)) session.addAll([leaves[number]!, roots[number]!]);
  await session.commit();
  const statements = first["bulk_post"]!;
  assert.equal(insertsOf(sent)["bulk_post"], statements * 2);
  const stored = new Map((await sessionOf(app).select(Post).where("number", "<", 0).all()).map((one) => [one.id, one]));
  for (const [number, leaf] of leaves.entries())
    if (number > 0) assert.equal(stored.get(leaf.id)?.userId, roots[number]!.id);
});

test("a chain over three binds goes bind by bind, each in one statement", async (t) => {
  const app = await start(t, db, await threeUrls());
  const session = sessionOf(app);
  const sent = record(app);
  const users = numbers(40).map((number) => new User({ name: `user ${number}` }));
  const posts = users.map((user, number) => new Post({ userId: keyOf(user), number }));
  const notes = posts.map((post, number) => new Note({ postId: keyOf(post), number }));
  for (const number of numbers(40)) session.addAll([notes[number]!, posts[number]!, users[number]!]);
  await session.commit();
  assert.deepEqual(insertsOf(sent), { bulk_user: 1, bulk_post: 1, bulk_note: 1 });
  const check = sessionOf(app);
  for (const [number, note] of notes.entries()) {
    const stored = await check.get(Note, note.id);
    const post = await check.get(Post, stored!.postId);
    assert.equal(post?.number, number);
    assert.equal((await check.get(User, post!.userId!))?.name, `user ${number}`);
  }
});

test("a key that a column cannot hold is refused, and names the column", async (t) => {
  const short = new Multibind<"auth">();
  class Code extends short.model("bulk_code", { id: varchar(20).primaryKey() }, { bindKey: "auth" }) {}
  class Use extends short.model("bulk_use", { id: integer().primaryKey(), code: varchar(3) }) {}
  const url = await sharedDatabase("sqlite");
  const app = await start(t, short, { databaseUri: url, binds: { auth: url } });
  const session = sessionOf(app);
  const code = new Code({ id: "much too long" });
  session.addAll([new Use({ code: keyOf(code) }), code]);
  await assert.rejects(session.commit(), { code: "INVALID_VALUE", column: "code" });
  await session.rollback();
  assert.equal(await sessionOf(app).select(Code).count(), 0);
});

onEachFamily("an update that waits for a key, and a row whose default fills it", async (t, url) => {
  const { app, session } = await twoBinds(t, url);
  const posts = numbers(3).map((number) => new Post({ number }));
  session.addAll(posts);
  await session.commit();
  const user = new User({ name: "late" });
  for (const post of posts) post.userId = keyOf(user);
  session.add(user);
  await session.commit();
  assert.ok(posts.every(({ userId }) => userId === user.id));
  const { rows } = await sql<{
    n: number;
  }>`select count(*) as n from bulk_post where ${sql.ref("userId")} = ${user.id}`.execute(app.engines.get(null).kysely);
  assert.equal(Number(rows[0]!.n), 3);
});
