import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
  enumeration,
  InvalidValueError,
  integer,
  ModelClassError,
  Multibind,
  NotFoundError,
  SessionError,
  StaleDataError,
  sql,
  text,
} from "../../src/index.ts";
import { onEachFamily, record, sessionOf, start } from "../fixtures/matrix.ts";

const db = new Multibind();
class Vehicle extends db.model(
  "vehicle",
  { id: integer().primaryKey(), kind: enumeration(["vehicle", "car", "truck"]), name: text().nullable() },
  { discriminator: "kind", identity: "vehicle" },
) {}
class Car extends Vehicle.extend({ doors: integer() }, { identity: "car" }) {
  static {
    db.register(Car);
  }
}
class Truck extends Vehicle.extend(
  "truck",
  { id: integer().primaryKey().references("vehicle.id"), load: integer() },
  { identity: "truck" },
) {
  static {
    db.register(Truck);
  }
}
class Note extends db.model("note", { id: integer().primaryKey(), kind: text() }, { discriminator: "kind" }) {}

/** Assigns a value that the types refuse. */
function setKind(entity: object, kind: unknown): void {
  Object.assign(entity, { kind });
}

async function fleet(t: TestContext, url: string) {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const [car, truck] = [new Car({ doors: 4 }), new Truck({ load: 7 })];
  session.addAll([car, truck]);
  await session.commit();
  /** Makes the car a truck, as another application would. */
  const changeClass = async () => {
    const other = sessionOf(app);
    await other.execute(sql`insert into ${Truck.table} (id, ${sql.ref("load")}) values (${car.id}, 3)`);
    await other.updateTable(Vehicle).set({ kind: "truck" }).where("id", "=", car.id).execute();
    await other.commit();
  };
  return { app, session, car, truck, changeClass };
}

const isRefusal = (error: unknown) => error instanceof InvalidValueError && error.column === "kind";

onEachFamily("a stored entity's discriminator cannot be changed, and nothing is sent", async (t, url) => {
  const { app, session, car } = await fleet(t, url);
  const sent = record(app);
  setKind(car, "truck");
  car.name = "x";
  await assert.rejects(session.commit(), isRefusal);
  assert.deepEqual(sent, []);
  await session.rollback();
  assert.equal(car.kind, "car");
});

onEachFamily("a new entity's discriminator is its own class's", async (t, url) => {
  const { session } = await fleet(t, url);
  for (const kind of ["truck", "vehicle", undefined, null]) {
    const car = new Car({ doors: 2 });
    setKind(car, kind);
    session.add(car);
    await assert.rejects(session.flush(), isRefusal, `${kind}`);
    session.expunge(car);
  }
  for (const vehicle of [new Vehicle({ kind: "car" }), new Vehicle({ kind: "truck" })]) {
    session.add(vehicle);
    await assert.rejects(session.commit(), (error) => isRefusal(error) && /new (Car|Truck)/.test(`${error}`));
    session.expunge(vehicle);
  }
  session.addAll([new Vehicle({}), new Vehicle({ kind: "vehicle" })]);
  await session.commit();
});

onEachFamily("many entities are checked like one, and one that takes a deleted one's key too", async (t, url) => {
  const { session, car } = await fleet(t, url);
  const cars = Array.from({ length: 60 }, () => new Car({ doors: 2 }));
  setKind(cars[59]!, "truck");
  session.addAll(cars);
  await assert.rejects(session.flush(), isRefusal);
  await session.rollback();
  session.delete(car);
  const next = new Car({ id: car.id, doors: 5 });
  setKind(next, "truck");
  session.add(next);
  await assert.rejects(session.flush(), isRefusal);
});

onEachFamily("bulk updates and touch() leave discriminators alone", async (t, url) => {
  const { session, car } = await fleet(t, url);
  await assert.rejects(session.select(Vehicle).update({ kind: "truck" }), isRefusal);
  await assert.rejects(session.select(Car).update({ kind: "truck" } as never), isRefusal);
  assert.throws(() => session.touch(car, "kind"), isRefusal);
});

