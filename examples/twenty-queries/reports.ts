import type { Expression } from "kysely";
import { integer, numeric, sql, typed } from "../../src/index.ts";
import { Category, Customer, db, family, Order, Product } from "./shop.ts";

/** Money as a report shows it: sums are exact where the database has exact decimals. */
const money = numeric(14, 2);

/** 1. A date histogram: orders and revenue of each month. */
export async function revenueByMonth() {
  return db
    .selectFrom(Order)
    .select((eb) => [
      monthOf(eb.ref("order.placedAt")).as("month"),
      typed(eb.fn.countAll(), integer()).as("orders"),
      typed(eb.fn.sum("order.total"), money).as("revenue"),
    ])
    .groupBy((eb) => monthOf(eb.ref("order.placedAt")))
    .orderBy("month")
    .execute();
}

/** The month of an instant as `2026-01`, in UTC. No two databases have the same function for it. */
function monthOf(instant: Expression<Date>) {
  switch (family()) {
    case "sqlite":
      return sql<string>`strftime('%Y-%m', ${instant})`;
    case "postgres":
      return sql<string>`to_char(${instant} at time zone 'UTC', 'YYYY-MM')`;
    case "mysql":
      return sql<string>`date_format(${instant}, '%Y-%m')`;
  }
}

/** 2. A window: each product's place by price within its category. */
export async function priceRanking() {
  return db
    .selectFrom(Product)
    .innerJoin(Category, "category.id", "product.categoryId")
    .select((eb) => [
      "category.name as category",
      "product.sku",
      typed(
        eb.fn.agg("rank").over((over) => over.partitionBy("product.categoryId").orderBy("product.price", "desc")),
        integer(),
      ).as("place"),
    ])
    .orderBy("category.name")
    .orderBy("place")
    .orderBy("product.sku")
    .execute();
}

/** 3. Top n of each group: the latest orders of every customer. */
export async function latestOrders(perCustomer: number) {
  return db
    .with("numbered", (qb) =>
      qb.selectFrom(Order).select((eb) => [
        "id",
        "customerId",
        "total",
        "placedAt",
        eb.fn
          .agg<number>("row_number")
          .over((over) => over.partitionBy("customerId").orderBy("placedAt", "desc").orderBy("id", "desc"))
          .as("number"),
      ]),
    )
    .selectFrom("numbered")
    .innerJoin(Customer, "customer.id", "numbered.customerId")
    .select(["customer.name", "numbered.id", "numbered.total", "numbered.placedAt"])
    .where("numbered.number", "<=", perCustomer)
    .orderBy("customer.id")
    .orderBy("numbered.number")
    .execute();
}

/** 4. Running totals: what a customer had spent after each order. */
export async function spending(customerId: number) {
  return db
    .selectFrom(Order)
    .select((eb) => [
      "id",
      "placedAt",
      typed(
        eb.fn.sum("total").over((over) => over.orderBy("placedAt").orderBy("id")),
        money,
      ).as("spent"),
    ])
    .where("customerId", "=", customerId)
    .orderBy("placedAt")
    .orderBy("id")
    .execute();
}

/** 5. A pivot: a row for each country, a column for each status. `case` counts where a database has no `filter`. */
export async function ordersByCountry() {
  return db
    .selectFrom(Order)
    .innerJoin(Customer, "customer.id", "order.customerId")
    .select((eb) => {
      const having = (status: "open" | "paid" | "shipped") =>
        typed(eb.fn.sum(eb.case().when("order.status", "=", status).then(eb.lit(1)).else(eb.lit(0)).end()), integer());
      return [
        "customer.country",
        having("open").as("open"),
        having("paid").as("paid"),
        having("shipped").as("shipped"),
      ];
    })
    .groupBy("customer.country")
    .orderBy("customer.country")
    .execute();
}
