import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CrossBindForeignKeyError,
  DuplicateTableError,
  enumeration,
  foreignKey,
  InvalidValueError,
  integer,
  ModelClassError,
  Multibind,
  NotNullViolationError,
  SchemaError,
  SessionError,
  sql,
  text,
  UnmappedClassError,
  varchar,
} from "../../src/index.ts";
import { onEachFamily, sessionOf, start } from "../fixtures/matrix.ts";

/** A root with a discriminator and children of every sort. */
function vehicles() {
  const db = new Multibind();
  class Vehicle extends db.model(
    "vehicle",
    {
      id: integer().primaryKey(),
      kind: enumeration(["vehicle", "car", "sports", "truck", "tanker", "bus"]),
      name: varchar(40),
    },
    { discriminator: "kind", identity: "vehicle" },
  ) {
    static readonly wheels: number = 4;
    describe(): string {
      return `${this.kind} ${this.name}`;
    }
  }
  class Car extends Vehicle.extend({ doors: integer() }, { identity: "car", children: ["sports", "bus"] }) {
    static {
      db.register(Car);
    }
    override describe(): string {
      return `${super.describe()} with ${this.doors} doors`;
    }
  }
  class Sports extends Car.extend({ topSpeed: integer().nullable() }, { identity: "sports" }) {
    static {
      db.register(Sports);
    }
  }
  class Truck extends Vehicle.extend(
    "truck",
    { id: integer().primaryKey().references("vehicle.id"), load: integer() },
    { identity: "truck", children: ["tanker", "bus"] },
  ) {
    static {
      db.register(Truck);
    }
  }
  class Tanker extends Truck.extend(
    "tanker",
    { tankerId: integer().primaryKey().references("truck.id"), litres: integer() },
    { identity: "tanker" },
  ) {
    static {
      db.register(Tanker);
    }
  }
  class Bus extends Vehicle.extend(
    "bus",
    { busId: integer().primaryKey().references("vehicle.id"), load: integer(), line: text() },
    { identity: "bus" },
  ) {
    static {
      db.register(Bus);
    }
  }
  return { db, Vehicle, Car, Sports, Truck, Tanker, Bus };
}

type Fleet = ReturnType<typeof vehicles>;

function fleetOf({ Vehicle, Car, Sports, Truck, Tanker, Bus }: Fleet) {
  return [
    new Vehicle({ name: "cart" }),
    new Car({ name: "beetle", doors: 3 }),
    new Sports({ name: "dino", doors: 2, topSpeed: 235 }),
    new Truck({ name: "lorry", load: 20 }),
    new Tanker({ name: "oiler", load: 30, litres: 9000 }),
    new Bus({ name: "liner", load: 60, line: "7" }),
  ];
}

onEachFamily("a query for the parent gives each row as an entity of its own class", async (t, url) => {
  const fleet = vehicles();
  const { db, Vehicle } = fleet;
  const app = await start(t, db, { databaseUri: url });
  const writer = sessionOf(app);
  const written = fleetOf(fleet);
  writer.addAll(written);
  await writer.commit();

  const read = await sessionOf(app).select(Vehicle).orderBy("id").all();

  assert.deepEqual(
    read.map((vehicle) => vehicle.constructor),
    written.map((vehicle) => vehicle.constructor),
  );
  assert.deepEqual(read, written);
  assert.deepEqual(
    read.map((vehicle) => vehicle.describe()),
    ["vehicle cart", "car beetle with 3 doors", "sports dino with 2 doors", "truck lorry", "tanker oiler", "bus liner"],
  );
});

onEachFamily("a query for a child gives its rows and those of its own children", async (t, url) => {
  const fleet = vehicles();
  const { db, Car, Sports, Truck, Tanker, Bus } = fleet;
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  session.addAll(fleetOf(fleet));
  await session.commit();
  session.expungeAll();

  const names = async (vehicles: Promise<readonly { readonly name: string }[]>) =>
    (await vehicles).map(({ name }) => name);
  assert.deepEqual(await names(session.select(Car).orderBy("id").all()), ["beetle", "dino"]);
  assert.deepEqual(await names(session.select(Sports).all()), ["dino"]);
  assert.deepEqual(await names(session.select(Truck).orderBy("id").all()), ["lorry", "oiler"]);
  assert.deepEqual(await names(session.select(Tanker).all()), ["oiler"]);
  assert.deepEqual(await names(session.select(Bus).all()), ["liner"]);
  assert.equal(await session.select(Car).count(), 2);
  assert.equal(await session.select(Truck).where("load", ">", 20).count(), 1);
  assert.deepEqual(await names(session.select(Tanker).where({ name: "oiler", load: 30, litres: 9000 }).all()), [
    "oiler",
  ]);
  assert.equal(await session.select(Sports).where("doors", "=", 5).exists(), false);
});

