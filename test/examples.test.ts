import assert from "node:assert/strict";
import {
  categoryTree,
  customersWithoutOrders,
  newsletterReaders,
  openOrdersOf,
  orderFeed,
  ordersWithCount,
  productPage,
  searchProducts,
} from "../examples/twenty-queries/listings.ts";
import {
  latestOrders,
  ordersByCountry,
  priceRanking,
  revenueByMonth,
  spending,
} from "../examples/twenty-queries/reports.ts";
import {
  archivedOrder,
  Category,
  Customer,
  db,
  Job,
  Order,
  Product,
  pageViews,
} from "../examples/twenty-queries/shop.ts";
import {
  archiveOrders,
  countView,
  dropDuplicates,
  importCustomers,
  products,
  reserve,
  takeJobs,
  upsertProducts,
  withdraw,
} from "../examples/twenty-queries/writes.ts";
import { type Application, type FamilyName, NotFoundError, UnsupportedError } from "../src/index.ts";
import { onEachFamily, sessionOf, start } from "./fixtures/matrix.ts";

const at = (month: number, day: number) => new Date(Date.UTC(2026, month - 1, day, 12));

/** Runs an example in a shop with a few customers, products and orders. */
function example(name: string, run: (family: FamilyName, app: Application) => Promise<void>): void {
  onEachFamily(name, async (t, url, family) => {
    const app = await start(t, db, { databaseUri: url });
    await app.transaction(async () => {
      db.session.addAll([
        new Customer({ email: "ada@x.org", name: "Ada", country: "GB", settings: { newsletter: true } }),
        new Customer({
          email: "bob@x.org",
          name: "Bob",
          country: "DE",
          settings: { newsletter: false, theme: "dark" },
        }),
        new Customer({ email: "eve@x.org", name: "Eve", country: "DE", settings: { newsletter: true } }),
        new Category({ name: "all" }),
        new Category({ name: "books", parentId: 1 }),
        new Category({ name: "tools", parentId: 1 }),
        new Category({ name: "novels", parentId: 2 }),
        new Product({ sku: "b1", name: "Atlas 100%", categoryId: 2, price: "40", stock: 3 }),
        new Product({ sku: "b2", name: "Primer", categoryId: 2, price: "9.50" }),
        new Product({ sku: "t1", name: "Hammer", categoryId: 3, price: "12", stock: 1 }),
        new Product({ sku: "t2", name: "Pliers", categoryId: 3, price: "12", stock: 2 }),
        new Order({ customerId: 1, status: "shipped", total: "10.10", placedAt: at(1, 5) }),
        new Order({ customerId: 1, status: "paid", total: "20.20", placedAt: at(1, 31) }),
        new Order({ customerId: 2, status: "shipped", total: "5", placedAt: at(2, 1) }),
        new Order({ customerId: 1, total: "0.70", placedAt: at(2, 2) }),
        new Order({ customerId: 2, total: "100", placedAt: at(2, 2) }),
      ]);
    });
    await app.transaction(() => run(family, app));
  });
}

const ids = (rows: readonly { readonly id: number }[]) => rows.map(({ id }) => id);
const skus = (rows: readonly Product[]) => rows.map(({ sku }) => sku);

example("1. revenue by month", async () => {
  assert.deepEqual(await revenueByMonth(), [
    { month: "2026-01", orders: 2, revenue: "30.30" },
    { month: "2026-02", orders: 3, revenue: "105.70" },
  ]);
});

example("2. price ranking", async () => {
  assert.deepEqual(await priceRanking(), [
    { category: "books", sku: "b1", place: 1 },
    { category: "books", sku: "b2", place: 2 },
    { category: "tools", sku: "t1", place: 1 },
    { category: "tools", sku: "t2", place: 1 },
  ]);
});

example("3. latest orders of every customer", async () => {
  assert.deepEqual(await latestOrders(2), [
    { name: "Ada", id: 4, total: "0.70", placedAt: at(2, 2) },
    { name: "Ada", id: 2, total: "20.20", placedAt: at(1, 31) },
    { name: "Bob", id: 5, total: "100.00", placedAt: at(2, 2) },
    { name: "Bob", id: 3, total: "5.00", placedAt: at(2, 1) },
  ]);
});

