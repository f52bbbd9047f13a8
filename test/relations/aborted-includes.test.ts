import assert from "node:assert/strict";
import { test } from "node:test";
import { isLoaded } from "../../src/index.ts";
import { blog, PLACES, User } from "./blog.ts";

for (const places of PLACES) {
  test(`an abort during an include leaves nothing half set (${places.join(", ")})`, async (t) => {
    const { app, session: open } = await blog(t, places);
    const session = open();
    const users = await session.select(User).orderBy("id").all();
    const controller = new AbortController();
    // Posts have been read when the comments of theirs are asked for.
    const stop = app.engines.get("meta").onStatement(() => controller.abort(new Error("given up")));
    const include = { posts: { comments: true } } as const;
    const { signal } = controller;
    await assert.rejects(session.select(User).include(include).all({ signal }), /given up/);
    stop();
    assert.ok(users.every((user) => !isLoaded(user, { posts: true })));
    const [ada] = await session.load(users, include);
    assert.deepEqual(
      ada!.posts.map(({ comments }) => comments.length),
      [1, 2, 3],
    );
  });
}
