import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import {
  DanglingReferenceError,
  InvalidOptionError,
  isLoaded,
  keyOf,
  NotLoadedError,
  SessionError,
  select,
  sql,
  toPlain,
  UnsupportedError,
} from "../../src/index.ts";
import { blog, Comment, db, PLACES, Post, User } from "./blog.ts";

const bindsOf = (queries: readonly { readonly bindKey: string | null }[]) => queries.map(({ bindKey }) => bindKey);

for (const places of PLACES) {
  const where = places.join(", ");

  test(`an include reads relations over three binds, one statement for each (${where})`, async (t) => {
    const session = (await blog(t, places)).session();
    const users = await session
      .select(User)
      .include({ posts: { comments: true, author: true, editor: true }, profile: true })
      .orderBy("id")
      .all();
    assert.deepEqual(
      users.map((user) => user.posts.map((post) => [post.title, post.comments.length])),
      [
        [
          ["post 1", 1],
          ["post 2", 2],
          ["post 3", 3],
        ],
        [],
        [],
      ],
    );
    assert.equal(users[0]!.posts.at(0)!.author, users[0]);
    assert.equal(users[0]!.posts.at(1)!.editor, users[1]);
    assert.equal(users[0]!.posts.at(0)!.editor, null);
    assert.equal(users[0]!.profile?.bio, "counts");
    assert.equal(users[1]!.profile, null);
    // Authors and editors are in the session already.
    assert.deepEqual(bindsOf(session.recordedQueries).toSorted(), ["auth", "auth", "meta", null].toSorted());
  });

  test(`many to many is read in both directions; link rows without a target are passed over (${where})`, async (t) => {
    const session = (await blog(t, places)).session();
    const users = await session.select(User).include({ liked: true }).orderBy("id").all();
    assert.deepEqual(
      users.map(({ liked }) => liked.map(({ id }) => id)),
      [[3], [1, 3], []],
    );
    const posts = await session.select(Post).include({ likedBy: true }).orderBy("id").all();
    assert.deepEqual(
      posts.map(({ likedBy }) => likedBy.map(({ name }) => name)),
      [["bob"], [], ["ada", "bob"]],
    );
  });

  test(`relations to one's own class, in an order of their own (${where})`, async (t) => {
    const session = (await blog(t, places)).session();
    const [ada, bob] = await session
      .select(User)
      .include({ reports: { manager: true }, manager: true })
      .orderBy("id")
      .all();
    assert.deepEqual(
      ada!.reports.map(({ name }) => name),
      ["cleo", "bob"],
    );
    assert.equal(ada!.manager, null);
    assert.equal(bob!.manager, ada);
    assert.equal(ada!.reports.at(0)!.manager, ada);
  });

  test(`a view has the rows of its statement, in its order (${where})`, async (t) => {
    const session = (await blog(t, places)).session();
    const ada = await session.select(User).include({ published: true }).where("id", "=", 1).one();
    assert.deepEqual(
      ada.published.map(({ title }) => title),
      ["post 3", "post 1"],
    );
  });

  test(`load asks for what is not loaded, once for all entities (${where})`, async (t) => {
    const session = (await blog(t, places)).session();
    const posts = await session.select(Post).orderBy("id").all();
    const before = session.recordedQueries.length;
    const loaded = await session.load(posts, { comments: true, author: true });
    assert.equal(loaded[2]!.comments.length, 3);
    assert.equal(loaded[0]!.author.name, "ada");
    assert.equal(session.recordedQueries.length - before, 2);
    await session.load(posts, { comments: true, author: true });
    assert.equal(session.recordedQueries.length - before, 2);
    await session.load(posts, { comments: true }, { refresh: true });
    assert.equal(session.recordedQueries.length - before, 3);
  });

  test(`a relation whose key no row has is told of when it is read, or reads as null (${where})`, async (t) => {
    const session = (await blog(t, places)).session();
    await session.select(User).where("id", "=", 1).delete();
    const post = await session.select(Post).include({ author: true }).where("id", "=", 1).one();
    assert.throws(() => post.author, DanglingReferenceError);
    await session.select(Post).where("id", "=", 3).update({ editorId: 77 });
    assert.equal((await session.select(Post).include({ editor: true }).where("id", "=", 3).one()).editor, null);
  });

  test(`pages, cursors, first and prepared statements load relations (${where})`, async (t) => {
    const { session: open } = await blog(t, places);
    const session = open();
    const posts = session.select(Post).include({ comments: true }).orderBy("id", "desc");
    const numbers = (items: readonly { readonly comments: { readonly length: number } }[]) =>
      items.map(({ comments }) => comments.length);
    assert.deepEqual(numbers((await posts.paginate({ perPage: 2 })).items), [3, 2]);
    assert.deepEqual(numbers((await posts.keyset({ perPage: 2 })).items), [3, 2]);
    assert.equal((await posts.first())?.comments.length, 3);
    assert.equal((await posts.oneOrNull().catch(() => null)) === null, true);
    const prepared = db.prepare(() => select(Post).include({ comments: true }).orderBy("id"));
    assert.deepEqual(numbers(await prepared.on(session).all({})), [1, 2, 3]);
  });

  test(`an include that fails sets nothing (${where})`, async (t) => {
    const { app, session: open } = await blog(t, places);
    const session = open();
    const users = await session.select(User).orderBy("id").all();
    const engine = app.engines.get("meta");
    const stop = engine.onStatement(() => {
      throw new Error("the bind is down");
    });
    const error = await session.load(users, { posts: { comments: true } }).catch((reason: unknown) => reason);
    stop();
    assert.match(String(error), /the bind is down/);
    assert.equal(isLoaded(users[0]!, { posts: true }), false);
    assert.throws(
      () => users[0]!.posts.isLoaded || (users[0]!.posts as unknown as { length: number }).length,
      NotLoadedError,
    );
    await session.load(users, { posts: { comments: true } });
    assert.equal(isLoaded(users[0]!, { posts: { comments: true } }), true);
  });

  test(`new entities belong to what their columns say (${where})`, async (t) => {
    const session = (await blog(t, places)).session();
    const dora = new User({ name: "dora" });
    const post = new Post({ authorId: keyOf(dora), title: "first" });
    assert.equal(post.author, dora);
    session.addAll([dora, post]);
    assert.deepEqual([...(dora.posts as unknown as Iterable<Post>)], []);
    await session.commit();
    assert.deepEqual((await session.load(dora, { posts: true })).posts.items, [post]);
    const other = new Post({ authorId: dora.id, title: "second" });
    session.add(other);
    const read = await session.load(dora, { posts: true }, { refresh: true, autoflush: false });
    assert.deepEqual(new Set(read.posts), new Set([post, other]));
  });

  test(`more keys than one statement takes are read in portions (${where})`, async (t) => {
    const session = (await blog(t, places)).session();
    const chunk = { sqlite: 500, postgres: 10_000, mysql: 1024 }[places[2]];
    const posts = Array.from({ length: chunk + 1 }, (_, i) => new Post({ id: 1000 + i, authorId: 2, title: "many" }));
    session.addAll(posts);
    session.addAll(posts.map(({ id }) => new Comment({ postId: id, text: "one" })));
    await session.commit();
    const before = session.recordedQueries.length;
    const read = await session.select(Post).include({ comments: true }).where("title", "=", "many").all();
    assert.equal(session.recordedQueries.length - before, 3);
    assert.ok(read.every(({ comments }) => comments.length === 1));
  });
}

