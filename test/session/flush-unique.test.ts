import assert from "node:assert/strict";
import {
  foreignKey,
  index,
  integer,
  keyOf,
  Multibind,
  SessionError,
  sql,
  text,
  unique,
  varchar,
} from "../../src/index.ts";
import { onEachFamily, record, sessionOf, start, verbs } from "../fixtures/matrix.ts";

function slots() {
  const db = new Multibind();
  class Slot extends db.model("slot", {
    id: integer().primaryKey(),
    label: varchar(20).unique().nullable(),
    place: integer().unique(),
  }) {}
  return { db, Slot };
}

async function threeSlots(t: Parameters<typeof start>[0], url: string) {
  const { db, Slot } = slots();
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const list = [1, 2, 3].map((place) => new Slot({ label: "xyz".charAt(place - 1), place }));
  session.addAll(list);
  await session.commit();
  const [a, b, c] = list as [InstanceType<typeof Slot>, InstanceType<typeof Slot>, InstanceType<typeof Slot>];
  const stored = async () =>
    (await sessionOf(app).select(Slot).orderBy("id").all()).map(({ label, place }) => `${label}${place}`);
  return { app, session, Slot, a, b, c, stored };
}

onEachFamily("a unique value goes from one row to another, in whatever order they were loaded", async (t, url) => {
  const { session, a, b, c, stored } = await threeSlots(t, url);
  [a.label, b.label, c.label] = ["y", "z", "w"];
  await session.commit();

  assert.deepEqual(await stored(), ["y1", "z2", "w3"]);
  [a.label, b.label, c.label] = ["x", "y", "z"];
  await session.commit();
  assert.deepEqual(await stored(), ["x1", "y2", "z3"], "and back");
});

onEachFamily("a shift of a column that may not be null is one statement a row", async (t, url, family) => {
  const { app, session, a, b, c, stored } = await threeSlots(t, url);
  const sent = record(app);
  for (const slot of [a, b, c]) slot.place++;
  await session.commit();
  // The last row comes first, so where rows are locked they are locked ahead, in the order of their keys.
  const ahead = family === "sqlite" ? [] : ["select"];
  assert.deepEqual(
    verbs(sent).filter((verb, index) => verb !== "select" || index === 1),
    ["begin", ...ahead, "update", "update", "update", "commit"],
  );

  for (const slot of [a, b, c]) slot.place--;
  await session.commit();
  assert.deepEqual(await stored(), ["x1", "y2", "z3"]);
});

onEachFamily("a swap goes through null where the column may be null", async (t, url) => {
  const { session, a, b, c, stored } = await threeSlots(t, url);
  [a.label, b.label] = ["y", "x"];
  await session.commit();
  assert.deepEqual(await stored(), ["y1", "x2", "z3"]);
  assert.equal(session.dirty.size, 0);

  [a.label, b.label, c.label] = ["x", "z", "y"];
  await session.flush();
  assert.deepEqual([a.label, b.label, c.label], ["x", "z", "y"]);
  await session.rollback();
  assert.deepEqual([a.label, b.label, c.label], ["y", "x", "z"]);
});

onEachFamily("a swap that nothing can order names the rows, the column and the way out", async (t, url) => {
  const { app, session, a, b, stored } = await threeSlots(t, url);
  [a.place, b.place] = [2, 1];
  const sent = record(app);
  await assert.rejects(session.flush(), (error) => {
    assert.ok(error instanceof SessionError);
    for (const part of ["Slot(1)", "Slot(2)", '"slot.place"', "nullable", "flush()"])
      assert.ok(error.message.includes(part), error.message);
    return true;
  });
  assert.deepEqual(sent, []);

  a.place = -1;
  await session.flush();
  a.place = 2;
  await session.commit();
  assert.deepEqual(await stored(), ["x2", "y1", "z3"]);
});

onEachFamily("many swaps and a long chain in one flush", async (t, url) => {
  const { db, Slot } = slots();
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const list = Array.from({ length: 120 }, (_, n) => new Slot({ label: `s${n}`, place: n }));
  session.addAll(list);
  await session.commit();
  for (let n = 0; n < 60; n += 2) [list[n]!.label, list[n + 1]!.label] = [list[n + 1]!.label, list[n]!.label];
  for (const slot of list) slot.place++;
  await session.commit();

  const stored = await sessionOf(app).select(Slot).orderBy("id").all();
  assert.deepEqual(
    stored.map(({ label, place }) => [label, place]),
    list.map((_, n) => [`s${n < 60 ? n ^ 1 : n}`, n + 1]),
  );
});