onEachFamily("an entity is got by its key through its own class, its parents, and no other", async (t, url) => {
  const fleet = vehicles();
  const { db, Vehicle, Car, Sports, Truck, Tanker, Bus } = fleet;
  const app = await start(t, db, { databaseUri: url });
  const writer = sessionOf(app);
  const [cart, , , , oiler] = fleetOf(fleet) as [
    InstanceType<typeof Vehicle>,
    unknown,
    unknown,
    unknown,
    InstanceType<typeof Tanker>,
  ];
  writer.addAll([cart, oiler]);
  await writer.commit();

  for (const known of [true, false]) {
    const session = sessionOf(app);
    if (known) await session.select(Vehicle).all();
    const tanker = await session.get(Vehicle, oiler.id);
    assert.ok(tanker instanceof Tanker);
    assert.equal(await session.get(Truck, oiler.id), tanker);
    assert.equal(await session.get(Tanker, oiler.id), tanker);
    assert.equal(await session.get(Bus, oiler.id), null);
    assert.equal(await session.get(Car, oiler.id), null);
    assert.equal(await session.get(Sports, cart.id), null);
    assert.ok((await session.get(Vehicle, cart.id)) instanceof Vehicle);
  }
});

onEachFamily("children with columns of the same name keep them apart", async (t, url) => {
  const fleet = vehicles();
  const { db, Vehicle, Truck, Bus } = fleet;
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const truck = new Truck({ name: "lorry", load: 20 });
  const bus = new Bus({ name: "liner", load: 60, line: "7" });
  session.addAll([truck, bus]);
  await session.commit();

  truck.load = 21;
  bus.load = 61;
  await session.commit();

  const read = await sessionOf(app).select(Vehicle).orderBy("id").all();
  assert.deepEqual(
    read.map((vehicle) => (vehicle as InstanceType<typeof Truck>).load),
    [21, 61],
  );
});

onEachFamily("a joined child's key is its parent's, whatever it is called", async (t, url) => {
  const fleet = vehicles();
  const { db, Bus, Tanker } = fleet;
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const bus = new Bus({ name: "liner", load: 60, line: "7" });
  const tanker = new Tanker({ name: "oiler", load: 1, litres: 2 });
  session.addAll([bus, tanker]);
  await session.commit();

  assert.equal(bus.busId, bus.id);
  assert.equal(tanker.tankerId, tanker.id);
  assert.notEqual(bus.id, tanker.id);
  assert.equal(session.isModified(bus), false);
});