example("4. running totals", async () => {
  assert.deepEqual(await spending(1), [
    { id: 1, placedAt: at(1, 5), spent: "10.10" },
    { id: 2, placedAt: at(1, 31), spent: "30.30" },
    { id: 4, placedAt: at(2, 2), spent: "31.00" },
  ]);
});

example("5. a pivot of orders by country and status", async () => {
  assert.deepEqual(await ordersByCountry(), [
    { country: "DE", open: 1, paid: 0, shipped: 1 },
    { country: "GB", open: 1, paid: 1, shipped: 1 },
  ]);
});

example("6. a search with optional filters", async () => {
  assert.deepEqual(skus(await searchProducts({})), ["b1", "t1", "t2", "b2"]);
  assert.deepEqual(skus(await searchProducts({ text: "r", inStock: true, sort: "price" })), ["t1", "t2"]);
  assert.deepEqual(skus(await searchProducts({ categories: [2], maxPrice: "10" })), ["b2"]);
  assert.deepEqual(skus(await searchProducts({ categories: [] })), []);
  assert.deepEqual(skus(await searchProducts({ text: "0%" })), ["b1"]);
  assert.deepEqual(skus(await searchProducts({ text: "%" })), ["b1"]);
  assert.deepEqual(skus(await searchProducts({ text: "_" })), []);
});

example("7. a feed by keyset", async () => {
  const first = await orderFeed(2);
  assert.deepEqual(ids(first), [5, 4]);
  const second = await orderFeed(2, first.at(-1));
  assert.deepEqual(ids(second), [3, 2]);
  const third = await orderFeed(2, second.at(-1));
  assert.deepEqual(ids(third), [1]);
  assert.deepEqual(await orderFeed(2, third.at(-1)), []);
});

example("8. pages with numbers", async () => {
  const page = await productPage(2);
  assert.deepEqual(skus([...page.items]), ["t2", "b2"]);
  assert.deepEqual([page.total, page.pages, page.hasNext, page.hasPrevious], [4, 2, false, true]);
  await assert.rejects(productPage(3), NotFoundError);
});

example("9. a list with the count of all", async () => {
  assert.deepEqual(await ordersWithCount(1, 2), {
    all: 3,
    orders: [
      { id: 1, total: "10.10" },
      { id: 2, total: "20.20" },
    ],
  });
  assert.deepEqual(await ordersWithCount(9, 2), { all: 0, orders: [] });
});

example("10. a filter on JSON", async () => {
  assert.deepEqual(
    (await newsletterReaders()).map(({ name }) => name),
    ["Ada", "Eve"],
  );
});

example("11. an anti-join", async () => {
  assert.deepEqual(
    (await customersWithoutOrders()).map(({ name }) => name),
    ["Eve"],
  );
});

example("12. a tree by recursion", async () => {
  assert.deepEqual(await categoryTree(1), [
    { id: 1, name: "all", depth: 0 },
    { id: 2, name: "books", depth: 1 },
    { id: 3, name: "tools", depth: 1 },
    { id: 4, name: "novels", depth: 2 },
  ]);
  assert.deepEqual(ids(await categoryTree(2)), [2, 4]);
});

example("13. a prepared statement", async () => {
  assert.deepEqual(ids(await openOrdersOf.all({ customerId: 1 })), [4]);
  assert.deepEqual(ids(await openOrdersOf.all({ customerId: 2 })), [5]);
  assert.equal(await openOrdersOf.exists({ customerId: 3 }), false);
});

example("14. an upsert", async () => {
  await upsertProducts([
    { sku: "b1", name: "World atlas", categoryId: 9, price: "44" },
    { sku: "n1", name: "Novel", categoryId: 4, price: "8" },
  ]);
  const all = await db.select(Product).orderBy("sku").all();
  assert.deepEqual(
    all.map(({ sku, name, price, categoryId, stock }) => [sku, name, price, categoryId, stock]),
    [
      ["b1", "World atlas", "44.00", 2, 3],
      ["b2", "Primer", "9.50", 2, 0],
      ["n1", "Novel", "8.00", 4, 0],
      ["t1", "Hammer", "12.00", 3, 1],
      ["t2", "Pliers", "12.00", 3, 2],
    ],
  );
});

