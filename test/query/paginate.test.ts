import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { integer, Multibind, NotFoundError, select, varchar } from "../../src/index.ts";
import { Page } from "../../src/query/select/pagination.ts";
import { onEachFamily, record, sessionOf, start, verbs } from "../fixtures/matrix.ts";

const db = new Multibind();
class Item extends db.model("item", { id: integer().primaryKey(), name: varchar(20) }) {}
class Part extends db.model("part", { id: integer().primaryKey(), itemId: integer() }) {}

async function filled(t: Parameters<typeof start>[0], url: string, items = 45) {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  for (let id = 1; id <= items; id++) session.add(new Item({ id, name: `n${id}` }));
  session.addAll([new Part({ itemId: 1 }), new Part({ itemId: 1 }), new Part({ itemId: 2 })]);
  await session.commit();
  return { app, session };
}

const ids = (page: Iterable<Item>) => [...page].map(({ id }) => id);
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

onEachFamily("a page tells its items and its place among the pages", async (t, url) => {
  const { app, session } = await filled(t, url);
  const items = session.select(Item).orderBy("id");
  const sent = record(app);
  const page = await items.paginate({ page: 3, perPage: 10 });
  assert.deepEqual(verbs(sent), ["select", "select"], "the items, and their number");
  assert.ok(page instanceof Page);
  assert.deepEqual(ids(page), range(21, 30));
  assert.deepEqual([page.page, page.perPage, page.total, page.pages, page.first, page.last], [3, 10, 45, 5, 21, 30]);
  assert.deepEqual([page.hasPrevious, page.previousNum, page.hasNext, page.nextNum], [true, 2, true, 4]);
  const next = await page.next();
  assert.deepEqual(ids(next), range(31, 40));
  assert.deepEqual(ids(await next.previous()), range(21, 30));
  assert.equal(sent.length, 4, "turning pages does not count again");
});

onEachFamily("a page that is not there is not found, or empty where that is wanted", async (t, url) => {
  const { session } = await filled(t, url, 5);
  const items = session.select(Item).orderBy("id");
  for (const wrong of [0, -1, 2, "x", "", "1.5", 1e300, "99999999999999999999999"]) {
    await assert.rejects(items.paginate({ page: wrong, perPage: 5 }), (error: NotFoundError) => error.status === 404);
  }
  await assert.rejects(items.paginate({ perPage: 0 }), NotFoundError);
  await assert.rejects(items.paginate({ signal: AbortSignal.abort() }), { name: "AbortError" });
  assert.deepEqual(ids(await items.paginate({ page: 2, perPage: 5, notFound: false })), []);
  assert.deepEqual((await items.paginate({ page: "x", perPage: "-3", notFound: false })).perPage, 20);
  assert.deepEqual(ids(await items.where("id", "<", 0).paginate()), [], "the first page is always there");
});

onEachFamily("pages are of the rows of the select, with its conditions and joins", async (t, url) => {
  const { session } = await filled(t, url, 12);
  const joined = session.select(Item).innerJoin(Part, "part.itemId", "item.id");
  assert.equal((await joined.orderBy("item.id").paginate({ perPage: 2 })).total, 3);
  assert.equal((await joined.distinct().orderBy("item.id").paginate({ perPage: 2 })).total, 2);
  const beside = await session
    .select(Item)
    .joinAndSelect(Part, "part.itemId", "item.id")
    .orderBy("part.id")
    .paginate({ perPage: 2 });
  assert.deepEqual(
    beside.items.map(([item, part]) => [item.id, part.id]),
    [
      [1, 1],
      [1, 2],
    ],
  );
  const page = await session
    .select(select(Item).where("id", ">", 2).orderBy("id", "desc"))
    .paginate({ page: "2", perPage: "4" });
  assert.deepEqual([ids(page), page.total], [[8, 7, 6, 5], 10]);
  const uncounted = await session.select(Item).orderBy("id").paginate({ count: false });
  assert.deepEqual([uncounted.total, uncounted.pages, ids(uncounted).length], [null, 0, 12]);
});

test("a page has no more items than are allowed, 100 unless said", async (t) => {
  const { session } = await filled(t, "sqlite://", 130);
  const items = session.select(Item).orderBy("id");
  assert.deepEqual(ids(await items.paginate({ perPage: 1000 })), range(1, 100));
  assert.deepEqual(ids(await items.paginate({ perPage: 1000, maxPerPage: 120 })), range(1, 120));
});

test("all pages together are all items, each once", async (t) => {
  const { session } = await filled(t, "sqlite://", 23);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 30 }), async (perPage) => {
      let page = await session.select(Item).orderBy("id").paginate({ perPage });
      const seen = ids(page);
      while (page.hasNext) {
        page = await page.next({ notFound: true });
        seen.push(...ids(page));
      }
      assert.deepEqual(seen, range(1, 23));
      assert.equal(page.page, page.pages);
    }),
    { numRuns: 30 },
  );
});

onEachFamily("what is not there is an error of status 404", async (t, url) => {
  const { session } = await filled(t, url, 3);
  const is404 = (message: RegExp, description?: string) => (error: unknown) =>
    error instanceof NotFoundError &&
    error.status === 404 &&
    error.bindKey === null &&
    message.test(error.message) &&
    error.description === description;
  assert.equal((await session.getOr404(Item, 2)).name, "n2");
  await assert.rejects(session.getOr404(Item, 9), is404(/^There is no such item\.$/));
  await assert.rejects(session.getOr404(Item, 9, { description: "gone" }), is404(/^gone$/, "gone"));
  const items = session.select(Item).orderBy("id");
  assert.equal((await items.firstOr404()).id, 1);
  await assert.rejects(items.where({ id: 9 }).firstOr404(), is404(/item/));
  await assert.rejects(items.where({ id: 9 }).firstOr404({ description: "none" }), is404(/^none$/, "none"));
  assert.equal((await items.where({ id: 3 }).oneOr404()).id, 3);
  await assert.rejects(items.where({ id: 9 }).oneOr404(), is404(/item/));
  await assert.rejects(items.oneOr404({ description: "not one" }), is404(/^not one$/, "not one"));
});

onEachFamily("getOr404 of the db, and a get that reads anew", async (t, url) => {
  const { app } = await filled(t, url, 3);
  await app.run(async () => {
    const item = await db.getOr404(Item, 1);
    await assert.rejects(db.getOr404(Item, 9), NotFoundError);
    const sent = record(app);
    assert.equal(await db.getOr404(Item, 1), item);
    assert.equal(sent.length, 0);
    await app.engine.kysely
      .updateTable(Item.table as never)
      .set({ name: "new" } as never)
      .where("id" as never, "=", 1 as never)
      .execute();
    sent.length = 0;
    assert.equal(await db.getOr404(Item, 1, { refresh: true }), item);
    assert.deepEqual([item.name, verbs(sent)], ["new", ["select"]]);
  });
});
