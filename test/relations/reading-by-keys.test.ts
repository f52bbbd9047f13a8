import assert from "node:assert/strict";
import {
  bigint,
  binary,
  char,
  date,
  enumeration,
  integer,
  Multibind,
  numeric,
  type Session,
  text,
  timestamp,
  uuid,
  varchar,
} from "../../src/index.ts";
import type { Entity } from "../../src/model/entity.ts";
import { mapperOfClass } from "../../src/model/mapper.ts";
import type { AnyTable } from "../../src/schema/table.ts";
import type { KeyedSource } from "../../src/session/relations/keyed-rows.ts";
import { onMysql, onPostgres } from "../fixtures/databases.ts";
import { onEachFamily, sessionOf, start } from "../fixtures/matrix.ts";

const db = new Multibind();
class Item extends db.model("item", {
  id: integer().primaryKey(),
  ownerId: integer().index().named("owner_id"),
  big: bigint(),
  name: varchar(20).named("item_name"),
  code: char(10),
  note: text({ mysqlCollation: "utf8mb4_general_ci" }).nullable(),
  guid: uuid(),
  price: numeric(12, 2),
  day: date(),
  at: timestamp(),
  bytes: binary(),
  state: enumeration(["new", "old"]),
}) {}
const ownership = db.table("ownership", {
  ownerId: integer().primaryKey(),
  itemId: integer().primaryKey().named("item_id"),
});
class Vehicle extends db.model(
  "vehicle",
  { id: integer().primaryKey(), kind: enumeration(["car", "truck"]), ownerId: integer() },
  { discriminator: "kind" },
) {}
class Car extends Vehicle.extend({ doors: integer() }, { identity: "car" }) {
  static {
    db.register(Car);
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
const GUIDS = ["00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b"] as const;

function item(id: number, values: Partial<ConstructorParameters<typeof Item>[0]> = {}): Item {
  return new Item({
    id,
    ownerId: (id % 3) + 1,
    big: 9_007_199_254_740_993n + BigInt(id % 2),
    name: `name ${id % 2}`,
    code: `c${id % 2}`,
    guid: GUIDS[id % 2]!,
    price: id % 2 === 0 ? "1.50" : "-2.00",
    day: id % 2 === 0 ? "2026-01-31" : "2026-02-01",
    at: new Date(NOON.getTime() + (id % 2)),
    bytes: new Uint8Array([id % 2, 255, 0]),
    state: id % 2 === 0 ? "new" : "old",
    ...values,
  });
}

async function read(session: Session, source: KeyedSource, keys: readonly (readonly unknown[])[]): Promise<Entity[][]> {
  const { rows, keys: set } = session.keyReader.open(source);
  const positions = keys.map((key) => set.add(key));
  const found = await session.keyReader.read(rows, set, {});
  return positions.map((position) => (position === undefined ? [] : found[position]!));
}

function ids(found: readonly (readonly Entity[])[]): number[][] {
  return found.map((entities) => entities.map((entity) => (entity as Item).id));
}

const items = (...columns: readonly (keyof Item & string)[]): KeyedSource => ({
  mapper: mapperOfClass(Item),
  columns,
  orderBy: [],
});

async function stored(t: Parameters<typeof start>[0], databaseUri: string, entities: readonly Entity[]) {
  const app = await start(t, db, { databaseUri, recordQueries: true });
  const writing = sessionOf(app);
  writing.addAll(entities);
  await writing.commit();
  return { app, session: sessionOf(app) };
}

onEachFamily("the rows of many keys are read in one statement, in the order of their primary key", async (t, url) => {
  const { session } = await stored(
    t,
    url,
    [4, 2, 6, 1, 3, 5].map((id) => item(id)),
  );
  const found = await read(session, items("ownerId"), [[2], [1], [2], [9], [null], [undefined], [3]]);
  assert.deepEqual(ids(found), [[1, 4], [3, 6], [1, 4], [], [], [], [2, 5]]);
  assert.equal(session.recordedQueries.length, 1);
  assert.ok(found[0]![0] instanceof Item);
  assert.equal(found[0]![0], await session.get(Item, 1));
  assert.equal(session.recordedQueries.length, 1);
});

onEachFamily("no key is no statement", async (t, url) => {
  const { session } = await stored(t, url, [item(1)]);
  assert.deepEqual(await read(session, items("ownerId"), [[null]]), [[]]);
  assert.deepEqual(await read(session, items("ownerId"), []), []);
  assert.equal(session.recordedQueries.length, 0);
});

onEachFamily("a key that the column cannot hold finds nothing", async (t, url) => {
  const { session } = await stored(t, url, [item(1)]);
  assert.deepEqual(ids(await read(session, items("ownerId"), [[2 ** 40], [2]])), [[], [1]]);
});

for (const [column, first, second] of [
  ["big", 9_007_199_254_740_993n, 9_007_199_254_740_994n],
  ["name", "name 0", "name 1"],
  ["code", "c0", "c1"],
  ["guid", ...GUIDS],
  ["price", "1.5", "-2"],
  ["day", "2026-01-31", "2026-02-01"],
  ["at", NOON, new Date(NOON.getTime() + 1)],
  ["bytes", new Uint8Array([0, 255, 0]), new Uint8Array([1, 255, 0])],
  ["state", "new", "old"],
] as const) {
  onEachFamily(
    `keys of kind ${Item.table.columns[column].definition.type.kind} (${column}) are exact`,
    async (t, url) => {
      const { session } = await stored(
        t,
        url,
        [1, 2, 3, 4].map((id) => item(id)),
      );
      assert.deepEqual(ids(await read(session, items(column), [[first], [second]])), [
        [2, 4],
        [1, 3],
      ]);
      assert.deepEqual(
        ids(
          await read(session, items(column, "ownerId"), [
            [first, 3],
            [second, 2],
            [second, 3],
          ]),
        ),
        [[2], [1], []],
      );
      assert.equal(session.recordedQueries.length, 2);
    },
  );
}

onEachFamily(
  "several spellings of a key that the database takes for one each have the rows",
  async (t, url, family) => {
    const { session } = await stored(t, url, [
      item(1, { note: "Ada" }),
      item(2, { note: "ada" }),
      item(3, { note: "bob" }),
    ]);
    const found = ids(await read(session, items("note"), [["ada"], ["ADA"], ["Ada"], ["eve"]]));
    const all = [1, 2];
    assert.deepEqual(found, family === "mysql" ? [all, all, all, []] : [[2], [], [1], []]);
  },
);

onEachFamily(
  "columns of existing tables are compared as their own types and collations say",
  async (t, url, family) => {
    const { app, session } = await stored(t, url, []);
    const run = family === "postgres" ? onPostgres : onMysql;
    await run(
      family === "postgres"
        ? "alter table item alter column code type char(10)"
        : "alter table item modify code varchar(10) character set latin1 collate latin1_swedish_ci",
      url,
    );
    const writing = sessionOf(app);
    writing.addAll([item(1, { code: "ab" }), item(2, { code: "AB" })]);
    await writing.commit();
    const found = ids(await read(session, items("code"), [["ab"], ["ab  "], ["AB"]]));
    assert.deepEqual(
      found,
      family === "postgres"
        ? [[1], [1], [2]]
        : [
            [1, 2],
            [1, 2],
            [1, 2],
          ],
    );
    assert.equal(session.recordedQueries.length, 1);
  },
  ["postgres", "mysql"],
);

onEachFamily("text keys may have any characters", async (t, url) => {
  const { session } = await stored(t, url, [item(1, { name: "naïve 🙂" }), item(2, { name: `"'\\{},` })]);
  const found = ids(await read(session, items("name"), [["naïve 🙂"], [`"'\\{},`], ["naive 🙂"], [""]]));
  assert.deepEqual(found, [[1], [2], [], []]);
});

onEachFamily("rows found through a link are read in one statement, with the link's key", async (t, url) => {
  const { app, session } = await stored(t, url, [item(1), item(2), item(3)]);
  const writing = sessionOf(app);
  await writing
    .insertInto(ownership)
    .values([
      { ownerId: 7, itemId: 3 },
      { ownerId: 7, itemId: 1 },
      { ownerId: 8, itemId: 3 },
      { ownerId: 9, itemId: 99 },
    ])
    .execute();
  await writing.commit();
  const source: KeyedSource = {
    mapper: mapperOfClass(Item),
    columns: ["ownerId"],
    link: {
      table: ownership as unknown as AnyTable,
      from: [{ own: mapperOfClass(Item).key[0]!, column: ownership.columns.ownerId }],
      to: [{ other: mapperOfClass(Item).key[0]!, column: ownership.columns.itemId }],
    },
    orderBy: [],
  };
  const found = await read(session, source, [[7], [8], [9], [10]]);
  assert.deepEqual(ids(found), [[1, 3], [3], [], []]);
  assert.equal(found[0]![1], found[1]![0]);
  assert.deepEqual(Object.keys(found[0]![0]!), Object.keys(item(1)));
  assert.equal(session.recordedQueries.length, 1);
  (found[0]![0] as Item).name = "changed";
  await session.commit();
  assert.equal((await sessionOf(app).getOne(Item, 1)).name, "changed");
});

onEachFamily("rows come as the classes that they are of", async (t, url) => {
  const { session } = await stored(t, url, [
    new Car({ id: 1, ownerId: 1, doors: 4 }),
    new Truck({ id: 2, ownerId: 1, load: 7 }),
    new Truck({ id: 3, ownerId: 2, load: 8 }),
  ]);
  const of = (model: typeof Vehicle | typeof Truck | typeof Car): KeyedSource => ({
    mapper: mapperOfClass(model),
    columns: ["ownerId"],
    orderBy: [],
  });
  const found = await read(session, of(Vehicle), [[1], [2]]);
  assert.deepEqual(ids(found), [[1, 2], [3]]);
  assert.ok(found[0]![0] instanceof Car && found[0]![1] instanceof Truck);
  assert.equal((found[1]![0] as Truck).load, 8);
  assert.deepEqual(ids(await read(session, of(Truck), [[1], [2]])), [[2], [3]]);
  assert.deepEqual(ids(await read(session, of(Car), [[1], [2]])), [[1], []]);
  assert.equal(session.recordedQueries.length, 3);
});

onEachFamily("rows refill entities without changes, and leave changed ones alone", async (t, url) => {
  const { app, session } = await stored(t, url, [item(1), item(4)]);
  const [one, four] = await session.select(Item).orderBy("id").all();
  const other = sessionOf(app);
  await other.updateTable(Item).set({ name: "theirs" }).execute();
  await other.commit();
  four!.state = "old";
  await session.noAutoflush(() => read(session, items("ownerId"), [[2]]));
  assert.equal(one!.name, "theirs");
  assert.equal(four!.name, "name 0");
});

onEachFamily(
  "a row that was moved to another key is found by that one, also if its entity has changes",
  async (t, url) => {
    const { app, session } = await stored(t, url, [item(1), item(2)]);
    const [one] = await session.select(Item).orderBy("id").all();
    const other = sessionOf(app);
    await other.updateTable(Item).set({ ownerId: 50 }).where("id", "=", 1).execute();
    await other.commit();
    one!.state = "new";
    const found = await session.noAutoflush(() => read(session, items("ownerId"), [[2], [50]]));
    assert.deepEqual(ids(found), [[], [1]]);
  },
);

const CHUNKS = { sqlite: 500, postgres: 10_000, mysql: 1024 } as const;

onEachFamily("a statement has so many keys and no more", async (t, url, family) => {
  const { session } = await stored(t, url, [item(1, { ownerId: 1 }), item(2, { ownerId: CHUNKS[family] + 1 })]);
  const keys = (count: number) => Array.from({ length: count }, (_, index) => [index + 1]);
  for (const [count, statements] of [
    [0, 0],
    [1, 1],
    [CHUNKS[family], 1],
    [CHUNKS[family] + 1, 2],
  ] as const) {
    const before = session.recordedQueries.length;
    const found = ids(await read(session, items("ownerId"), keys(count)));
    assert.equal(session.recordedQueries.length - before, statements, `${count} keys`);
    assert.deepEqual(found[0] ?? [1], [1]);
    assert.deepEqual(found[CHUNKS[family]] ?? [2], [2]);
  }
});

onEachFamily("statements are alike for different numbers of keys, so that few are prepared", async (t, url, family) => {
  const { session } = await stored(t, url, [item(1)]);
  for (let count = 1; count <= 40; count++)
    await read(
      session,
      items("ownerId"),
      Array.from({ length: count }, (_, index) => [index]),
    );
  const texts = new Set(session.recordedQueries.map(({ sql }) => sql));
  assert.equal(texts.size, family === "mysql" ? 7 : 1);
});
