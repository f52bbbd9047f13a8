import assert from "node:assert/strict";
import { test } from "node:test";
import { CrossBindFilterError, InvalidOptionError, RelationError, select, UnsupportedError } from "../../src/index.ts";
import { blog, Comment, PLACES, Post, Profile, User } from "./blog.ts";

const ids = (entities: readonly { readonly id: number }[]) => entities.map(({ id }) => id);

for (const places of PLACES) {
  const where = places.join(", ");

  test(`a filter within a bind is part of the statement (${where})`, async (t) => {
    const session = (await blog(t, places)).session();
    const users = session.select(User).orderBy("id");
    assert.deepEqual(ids(await users.whereHas("profile").all()), [1]);
    assert.deepEqual(ids(await users.whereHasNot("profile").all()), [2, 3]);
    assert.deepEqual(ids(await users.whereHas("profile", select(Profile).where("bio", "=", "sings")).all()), []);
    assert.deepEqual(ids(await users.whereHas("reports").all()), [1]);
    assert.deepEqual(ids(await users.whereHas("reports", select(User).where("name", "=", "bob")).all()), [1]);
    assert.deepEqual(ids(await users.whereHas("manager", select(User).where("name", "=", "ada")).all()), [2, 3]);
    assert.deepEqual(ids(await users.whereHasNot("manager").all()), [1]);
    assert.deepEqual(ids(await users.whereHasNot("manager", select(User).where("name", "=", "ada")).all()), [1]);
    assert.equal(session.recordedQueries.length, 8);
  });

  test(`a filter over two binds reads keys first (${where})`, async (t) => {
    const session = (await blog(t, places)).session();
    const posts = session.select(Post).orderBy("id");
    const second = select(Comment).where("text", "like", "comment 2%");
    assert.deepEqual(ids(await posts.whereHas("comments", second, { maxKeys: 10 }).all()), [2, 3]);
    assert.deepEqual(
      session.recordedQueries.map(({ bindKey }) => bindKey),
      ["meta", null],
    );
    assert.deepEqual(ids(await posts.whereHasNot("comments", second, { maxKeys: 10 }).all()), [1]);
    assert.equal(await posts.whereHas("comments", { maxKeys: 10 }).count(), 3);
    assert.equal(await posts.whereHas("comments", second, { maxKeys: 2 }).exists(), true);
    assert.deepEqual(
      ids((await posts.whereHas("comments", second, { maxKeys: 2 }).paginate({ perPage: 1 })).items),
      [2],
    );
    assert.deepEqual(ids((await posts.whereHas("comments", second, { maxKeys: 2 }).keyset({ perPage: 1 })).items), [2]);
    assert.deepEqual(await posts.whereHas("comments", second, { maxKeys: 2 }).pluck("title"), ["post 2", "post 3"]);
    const bob = select(User).where("name", "=", "bob");
    assert.deepEqual(ids(await posts.whereHas("editor", bob, { maxKeys: 2 }).all()), [2]);
    assert.deepEqual(ids(await posts.whereHasNot("editor", bob, { maxKeys: 2 }).all()), [1, 3]);
    const none = select(Comment).where("text", "=", "");
    assert.deepEqual(ids(await posts.whereHas("comments", none, { maxKeys: 2 }).all()), []);
    assert.deepEqual(ids(await posts.whereHasNot("comments", none, { maxKeys: 2 }).all()), [1, 2, 3]);
    assert.deepEqual(
      (await posts.whereHas("comments", second, { maxKeys: 2 }).include({ comments: true }).all()).map(
        ({ comments }) => comments.length,
      ),
      [2, 3],
    );
  });

  test(`a view is filtered by its own rows (${where})`, async (t) => {
    const session = (await blog(t, places)).session();
    const users = session.select(User).orderBy("id");
    const second = select(Post).where("id", "=", 2);
    assert.deepEqual(ids(await users.whereHas("posts", second, { maxKeys: 5 }).all()), [1]);
    assert.deepEqual(ids(await users.whereHas("published", second, { maxKeys: 5 }).all()), []);
  });
}

test("more keys than the bound are an error, before the other bind is asked", async (t) => {
  const session = (await blog(t, PLACES[0]!)).session();
  await assert.rejects(session.select(Post).whereHas("comments", { maxKeys: 2 }).all(), (error: unknown) => {
    assert.ok(error instanceof CrossBindFilterError);
    const { code, relation, maxKeys, bindKey, targetBindKey } = error;
    assert.deepEqual(
      [code, relation, maxKeys, bindKey, targetBindKey],
      ["CROSS_BIND_FILTER", "comments", 2, null, "meta"],
    );
    return true;
  });
  assert.equal(session.recordedQueries.length, 1);
});

test("filters that cannot be are refused before anything is sent", async (t) => {
  const session = (await blog(t, PLACES[0]!)).session();
  const posts = session.select(Post);
  assert.throws(() => posts.whereHas("comments"), CrossBindFilterError);
  assert.throws(() => posts.whereHas("likedBy"), UnsupportedError);
  assert.throws(() => posts.whereHas("title" as never), RelationError);
  assert.throws(() => posts.whereHas("comments", { maxKeys: 0 }), InvalidOptionError);
  assert.throws(() => posts.whereHas("comments", { maxKey: 5 } as never), InvalidOptionError);
  assert.throws(() => posts.whereHas("comments", select(Comment).limit(1), { maxKeys: 5 }), UnsupportedError);
  const across = posts.whereHas("comments", { maxKeys: 5 });
  assert.throws(() => across.toSQL(), UnsupportedError);
  assert.throws(() => across.stream(), UnsupportedError);
  await assert.rejects(across.update({ title: "x" }), UnsupportedError);
  await assert.rejects(across.delete(), UnsupportedError);
  assert.equal(session.recordedQueries.length, 0);
});
