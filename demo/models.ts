import {
  boolean,
  enumeration,
  integer,
  Multibind,
  numeric,
  type ToMany,
  type ToOne,
  text,
  timestamp,
  varchar,
} from "../src/index.ts";

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
) {
  declare readonly logins: ToMany<Login>;

  static {
    db.relate(User, (r) => ({ logins: r.hasMany(() => Login, "userId") }));
  }
}

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
}) {
  declare readonly customer: ToOne<User>;

  static {
    db.relate(Order, (r) => ({ customer: r.belongsTo(() => User, "customerId") }));
  }
}

export class Event extends db.model("demo_event", { id: integer().primaryKey(), what: text() }, { bindKey: "meta" }) {}
