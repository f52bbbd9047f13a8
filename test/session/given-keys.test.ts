import assert from "node:assert/strict";
import { bigint, integer, Multibind, sql, text, varchar } from "../../src/index.ts";
import { onEachFamily, record, sessionOf, start, verbs } from "../fixtures/matrix.ts";

function seeds() {
  const db = new Multibind();
  class Seed extends db.model("seed", { id: integer().primaryKey(), name: text().default(() => "seed") }) {}
  class Grain extends db.model("grain", {
    id: bigint().primaryKey(),
    seedId: integer().nullable().references("seed.id"),
  }) {}
  return { db, Seed, Grain };
}

onEachFamily("a key is generated after one that was given", async (t, url) => {
  const { db, Seed } = seeds();
  const session = sessionOf(await start(t, db, { databaseUri: url }));
  session.add(new Seed({ id: 1 }));
  await session.commit();
  session.addAll([new Seed({ id: 2 }), new Seed({ id: 7 })]);
  await session.commit();
  const one = new Seed({});
  session.add(one);
  await session.commit();
  assert.equal(one.id, 8);

  session.add(new Seed({ id: 3 }));
  await session.commit();
  const two = new Seed({});
  session.add(two);
  await session.commit();
  assert.equal(two.id, 9, "a smaller one changes nothing");
});

onEachFamily("given and generated keys in one flush, in whatever order they were added", async (t, url) => {
  const { db, Seed, Grain } = seeds();
  const session = sessionOf(await start(t, db, { databaseUri: url }));
  const list = [
    new Seed({}),
    new Seed({ id: 1 }),
    new Seed({}),
    new Seed({ id: 2 }),
    new Grain({ id: 5_000n }),
    new Grain({}),
  ];
  session.addAll(list);
  await session.commit();
  assert.deepEqual(
    list.map(({ id }) => id),
    [3, 1, 4, 2, 5_000n, 5_001n],
  );
});

onEachFamily("a key is generated after one that a row was changed to", async (t, url) => {
  const { db, Seed } = seeds();
  const session = sessionOf(await start(t, db, { databaseUri: url }));
  const moved = new Seed({});
  session.add(moved);
  await session.commit();
  moved.id = 2_000;
  await session.commit();
  const next = new Seed({});
  session.add(next);
  await session.commit();
  assert.equal(next.id, 2_001);
});

onEachFamily("a joined child's given key counts in its parent's table", async (t, url) => {
  const db = new Multibind();
  class Vehicle extends db.model(
    "vehicle",
    { id: integer().primaryKey(), kind: varchar(9) },
    { discriminator: "kind" },
  ) {}
  class Truck extends Vehicle.extend(
    "truck",
    { id: integer().primaryKey().references("vehicle.id"), load: integer() },
    { identity: "truck" },
  ) {}
  const session = sessionOf(await start(t, db, { databaseUri: url }));
  session.add(new Truck({ id: 4, load: 1 }));
  await session.commit();
  const next = new Truck({ load: 2 });
  session.add(next);
  await session.commit();
  assert.equal(next.id, 5);
});

onEachFamily(
  "the greatest key of all, a negative one, and a user who may not use the sequence",
  async (t, url) => {
    const { db, Seed } = seeds();
    const app = await start(t, db, { databaseUri: url });
    const session = sessionOf(app);
    session.addAll([new Seed({ id: 2_147_483_647 }), new Seed({ id: -5 })]);
    await session.commit();
    const next = new Seed({});
    session.add(next);
    await session.commit();
    assert.equal(next.id, 1);

    const role = `given_${process.pid}`;
    await sql.raw(`create role ${role}`).execute(app.engine.kysely);
    t.after(() =>
      sql
        .raw(`drop owned by ${role}; drop role ${role}`)
        .execute(app.engine.kysely)
        .catch(() => {}),
    );
    await sql.raw(`grant select, insert on seed to ${role}`).execute(app.engine.kysely);
    await session.begin();
    await session.execute(sql.raw(`set local role ${role}`));
    session.add(new Seed({ id: 50 }));
    await session.commit();
    assert.equal((await session.getOne(Seed, 50)).id, 50);
  },
  ["postgres"],
);

onEachFamily("a generated key costs no statement more", async (t, url) => {
  const { db, Seed } = seeds();
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const sent = record(app);
  session.add(new Seed({}));
  await session.commit();
  assert.deepEqual(verbs(sent), ["insert"]);
});
