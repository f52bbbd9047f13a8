import assert from "node:assert/strict";
import {
  alias,
  enumeration,
  integer,
  Multibind,
  type Params,
  select,
  text,
  timestamp,
  UnsupportedError,
  varchar,
} from "../../src/index.ts";
import { onEachFamily, record, sessionOf, start } from "../fixtures/matrix.ts";

const db = new Multibind();
class Employee extends db.model("employee", {
  id: integer().primaryKey(),
  name: varchar(40).named("full_name"),
  bossId: integer().nullable().named("boss_id"),
}) {
  get initial(): string {
    return this.name.slice(0, 1);
  }
}
class Login extends db.model("login", {
  id: integer().primaryKey(),
  name: text().named("device"),
  employeeId: integer(),
  at: timestamp(),
}) {}
class Vehicle extends db.model(
  "vehicle",
  { id: integer().primaryKey(), kind: enumeration(["bike", "truck", "other"]), name: text(), ownerId: integer() },
  { discriminator: "kind", identity: "other" },
) {
  static {
    db.register(Vehicle);
  }
}
class Bike extends Vehicle.extend({ gears: integer() }, { identity: "bike" }) {
  static {
    db.register(Bike);
  }
}
class Truck extends Vehicle.extend(
  "truck",
  { id: integer().primaryKey().references("vehicle.id"), load: integer().named("max_load") },
  { identity: "truck" },
) {
  static {
    db.register(Truck);
  }
}

const NOON = new Date("2026-01-31T12:00:00.000Z");

async function filled(t: Parameters<typeof start>[0], url: string) {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  session.addAll([
    new Employee({ id: 1, name: "ada", bossId: null }),
    new Employee({ id: 2, name: "bob", bossId: 1 }),
    new Employee({ id: 3, name: "eve", bossId: 1 }),
    new Employee({ id: 4, name: "max", bossId: 3 }),
    new Login({ id: 1, name: "phone", employeeId: 2, at: NOON }),
    new Login({ id: 2, name: "laptop", employeeId: 2, at: NOON }),
    new Login({ id: 3, name: "desk", employeeId: 4, at: NOON }),
    new Bike({ id: 1, name: "b", ownerId: 1, gears: 7 }),
    new Truck({ id: 2, name: "t", ownerId: 2, load: 40 }),
    new Vehicle({ id: 3, kind: "other", name: "v", ownerId: 3 }),
  ]);
  await session.commit();
  return { app, session: sessionOf(app) };
}

onEachFamily("models with columns of the same names come out right side by side", async (t, url) => {
  const { session } = await filled(t, url);
  const rows = await session
    .select(Employee)
    .joinAndSelect(Login, "login.employeeId", "employee.id")
    .orderBy("login.id")
    .all();
  assert.deepEqual(
    rows.map(([employee, login]) => [employee.id, employee.name, login.id, login.name, login.at]),
    [
      [2, "bob", 1, "phone", NOON],
      [2, "bob", 2, "laptop", NOON],
      [4, "max", 3, "desk", NOON],
    ],
  );
  const [[bob, phone], [again]] = rows as [(typeof rows)[0], (typeof rows)[0]];
  assert.ok(bob instanceof Employee && phone instanceof Login);
  assert.equal(bob, again, "one row is one entity");
  assert.equal(await session.get(Login, 1), phone);
  assert.deepEqual({ ...bob }, { id: 2, name: "bob", bossId: 1 }, "an entity has its own columns, and no others");
  phone.name = "tablet";
  assert.ok(session.isModified(phone));
  assert.ok(!session.isModified(bob));
  await session.commit();
  const changed = session
    .select(Employee)
    .joinAndSelect(Login, "login.employeeId", "employee.id")
    .where("login.name", "=", "tablet");
  assert.deepEqual(await changed.one(), [bob, phone]);
  assert.equal(await changed.count(), 1);
});