example("15. a bulk import", async () => {
  const rows = Array.from({ length: 1_200 }, (_, number) => ({ email: `${number}@x.org`, name: "N", country: "FR" }));
  assert.equal(await importCustomers([...rows, { email: "ada@x.org", name: "Other", country: "FR" }]), 1_200);
  assert.equal(await importCustomers(rows), 0);
  assert.equal((await db.select(Customer).where("email", "=", "ada@x.org").one()).name, "Ada");
  assert.deepEqual((await db.select(Customer).where("email", "=", "7@x.org").one()).settings, { newsletter: false });
});

example("16. counters", async () => {
  for (const path of ["/", "/a", "/", "/"]) await countView(path, "2026-01-05");
  await countView("/", "2026-01-06");
  assert.deepEqual(await db.selectFrom(pageViews).selectAll().orderBy("path").orderBy("day").execute(), [
    { path: "/", day: "2026-01-05", views: 3 },
    { path: "/", day: "2026-01-06", views: 1 },
    { path: "/a", day: "2026-01-05", views: 1 },
  ]);
});

example("17. a reservation", async () => {
  assert.equal(await reserve("b1", 2), true);
  assert.equal(await reserve("b1", 2), false);
  assert.equal(await reserve("b1", 1), true);
  assert.equal((await db.select(Product).where("sku", "=", "b1").one()).stock, 0);
});

example("18. a queue", async (family, app) => {
  db.session.addAll([1, 2, 3, 9].map((day) => new Job({ kind: "mail", runAt: at(1, day) })));
  await db.session.commit();
  if (family === "sqlite") {
    await assert.rejects(db.select(Job).forUpdate().skipLocked().all(), UnsupportedError);
    assert.deepEqual(ids(await takeJobs(2, at(1, 5))), [1, 2]);
  } else {
    // Another worker holds the first job, which is passed over.
    const other = sessionOf(app);
    const held = await other.getOne(Job, 1, { lock: true });
    assert.deepEqual(ids(await takeJobs(1, at(1, 5))), [2]);
    await other.rollback();
    assert.equal(held.id, 1);
    assert.deepEqual(ids(await takeJobs(1, at(1, 5))), [1]);
  }
  assert.deepEqual(ids(await takeJobs(5, at(1, 5))), [3]);
  assert.deepEqual(await takeJobs(5, at(1, 5)), []);
});

example("19. a soft delete", async () => {
  await withdraw("t1", at(3, 1));
  await withdraw("t1", at(3, 2));
  assert.deepEqual(skus(await products().orderBy("sku").all()), ["b1", "b2", "t2"]);
  assert.deepEqual((await db.select(Product).where("sku", "=", "t1").one()).deletedAt, at(3, 1));
});

example("20. moving rows to another table", async () => {
  assert.equal(await archiveOrders(at(2, 1)), 1);
  assert.equal(await archiveOrders(at(2, 1)), 0);
  const archived = await db.selectFrom(archivedOrder).selectAll().execute();
  assert.deepEqual(
    archived.map(({ archivedAt, ...order }) => ({ ...order, archived: archivedAt instanceof Date })),
    [{ id: 1, customerId: 1, total: "10.10", placedAt: at(1, 5), archived: true }],
  );
  assert.deepEqual(ids(await db.select(Order).orderBy("id").all()), [2, 3, 4, 5]);
});

example("and duplicates", async () => {
  await importCustomers([
    { email: "ada2@x.org", name: "Ada", country: "GB" },
    { email: "ada3@x.org", name: "Ada", country: "US" },
    { email: "eve2@x.org", name: "Eve", country: "DE" },
  ]);
  assert.equal(await dropDuplicates(), 2);
  assert.deepEqual(await db.select(Customer).orderBy("email").pluck("email"), [
    "ada3@x.org",
    "ada@x.org",
    "bob@x.org",
    "eve@x.org",
  ]);
});
