import { enumeration, integer, json, Multibind, numeric, text, timestamp, varchar } from "../../src/index.ts";

export const db = new Multibind<"auth" | "meta">();

export class Post extends db.model("post", {
  id: integer().primaryKey(),
  title: text(),
  authorId: integer(),
  price: numeric(8, 2).nullable(),
  tags: json<readonly string[]>().default(() => []),
}) {}

export class User extends db.model(
  "user",
  {
    id: integer().primaryKey(),
    name: varchar(80).unique(),
    bio: text().nullable(),
    createdAt: timestamp().default(() => new Date()),
  },
  { bindKey: "auth" },
) {
  get initials(): string {
    return this.name.slice(0, 1);
  }

  static readonly plural = "users";
}

export class Login extends db.model(
  "login",
  { id: integer().primaryKey(), userId: integer().references("user.id") },
  { bindKey: "auth" },
) {}

export class Member extends db.model("member", {
  userId: integer().primaryKey(),
  groupId: integer().primaryKey(),
  role: text(),
}) {}

export const tag = db.table("tag", { id: integer().primaryKey(), label: text() }, { bindKey: "meta" });

export const Audited = db.abstractModel({ createdAt: timestamp().default(() => new Date()) }, { bindKey: "meta" });
export class Event extends Audited.extend("event", { id: integer().primaryKey(), what: text() }) {}
export class Visit extends Audited.extend("visit", { id: integer().primaryKey() }, { bindKey: "auth" }) {}

export class Vehicle extends db.model(
  "vehicle",
  { id: integer().primaryKey(), kind: enumeration(["car", "truck"]) },
  { bindKey: "auth", discriminator: "kind" },
) {
  honk(): string {
    return this.kind;
  }
}

export class Car extends Vehicle.extend({ doors: integer() }, { identity: "car" }) {
  static {
    db.register(Car);
  }
}

export class Truck extends Vehicle.extend(
  "truck",
  { id: integer().primaryKey().references("vehicle.id"), load: integer() },
  { identity: "truck" },
) {
  static {
    db.register(Truck);
  }
}

export class OldUser extends User.extend("old_user", {}, { bindKey: "meta", concrete: true }) {}