onEachFamily("an entity that is not there is null", async (t, url) => {
  const { session } = await filled(t, url);
  const rows = await session
    .select(Employee)
    .leftJoinAndSelect(Login, (join) =>
      join.onRef("login.employeeId", "=", "employee.id").on("login.name", "!=", "laptop"),
    )
    .orderBy("employee.id")
    .all();
  assert.deepEqual(
    rows.map(([employee, login]) => [employee.name, login?.name ?? null]),
    [
      ["ada", null],
      ["bob", "phone"],
      ["eve", null],
      ["max", "desk"],
    ],
  );
});

onEachFamily("a model joins itself under another name", async (t, url) => {
  const { session } = await filled(t, url);
  const boss = Employee.as("boss");
  const pairs = await session
    .select(Employee)
    .leftJoinAndSelect(boss, "boss.id", "employee.bossId")
    .orderBy("employee.id")
    .all();
  assert.deepEqual(
    pairs.map(([{ name }, above]) => [name, above?.initial ?? null]),
    [
      ["ada", null],
      ["bob", "a"],
      ["eve", "a"],
      ["max", "e"],
    ],
  );
  assert.equal(pairs[1]?.[1], pairs[0]?.[0], "whatever it is called, it is the same entity");
  const grand = alias(Employee, "grand");
  const three = await session
    .select(Employee)
    .joinAndSelect(boss, "boss.id", "employee.bossId")
    .joinAndSelect(grand, "grand.id", "boss.bossId")
    .one();
  assert.deepEqual(
    three.map(({ name }) => name),
    ["max", "eve", "ada"],
  );
  const led = session.select(Employee).innerJoin(boss, "boss.id", "employee.bossId").where("boss.name", "=", "ada");
  assert.deepEqual(
    (await led.orderBy("employee.id").all()).map(({ name }) => name),
    ["bob", "eve"],
  );
});

onEachFamily("a select begins with a model under another name", async (t, url) => {
  const { session } = await filled(t, url);
  const e = alias(Employee, "e");
  const found = await session.select(e).where({ name: "bob" }).where("e.id", ">", 1).one();
  assert.ok(found instanceof Employee);
  assert.equal(await session.get(Employee, 2), found);
  assert.deepEqual(await session.selectFrom(e).select("e.name").where("e.id", "=", 3).execute(), [{ name: "eve" }]);
  const v = alias(Vehicle, "v");
  assert.deepEqual(
    (await session.select(v).orderBy("v.id").all()).map((vehicle) => vehicle.constructor),
    [Bike, Truck, Vehicle],
  );
  assert.equal((await session.select(alias(Bike, "b")).where("b.gears", "=", 7).one()).gears, 7);
});

onEachFamily("children of a model come out as their classes beside others", async (t, url) => {
  const { session } = await filled(t, url);
  const owned = await session
    .select(Employee)
    .joinAndSelect(Vehicle, "vehicle.ownerId", "employee.id")
    .orderBy("employee.id")
    .all();
  assert.deepEqual(
    owned.map(([{ name }, vehicle]) => [name, vehicle.constructor]),
    [
      ["ada", Bike],
      ["bob", Truck],
      ["eve", Vehicle],
    ],
  );
  assert.equal((owned[1]?.[1] as Truck).load, 40);
  const trucks = await session
    .select(Employee)
    .leftJoinAndSelect(Truck, "truck.ownerId", "employee.id")
    .orderBy("employee.id")
    .all();
  assert.deepEqual(
    trucks.map(([, truck]) => truck?.load ?? null),
    [null, 40, null, null],
  );
  const bikes = await session
    .select(Employee)
    .leftJoinAndSelect(Bike, "vehicle.ownerId", "employee.id")
    .orderBy("employee.id")
    .all();
  assert.deepEqual(
    bikes.map(([, bike]) => bike?.gears ?? null),
    [7, null, null, null],
  );
  const riders = session.select(Employee).innerJoin(Bike, "vehicle.ownerId", "employee.id");
  assert.deepEqual(
    (await riders.all()).map(({ name }) => name),
    ["ada"],
    "a join to a child is to the child's rows",
  );
});

