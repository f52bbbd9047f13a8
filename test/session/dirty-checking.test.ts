import assert from "node:assert/strict";
import {
  bigint,
  binary,
  boolean,
  date,
  enumeration,
  float,
  InvalidValueError,
  integer,
  json,
  Multibind,
  NotNullViolationError,
  numeric,
  smallint,
  text,
  time,
  timestamp,
  UndefinedValueError,
  uuid,
  varchar,
} from "../../src/index.ts";
import { onEachFamily, record, sessionOf, start } from "../fixtures/matrix.ts";

const db = new Multibind();
class Thing extends db.model("thing", {
  id: integer().primaryKey(),
  small: smallint().nullable(),
  big: bigint().nullable(),
  price: numeric(10, 2).nullable(),
  weight: float().nullable(),
  sold: boolean().nullable(),
  name: varchar(40).nullable(),
  note: text().nullable(),
  day: date().nullable(),
  clock: time().nullable(),
  at: timestamp().nullable(),
  exact: timestamp({ text: true }).nullable(),
  data: json<{ list: number[]; deep?: { x: number } }>().nullable(),
  photo: binary().nullable(),
  key: uuid().nullable(),
  state: enumeration(["new", "old"]).nullable(),
  must: text().default("set"),
}) {}

const VALUES = {
  small: -5,
  big: 2n ** 62n,
  price: "12.50",
  weight: 0.1,
  sold: true,
  name: "a",
  note: "b",
  day: "2026-01-31",
  clock: "12:00:00.5".padEnd(12, "0"),
  at: new Date("2026-01-31T12:00:00.123Z"),
  exact: "2026-01-31T12:00:00.123456Z",
  data: { list: [1, 2], deep: { x: 1 } },
  photo: new Uint8Array([1, 2, 3]),
  key: "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
  state: "new",
} as const;

/** A stored thing, read by a session of its own. */
async function stored(t: Parameters<typeof start>[0], url: string) {
  const app = await start(t, db, { databaseUri: url });
  const writer = sessionOf(app);
  writer.add(new Thing({ ...structuredClone(VALUES), data: structuredClone(VALUES.data) as never }));
  await writer.commit();
  const session = sessionOf(app);
  const thing = await session.getOne(Thing, 1);
  const again = async () => ({ ...(await sessionOf(app).getOne(Thing, 1)) });
  return { app, session, thing, again };
}

onEachFamily("what was read is clean, whatever its type", async (t, url) => {
  const { session, thing, app } = await stored(t, url);
  const sent = record(app);

  assert.equal(session.isModified(thing), false);
  await session.commit();

  assert.deepEqual(sent, []);
  const { id: _, must, ...values } = thing;
  assert.deepEqual(values, VALUES);
  assert.equal(must, "set");
});

onEachFamily("what was written is clean after the commit", async (t, url) => {
  const { app } = await stored(t, url);
  const session = sessionOf(app);
  const thing = new Thing({ ...VALUES, data: { list: [] } });
  session.add(thing);
  await session.commit();

  assert.equal(session.isModified(thing), false);
});

const CHANGES_IN_PLACE: Record<string, (thing: Thing) => void> = {
  "a member of JSON": (thing) => {
    thing.data!.deep!.x = 2;
  },
  "an element pushed into JSON": (thing) => {
    thing.data!.list.push(3);
  },
  "an instant": (thing) => {
    thing.at!.setUTCFullYear(2027);
  },
  "a byte": (thing) => {
    thing.photo![0] = 9;
  },
};

for (const [what, change] of Object.entries(CHANGES_IN_PLACE)) {
  onEachFamily(`${what} changed in place is seen`, async (t, url) => {
    const { session, thing, again } = await stored(t, url);

    change(thing);
    assert.equal(session.isModified(thing), true);
    await session.commit();

    assert.deepEqual(await again(), { ...thing });
    assert.equal(session.isModified(thing), false);
    change(thing);
    if (what === "an element pushed into JSON") assert.equal(session.isModified(thing), true, "once more");
  });

  onEachFamily(`${what} changed in place is taken back by a rollback`, async (t, url) => {
    const { session, thing } = await stored(t, url);
    const before = structuredClone({ ...thing });

    change(thing);
    await session.rollback();
    assert.deepEqual({ ...thing }, before, "not flushed");

    change(thing);
    await session.flush();
    await session.rollback();
    assert.deepEqual({ ...thing }, before, "flushed");
  });
}

onEachFamily("equal values in other objects are no change", async (t, url) => {
  const { session, thing } = await stored(t, url);
  thing.data = structuredClone(thing.data);
  thing.at = new Date(thing.at!);
  thing.photo = new Uint8Array(thing.photo!);

  assert.equal(session.isModified(thing), false);
});

onEachFamily("null and back", async (t, url) => {
  const { session, thing, again } = await stored(t, url);
  for (const name of Object.keys(VALUES)) (thing as unknown as Record<string, unknown>)[name] = null;
  await session.commit();
  assert.ok(Object.entries(await again()).every(([name, value]) => value === null || ["id", "must"].includes(name)));

  Object.assign(thing, structuredClone(VALUES));
  await session.commit();
  const { id: _, must: __, ...values } = await again();
  assert.deepEqual(values, VALUES);
});

onEachFamily("undefined in an update is refused, and nothing is sent", async (t, url) => {
  const { app, session, thing } = await stored(t, url);
  const sent = record(app);
  thing.note = "changed";
  thing.name = undefined as never;

  await assert.rejects(session.flush(), (error) => {
    assert.ok(error instanceof UndefinedValueError);
    assert.equal(error.column, "name");
    return true;
  });
  assert.deepEqual(sent, []);
  assert.deepEqual([...session.dirty], [thing], "it is as it was");
  thing.name = "right";
  await session.commit();
});