onEachFamily("an entity whose discriminator was changed is not merged", async (t, url) => {
  const { app, session, car } = await fleet(t, url);
  for (const copy of [new Car({ doors: 1 }), new Car({ ...car })]) {
    setKind(copy, "truck");
    await assert.rejects(sessionOf(app).merge(copy), isRefusal);
  }
  assert.equal(await session.merge(car), car);
});

onEachFamily("without classes to tell apart, a discriminator is a column like others", async (t, url) => {
  const { app, session } = await fleet(t, url);
  const note = new Note({ kind: "a" });
  session.add(note);
  await session.commit();
  setKind(note, "b");
  await session.commit();
  assert.equal(await session.select(Note).update({ kind: "c" }), 1);
  await session.commit();
  assert.equal((await sessionOf(app).getOne(Note, note.id)).kind, "c");
});

onEachFamily("a row that has become one of another class is read as that", async (t, url) => {
  for (const read of ["get", "getOne", "getOr404", "refreshed get", "locked get", "select", "merge"] as const) {
    const { app, session, car, changeClass } = await fleet(t, url);
    await changeClass();
    const key = car.id;
    const reads = {
      get: () => session.get(Vehicle, key),
      getOne: () => session.getOne(Vehicle, key),
      getOr404: () => session.getOr404(Vehicle, key),
      "refreshed get": () => session.get(Vehicle, key, { refresh: true }),
      "locked get": () => session.get(Vehicle, key, { lock: true }),
      select: () => session.select(Vehicle).where("vehicle.id", "=", key).one(),
      merge: async () => session.merge((await sessionOf(app).getOne(Vehicle, key)) as Vehicle),
    };
    const found = await reads[read]();
    assert.ok(found instanceof Truck, read);
    assert.deepEqual([found.id, found.kind, found.load], [key, "truck", 3], read);
    assert.equal(session.contains(car), false, read);
    assert.equal(session.contains(found), true, read);
    found.load = 9;
    await session.commit();
    assert.equal((await sessionOf(app).getOne(Truck, key)).load, 9, read);
    await session.rollback();
    await app.dropAll();
    await app.createAll();
  }
});

onEachFamily("a row that has changed its class is no longer read as the former class", async (t, url) => {
  const { session, car, changeClass } = await fleet(t, url);
  await changeClass();
  assert.equal(await session.get(Car, car.id), null);
  await assert.rejects(session.getOr404(Car, car.id), NotFoundError);
});

onEachFamily("refresh and merge name the class that a row has now", async (t, url) => {
  const { session, car, changeClass } = await fleet(t, url);
  const copy = new Car({ ...car });
  await changeClass();
  await assert.rejects(session.refresh(car), (error) => error instanceof SessionError && /Truck/.test(error.message));
  assert.ok((await session.get(Vehicle, copy.id)) instanceof Truck);
  await assert.rejects(session.merge(copy), (error) => error instanceof SessionError && /Truck/.test(error.message));
});

onEachFamily("changes of an entity whose row has become one of another class are not lost unseen", async (t, url) => {
  const { session, car, changeClass } = await fleet(t, url);
  await changeClass();
  await session.noAutoflush(async () => {
    car.name = "changed";
    await assert.rejects(session.select(Vehicle).all(), StaleDataError);
  });
  await session.rollback();
  assert.ok((await session.get(Vehicle, car.id)) instanceof Truck);
});

test("a child whose parent lists other identities for its children is refused", () => {
  const own = new Multibind();
  const kind = enumeration(["car", "sports", "truck"]);
  const Root = own.model("thing", { id: integer().primaryKey(), kind }, { discriminator: "kind" });
  const Wheeled = Root.extend({ doors: integer() }, { identity: "car", children: ["sports"] });
  // @ts-expect-error The list has "sports" alone.
  assert.throws(() => Wheeled.extend({ load: integer() }, { identity: "truck" }), ModelClassError);
  // @ts-expect-error A list is expected.
  assert.throws(() => Root.extend({ load: integer() }, { identity: "truck", children: "x" }), ModelClassError);
  Wheeled.extend({ speed: integer() }, { identity: "sports" });
});