onEachFamily("a unique index counts as a unique constraint does", async (t, url) => {
  const db = new Multibind();
  class Tag extends db.model(
    "tag",
    { id: integer().primaryKey(), label: varchar(20), group: integer() },
    { constraints: [index(["group", "label"], { unique: true })] },
  ) {}
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const [old, other] = [new Tag({ label: "x", group: 1 }), new Tag({ label: "y", group: 1 })];
  session.addAll([old, other]);
  await session.commit();
  session.delete(old);
  session.add(new Tag({ label: "x", group: 1 }));
  await session.commit();
  session.delete(other);
  const [last] = await session.select(Tag).where({ label: "x" }).all();
  last!.label = "y";
  await session.commit();
  assert.deepEqual(
    (await sessionOf(app).select(Tag).all()).map(({ label }) => label),
    ["y"],
  );
});

onEachFamily("a reflected unique index counts too", async (t, url) => {
  const db = new Multibind();
  const app = db.init({ databaseUri: url });
  const { kysely } = app.engine;
  await sql`create table badge (id integer primary key, label varchar(20) not null)`.execute(kysely);
  const session = app.session();
  t.after(async () => {
    await session.close();
    await sql`drop table badge`.execute(kysely);
    await app.dispose();
  });
  await sql`create unique index badge_label on badge (label)`.execute(kysely);
  await app.reflect();
  class Badge extends db.model(db.metadata.tables.get("badge")!) {}
  const old = new Badge({ id: 1, label: "x" });
  session.add(old);
  await session.commit();
  session.delete(old);
  session.add(new Badge({ id: 2, label: "x" }));
  await session.commit();
  assert.equal(await session.select(Badge).count(), 1);
});

onEachFamily("rows of a list that are all replaced are deleted and inserted", async (t, url) => {
  const db = new Multibind();
  class Item extends db.model(
    "item",
    { list: integer().primaryKey(), thing: integer().primaryKey(), place: integer(), note: text().nullable() },
    { constraints: [unique(["list", "place"])] },
  ) {}
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const items = [1, 2, 3, 4].map((thing) => new Item({ list: 1, thing, place: thing }));
  session.addAll(items);
  await session.commit();
  for (const item of items) session.delete(item);
  const next = [3, 1, 2, 4].map((thing, place) => new Item({ list: 1, thing, place: place + 1, note: "new" }));
  session.addAll(next);
  await session.flush();
  assert.equal(await session.get(Item, { list: 1, thing: 3 }), next[0]);
  await session.rollback();
  assert.equal(await session.get(Item, { list: 1, thing: 3 }), items[2]);

  for (const item of items) session.delete(item);
  session.addAll(next);
  await session.commit();
  const stored = await sessionOf(app).select(Item).orderBy("place").all();
  assert.deepEqual(
    stored.map(({ thing, place, note }) => [thing, place, note]),
    [3, 1, 2, 4].map((thing, place) => [thing, place + 1, "new"]),
  );
});

onEachFamily("a row that takes another's place gets the database's defaults", async (t, url) => {
  const db = new Multibind();
  class Setting extends db.model("setting", {
    id: integer().primaryKey(),
    level: integer().default(sql`5`),
    note: text().nullable(),
  }) {}
  class Person extends db.model("person", { id: integer().primaryKey(), level: integer().default(sql`5`) }) {}
  class Pet extends db.model("pet", { id: integer().primaryKey(), personId: integer().references("person.id") }) {}
  void Pet;
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const old = new Setting({ id: 1, level: 9, note: "old" });
  const person = new Person({ id: 1, level: 9 });
  session.addAll([old, person]);
  await session.commit();
  session.delete(old);
  const next = new Setting({ id: 1 });
  session.add(next);
  await session.commit();
  assert.deepEqual({ ...next }, { id: 1, level: 5, note: null });
  assert.deepEqual({ ...(await sessionOf(app).getOne(Setting, 1)) }, { id: 1, level: 5, note: null });

  session.delete(person);
  session.add(new Person({ id: 1 }));
  await assert.rejects(session.flush(), (error) => {
    assert.ok(error instanceof SessionError);
    assert.match(error.message, /"person\.level"/);
    return true;
  });
});