test("a relation that is not loaded is never asked for by reading it", async (t) => {
  const session = (await blog(t, PLACES[0]!)).session();
  const [post] = await session.select(Post).orderBy("id").all();
  const before = session.recordedQueries.length;
  assert.throws(
    () => post!.author,
    (error: unknown) => {
      assert.ok(error instanceof NotLoadedError);
      assert.deepEqual(
        [error.code, error.relation, error.entity, error.bindKey],
        ["NOT_LOADED", "author", "Post", null],
      );
      assert.match(
        error.message,
        /\.include\(\{ author: true \}\).*session\.load\(.*\{ author: true \}\).*`authorId`/s,
      );
      return true;
    },
  );
  assert.throws(() => (post!.comments as unknown as { length: number }).length, NotLoadedError);
  assert.throws(() => JSON.stringify({ comments: post!.comments }), NotLoadedError);
  assert.equal(session.recordedQueries.length, before);
});

test("entities stay what their columns are", async (t) => {
  const session = (await blog(t, PLACES[0]!)).session();
  const post = await session.select(Post).include({ comments: true, author: true }).where("id", "=", 1).one();
  const columns = ["id", "authorId", "editorId", "title", "published"];
  assert.deepEqual(Object.keys(post), columns);
  assert.deepEqual(Object.keys(JSON.parse(JSON.stringify(post))), columns);
  assert.deepEqual(Object.keys(structuredClone({ ...post })), columns);
  assert.equal(inspect(post.comments), "ToMany(1)");
  assert.equal(inspect((await session.getOne(User, 2)).posts), "ToMany(not loaded)");
  assert.deepEqual(JSON.parse(JSON.stringify(post.comments)), [{ id: 1, postId: 1, text: "comment 1 of 1" }]);
});

