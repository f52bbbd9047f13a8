import { Multibind } from "../../src/multibind.ts";
import { integer } from "../../src/schema/types/integer.ts";
import { enumeration } from "../../src/schema/types/enumeration.ts";
import { text, varchar } from "../../src/schema/types/string.ts";
import { timestamp } from "../../src/schema/types/temporal.ts";
import type { ModelKey } from "../../src/model/model-types.ts";

export const db = new Multibind<"meta" | "auth">();
export class User extends db.model("user", {
  id: integer().primaryKey(),
  name: varchar(80).unique(),
  bio: text().nullable(),
  createdAt: timestamp().default(() => new Date()),
}, { bindKey: "auth" }) {
  get initials(): string { return this.name.slice(0, 1); }
  static find(): number { return 3; }
}
export const tag = db.table("tag", { id: integer().primaryKey(), label: text() }, { bindKey: "meta" });
const Audited = db.abstractModel({ createdAt: timestamp().default(() => new Date()) }, { bindKey: "meta" });
export class Event extends Audited.extend("event", { id: integer().primaryKey(), what: text() }) {}
export class Login extends Audited.extend("login", { id: integer().primaryKey(), userId: integer() }, { bindKey: "auth" }) {}
export class Vehicle extends db.model("vehicle", { id: integer().primaryKey(), kind: enumeration(["car", "truck"]) }, { bindKey: "auth", discriminator: "kind" }) { honk(): string { return this.kind; } static wheels = 4; }
export class Car extends Vehicle.extend({ doors: integer() }, { identity: "car" }) { static { db.register(this); } }
export class Truck extends Vehicle.extend("truck", { id: integer().primaryKey().references("vehicle.id"), load: integer() }, { identity: "truck" }) { static { db.register(this); } }
export class OldUser extends User.extend("old_user", {}, { bindKey: "meta", concrete: true }) {}
export class Admin extends User.extend("admin", { id: integer().primaryKey().references("user.id"), org: text() }) { hi(): string { return this.initials + this.org; } }
export class Member extends db.model("member", { userId: integer().primaryKey(), groupId: integer().primaryKey(), role: text() }) {}
export class Plain extends db.model("plain", { id: integer().primaryKey() }) {}

const u = new User({ name: "x" }); u.bio satisfies string | null; u.id satisfies number; u.initials;
u.createdAt satisfies Date;
"auth" satisfies typeof User.bindKey; "meta" satisfies typeof Event.bindKey; "auth" satisfies typeof Login.bindKey; null satisfies typeof Plain.bindKey; "meta" satisfies typeof OldUser.bindKey;
new Event({ what: "s" }).createdAt satisfies Date;
// @ts-expect-error
new User({});
// @ts-expect-error
new User({ name: 3 });
// @ts-expect-error
db.model("x", { id: integer() }, { bindKey: "nope" });
// @ts-expect-error
Vehicle.extend({ x: integer() }, { identity: "boat" });
// @ts-expect-error
Vehicle.extend({ x: integer() }, { identity: "car", bindKey: "meta" });
// @ts-expect-error
User.extend("adm", { id: integer().primaryKey().references("user.id") }, { bindKey: "meta" });
new Car({ doors: 3 }).kind satisfies "car" | "truck";
new Car({ doors: 3 }).honk();
Car.wheels satisfies number;
new Truck({ load: 3 }).id satisfies number;
"auth" satisfies typeof Truck.bindKey;
new Admin({ name: "x", org: "y" }).hi();
Admin.find() satisfies number;
new OldUser({ name: "x" }).initials;
new Plain();
1 satisfies ModelKey<typeof User>;
({ userId: 1, groupId: 2 }) satisfies ModelKey<typeof Member>;
// @ts-expect-error
"x" satisfies ModelKey<typeof User>;
const v: Vehicle = new Truck({ load: 3 }); if (v instanceof Truck) v.load satisfies number;
console.log(new Car({ doors: 3 }), new Truck({ load: 2 }), u, { ...u }, JSON.stringify(new Admin({ name: "x", org: "y" })), structuredClone(new Plain()));
