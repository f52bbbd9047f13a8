import { UnsupportedError } from "../../src/index.ts";
import { archivedOrder, Customer, db, family, Job, Order, Product, pageViews } from "./shop.ts";

export interface Offer {
  readonly sku: string;
  readonly name: string;
  readonly categoryId: number;
  readonly price: string;
}

/** 14. An upsert: new products are added, known ones get their new name and price. */
export async function upsertProducts(offers: readonly Offer[]) {
  const insert = db.insertInto(Product).values(offers);
  if (family() === "mysql") {
    await insert
      .onDuplicateKeyUpdate((eb) => ({ name: eb.fn("values", ["name"]), price: eb.fn("values", ["price"]) }))
      .execute();
  } else {
    await insert
      .onConflict((conflict) =>
        conflict
          .column("sku")
          .doUpdateSet((eb) => ({ name: eb.ref("excluded.name"), price: eb.ref("excluded.price") })),
      )
      .execute();
  }
}

/** 15. A bulk import that passes over what is there already. Says how many were new. */
export async function importCustomers(rows: readonly { email: string; name: string; country: string }[]) {
  let added = 0n;
  // In portions: every database has a most that a statement can hold.
  for (let start = 0; start < rows.length; start += 500) {
    const insert = db.insertInto(Customer).values(rows.slice(start, start + 500));
    const result =
      family() === "mysql"
        ? await insert.ignore().executeTakeFirstOrThrow()
        : await insert.onConflict((conflict) => conflict.column("email").doNothing()).executeTakeFirstOrThrow();
    added += result.numInsertedOrUpdatedRows ?? 0n;
  }
  return Number(added);
}

/** 16. A counter that many may add to at once: the database does the sum. */
export async function countView(path: string, day: string) {
  const insert = db.insertInto(pageViews).values({ path, day, views: 1 });
  if (family() === "mysql") {
    await insert.onDuplicateKeyUpdate((eb) => ({ views: eb("page_views.views", "+", 1) })).execute();
  } else {
    await insert
      .onConflict((conflict) =>
        conflict.columns(["path", "day"]).doUpdateSet((eb) => ({ views: eb("page_views.views", "+", 1) })),
      )
      .execute();
  }
}

/** 17. Reserve pieces of a product, never more than there are. Says whether there were enough. */
export async function reserve(sku: string, pieces: number) {
  const { numUpdatedRows } = await db
    .updateTable(Product)
    .set((eb) => ({ stock: eb("stock", "-", pieces) }))
    .where("sku", "=", sku)
    .where("stock", ">=", pieces)
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}

/**
 * 18. A queue: takes the next jobs, and none that another worker is taking just now.
 *
 * SQLite has no locks of rows, and says so with an `UnsupportedError`. It needs none: one transaction writes at a time, so
 * the first writer has the queue to itself.
 */
export async function takeJobs(most: number, now: Date) {
  return db.session.transaction(async (tx) => {
    const due = tx.select(Job).where("state", "=", "waiting").where("runAt", "<=", now).orderBy("runAt").limit(most);
    const jobs = await due
      .forUpdate()
      .skipLocked()
      .all()
      .catch((error: unknown) => {
        if (error instanceof UnsupportedError) return due.forUpdate().all();
        throw error;
      });
    for (const job of jobs) job.state = "running";
    return jobs;
  });
}

/** 19. Soft delete, and what goes with it: everybody reads through `products()`. */
export async function withdraw(sku: string, at: Date) {
  await db.updateTable(Product).set({ deletedAt: at }).where("sku", "=", sku).where("deletedAt", "is", null).execute();
}

/** The products that are not withdrawn. */
export function products() {
  return db.select(Product).where("deletedAt", "is", null);
}

/** 20. Old orders move to another table: both statements, or neither. Says how many there were. */
export async function archiveOrders(before: Date) {
  return db.session.transaction(async (tx) => {
    await tx
      .insertInto(archivedOrder)
      .columns(["id", "customerId", "total", "placedAt"])
      .expression((eb) =>
        eb
          .selectFrom(Order)
          .select(["order.id", "order.customerId", "order.total", "order.placedAt"])
          .where("order.status", "=", "shipped")
          .where("order.placedAt", "<", before),
      )
      .execute();
    const { numDeletedRows } = await tx
      .deleteFrom(Order)
      .where("id", "in", (eb) => eb.selectFrom(archivedOrder).select("archived_order.id"))
      .executeTakeFirstOrThrow();
    return Number(numDeletedRows);
  });
}

/** And one more: of customers with the same name and country only the first stays. */
export async function dropDuplicates() {
  // MySQL and MariaDB do not read the table that they delete from, unless by way of another one.
  const { numDeletedRows } = await db
    .deleteFrom(Customer)
    .where("id", "not in", (eb) =>
      eb
        .selectFrom((inner) =>
          inner
            .selectFrom(Customer)
            .select((own) => own.fn.min("customer.id").as("id"))
            .groupBy(["customer.name", "customer.country"])
            .as("firsts"),
        )
        .select("firsts.id"),
    )
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}