onEachFamily("a row that takes another's place by a key said with keyOf is an update", async (t, url) => {
  const db = new Multibind();
  class User extends db.model("user", { id: integer().primaryKey(), name: text() }) {}
  class Profile extends db.model("profile", {
    userId: integer().primaryKey().references("user.id"),
    text: text(),
    badge: integer().unique().nullable(),
  }) {}
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const user = new User({ name: "ada" });
  const old = new Profile({ userId: keyOf(user), text: "old", badge: 1 });
  session.addAll([user, old]);
  await session.commit();
  const sent = record(app);
  session.delete(old);
  const next = new Profile({ userId: keyOf(user), text: "new", badge: 1 });
  session.add(next);
  await session.flush();
  assert.deepEqual(verbs(sent), ["begin", "update"]);
  assert.equal(next.userId, user.id);
  assert.equal(await session.get(Profile, user.id), next);
});

onEachFamily("a unique value that is a key of another row is known before it is stored", async (t, url) => {
  const db = new Multibind();
  class User extends db.model("user", { id: integer().primaryKey(), name: text() }) {}
  class Desk extends db.model("desk", {
    id: integer().primaryKey(),
    userId: integer().unique().references("user.id"),
  }) {}
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const [ada, eve] = [new User({ name: "ada" }), new User({ id: 50, name: "eve" })];
  const [one, two] = [new Desk({ userId: keyOf(ada) }), new Desk({ userId: keyOf(eve) })];
  session.addAll([one, two]);
  session.addAll([ada, eve]);
  await session.commit();

  session.delete(one);
  const next = new Desk({ userId: keyOf(ada) });
  session.add(next);
  await session.commit();
  session.delete(next);
  two.userId = keyOf(ada);
  await session.commit();
  assert.deepEqual(
    (await sessionOf(app).select(Desk).all()).map(({ id, userId }) => [id, userId]),
    [[two.id, ada.id]],
  );
});

onEachFamily("a parent is replaced by one of its name, and its children move over", async (t, url) => {
  const db = new Multibind();
  class Child extends db.model("child", {
    id: integer().primaryKey(),
    parentId: integer().nullable().references("parent.id"),
  }) {}
  class Parent extends db.model("parent", { id: integer().primaryKey(), name: varchar(20).unique() }) {}
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const old = new Parent({ name: "x" });
  const children = [1, 2, 3].map(() => new Child({ parentId: keyOf(old) }));
  session.addAll([old, ...children]);
  await session.commit();
  const fresh = new Parent({ name: "x" });
  session.add(fresh);
  session.delete(old);
  for (const child of children.slice(0, 2)) child.parentId = keyOf(fresh);
  session.delete(children[2]!);
  await session.commit();
  assert.deepEqual(
    (await sessionOf(app).select(Child).all()).map(({ parentId }) => parentId),
    [fresh.id, fresh.id],
  );
});

onEachFamily("a child that may not be without a parent is named, with both parents", async (t, url) => {
  const db = new Multibind();
  class Child extends db.model("child", { id: integer().primaryKey(), parentId: integer().references("parent.id") }) {}
  class Parent extends db.model("parent", { id: integer().primaryKey(), name: varchar(20).unique() }) {}
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const old = new Parent({ name: "x" });
  const child = new Child({ parentId: keyOf(old) });
  session.addAll([old, child]);
  await session.commit();
  const fresh = new Parent({ name: "x" });
  session.add(fresh);
  session.delete(old);
  child.parentId = keyOf(fresh);
  await assert.rejects(session.flush(), (error) => {
    assert.ok(error instanceof SessionError);
    for (const part of ["Child(1)", "Parent(1)", "a new Parent", '"child.parentId"', '"parent.name"']) {
      assert.ok(error.message.includes(part), error.message);
    }
    return true;
  });
});

