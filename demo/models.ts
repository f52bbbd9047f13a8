import { boolean, enumeration, integer, Multibind, numeric, text, timestamp, varchar } from "../src/index.ts";

/** One object for three databases: the shop's own (the default), `auth` and `meta`. */
export const db = new Multibind<"auth" | "meta">();

export class User extends db.model(
  "demo_user",
  {
    id: integer().primaryKey(),
    email: varchar(120).unique(),
    admin: boolean().default(false),
    createdAt: timestamp().default(() => new Date()),
  },
  { bindKey: "auth" },
) {}

export class Login extends db.model(
  "demo_login",
  {
    id: integer().primaryKey(),
    userId: integer().references("demo_user.id", { onDelete: "cascade" }),
    at: timestamp().default(() => new Date()),
  },
  { bindKey: "auth" },
) {}

export class Order extends db.model("demo_order", {
  id: integer().primaryKey(),
  customerId: integer().index(),
  item: varchar(80),
  price: numeric(10, 2),
  status: enumeration(["open", "paid"]).default("open"),
}) {}

export class Event extends db.model("demo_event", { id: integer().primaryKey(), what: text() }, { bindKey: "meta" }) {}
