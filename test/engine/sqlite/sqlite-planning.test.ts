import assert from "node:assert/strict";
import { test } from "node:test";
import { boolean, integer, Multibind, type Session, select, sql, varchar } from "../../../src/index.ts";
import { onEachFamily, sessionOf, sharedDatabase, start } from "../../fixtures/matrix.ts";

const db = new Multibind();
class Post extends db.model("post", {
  id: integer().primaryKey(),
  authorId: integer().index(),
  slug: varchar(20).index(),
  status: varchar(10),
  published: boolean(),
}) {}

function addPosts(session: Session<never>): void {
  for (let number = 1; number <= 200; number++) {
    session.add(
      new Post({
        authorId: number % 50,
        slug: `0${number % 40}`,
        status: number % 40 === 0 ? "draft" : "open",
        published: number % 4 !== 0,
      }),
    );
  }
}

interface Compilable {
  compile(): { readonly sql: string; readonly parameters: readonly unknown[] };
}

/** How SQLite would run a select. */
async function planOf(session: Session<never>, select: Compilable): Promise<string> {
  const { sql: text, parameters } = select.compile();
  const [first, ...others] = text.split("?").map((part) => sql.raw(part));
  const query = others.reduce((whole, part, place) => sql`${whole}${parameters[place]}${part}`, first!);
  const { rows } = await session.execute(sql<{ detail: string }>`explain query plan ${query}`);
  return rows.map(({ detail }) => detail).join("; ");
}

test("an equality with an indexed column is planned once, and uses the index", async (t) => {
  const app = await start(t, db, { databaseUri: await sharedDatabase("sqlite") });
  const session = sessionOf(app);
  addPosts(session);
  await session.commit();
  const posts = session.select(Post).where("authorId", "=", 7).orderBy("id");
  assert.match(posts.compile().sql, /where "authorId" = \+\? order by/);
  assert.match(await planOf(session, posts), /USING INDEX ix_post_authorId/);
  const reversed = session.select(Post).where((eb) => eb(eb.val(7), "=", eb.ref("authorId")));
  assert.match(reversed.compile().sql, /where \+\? = "authorId"/);
  assert.match(session.select(Post).where("authorId", ">", 7).compile().sql, /"authorId" > \?$/);
});

test("an equality with another column can use an index over the rows with that value alone", async (t) => {
  const app = await start(t, db, { databaseUri: await sharedDatabase("sqlite") });
  const session = sessionOf(app);
  addPosts(session);
  await session.execute(sql`create index drafts on post (id) where status = 'draft'`);
  await session.execute(sql`create index hidden on post (id) where published = 0`);
  await session.commit();
  const drafts = session.select(Post).where("status", "=", "draft").orderBy("id");
  assert.match(drafts.compile().sql, /where "status" = \? order by/);
  assert.match(await planOf(session, drafts), /USING INDEX drafts/);
  const hidden = session.select(Post).where("published", "=", false).orderBy("id");
  assert.match(hidden.compile().sql, /where "published" = 0 order by/);
  assert.match(await planOf(session, hidden), /USING INDEX hidden/);
});

onEachFamily("an indexed column equals the same values as any other", async (t, url) => {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  addPosts(session);
  await session.commit();
  const count = (slug: string) => session.select(Post).where("slug", "=", slug).count();
  assert.deepEqual([await count("07"), await count("7"), await count("39"), await count("")], [5, 0, 0, 0]);
  const ids = (author: number) => session.select(Post).where("authorId", "=", author).orderBy("id").pluck("id");
  assert.deepEqual(await ids(7), [7, 57, 107, 157]);
  assert.deepEqual(await ids(8), [8, 58, 108, 158]);
  const byAuthor = db.prepare((p) => select(Post).where("authorId", "=", p("author")).orderBy("id"));
  for (const author of [0, 49]) {
    const posts = await byAuthor.on(session).all({ author });
    assert.deepEqual(
      posts.map(({ authorId }) => authorId),
      [author, author, author, author],
    );
  }
});
