import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bigint,
  boolean,
  InvalidValueError,
  integer,
  json,
  Multibind,
  numeric,
  sql,
  stateOf,
  timestamp,
  varchar,
} from "../../src/index.ts";
import { onEachFamily, sessionOf, sharedDatabase, start } from "../fixtures/matrix.ts";

const COLUMNS = {
  id: integer().primaryKey(),
  name: varchar(20),
  on: boolean().nullable(),
  at: timestamp().nullable(),
  data: json<{ readonly tags: readonly string[] }>().nullable(),
  price: numeric(8, 2).nullable(),
  many: bigint().nullable(),
};

const ROWS = [
  {
    id: 1,
    name: "ada",
    on: true,
    at: new Date("2026-03-04T05:06:07.089Z"),
    data: { tags: ["a"] },
    price: "1.50",
    many: 2n ** 60n,
  },
  { id: 2, name: "bob", on: null, at: null, data: null, price: null, many: null },
] as const;

const db = new Multibind();
class Plain extends db.model("item", COLUMNS) {}

const built = new Multibind();
const seen: unknown[] = [];
class Built extends built.model("item", COLUMNS) {
  constructor(values: ConstructorParameters<typeof Plain>[0]) {
    super(values);
    seen.push(structuredClone(values));
  }
}

const fielded = new Multibind();
class Other extends fielded.model("other", { id: integer().primaryKey(), name: varchar(20) }) {}
class Fielded extends fielded.model("item", COLUMNS) {
  readonly #label = `${this.name} at ${this.at?.getTime()}`;
  readonly #other = new Other({ id: this.id, name: this.name });

  get label(): string {
    return this.#label;
  }

  get other(): Other {
    return this.#other;
  }
}

onEachFamily(
  "rows become the same entities whether their class has a constructor, fields or neither",
  async (t, url) => {
    const app = await start(t, db, { databaseUri: url });
    const session = sessionOf(app);
    session.addAll(ROWS.map((row) => new Plain(row)));
    await session.commit();

    const others = [built, fielded].map((one) => one.init({ databaseUri: url }));
    t.after(() => Promise.all(others.map((one) => one.dispose())));
    const sessions = [sessionOf(app), ...others.map((one) => one.session())] as const;
    t.after(() => Promise.all(sessions.map((one) => one.close())));
    const all = [
      await sessions[0].select(Plain).orderBy("id").all(),
      await sessions[1]!.select(Built).orderBy("id").all(),
      await sessions[2]!.select(Fielded).orderBy("id").all(),
    ] as const;
    for (const [place, entities] of all.entries()) {
      assert.deepEqual(
        entities.map((entity) => ({ ...entity })),
        ROWS,
      );
      assert.ok(entities.every((entity) => stateOf(entity) === "persistent"));
      assert.equal(sessions[place]!.dirty.size, 0);
      entities[0]!.at!.setUTCFullYear(2027);
      entities[1]!.on = false;
      assert.equal(sessions[place]!.dirty.size, 2);
    }
    assert.deepEqual(seen.slice(-2), ROWS);
    assert.deepEqual(
      all[2].map(({ label, other }) => [label, { ...other }, stateOf(other)]),
      [
        [`ada at ${ROWS[0].at.getTime()}`, { id: 1, name: "ada" }, "transient"],
        ["bob at undefined", { id: 2, name: "bob" }, "transient"],
      ],
    );
  },
);

const layered = new Multibind();
class Tag extends layered.model("tag", { id: integer().primaryKey(), name: varchar(20) }) {}
abstract class Tagged extends layered.abstractModel({ id: integer().primaryKey() }) {
  readonly #tag = new Tag({ name: "made before" });

  get tag(): Tag {
    return this.#tag;
  }
}
class Item extends Tagged.extend("tagged_item", { name: varchar(20) }) {}

onEachFamily("a class below the model may make other entities before the columns are set", async (t, url) => {
  const app = await start(t, layered, { databaseUri: url });
  const session = sessionOf(app);
  session.addAll([new Item({ name: "ada" }), new Item({ name: "bob" })]);
  await session.commit();
  const items = await sessionOf(app).select(Item).orderBy("id").all();
  assert.deepEqual(
    items.map((item) => [{ ...item }, item.tag.name]),
    [
      [{ id: 1, name: "ada" }, "made before"],
      [{ id: 2, name: "bob" }, "made before"],
    ],
  );
});

onEachFamily("an entity that is made after rows were read is checked as any other", async (t, url) => {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  session.add(new Plain(ROWS[0]));
  await session.commit();
  await sessionOf(app).select(Plain).all();
  assert.throws(() => new Plain({ ...ROWS[1], nothing: 1 } as never), InvalidValueError);
  assert.deepEqual({ ...new Plain(ROWS[1]) }, ROWS[1]);
});

test("a value that cannot be read says which column it is of, and nothing else is lost", async (t) => {
  const app = await start(t, db, { databaseUri: await sharedDatabase("sqlite") });
  const session = sessionOf(app);
  session.addAll(ROWS.map((row) => new Plain(row)));
  await session.commit();
  await session.execute(sql`update item set "at" = 'never' where id = 1`);
  await session.commit();
  const reader = sessionOf(app);
  await assert.rejects(reader.select(Plain).orderBy("id").all(), (error: unknown) => {
    assert.ok(error instanceof InvalidValueError);
    assert.deepEqual([error.column, error.table], ["at", "item"]);
    return true;
  });
  assert.equal((await reader.get(Plain, 2))?.name, "bob");
  await assert.rejects(reader.get(Plain, 1), InvalidValueError);
});