onEachFamily("undefined in an insert is as if not given", async (t, url) => {
  const { session, again } = await stored(t, url);
  session.add(new Thing({ name: undefined as never, must: undefined }));
  await session.commit();

  const thing = await session.getOne(Thing, 2);
  assert.equal(thing.name, null);
  assert.equal(thing.must, "set");
  assert.equal((await again()).name, "a");
});

const REFUSED: Record<string, unknown> = {
  id: "1",
  small: 40_000,
  big: 1,
  price: "1.234",
  weight: Number.NaN,
  sold: 1,
  name: "x".repeat(41),
  note: "\0",
  day: "2026-02-30",
  clock: "25:00:00",
  at: new Date(Number.NaN),
  exact: "yesterday",
  data: { list: [1n] },
  photo: "bytes",
  key: "none",
  state: "broken",
};

onEachFamily("a value that its column cannot hold is refused before anything is sent", async (t, url) => {
  const { app, session, thing } = await stored(t, url);
  const sent = record(app);
  const held = thing as unknown as Record<string, unknown>;
  for (const [column, value] of Object.entries(REFUSED)) {
    const before = held[column];
    held[column] = value;
    await assert.rejects(session.flush(), (error) => {
      assert.ok(error instanceof InvalidValueError, `${column}: ${error}`);
      assert.equal(error.column, column);
      assert.equal(error.table, "thing");
      assert.equal(error.bindKey, null);
      return true;
    });
    held[column] = before;
  }
  for (const [column, value] of Object.entries(REFUSED)) {
    const wrong = new Thing({ [column]: value });
    session.add(wrong);
    await assert.rejects(session.flush(), InvalidValueError, column);
    session.expunge(wrong);
  }
  assert.deepEqual(sent, []);
});

onEachFamily("null in a column that must have a value is refused before anything is sent", async (t, url) => {
  const { app, session, thing } = await stored(t, url);
  const sent = record(app);
  thing.must = null as never;
  await assert.rejects(session.flush(), NotNullViolationError);
  thing.must = "x";
  session.add(new Thing({ must: null as never }));
  await assert.rejects(session.flush(), NotNullViolationError);

  assert.deepEqual(sent, []);
});

onEachFamily("a value given in another form is stored and held in the canonical one", async (t, url) => {
  const { session, thing, again } = await stored(t, url);
  const other = new Thing({ price: "007", key: "F81D4FAE-7DEC-11D0-A765-00A0C91E6BF7", clock: "12:00:00.000" });
  session.add(other);
  thing.price = "3";
  thing.exact = "2026-01-31T12:00:00.100Z";
  await session.commit();

  assert.deepEqual(
    [other.price, other.key, other.clock, thing.price, thing.exact],
    ["7.00", "f81d4fae-7dec-11d0-a765-00a0c91e6bf7", "12:00:00", "3.00", "2026-01-31T12:00:00.1Z"],
  );
  assert.equal(session.dirty.size, 0);
  assert.equal((await again()).price, "3.00");
});

onEachFamily("a change made while its flush is in flight stays", async (t, url) => {
  const { session, thing, again } = await stored(t, url);
  thing.name = "first";
  thing.data!.list.push(3);
  const flushing = session.flush();
  thing.name = "second";
  thing.data!.list.push(4);
  await flushing;

  assert.equal(session.isModified(thing), true);
  assert.deepEqual([thing.name, thing.data!.list], ["second", [1, 2, 3, 4]]);
  await session.rollback();
  assert.deepEqual([thing.name, thing.data!.list], ["a", [1, 2]]);

  const other = new Thing({ name: "first" });
  session.add(other);
  const inserting = session.flush();
  other.name = "second";
  await inserting;
  assert.deepEqual([...session.dirty], [other]);
  await session.commit();
  assert.equal((await session.select(Thing).where({ name: "second" }).one()).id, other.id);
  assert.equal((await again()).name, "a");
});

onEachFamily("an entity taken out while its insert is in flight is out, and its row is there", async (t, url) => {
  const { session } = await stored(t, url);
  const other = new Thing({ name: "first" });
  session.add(other);
  const inserting = session.flush();
  session.expunge(other);
  await inserting;

  assert.equal(session.stateOf(other), "detached");
  await session.commit();
  const found = await session.select(Thing).where({ name: "first" }).one();
  assert.notEqual(found, other);
});

onEachFamily(
  "JSON text in the place of the JSON value that it says is a change, and the other way around",
  async (t, url) => {
    const own = new Multibind();
    class Any extends own.model("any_json", { id: integer().primaryKey(), data: json<unknown>() }) {}
    const app = await start(t, own, { databaseUri: url });
    const pairs: readonly (readonly [unknown, unknown])[] = [
      [[], "[]"],
      [12, "12"],
      [true, "true"],
      ["a", '"a"'],
      [{ a: 1 }, '{"a":1}'],
    ];
    for (const [one, other] of pairs.flatMap(([one, other]) => [[one, other] as const, [other, one] as const])) {
      const session = sessionOf(app);
      const entity = new Any({ data: one });
      session.add(entity);
      await session.commit();
      entity.data = other;
      assert.equal(session.dirty.size, 1);
      await session.commit();
      session.expungeAll();
      assert.deepEqual((await session.getOne(Any, entity.id)).data, other);
      await session.close();
    }
  },
);
