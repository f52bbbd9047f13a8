import { test } from "node:test";
import { expectTypeOf } from "expect-type";
import { enumeration, integer, Multibind, text, varchar } from "../../src/index.ts";
import { Audited, Car, db, Event, Member, OldUser, Post, Truck, tag, User, Vehicle, Visit } from "./shop.ts";

/** Holds code that is to be compiled, or not, and never run. */
function compiled(_code: () => unknown): void {}

test("an entity has the columns' types, and what its class adds", () => {
  expectTypeOf(new User({ name: "ada" }))
    .toHaveProperty("id")
    .toEqualTypeOf<number>();
  expectTypeOf<User["bio"]>().toEqualTypeOf<string | null>();
  expectTypeOf<User["createdAt"]>().toEqualTypeOf<Date>();
  expectTypeOf<User["initials"]>().toEqualTypeOf<string>();
  expectTypeOf<Post["price"]>().toEqualTypeOf<string | null>();
  expectTypeOf<Post["tags"]>().toEqualTypeOf<readonly string[]>();
});

test("a constructor wants the columns that have no default, and no others", () => {
  compiled(() => new User({ name: "ada", bio: null, createdAt: new Date() }));
  // @ts-expect-error name is missing
  compiled(() => new User({}));
  // @ts-expect-error a number is no name
  compiled(() => new User({ name: 3 }));
  // @ts-expect-error there is no such column
  compiled(() => new User({ name: "ada", nmae: "ada" }));
  // @ts-expect-error a name cannot be null
  compiled(() => new User({ name: null }));
  // @ts-expect-error parts of a composite key are not generated
  compiled(() => new Member({ userId: 1, role: "admin" }));
  class Marker extends new Multibind().model("marker", { id: integer().primaryKey() }) {}
  compiled(() => new Marker());
});

test("the bind key is part of the type", () => {
  expectTypeOf(Post.bindKey).toEqualTypeOf<null>();
  expectTypeOf(User.bindKey).toEqualTypeOf<"auth">();
  expectTypeOf(tag.bindKey).toEqualTypeOf<"meta">();
  expectTypeOf(Event.bindKey).toEqualTypeOf<"meta">();
  expectTypeOf(Visit.bindKey).toEqualTypeOf<"auth">();
  expectTypeOf(Truck.bindKey).toEqualTypeOf<"auth">();
  expectTypeOf(OldUser.bindKey).toEqualTypeOf<"meta">();
});

test("a wrong bind key does not compile", () => {
  // @ts-expect-error db.model
  compiled(() => db.model("x", { id: integer().primaryKey() }, { bindKey: "nope" }));
  // @ts-expect-error db.table
  compiled(() => db.table("x", { id: integer().primaryKey() }, { bindKey: "nope" }));
  // @ts-expect-error db.abstractModel
  compiled(() => db.abstractModel({ id: integer() }, { bindKey: "nope" }));
  // @ts-expect-error extend of a base without a table
  compiled(() => Audited.extend("x", { id: integer().primaryKey() }, { bindKey: "nope" }));
  // @ts-expect-error extend of a concrete model
  compiled(() => User.extend("x", {}, { bindKey: "nope", concrete: true }));
  const open = new Multibind();
  compiled(() => open.model("x", { id: integer().primaryKey() }, { bindKey: "whatever" }));
});

test("children of a model with a table have its bind key and columns", () => {
  expectTypeOf<Car["kind"]>().toEqualTypeOf<"car">();
  expectTypeOf<Vehicle["kind"]>().toEqualTypeOf<"car" | "truck">();
  expectTypeOf<Car>().toExtend<Vehicle>();
  expectTypeOf<Truck["id"]>().toEqualTypeOf<number>();
  expectTypeOf<Truck["load"]>().toEqualTypeOf<number>();
  expectTypeOf<Truck>().toExtend<Vehicle>();
  expectTypeOf(OldUser.plural).toEqualTypeOf<string>();
  expectTypeOf<OldUser["initials"]>().toEqualTypeOf<string>();
  compiled(() => new Car({ doors: 3 }));
  // @ts-expect-error there is no boat among the kinds
  compiled(() => Vehicle.extend({ x: integer() }, { identity: "boat" }));
  // @ts-expect-error a child in its parent's table is where the parent is
  compiled(() => Vehicle.extend({ x: integer() }, { identity: "car", bindKey: "meta" }));
  // @ts-expect-error so is one that is joined to it
  compiled(() => User.extend("x", { id: integer().primaryKey().references("user.id") }, { bindKey: "meta" }));
});

test("a discriminator is read-only, and tells classes apart", () => {
  const truckOrCar = (vehicle: Car | Truck) => (vehicle.kind === "car" ? vehicle.doors : vehicle.load);
  expectTypeOf(truckOrCar).returns.toEqualTypeOf<number>();
  const assign = (vehicle: Vehicle, car: Car, truck: Truck) => {
    // @ts-expect-error a row does not change its class
    vehicle.kind = "car";
    // @ts-expect-error nor does a child's, to that of another class
    car.kind = "truck";
    // @ts-expect-error not even to its own
    truck.kind = "truck";
  };
  compiled(() => assign);
});

test("a child lists the identities of its own children", () => {
  const kind = enumeration(["thing", "car", "sports", "truck"]);
  compiled(() => {
    class Thing extends db.model("x", { id: integer().primaryKey(), kind }, { discriminator: "kind" }) {}
    class Wheeled extends Thing.extend({ doors: integer() }, { identity: "car", children: ["sports"] }) {}
    class Sports extends Wheeled.extend({ speed: integer() }, { identity: "sports" }) {}
    expectTypeOf<Wheeled["kind"]>().toEqualTypeOf<"car" | "sports">();
    expectTypeOf<Sports["kind"]>().toEqualTypeOf<"sports">();
    expectTypeOf<Sports>().toExtend<Wheeled>();
    // @ts-expect-error the parent does not list it
    Wheeled.extend({ load: integer() }, { identity: "truck" });
    // @ts-expect-error a class without a list has no children
    Sports.extend({ load: integer() }, { identity: "truck" });
  });
});

test("a discriminator is one of the columns, and an identity one of its values", () => {
  const columns = { id: integer().primaryKey(), kind: enumeration(["a", "b"]), name: varchar(3) };
  compiled(() => db.model("x", columns, { discriminator: "kind", identity: "a" }));
  // @ts-expect-error there is no such column
  compiled(() => db.model("x", columns, { discriminator: "knid" }));
  // @ts-expect-error there is no such value
  compiled(() => db.model("x", columns, { discriminator: "kind", identity: "c" }));
});

test("a default has the column's type", () => {
  compiled(() => integer().default(1));
  // @ts-expect-error a text is no integer
  compiled(() => integer().default("1"));
  // @ts-expect-error neither is what the function returns
  compiled(() => integer().default(() => "1"));
  // @ts-expect-error the column is not nullable
  compiled(() => text().default(null));
  // @ts-expect-error there is no such value
  compiled(() => enumeration(["a", "b"]).default("c"));
});
