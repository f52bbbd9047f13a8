import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidOptionError, NotFoundError } from "../../src/index.ts";
import { blog, PLACES, Post, User } from "./blog.ts";

for (const places of PLACES) {
  const where = places.join(", ");

  test(`loads side by side are one statement for each relation (${where})`, async (t) => {
    const session = (await blog(t, places)).session();
    const posts = await session.select(Post).orderBy("id").all();
    const before = session.recordedQueries.length;
    const loaded = await Promise.all(posts.map((post) => session.load(post, { comments: true, author: true })));
    assert.equal(session.recordedQueries.length - before, 2);
    assert.deepEqual(
      loaded.map(({ comments, author }) => [comments.length, author.id]),
      [
        [1, 1],
        [2, 1],
        [3, 1],
      ],
    );
  });

  test(`so are loads in functions that wait for other promises before (${where})`, async (t) => {
    const session = (await blog(t, places)).session();
    const posts = await session.select(Post).orderBy("id").all();
    const before = session.recordedQueries.length;
    const resolve = async (post: Post) => {
      await Promise.resolve();
      await Promise.resolve();
      return (await session.load(post, { comments: true })).comments.length;
    };
    assert.deepEqual(await Promise.all(posts.map(resolve)), [1, 2, 3]);
    assert.equal(session.recordedQueries.length - before, 1);
  });

  test(`an abort of one load leaves the others alone (${where})`, async (t) => {
    const session = (await blog(t, places)).session();
    const posts = await session.select(Post).orderBy("id").all();
    const [first, second] = [new AbortController(), new AbortController()];
    const loads = [
      session.load(posts[0]!, { comments: true }, { signal: first.signal }),
      session.load(posts[1]!, { comments: true }, { signal: second.signal }),
    ];
    first.abort(new Error("given up"));
    const [one, other] = await Promise.allSettled(loads);
    assert.match(String((one as PromiseRejectedResult).reason), /given up/);
    assert.equal(
      (other as PromiseFulfilledResult<(typeof posts)[0] & { comments: { length: number } }>).value.comments.length,
      2,
    );
  });

  test(`an error reaches all of them (${where})`, async (t) => {
    const { app, session: open } = await blog(t, places);
    const session = open();
    const posts = await session.select(Post).orderBy("id").all();
    const stop = app.engines.get("meta").onStatement(() => {
      throw new Error("the bind is down");
    });
    const outcomes = await Promise.allSettled(posts.map((post) => session.load(post, { comments: true })));
    stop();
    assert.ok(outcomes.every((outcome) => outcome.status === "rejected" && /is down/.test(String(outcome.reason))));
  });

  test(`getOr404 and refresh read relations too (${where})`, async (t) => {
    const { session: open } = await blog(t, places);
    const session = open();
    const ada = await session.getOr404(User, 1, { include: { posts: { comments: true } } });
    assert.deepEqual(
      ada.posts.map(({ comments }) => comments.length),
      [1, 2, 3],
    );
    await assert.rejects(session.getOr404(User, 99, { include: { posts: true } }), NotFoundError);
    const other = open();
    await other.select(Post).where("id", "=", 1).update({ authorId: 2, title: "moved" });
    await other.commit();
    await session.refresh(ada, { include: { posts: true } });
    assert.deepEqual(
      ada.posts.map(({ id }) => id),
      [2, 3],
    );
    const before = session.recordedQueries.length;
    for (const include of [{ pots: true }, null, { posts: 1 }] as never[]) {
      await assert.rejects(session.getOr404(User, 1, { include }), InvalidOptionError);
      await assert.rejects(session.refresh(ada, { include }), InvalidOptionError);
    }
    assert.equal(session.recordedQueries.length, before);
  });
}

test("loads with other options, or of another transaction, are not gathered with them", async (t) => {
  const session = (await blog(t, PLACES[0]!)).session();
  const posts = await session.select(Post).orderBy("id").all();
  const before = session.recordedQueries.length;
  await Promise.all([
    session.load(posts[0]!, { comments: true }),
    session.load(posts[1]!, { comments: true }, { refresh: true }),
    session.noAutoflush(() => session.load(posts[2]!, { comments: true })),
  ]);
  assert.equal(session.recordedQueries.length - before, 3);
});

test("a load whose signal is aborted already sends nothing", async (t) => {
  const session = (await blog(t, PLACES[0]!)).session();
  const posts = await session.select(Post).all();
  const before = session.recordedQueries.length;
  await assert.rejects(
    session.load(posts, { comments: true }, { signal: AbortSignal.abort(new Error("late")) }),
    /late/,
  );
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(session.recordedQueries.length, before);
});