test("a parent follows its column", async (t) => {
  const session = (await blog(t, PLACES[0]!)).session();
  const post = await session.select(Post).include({ author: true }).where("id", "=", 1).one();
  post.authorId = 2;
  assert.throws(() => post.author, NotLoadedError);
  const bob = await session.getOne(User, 2);
  assert.equal(post.author, bob);
  post.authorId = 1;
  assert.equal(post.author.name, "ada");
  post.editorId = null;
  assert.equal((post as unknown as { editor: unknown }).editor, null);
});

test("after a commit relations stay readable, and load reads them anew; after a rollback they are not loaded", async (t) => {
  const { session: open } = await blog(t, PLACES[0]!);
  const session = open();
  const ada = await session.select(User).include({ posts: true }).where("id", "=", 1).one();
  await session.commit();
  assert.equal(ada.posts.length, 3);
  await session.execute(sql`delete from post where id = 1`);
  await session.commit();
  assert.equal((await session.load(ada, { posts: true })).posts.length, 2);
  session.begin();
  const bob = await session.select(User).include({ posts: true }).where("id", "=", 2).one();
  await session.rollback();
  assert.equal(isLoaded(bob, { posts: true }), false);
});

test("toPlain has the columns and what is named", async (t) => {
  const session = (await blog(t, PLACES[0]!)).session();
  const post = await session
    .select(Post)
    .include({ comments: true, author: { profile: true } })
    .where("id", "=", 1)
    .one();
  assert.deepEqual(toPlain(post, { comments: true, author: { profile: true } }), {
    id: 1,
    authorId: 1,
    editorId: null,
    title: "post 1",
    published: true,
    comments: [{ id: 1, postId: 1, text: "comment 1 of 1" }],
    author: { id: 1, name: "ada", managerId: null, profile: { id: 1, userId: 1, bio: "counts" } },
  });
});

test("what is no include is refused, with the relations that there are", async (t) => {
  const session = (await blog(t, PLACES[0]!)).session();
  const before = session.recordedQueries.length;
  for (const include of [null, undefined, "posts", ["posts"], { posts: 1 }, { posts: false }, { posts: null }]) {
    assert.throws(() => session.select(User).include(include as never), InvalidOptionError, inspect(include));
  }
  for (const include of [{ pots: true }, { name: true }, { posts: { pots: true } }, JSON.parse('{"__proto__": {}}')]) {
    await assert.rejects(
      session
        .select(User)
        .include(include as never)
        .all(),
      (error: unknown) => error instanceof InvalidOptionError && /Its relations: "/.test(error.message),
      inspect(include),
    );
  }
  assert.throws(() => session.select(User).include({ posts: true }).stream(), UnsupportedError);
  assert.throws(() => session.select(User).include({ posts: true }).select(["name"]), UnsupportedError);
  assert.equal(session.recordedQueries.length, before);
  await assert.rejects(session.load(new User({ name: "eve" }), { posts: true }), SessionError);
});
