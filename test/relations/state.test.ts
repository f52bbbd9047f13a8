import assert from "node:assert/strict";
import { test } from "node:test";
import { isLoaded, type Session } from "../../src/index.ts";
import { blog, Comment, likes, PLACES, Post, User } from "./blog.ts";

type BlogSession = Session<"auth" | "meta">;

const withPosts = (session: BlogSession, id: number) =>
  session.select(User).include({ posts: true }).where("id", "=", id).one();

/** The statements that an action takes. */
async function statementsOf(session: BlogSession, act: () => Promise<unknown>): Promise<number> {
  const before = session.recordedQueries.length;
  await act();
  return session.recordedQueries.length - before;
}

for (const places of PLACES) {
  const where = places.join(", ");

  test(`a rollback brings back what a relation held before the transaction (${where})`, async (t) => {
    const session = (await blog(t, places)).session();
    const ada = await withPosts(session, 1);
    await session.commit();
    const before = ada.posts.items;
    session.add(new Post({ authorId: 1, title: "new" }));
    await session.load(ada, { posts: true });
    assert.equal(ada.posts.length, 4);
    await session.rollback();
    assert.deepEqual(ada.posts.items, before);
    assert.equal((await session.load(ada, { posts: true })).posts.length, 3);
  });

  test(`a relation first loaded within a savepoint is not loaded after its rollback; one loaded before still is (${where})`, async (t) => {
    const session = (await blog(t, places)).session();
    const ada = await withPosts(session, 1);
    const { posts } = ada;
    const nested = await session.beginNested();
    session.add(new Post({ authorId: 1, title: "new" }));
    await session.load(ada, { posts: true, reports: true }, { refresh: true });
    assert.equal(posts.length, 4);
    await nested.rollback();
    assert.equal(posts.length, 3);
    assert.equal(isLoaded(ada, { reports: true }), false);
    await session.rollback();
    assert.equal(posts.isLoaded, false);
  });

  test(`what a savepoint has loaded stays when it is released, and goes with the transaction around (${where})`, async (t) => {
    const session = (await blog(t, places)).session();
    const ada = await session.getOne(User, 1);
    await session.transaction(async () => {
      await session.load(ada, { posts: true });
    });
    const again = await session.getOne(User, 1);
    session.begin();
    const nested = await session.beginNested();
    await session.load(again, { reports: true });
    await nested.commit();
    assert.equal(isLoaded(again, { reports: true }), true);
    await session.rollback();
    assert.equal(isLoaded(again, { reports: true }), false);
  });

  test(`statements that write to the table of a relation make it stale (${where})`, async (t) => {
    const session = (await blog(t, places)).session();
    const users = await session.select(User).include({ posts: true, liked: true }).orderBy("id").all();
    const load = () => session.load(users, { posts: true, liked: true });
    assert.equal(await statementsOf(session, load), 0);
    await session.select(Post).where("id", "=", 1).delete();
    assert.equal(users[0]!.posts.length, 3);
    await load();
    assert.deepEqual(
      users[0]!.posts.map(({ id }) => id),
      [2, 3],
    );
    await session.insertInto(likes).values({ userId: 3, postId: 2 }).execute();
    await load();
    assert.deepEqual(
      users[2]!.liked.map(({ id }) => id),
      [2],
    );
    assert.equal(await statementsOf(session, load), 0);
    await session.updateTable(Comment).set({ text: "other" }).execute();
    assert.equal(await statementsOf(session, load), 0);
  });
}

test("entities that are stored, changed or deleted make the relations that lead to them stale", async (t) => {
  const session = (await blog(t, PLACES[0]!)).session();
  const ada = await withPosts(session, 1);
  const load = () => session.load(ada, { posts: true });
  const titles = async () => (await load()).posts.map(({ title }) => title);
  const post = new Post({ authorId: 1, title: "new" });
  session.add(post);
  assert.deepEqual(await titles(), ["post 1", "post 2", "post 3", "new"]);
  post.authorId = 2;
  assert.deepEqual(await titles(), ["post 1", "post 2", "post 3"]);
  post.authorId = 1;
  await session.flush();
  assert.deepEqual(await titles(), ["post 1", "post 2", "post 3", "new"]);
  session.delete(post);
  await session.flush();
  assert.deepEqual(await titles(), ["post 1", "post 2", "post 3"]);
  assert.equal(await statementsOf(session, load), 0);
});

test("an entity that leaves the session makes the relations that hold it stale", async (t) => {
  const session = (await blog(t, PLACES[0]!)).session();
  const ada = await session
    .select(User)
    .include({ posts: { author: true }, profile: true })
    .where("id", "=", 1)
    .one();
  const load = () => session.load(ada, { posts: true, profile: true });
  assert.equal(await statementsOf(session, load), 0);
  const [first] = ada.posts;
  session.expunge(first!);
  assert.equal(await statementsOf(session, load), 1);
  assert.equal(ada.posts.length, 3);
  assert.notEqual(ada.posts.at(0), first);
  assert.equal(first!.author, ada);
  session.expunge(ada.profile!);
  assert.equal(await statementsOf(session, load), 1);
});

test("a parent that was read anew takes the place of one that has left the session", async (t) => {
  const session = (await blog(t, PLACES[0]!)).session();
  const post = await session.select(Post).include({ author: true }).where("id", "=", 1).one();
  const { author } = post;
  session.expunge(author);
  assert.equal(post.author, author);
  const other = await session.getOne(User, 1);
  assert.notEqual(other, author);
  assert.equal(post.author, other);
});

test("what is loaded can be read after the session is closed", async (t) => {
  const session = (await blog(t, PLACES[0]!)).session();
  const ada = await session
    .select(User)
    .include({ posts: { author: true } })
    .where("id", "=", 1)
    .one();
  await session.close();
  assert.equal(ada.posts.length, 3);
  assert.equal(ada.posts.at(0)!.author, ada);
  assert.equal(isLoaded(ada, { posts: { author: true } }), true);
});