onEachFamily("a family of models is joined, paged and grouped like others", async (t, url) => {
  const { session } = await filled(t, url);
  const owned = session.select(Vehicle).innerJoin(Employee, "employee.id", "vehicle.ownerId").orderBy("employee.name");
  const first = await owned.paginate({ perPage: 2 });
  assert.deepEqual(
    first.items.map((vehicle) => vehicle.constructor),
    [Bike, Truck],
  );
  assert.deepEqual(
    (await first.next()).items.map((vehicle) => vehicle.constructor),
    [Vehicle],
  );
  assert.equal(first.total, 3);
  const trucks = session.select(Truck).joinAndSelect(Employee, "employee.id", "truck.ownerId");
  const [truck, owner] = await trucks.where("truck.name", "=", "t").where("truck.load", ">", 30).one();
  assert.deepEqual([truck.load, truck.kind, owner.name], [40, "truck", "bob"]);
  assert.deepEqual(await session.select(Truck).select(["name", "load"]).all(), [{ name: "t", load: 40 }]);
  const kinds = await session
    .select(Vehicle)
    .select((eb) => ["kind", eb.fn.countAll<number | string>().as("count")])
    .groupBy("kind")
    .orderBy("kind")
    .all();
  assert.deepEqual(
    kinds.map(({ kind, count }) => [kind, Number(count)]),
    [
      ["bike", 1],
      ["other", 1],
      ["truck", 1],
    ],
  );
  assert.equal(await session.select(Bike).whereRef("gears", ">", "ownerId").count(), 1);
  assert.equal(await session.select(Bike).where("gears", ">", 7).exists(), false);
});

onEachFamily("several entities in a row are streamed and not kept", async (t, url) => {
  const { app, session } = await filled(t, url);
  const seen: string[] = [];
  for await (const [employee, login] of session
    .select(Employee)
    .leftJoinAndSelect(Login, "login.employeeId", "employee.id")
    .orderBy("employee.id")
    .orderBy("login.id")
    .stream()) {
    seen.push(`${employee.name} ${login?.name ?? "-"}`);
  }
  assert.deepEqual(seen, ["ada -", "bob phone", "bob laptop", "eve -", "max desk"]);
  const sent = record(app);
  await session.get(Employee, 1);
  await session.get(Login, 1);
  assert.equal(sent.length, 2, "nothing was kept");
});

onEachFamily("a child that is defined later is read by a select that was made before", async (t, url) => {
  const own = new Multibind();
  class Shape extends own.model(
    "shape",
    { id: integer().primaryKey(), kind: enumeration(["circle", "square"]) },
    { discriminator: "kind" },
  ) {}
  const all = select(Shape).orderBy("id");
  class Circle extends Shape.extend(
    "circle",
    { id: integer().primaryKey().references("shape.id"), radius: integer() },
    { identity: "circle" },
  ) {
    static {
      own.register(Circle);
    }
  }
  const app = await start(t, own, { databaseUri: url });
  const session = sessionOf(app);
  session.add(new Circle({ radius: 3 }));
  await session.commit();
  const [circle] = await sessionOf(app).select(all).all();
  assert.ok(circle instanceof Circle);
  assert.equal(circle.radius, 3);
});

onEachFamily("what is prepared may read several entities, or rows", async (t, url) => {
  const { session } = await filled(t, url);
  const logins = db
    .prepare((p: Params<{ name: string }>) =>
      select(Employee)
        .joinAndSelect(Login, "login.employeeId", "employee.id")
        .where("employee.name", "=", p("name"))
        .orderBy("login.id"),
    )
    .on(session);
  const [[bob, phone]] = (await logins.all({ name: "bob" })) as [[Employee, Login]];
  assert.deepEqual([bob.name, phone.name], ["bob", "phone"]);
  assert.equal(await logins.count({ name: "max" }), 1);
  const times = db.prepare((p: Params<{ id: number }>) =>
    select(Login).where("id", "=", p("id")).select(["at", "name as device"]),
  );
  assert.deepEqual(await times.on(session).one({ id: 3 }), { at: NOON, device: "desk" });
});

onEachFamily("rows have no entities beside them", async (t, url) => {
  const { session } = await filled(t, url);
  assert.throws(
    () => session.select(Employee).select("name").joinAndSelect(Login, "login.employeeId", "employee.id"),
    UnsupportedError,
  );
});