onEachFamily("a changed key takes those along that refer to it", async (t, url) => {
  const db = new Multibind();
  class Child extends db.model("child", {
    id: integer().primaryKey(),
    code: varchar(9).nullable().references("parent.code"),
  }) {}
  class Parent extends db.model("parent", { code: varchar(9).primaryKey(), name: text() }) {}
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const parent = new Parent({ code: "a", name: "p" });
  const [said, by] = [new Child({ code: "a" }), new Child({ code: "a" })];
  session.addAll([said, by, parent]);
  await session.commit();
  parent.code = "b";
  said.code = "b";
  by.code = keyOf(parent, "code");
  await session.commit();
  assert.deepEqual(
    (await sessionOf(app).select(Child).all()).map(({ code }) => code),
    ["b", "b"],
  );
  assert.equal(by.code, "b");

  const other = new Parent({ code: "c", name: "c" });
  session.add(other);
  said.code = "c";
  session.delete(by);
  parent.code = "d";
  await session.commit();
  assert.deepEqual(
    (await sessionOf(app).select(Parent).orderBy("code").all()).map(({ code }) => code),
    ["c", "d"],
  );
});

onEachFamily("keys go from row to row in a chain, and their swap is refused", async (t, url) => {
  const db = new Multibind();
  class Coded extends db.model("coded", { code: varchar(9).primaryKey(), name: text() }) {}
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const [a, b] = [new Coded({ code: "a", name: "a" }), new Coded({ code: "b", name: "b" })];
  session.addAll([a, b]);
  await session.commit();
  [a.code, b.code] = ["b", "c"];
  session.add(new Coded({ code: "a", name: "new" }));
  await session.commit();
  assert.deepEqual(
    (await sessionOf(app).select(Coded).orderBy("code").all()).map(({ code, name }) => code + name),
    ["anew", "ba", "cb"],
  );
  assert.equal(await session.get(Coded, "b"), a);

  [a.code, b.code] = ["c", "b"];
  await assert.rejects(session.flush(), /Coded\(c\).*"coded\.code".*Coded\(b\)/);
});

onEachFamily("a key of which one column may be null goes in circles and refers to itself", async (t, url) => {
  const db = new Multibind();
  class Node extends db.model(
    "node",
    { tenant: integer().primaryKey(), id: integer().primaryKey(), parent: integer().nullable() },
    { constraints: [foreignKey(["tenant", "parent"], "node", ["tenant", "id"])] },
  ) {}
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const own = new Node({ tenant: 1, id: 1, parent: 1 });
  const [a, b] = [new Node({ tenant: 1, id: 2, parent: 3 }), new Node({ tenant: 1, id: 3, parent: 2 })];
  session.addAll([own, a, b]);
  await session.commit();
  assert.deepEqual(
    (await sessionOf(app).select(Node).orderBy("id").all()).map(({ parent }) => parent),
    [1, 3, 2],
  );
  for (const node of [own, a, b]) session.delete(node);
  await session.commit();
  assert.equal(await session.select(Node).count(), 0);
});

onEachFamily("unique sets of a parent's table count for children of any kind", async (t, url) => {
  const db = new Multibind();
  class Vehicle extends db.model(
    "vehicle",
    { id: integer().primaryKey(), kind: varchar(9), plate: varchar(9).unique() },
    { discriminator: "kind" },
  ) {}
  class Car extends Vehicle.extend({ doors: integer(), seat: integer().unique() }, { identity: "car" }) {}
  class Truck extends Vehicle.extend(
    "truck",
    { id: integer().primaryKey().references("vehicle.id"), load: integer().unique() },
    { identity: "truck" },
  ) {}
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const car = new Car({ plate: "x", doors: 4, seat: 1 });
  const truck = new Truck({ plate: "y", load: 1 });
  session.addAll([car, truck]);
  await session.commit();

  session.delete(car);
  truck.plate = "x";
  session.add(new Car({ plate: "y", doors: 2, seat: 1 }));
  await session.commit();
  const [one, two] = [new Car({ plate: "z", doors: 2, seat: 2 }), new Truck({ plate: "w", load: 2 })];
  session.addAll([one, two]);
  await session.commit();
  [truck.load, two.load] = [2, 3];
  session.delete(one);
  session.add(new Truck({ id: one.id, plate: "z", load: 1 }));
  await session.commit();
  assert.deepEqual(
    (await sessionOf(app).select(Truck).orderBy("load").all()).map(({ plate, load }) => plate + load),
    ["z1", "x2", "w3"],
  );
});

