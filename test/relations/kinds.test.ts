import assert from "node:assert/strict";
import { test } from "node:test";
import {
  enumeration,
  integer,
  Multibind,
  MultipleResultsError,
  type ToMany,
  type ToOne,
  varchar,
} from "../../src/index.ts";
import { sessionOf, sharedDatabase, start } from "../fixtures/matrix.ts";
import { PLACES } from "./blog.ts";
import { Author } from "./circular/author.ts";
import { Book } from "./circular/book.ts";
import { db as circular } from "./circular/db.ts";

const id = () => integer().primaryKey();

for (const [main, auth] of PLACES) {
  const where = `${main}, ${auth}`;

  test(`composite keys lead to another bind and back (${where})`, async (t) => {
    const db = new Multibind<"auth">();
    class Membership extends db.model(
      "membership",
      { userId: integer().primaryKey(), groupId: integer().primaryKey(), role: varchar(20) },
      { bindKey: "auth" },
    ) {
      declare readonly badges: ToMany<Badge>;
    }
    class Badge extends db.model("badge", {
      id: id(),
      user: integer().nullable(),
      group: integer(),
      label: varchar(20),
    }) {
      declare readonly membership: ToOne<Membership | null>;
    }
    db.relate(Membership, (r) => ({ badges: r.hasMany(() => Badge, { userId: "user", groupId: "group" }) }));
    db.relate(Badge, (r) => ({ membership: r.belongsTo(() => Membership, { userId: "user", groupId: "group" }) }));
    db.check();
    const app = await start(t, db, {
      databaseUrl: await sharedDatabase(main),
      binds: { auth: await sharedDatabase(auth) },
    });
    const session = sessionOf(app);
    session.addAll([
      new Membership({ userId: 1, groupId: 2, role: "owner" }),
      new Membership({ userId: 2, groupId: 1, role: "guest" }),
      new Badge({ id: 1, user: 1, group: 2, label: "gold" }),
      new Badge({ id: 2, user: 2, group: 1, label: "tin" }),
      new Badge({ id: 3, user: null, group: 1, label: "none" }),
    ]);
    await session.commit();
    session.expungeAll();
    const badges = await session
      .select(Badge)
      .include({ membership: { badges: true } })
      .orderBy("id")
      .all();
    assert.deepEqual(
      badges.map(({ membership }) => membership?.role),
      ["owner", "guest", undefined],
    );
    assert.deepEqual(badges[0]!.membership?.badges.items, [badges[0]]);
  });

  test(`rows come as their classes, with the relations of their parents (${where})`, async (t) => {
    const db = new Multibind<"auth">();
    class Owner extends db.model("owner", { id: id() }, { bindKey: "auth" }) {
      declare readonly vehicles: ToMany<Vehicle>;
    }
    class Garage extends db.model("garage", { id: id(), carId: integer().unique() }, { bindKey: "auth" }) {
      declare readonly car: ToOne<Car>;
    }
    class Vehicle extends db.model(
      "vehicle",
      { id: id(), kind: enumeration(["car", "truck"]), ownerId: integer() },
      { discriminator: "kind" },
    ) {
      declare readonly owner: ToOne<Owner>;
    }
    class Car extends Vehicle.extend({ doors: integer().nullable() }, { identity: "car" }) {
      declare readonly garage: ToOne<Garage | null>;
    }
    class Truck extends Vehicle.extend({ axles: integer().nullable() }, { identity: "truck" }) {}
    db.register(Truck);
    db.relate(Owner, (r) => ({ vehicles: r.hasMany(() => Vehicle, "ownerId") }));
    db.relate(Garage, (r) => ({ car: r.belongsTo(() => Car, "carId") }));
    db.relate(Vehicle, (r) => ({ owner: r.belongsTo(() => Owner, "ownerId") }));
    db.relate(Car, Vehicle, (r) => ({ garage: r.hasOne(() => Garage, "carId") }));
    db.check();
    const app = await start(t, db, {
      databaseUrl: await sharedDatabase(main),
      binds: { auth: await sharedDatabase(auth) },
    });
    const session = sessionOf(app);
    session.addAll([
      new Owner({ id: 1 }),
      new Car({ id: 1, ownerId: 1, doors: 3 }),
      new Truck({ id: 2, ownerId: 1, axles: 4 }),
      new Garage({ id: 1, carId: 1 }),
    ]);
    await session.commit();
    session.expungeAll();
    const owner = await session
      .select(Owner)
      .include({ vehicles: { owner: true } })
      .one();
    assert.deepEqual(
      owner.vehicles.map((vehicle) => [vehicle.constructor, vehicle.owner]),
      [
        [Car, owner],
        [Truck, owner],
      ],
    );
    session.expungeAll();
    const car = await session
      .select(Car)
      .include({ owner: true, garage: { car: true } })
      .one();
    assert.equal(car.garage?.car, car);
    assert.equal(car.owner.id, 1);
  });

  test(`one row at most of a table that does not say so is an error where there are two (${where})`, async (t) => {
    const db = new Multibind<"auth">();
    class Profile extends db.model("profile", { id: id(), userId: integer() }, { bindKey: "auth" }) {}
    class User extends db.model("user", { id: id() }) {
      declare readonly profile: ToOne<Profile | null>;
    }
    db.relate(User, (r) => ({ profile: r.hasOne(() => Profile, "userId", { unique: false }) }));
    const app = await start(t, db, {
      databaseUrl: await sharedDatabase(main),
      binds: { auth: await sharedDatabase(auth) },
    });
    const session = sessionOf(app);
    session.addAll([new User({ id: 1 }), new Profile({ id: 1, userId: 1 })]);
    await session.flush();
    assert.equal((await session.select(User).include({ profile: true }).one()).profile?.id, 1);
    session.add(new Profile({ id: 2, userId: 1 }));
    await assert.rejects(session.select(User).include({ profile: true }).all(), MultipleResultsError);
  });

  test(`two modules that import each other have relations to each other (${where})`, async (t) => {
    const app = await start(t, circular, {
      databaseUrl: await sharedDatabase(main),
      binds: { auth: await sharedDatabase(auth) },
    });
    circular.check();
    const session = sessionOf(app);
    session.addAll([new Author({ id: 1, name: "ada" }), new Book({ id: 1, authorId: 1, title: "notes" })]);
    await session.commit();
    session.expungeAll();
    const author = await session
      .select(Author)
      .include({ books: { author: true } })
      .one();
    assert.equal(author.books.at(0)!.author, author);
  });
}
