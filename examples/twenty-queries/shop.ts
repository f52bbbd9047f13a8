import { enumeration, integer, json, Multibind, numeric, text, timestamp, varchar } from "../../src/index.ts";

export const db = new Multibind();

export interface Settings {
  readonly newsletter: boolean;
  readonly theme?: "dark" | "light";
}

export class Customer extends db.model("customer", {
  id: integer().primaryKey(),
  email: varchar(120).unique(),
  name: varchar(80),
  country: varchar(2),
  settings: json<Settings>().default({ newsletter: false }),
  joinedAt: timestamp().default(() => new Date()),
}) {}

export class Category extends db.model("category", {
  id: integer().primaryKey(),
  name: varchar(40),
  parentId: integer().nullable(),
}) {}

export class Product extends db.model("product", {
  id: integer().primaryKey(),
  sku: varchar(20).unique(),
  name: text(),
  categoryId: integer(),
  price: numeric(10, 2),
  stock: integer().default(0),
  deletedAt: timestamp().nullable(),
}) {}

export class Order extends db.model("order", {
  id: integer().primaryKey(),
  customerId: integer(),
  status: enumeration(["open", "paid", "shipped"]).default("open"),
  total: numeric(10, 2),
  placedAt: timestamp(),
}) {}

/** The table of archived orders. */
export const archivedOrder = db.table("archived_order", {
  id: integer().primaryKey(),
  customerId: integer(),
  total: numeric(10, 2),
  placedAt: timestamp(),
  archivedAt: timestamp().default(() => new Date()),
});

export class Job extends db.model("job", {
  id: integer().primaryKey(),
  kind: varchar(20),
  state: enumeration(["waiting", "running"]).default("waiting"),
  // MySQL and MariaDB lock what they look at: with the index that is little more than what they take.
  runAt: timestamp().index(),
}) {}

export const pageViews = db.table("page_views", {
  path: varchar(100).primaryKey(),
  day: varchar(10).primaryKey(),
  views: integer(),
});

/** The family of databases that the shop runs on: where SQL differs, the examples say so. */
export function family(): "sqlite" | "postgres" | "mysql" {
  return db.session.getBind({ model: Order }).family.name;
}