onEachFamily("a changed key that the database hands down to keys of others", async (t, url) => {
  const db = new Multibind();
  class Line extends db.model("line", {
    orderNo: varchar(9).primaryKey().references("purchase.no", { onUpdate: "cascade" }),
    n: integer().primaryKey(),
    amount: integer(),
  }) {}
  class Purchase extends db.model("purchase", { no: varchar(9).primaryKey(), note: text() }) {}
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const purchase = new Purchase({ no: "a", note: "" });
  const lines = [1, 2, 3].map((n) => new Line({ orderNo: "a", n, amount: n }));
  session.addAll([...lines, purchase, new Purchase({ no: "c", note: "" })]);
  await session.commit();
  purchase.no = "b";
  Object.assign(lines[0]!, { orderNo: "b", amount: 10 });
  Object.assign(lines[1]!, { orderNo: keyOf(purchase, "no"), amount: 20 });
  lines[2]!.orderNo = "c";
  await session.flush();
  assert.equal(await session.get(Line, { orderNo: "b", n: 1 }), lines[0]);
  await session.rollback();
  assert.deepEqual({ ...lines[0] }, { orderNo: "a", n: 1, amount: 1 });

  purchase.no = "b";
  Object.assign(lines[0]!, { orderNo: "b", amount: 10 });
  Object.assign(lines[1]!, { orderNo: keyOf(purchase, "no"), amount: 20 });
  lines[2]!.orderNo = "c";
  await session.commit();
  const stored = await sessionOf(app).select(Line).orderBy("n").all();
  assert.deepEqual(
    stored.map(({ orderNo, n, amount }) => `${orderNo}${n}:${amount}`),
    ["b1:10", "b2:20", "c3:3"],
  );
});

function names() {
  const db = new Multibind();
  class Name extends db.model("name", { id: integer().primaryKey(), name: varchar(40).unique().nullable() }) {}
  return { db, Name };
}

onEachFamily("values that only some collation takes for equal are no circle", async (t, url) => {
  const { db, Name } = names();
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const [a, b] = [new Name({ name: "x" }), new Name({ name: "y" })];
  session.addAll([a, b]);
  await session.commit();
  const sent = record(app);
  [a.name, b.name] = ["Y ", "X"];
  await session.commit();
  assert.equal(verbs(sent).filter((verb) => verb === "update").length, 2, "nothing is null in between");
});

onEachFamily("a value that a collation takes for equal is taken after it was given up", async (t, url, family) => {
  const { db, Name } = names();
  const app = await start(t, db, { databaseUri: url });
  await sql
    .raw(
      {
        sqlite: "create unique index name_folded on name (name collate nocase)",
        postgres: "create unique index name_folded on name (lower(name))",
        mysql: "alter table name modify name varchar(40) collate utf8mb4_general_ci",
      }[family],
    )
    .execute(app.engine.kysely);
  const session = sessionOf(app);
  const [a, b, c] = ["x", "y", "z"].map((name) => new Name({ name })) as InstanceType<typeof Name>[];
  session.addAll([a!, b!, c!]);
  await session.commit();
  session.delete(c!);
  [a!.name, b!.name] = ["Y", "w"];
  session.add(new Name({ name: "Z" }));
  await session.commit();
  assert.deepEqual((await sessionOf(app).select(Name).all()).map(({ name }) => name).sort(), ["Y", "Z", "w"]);
});

onEachFamily(
  "one null gives way to another where nulls are not distinct",
  async (t, url) => {
    const { db, Name } = names();
    const app = await start(t, db, { databaseUri: url });
    await sql`create unique index one_null on name (name) nulls not distinct`.execute(app.engine.kysely);
    const session = sessionOf(app);
    const [a, b] = [new Name({ name: "x" }), new Name({ name: null })];
    session.addAll([a, b]);
    await session.commit();
    [a.name, b.name] = [null, "w"];
    await session.commit();
    session.delete(a);
    session.add(new Name({ name: null }));
    await session.commit();
    assert.equal(await session.select(Name).count(), 2);
  },
  ["postgres"],
);