onEachFamily("an update of a child touches only the tables whose columns changed", async (t, url) => {
  const fleet = vehicles();
  const { db, Tanker } = fleet;
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const tanker = new Tanker({ name: "oiler", load: 1, litres: 2 });
  session.add(tanker);
  await session.commit();
  const sent: string[] = [];
  app.engine.onStatement((event) => sent.push(event.sql));

  tanker.litres = 3;
  await session.flush();
  assert.deepEqual(
    sent.filter((text) => text.startsWith("update")).map((text) => /["`](\w+)["`]/.exec(text)?.[1]),
    ["tanker"],
  );
  tanker.name = "oiler 2";
  tanker.load = 4;
  await session.commit();

  assert.deepEqual(
    sent.filter((text) => text.startsWith("update")).map((text) => /["`](\w+)["`]/.exec(text)?.[1]),
    ["tanker", "vehicle", "truck"],
  );
  assert.deepEqual(await sessionOf(app).get(Tanker, tanker.id), tanker);
});

onEachFamily("a deleted child leaves none of its tables", async (t, url) => {
  const fleet = vehicles();
  const { db, Vehicle } = fleet;
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  session.addAll(fleetOf(fleet));
  await session.commit();

  for (const vehicle of await session.select(Vehicle).all()) session.delete(vehicle);
  await session.commit();

  for (const table of ["vehicle", "truck", "tanker", "bus"]) {
    const { rows } = await session.execute(sql<{ n: unknown }>`select count(*) as n from ${sql.table(table)}`, {
      readOnly: true,
    });
    assert.equal(Number(rows[0]?.n), 0, table);
  }
});

onEachFamily("rows of many classes are stored in one flush, each with its key", async (t, url) => {
  const fleet = vehicles();
  const { db, Vehicle } = fleet;
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const written = Array.from({ length: 20 }, () => fleetOf(fleet)).flat();
  written.forEach((vehicle, index) => {
    vehicle.name = `no ${index}`;
  });
  session.addAll(written);
  await session.commit();

  const read = await sessionOf(app).select(Vehicle).all();
  assert.deepEqual(
    new Map(read.map((vehicle) => [vehicle.id, vehicle])),
    new Map(written.map((vehicle) => [vehicle.id, vehicle])),
  );
});

onEachFamily("a row of an unknown class is refused", async (t, url) => {
  const db = new Multibind();
  class Vehicle extends db.model(
    "vehicle",
    { id: integer().primaryKey(), kind: varchar(10) },
    { discriminator: "kind", identity: "vehicle" },
  ) {}
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  await session.execute(sql`insert into ${Vehicle.table} (kind) values ('balloon')`);

  await assert.rejects(session.select(Vehicle).all(), UnmappedClassError);
  class Car extends Vehicle.extend({}, { identity: "car" }) {
    static {
      db.register(Car);
    }
  }
  assert.deepEqual(await session.select(Car).all(), []);
  await assert.rejects(session.select(Vehicle).all(), (error) => {
    assert.ok(error instanceof UnmappedClassError);
    assert.match(error.message, /balloon/);
    return true;
  });
});

onEachFamily("a row of a child whose class was not registered is refused", async (t, url) => {
  const db = new Multibind();
  class Vehicle extends db.model(
    "vehicle",
    { id: integer().primaryKey(), kind: varchar(10) },
    { discriminator: "kind" },
  ) {}
  class Car extends Vehicle.extend({ doors: integer() }, { identity: "car" }) {}
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  await session.execute(sql`insert into ${Vehicle.table} (kind, doors) values ('car', 4)`);

  await assert.rejects(session.select(Vehicle).all(), UnmappedClassError);
  assert.equal((await session.select(Car).all()).length, 1, "the class is named here");
  assert.ok((await session.select(Vehicle).one()) instanceof Car);
});

onEachFamily("rows of a root without identity and without children are the root's", async (t, url) => {
  const db = new Multibind();
  class Vehicle extends db.model(
    "vehicle",
    { id: integer().primaryKey(), kind: varchar(10) },
    { discriminator: "kind" },
  ) {}
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  session.add(new Vehicle({ kind: "anything" }));
  await session.commit();

  assert.equal((await sessionOf(app).select(Vehicle).one()).kind, "anything");
});

onEachFamily("a joined row whose discriminator names another class is refused", async (t, url) => {
  const fleet = vehicles();
  const { db, Truck, Vehicle } = fleet;
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  session.add(new Truck({ name: "lorry", load: 1 }));
  await session.flush();
  await session.execute(sql`update ${Vehicle.table} set kind = 'car', doors = 1`);
  session.expungeAll();

  await assert.rejects(session.select(Truck).all(), UnmappedClassError);
});

test("a child's discriminator is its identity and nothing else", () => {
  const { Car } = vehicles();

  assert.equal(new Car({ name: "x", doors: 1 }).kind, "car");
  assert.deepEqual(new Car({ ...new Car({ name: "x", doors: 1 }) }), new Car({ name: "x", doors: 1 }));
  // @ts-expect-error A car is never a truck.
  assert.throws(() => new Car({ name: "x", doors: 1, kind: "truck" }), InvalidValueError);
});

test("a child has its parents' columns first, and their static and instance members", () => {
  const { Sports } = vehicles();
  const dino = new Sports({ topSpeed: 235, doors: 2, name: "dino" });

  assert.deepEqual(Object.keys(dino), ["id", "kind", "name", "doors", "topSpeed"]);
  assert.equal(Sports.wheels, 4);
});

onEachFamily("a column that a child needs may be left out by others, and not by the child", async (t, url) => {
  const fleet = vehicles();
  const { db, Vehicle, Car } = fleet;
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  session.add(new Vehicle({ name: "cart" }));
  await session.commit();

  // @ts-expect-error Doors are missing.
  session.add(new Car({ name: "beetle" }));
  await assert.rejects(session.flush(), NotNullViolationError);
});

// Joined tables without discriminator

function admins() {
  const db = new Multibind();
  class User extends db.model("user", { id: integer().primaryKey(), name: varchar(40) }) {}
  class Admin extends User.extend("admin", { id: integer().primaryKey().references("user.id"), realm: text() }) {}
  return { db, User, Admin };
}

onEachFamily(
  "a joined child without discriminator is read by its own class, and through the parent as a parent",
  async (t, url) => {
    const { db, User, Admin } = admins();
    const app = await start(t, db, { databaseUri: url });
    const writer = sessionOf(app);
    writer.addAll([new User({ name: "ada" }), new Admin({ name: "eve", realm: "all" })]);
    await writer.commit();

    assert.deepEqual(await sessionOf(app).select(Admin).all(), [new Admin({ id: 2, name: "eve", realm: "all" })]);
    assert.deepEqual(await sessionOf(app).select(User).orderBy("id").all(), [
      new User({ id: 1, name: "ada" }),
      new User({ id: 2, name: "eve" }),
    ]);
    assert.equal(await sessionOf(app).get(Admin, 1), null);
  },
);

onEachFamily(
  "one row is one entity, also where a child without discriminator is asked for as its parent",
  async (t, url) => {
    const { db, User, Admin } = admins();
    const app = await start(t, db, { databaseUri: url });
    const session = sessionOf(app);
    const eve = new Admin({ name: "eve", realm: "all" });
    session.add(eve);
    await session.commit();

    assert.equal(await session.get(User, eve.id), eve);
    await session.commit();
    assert.deepEqual(await session.select(User).all(), [eve], "stale, and read by the parent's columns");
    eve.name = "eve 2";
    eve.realm = "some";
    await session.commit();
    assert.deepEqual(await sessionOf(app).get(Admin, eve.id), new Admin({ id: eve.id, name: "eve 2", realm: "some" }));
  },
);

onEachFamily("a row that is there as the parent's cannot be had as a child's beside it", async (t, url) => {
  const { db, User, Admin } = admins();
  const app = await start(t, db, { databaseUri: url });
  const writer = sessionOf(app);
  writer.add(new Admin({ name: "eve", realm: "all" }));
  await writer.commit();
  const session = sessionOf(app);
  const user = await session.getOne(User, 1);

  await assert.rejects(session.select(Admin).all(), SessionError);
  await assert.rejects(session.get(Admin, 1), SessionError);
  session.expunge(user);
  assert.ok((await session.get(Admin, 1)) instanceof Admin);
});

// Abstract bases

test("children inherit columns, bind key and members of an abstract base, and may override them", () => {
  const db = new Multibind<"auth" | "meta">();
  abstract class Audited extends db.abstractModel({ createdAt: text().default("now") }, { bindKey: "meta" }) {
    static readonly audited: boolean = true;
    age(): string {
      return `since ${this.createdAt}`;
    }
  }
  abstract class Owned extends Audited.extendAbstract({ owner: integer() }) {}
  abstract class Kept extends Audited.extendAbstract({ until: text() }, { bindKey: "auth" }) {}
  class Event extends Owned.extend("event", { id: integer().primaryKey() }) {}
  class Login extends Owned.extend("login", { id: integer().primaryKey() }, { bindKey: "auth" }) {}
  class Main extends Owned.extend("main", { id: integer().primaryKey() }, { bindKey: null }) {}
  class File extends Kept.extend("file", { id: integer().primaryKey() }) {}

  assert.deepEqual([Event.bindKey, Login.bindKey, Main.bindKey, File.bindKey], ["meta", "auth", null, "auth"]);
  assert.deepEqual(Object.keys(new Event({ owner: 1 })), ["createdAt", "owner", "id"]);
  assert.equal(new Login({ owner: 1, createdAt: "today" }).age(), "since today");
  assert.equal(Main.audited, true);
  assert.ok(new File({ until: "x" }) instanceof Audited);
  assert.deepEqual([...db.metadatas.get("auth").tables.keys()], ["login", "file"]);
});

// Concrete children

onEachFamily("a concrete child has all columns in a table of its own, in whatever bind", async (t, url) => {
  const db = new Multibind<"old">();
  class User extends db.model("user", { id: integer().primaryKey(), name: varchar(40) }) {
    greet(): string {
      return `hello ${this.name}`;
    }
  }
  class OldUser extends User.extend("old_user", { left: text() }, { bindKey: "old", concrete: true }) {}
  const app = await start(t, db, { databaseUri: url, binds: { old: "sqlite://" } });
  const session = sessionOf(app);
  const old = new OldUser({ name: "eve", left: "2020" });
  session.addAll([new User({ name: "ada" }), old]);
  await session.commit();

  assert.deepEqual(Object.keys(old), ["id", "name", "left"]);
  assert.equal(old.greet(), "hello eve");
  assert.equal(session.getBind({ model: OldUser }).bindKey, "old");
  const other = sessionOf(app);
  assert.deepEqual(await other.select(User).all(), [new User({ id: 1, name: "ada" })]);
  assert.deepEqual(await other.select(OldUser).all(), [old]);
  assert.notEqual(await other.get(User, 1), await other.get(OldUser, 1), "equal keys of two tables are two rows");
});

test("a concrete child inherits its parent's bind key unless it names one", () => {
  const db = new Multibind<"auth">();
  class User extends db.model("user", { id: integer().primaryKey() }, { bindKey: "auth" }) {}

  assert.equal(User.extend("a", {}, { concrete: true }).bindKey, "auth");
  assert.equal(User.extend("b", {}, { concrete: true, bindKey: null }).bindKey, null);
});

test("a foreign key that a concrete child inherits into another bind leads nowhere there, and check says so", () => {
  const db = new Multibind<"auth">();
  class User extends db.model("user", { id: integer().primaryKey() }, { bindKey: "auth" }) {}
  class Post extends db.model(
    "post",
    { id: integer().primaryKey(), by: integer().references("user.id") },
    { bindKey: "auth" },
  ) {}
  Post.extend("old_post", {}, { concrete: true, bindKey: null });

  assert.equal(User.bindKey, "auth");
  assert.throws(() => db.check(), CrossBindForeignKeyError);
});

// What is refused, and leaves nothing behind

const REFUSED: Record<
  string,
  {
    readonly define: (fleet: Fleet) => unknown;
    readonly error: typeof SchemaError | typeof ModelClassError | typeof InvalidValueError;
  }
> = {
  "a single-table child in another bind": {
    // @ts-expect-error The bind is the parent's.
    define: ({ Vehicle }) => Vehicle.extend({ x: integer() }, { identity: "bus", bindKey: "other" }),
    error: SchemaError,
  },
  "a joined child in another bind": {
    define: ({ Vehicle }) =>
      Vehicle.extend(
        "y",
        { id: integer().primaryKey().references("vehicle.id") },
        // @ts-expect-error The bind is the parent's.
        { identity: "bus", bindKey: "other" },
      ),
    error: SchemaError,
  },
  "a single-table child without identity": {
    // @ts-expect-error An identity is missing.
    define: ({ Vehicle }) => Vehicle.extend({ x: integer() }, {}),
    error: ModelClassError,
  },
  "an identity that the discriminator cannot hold": {
    // @ts-expect-error There is no such kind.
    define: ({ Vehicle }) => Vehicle.extend({ x: integer() }, { identity: "boat" }),
    error: InvalidValueError,
  },
  "an identity that another single-table child has": {
    define: ({ Vehicle }) => Vehicle.extend({ x: integer() }, { identity: "car" }),
    error: ModelClassError,
  },
  "an identity that another joined child has": {
    define: ({ Vehicle }) =>
      Vehicle.extend("y", { id: integer().primaryKey().references("vehicle.id") }, { identity: "truck" }),
    error: ModelClassError,
  },
  "an identity that the root has": {
    define: ({ Vehicle }) => Vehicle.extend({ x: integer() }, { identity: "vehicle" }),
    error: ModelClassError,
  },
  "a list of children's identities that the discriminator cannot hold": {
    // @ts-expect-error There is no such kind.
    define: ({ Vehicle }) => Vehicle.extend({ x: integer() }, { identity: "bus", children: ["boat"] }),
    error: InvalidValueError,
  },
  "a single-table child's column that the table has from the parent": {
    define: ({ Car }) => Car.extend({ x: integer(), name: text() }, { identity: "bus" }),
    error: SchemaError,
  },
  "a single-table child's column that the table has from a sibling": {
    define: ({ Vehicle }) => Vehicle.extend({ x: integer(), doors: integer() }, { identity: "bus" }),
    error: SchemaError,
  },
  "a single-table child's property that a sibling has, for another column": {
    define: ({ Vehicle }) => Vehicle.extend({ x: integer(), doors: integer().named("bus_doors") }, { identity: "bus" }),
    error: SchemaError,
  },
  "a single-table child's column under another property": {
    define: ({ Vehicle }) => Vehicle.extend({ x: integer(), gates: integer().named("doors") }, { identity: "bus" }),
    error: SchemaError,
  },
  "a single-table child's own key": {
    define: ({ Vehicle }) => Vehicle.extend({ x: integer().primaryKey() }, { identity: "bus" }),
    error: SchemaError,
  },
  "a joined child without key": {
    define: ({ Vehicle }) => Vehicle.extend("y", { x: integer() }, { identity: "bus" }),
    error: SchemaError,
  },
  "a joined child whose key refers to nothing": {
    define: ({ Vehicle }) => Vehicle.extend("y", { id: integer().primaryKey() }, { identity: "bus" }),
    error: SchemaError,
  },
  "a joined child whose key refers to something else of the parent": {
    define: ({ Vehicle }) =>
      Vehicle.extend("y", { id: integer().primaryKey().references("vehicle.doors") }, { identity: "bus" }),
    error: SchemaError,
  },
  "a joined child whose key refers to the grandparent": {
    define: ({ Truck }) =>
      Truck.extend("y", { id: integer().primaryKey().references("vehicle.id") }, { identity: "bus" }),
    error: SchemaError,
  },
  "a joined child's column with the name of a parent's property": {
    define: ({ Truck }) =>
      Truck.extend("y", { yId: integer().primaryKey().references("truck.id"), name: text() }, { identity: "bus" }),
    error: SchemaError,
  },
  "a joined child's key with the name of a parent's other property": {
    define: ({ Truck }) =>
      Truck.extend("y", { load: integer().primaryKey().references("truck.id") }, { identity: "bus" }),
    error: SchemaError,
  },
  "a joined child's table that is there already": {
    define: ({ Vehicle }) =>
      Vehicle.extend("truck", { id: integer().primaryKey().references("vehicle.id") }, { identity: "bus" }),
    error: DuplicateTableError,
  },
  "a concrete child's table that is there already": {
    define: ({ Vehicle }) => Vehicle.extend("truck", {}, { concrete: true }),
    error: DuplicateTableError,
  },
};

for (const [what, { define, error }] of Object.entries(REFUSED)) {
  test(`${what} is refused, and nothing is half done`, () => {
    const fleet = freeBus();
    const { db, Vehicle } = fleet;
    const before = {
      tables: [...db.metadata.tables.keys()],
      columns: Vehicle.table.columnList.map(({ name }) => name),
    };

    assert.throws(() => define(fleet), error);

    assert.deepEqual([...db.metadata.tables.keys()], before.tables);
    assert.deepEqual(
      Vehicle.table.columnList.map(({ name }) => name),
      before.columns,
    );
    const Bus = Vehicle.extend({ x: integer() }, { identity: "bus" });
    assert.equal(new Bus({ name: "n", x: 1 }).kind, "bus", "the same place can be taken rightly");
  });
}

/** The family, where no class has the identity "bus". */
function freeBus(): Fleet {
  const db = new Multibind();
  class Vehicle extends db.model(
    "vehicle",
    { id: integer().primaryKey(), kind: enumeration(["vehicle", "car", "truck", "bus"]), name: varchar(40) },
    { discriminator: "kind", identity: "vehicle" },
  ) {}
  class Car extends Vehicle.extend({ doors: integer() }, { identity: "car" }) {}
  class Truck extends Vehicle.extend(
    "truck",
    { id: integer().primaryKey().references("vehicle.id"), load: integer() },
    { identity: "truck" },
  ) {}
  // The other classes play no part where this one is used.
  return { db, Vehicle, Car, Truck } as unknown as Fleet;
}

test("an identity without discriminator, or one that it cannot hold, is refused for a root", () => {
  const db = new Multibind();
  const columns = { id: integer().primaryKey(), kind: enumeration(["a", "b"]) };

  // @ts-expect-error There is no discriminator.
  assert.throws(() => db.model("x", columns, { identity: "a" }), SchemaError);
  // @ts-expect-error There is no such column.
  assert.throws(() => db.model("x", columns, { discriminator: "sort" }), SchemaError);
  // @ts-expect-error The column does not hold that.
  assert.throws(() => db.model("x", columns, { discriminator: "kind", identity: "c" }), InvalidValueError);
  assert.equal(db.metadata.tables.size, 0);
});

onEachFamily("a joined child of a parent with a composite key shares it part by part", async (t, url) => {
  const db = new Multibind();
  class Place extends db.model("place", { x: integer().primaryKey(), y: integer().primaryKey(), name: text() }) {}
  class City extends Place.extend(
    "city",
    { cx: integer().primaryKey(), cy: integer().primaryKey(), people: integer() },
    { constraints: [foreignKey(["cx", "cy"], "place", ["x", "y"])] },
  ) {}
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  // The key's parts are given under the parent's names.
  session.add(new City({ x: 1, y: 2, name: "paris", people: 3 } as never));
  await session.commit();

  assert.deepEqual(
    await sessionOf(app).get(City, { x: 1, y: 2 } as never),
    new City({ x: 1, y: 2, cx: 1, cy: 2, name: "paris", people: 3 } as never),
  );
  assert.throws(
    () =>
      Place.extend(
        "bad",
        { cx: integer().primaryKey(), cy: integer().primaryKey() },
        { constraints: [foreignKey(["cx", "cy"], "place", ["y", "x"])] },
      ),
    SchemaError,
  );
});

// Modules that are loaded again

test('with redefine: "replace" a table, a model and its children can be defined again', () => {
  const db = new Multibind({ redefine: "replace" });
  const define = () => {
    class Vehicle extends db.model(
      "vehicle",
      { id: integer().primaryKey(), kind: varchar(10) },
      { discriminator: "kind" },
    ) {}
    return { Vehicle, children: () => children(Vehicle) };
  };
  const children = (Vehicle: ReturnType<typeof define>["Vehicle"]) => {
    class Car extends Vehicle.extend({ doors: integer() }, { identity: "car", children: ["sports"] }) {
      static {
        db.register(Car);
      }
    }
    class Sports extends Car.extend({ speed: integer() }, { identity: "sports" }) {
      static {
        db.register(Sports);
      }
    }
    class Truck extends Vehicle.extend(
      "truck",
      { id: integer().primaryKey().references("vehicle.id") },
      { identity: "truck" },
    ) {
      static {
        db.register(Truck);
      }
    }
    return { Car, Sports, Truck };
  };
  const first = define();
  first.children();
  const second = define();
  second.children();
  const again = second.children();

  assert.deepEqual([...db.metadata.tables.keys()], ["vehicle", "truck"]);
  assert.equal(db.metadata.tables.get("vehicle"), second.Vehicle.table);
  assert.deepEqual(
    second.Vehicle.table.columnList.map(({ name }) => name),
    ["id", "kind", "doors", "speed"],
  );
  assert.deepEqual(
    { ...new again.Sports({ doors: 2, speed: 3 }) },
    { id: undefined, kind: "sports", doors: 2, speed: 3 },
  );
});

test("without it, a second definition is refused and the first stays", () => {
  const db = new Multibind<"auth">();
  const table = db.table("user", { id: integer() });

  assert.throws(() => db.table("user", { id: integer() }), DuplicateTableError);
  assert.throws(() => db.model("user", { id: integer().primaryKey() }), DuplicateTableError);
  assert.equal(db.metadata.tables.get("user"), table);
  assert.doesNotThrow(() => db.table("user", { id: integer() }, { bindKey: "auth" }), "another bind may have one");
});
