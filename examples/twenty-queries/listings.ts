import { integer, type Params, select, sql, typed } from "../../src/index.ts";
import { Category, Customer, db, family, Order, Product } from "./shop.ts";

export interface ProductSearch {
  readonly text?: string;
  readonly categories?: readonly number[];
  readonly maxPrice?: string;
  readonly inStock?: boolean;
  readonly sort?: "price" | "name";
}

/** 6. A search with optional filters. Unused filters leave no trace in the SQL. */
export async function searchProducts({ text, categories, maxPrice, inStock, sort = "name" }: ProductSearch) {
  let products = db.select(Product).where("deletedAt", "is", null);
  if (text !== undefined) {
    products = products.where(({ ref }) => sql<boolean>`${ref("product.name")} like ${containing(text)} escape '!'`);
  }
  if (categories !== undefined) products = products.where("categoryId", "in", categories);
  if (maxPrice !== undefined) products = products.where("price", "<=", maxPrice);
  if (inStock === true) products = products.where("stock", ">", 0);
  return products.orderBy(sort).orderBy("id").all();
}

/** A pattern in which the signs of `like` that a user has typed mean themselves. */
function containing(text: string): string {
  return `%${text.replace(/[!%_]/g, "!$&")}%`;
}

export interface Cursor {
  readonly placedAt: Date;
  readonly id: number;
}

/** 7. A feed by keyset: the orders before the last one seen. It stays fast on page 10,000, and skips and repeats none. */
export async function orderFeed(most: number, before?: Cursor) {
  let orders = db.select(Order).orderBy("placedAt", "desc").orderBy("id", "desc").limit(most);
  if (before !== undefined) {
    orders = orders.where((eb) =>
      eb.or([
        eb("order.placedAt", "<", before.placedAt),
        eb.and([eb("order.placedAt", "=", before.placedAt), eb("order.id", "<", before.id)]),
      ]),
    );
  }
  return orders.all();
}

/** 8. Pages with numbers, as a table in a web page has them. */
export async function productPage(page: number) {
  return db.select(Product).where("deletedAt", "is", null).orderBy("name").orderBy("id").paginate({ page, perPage: 2 });
}

/** 9. A list and how long all of it is, in one statement. */
export async function ordersWithCount(customerId: number, most: number) {
  const rows = await db
    .selectFrom(Order)
    .select((eb) => ["id", "total", typed(eb.fn.countAll().over(), integer()).as("all")])
    .where("customerId", "=", customerId)
    .orderBy("id")
    .limit(most)
    .execute();
  return { all: rows[0]?.all ?? 0, orders: rows.map(({ id, total }) => ({ id, total })) };
}

/** 10. A filter on JSON: customers who want the newsletter. The path is the database's own. */
export async function newsletterReaders() {
  return db
    .select(Customer)
    .where(({ ref }) => {
      const settings = ref("customer.settings");
      switch (family()) {
        case "sqlite":
          return sql<boolean>`${settings} ->> 'newsletter' = 1`;
        case "postgres":
          return sql<boolean>`${settings} ->> 'newsletter' = 'true'`;
        case "mysql":
          return sql<boolean>`json_contains(${settings}, 'true', '$.newsletter')`;
      }
    })
    .orderBy("name")
    .all();
}

/** 11. An anti-join: customers who have never ordered. */
export async function customersWithoutOrders() {
  return db
    .select(Customer)
    .where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom(Order).select("order.id").whereRef("order.customerId", "=", "customer.id"))),
    )
    .orderBy("name")
    .all();
}

/** 12. A tree by recursion: a category and all below it, with their depth. */
export async function categoryTree(rootId: number) {
  return db
    .withRecursive("tree", (qb) =>
      qb
        .selectFrom(Category)
        .select(["category.id", "category.name", sql<number>`0`.as("depth")])
        .where("category.id", "=", rootId)
        .unionAll((eb) =>
          eb
            .selectFrom("tree")
            .innerJoin(Category, "category.parentId", "tree.id")
            .select(["category.id", "category.name", sql<number>`${sql.ref("tree.depth")} + 1`.as("depth")]),
        ),
    )
    .selectFrom("tree")
    .select((eb) => ["id", "name", typed(eb.ref("depth"), integer()).as("depth")])
    .orderBy("depth")
    .orderBy("name")
    .execute();
}

/** 13. What runs all the time is prepared: built and compiled once, here without any context. */
export const openOrdersOf = db.prepare((p: Params<{ customerId: number }>) =>
  select(Order).where("customerId", "=", p("customerId")).where("status", "=", "open").orderBy("id"),
);
