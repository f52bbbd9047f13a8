import assert from "node:assert/strict";
import { test } from "node:test";
import { integer, json, Multibind, native } from "../../src/index.ts";
import { onEachFamily, sharedDatabase, start } from "../fixtures/matrix.ts";

const db = new Multibind();
class Doc extends db.model("list_doc", { id: integer().primaryKey(), tags: json<unknown>() }) {}

onEachFamily("a list that stands opposite JSON is one value", async (t, url) => {
  const app = await start(t, db, { databaseUri: url });
  await app.run(async () => {
    const values = [[1, 2, 3], [], ["a"], { a: [1] }, [[1]]];
    db.session.addAll(values.map((tags) => new Doc({ tags })));
    await db.session.commit();
    for (const [index, value] of values.entries()) {
      const wanted = [index + 1];
      const ids = async (rows: Promise<readonly { readonly id: number }[]>) => (await rows).map(({ id }) => id);
      assert.deepEqual(await ids(db.select(Doc).where("tags", "=", value).all()), wanted);
      assert.deepEqual(await ids(db.select(Doc).where({ tags: value }).all()), wanted);
      assert.deepEqual(await ids(db.select(Doc).where("tags", "in", [value]).all()), wanted);
      assert.deepEqual(await ids(db.select(Doc).where("tags", "is not distinct from", value).all()), wanted);
      assert.equal(await db.select(Doc).where("tags", "!=", value).count(), values.length - 1);
      assert.deepEqual(await ids(db.selectFrom(Doc).select("id").where("tags", "=", value).execute()), wanted);
      const joined = db
        .selectFrom(Doc.as("a"))
        .innerJoin(Doc.as("b"), (join) => join.onRef("a.id", "=", "b.id").on("a.tags", "=", value))
        .select("b.id");
      assert.deepEqual(await ids(joined.execute()), wanted);
      const chosen = db
        .selectFrom(Doc)
        .select((eb) => ["id", eb.case().when("tags", "=", value).then(1).else(0).end().as("is")])
        .orderBy("id");
      assert.deepEqual(
        (await chosen.execute()).filter(({ is }) => Number(is) === 1).map(({ id }) => id),
        wanted,
      );
      assert.equal(await db.select(Doc).where("tags", "=", value).update({ tags: value }), 1);
      await db.updateTable(Doc).set({ tags: value }).where("tags", "=", value).execute();
    }
    assert.equal(
      await db
        .select(Doc)
        .where("tags", "in", [[1, 2, 3], ["a"]])
        .count(),
      2,
    );
  });
});

test("a list that stands opposite an array of PostgreSQL is one value, whatever the operator", async (t) => {
  const own = new Multibind();
  class Post extends own.model("list_post", {
    id: integer().primaryKey(),
    tags: native<string[]>("text[]"),
    data: native<unknown>("jsonb"),
    list: json<number[]>(),
  }) {}
  const app = await start(t, own, { databaseUri: await sharedDatabase("postgres") });
  await app.run(async () => {
    own.session.add(new Post({ tags: ["a", "b c"], data: { a: 1 }, list: [1, 2] }));
    await own.session.commit();
    assert.equal(await own.select(Post).where("tags", "=", ["a", "b c"]).count(), 1);
    assert.equal(
      await own
        .selectFrom(Post)
        .select("id")
        .where("tags", "@>", ["a"])
        .execute()
        .then((rows) => rows.length),
      1,
    );
    assert.equal(
      await own
        .selectFrom(Post)
        .select("id")
        .where("tags", "&&", ["b c", "x"])
        .execute()
        .then((rows) => rows.length),
      1,
    );
    assert.equal(
      await own
        .selectFrom(Post)
        .select("id")
        .where("list", "@>", [2])
        .execute()
        .then((rows) => rows.length),
      1,
    );
    assert.equal(
      await own
        .select(Post)
        .where("tags", "in", [["a", "b c"], ["x"]])
        .count(),
      1,
    );
  });
});
