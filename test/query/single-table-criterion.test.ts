import assert from "node:assert/strict";
import { test } from "node:test";
import { alias, enumeration, integer, Multibind, select, sql, text, varchar } from "../../src/index.ts";
import { onEachFamily, sessionOf, start } from "../fixtures/matrix.ts";

/** Three kinds of vehicle in one table, and one with a table beside it. */
function vehicles() {
  const db = new Multibind();
  class Vehicle extends db.model(
    "vehicle",
    {
      id: integer().primaryKey(),
      kind: enumeration(["vehicle", "car", "sports", "truck", "tanker"]),
      name: varchar(20),
    },
    { discriminator: "kind", identity: "vehicle" },
  ) {}
  class Car extends Vehicle.extend({ doors: integer() }, { identity: "car", children: ["sports"] }) {}
  class Sports extends Car.extend({ topSpeed: integer().nullable() }, { identity: "sports" }) {}
  class Truck extends Vehicle.extend(
    "truck",
    { id: integer().primaryKey().references("vehicle.id"), load: integer() },
    { identity: "truck", children: ["tanker"] },
  ) {}
  class Tanker extends Truck.extend({ freight: text().nullable() }, { identity: "tanker" }) {}
  const fleet = () => [
    new Vehicle({ name: "cart" }),
    new Car({ name: "beetle", doors: 3 }),
    new Sports({ name: "dino", doors: 2 }),
    new Truck({ name: "lorry", load: 20 }),
  ];
  return { db, Vehicle, Car, Sports, Truck, Tanker, fleet };
}

onEachFamily("a statement of Kysely's form keeps to the rows of a child that shares a table", async (t, url) => {
  const { db, Vehicle, Car, Sports, fleet } = vehicles();
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  session.addAll(fleet());
  await session.commit();
  const names = async (query: { execute(): Promise<readonly { readonly name: string }[]> }) =>
    (await query.execute()).map(({ name }) => name).sort();

  assert.deepEqual(await names(session.selectFrom(Car).select("name")), ["beetle", "dino"]);
  assert.deepEqual(await names(session.selectFrom([Sports]).select("name")), ["dino"]);
  assert.deepEqual(await names(session.selectFrom(Car.table).select("name")), ["beetle", "cart", "dino", "lorry"]);
  assert.deepEqual(await names(app.engine.kysely.selectFrom(Car).select("name")), ["beetle", "dino"]);
  assert.deepEqual(await names(session.selectFrom(Car.as("c")).select("c.name")), ["beetle", "dino"]);
  assert.deepEqual(await names(session.selectFrom(alias(Sports, "s")).select("s.name")), ["dino"]);
  assert.deepEqual(await names(session.selectFrom(Car.table.as("c")).select("name")), [
    "beetle",
    "cart",
    "dino",
    "lorry",
  ]);
  const inside = session
    .selectFrom(Vehicle)
    .select("name")
    .where((eb) => eb("id", "in", eb.selectFrom(Sports.as("s")).where("s.name", "like", "%o").select("s.id")));
  assert.deepEqual(await names(inside), ["dino"]);

  await session.updateTable(Sports).set({ topSpeed: 235 }).where("name", "is not", null).execute();
  const { numDeletedRows } = await session.deleteFrom(Car).where(sql<boolean>`1 = 1`).executeTakeFirstOrThrow();
  assert.equal(numDeletedRows, 2n);
  assert.deepEqual(
    (await session.select(select(Vehicle).orderBy("id")).all()).map(({ name }) => name),
    ["cart", "lorry"],
  );
  await session.rollback();
});

test("a child whose table cannot tell its rows from others is refused there", () => {
  const { db, Tanker } = vehicles();
  const session = db.init({ databaseUri: "sqlite://" }).session();
  for (const begin of [
    () => session.selectFrom(Tanker),
    () => session.updateTable(Tanker),
    () => session.deleteFrom(Tanker),
  ]) {
    assert.throws(begin, { name: "UnsupportedError", message: /share the table "truck".*"kind".*select\(Model\)/ });
  }
  assert.ok(session.selectFrom(Tanker.table));
});
