import assert from "node:assert/strict";
import {
  bigint,
  binary,
  boolean,
  date,
  float,
  integer,
  json,
  Multibind,
  numeric,
  StaleDataError,
  text,
  time,
  timestamp,
  uuid,
  varchar,
} from "../../src/index.ts";
import { onEachFamily, record, sessionOf, start } from "../fixtures/matrix.ts";

const db = new Multibind();
class Thing extends db.model("thing", {
  id: integer().primaryKey(),
  number: integer().nullable(),
  large: bigint().nullable(),
  amount: numeric(12, 3).nullable(),
  ratio: float().nullable(),
  done: boolean().nullable(),
  name: varchar(40).nullable(),
  body: text().nullable(),
  day: date().nullable(),
  hour: time().nullable(),
  at: timestamp().nullable(),
  data: json<unknown>().nullable(),
  bytes: binary().nullable(),
  uid: uuid().nullable(),
}) {}
class Seat extends db.model("seat", {
  row: varchar(5).primaryKey(),
  number: integer().primaryKey(),
  guest: text(),
}) {}

/** More than any family writes by one statement, and not a multiple of it. */
const MANY = 123;

/** Values of every type; each is null in some rows. */
function valuesOf(n: number) {
  const unless = <T>(remainder: number, value: T) => (n % 7 === remainder ? null : value);
  return {
    number: unless(0, n - 60),
    large: unless(1, 2n ** 62n - BigInt(n)),
    amount: unless(2, `-${n}.125`),
    ratio: unless(3, n % 2 === 0 ? n : n / 8),
    done: unless(4, n % 3 === 0),
    name: unless(5, `n'${n}"é`),
    body: unless(6, "x".repeat(n)),
    day: unless(0, `2024-02-${String((n % 28) + 1).padStart(2, "0")}`),
    hour: unless(1, `12:34:${String(n % 60).padStart(2, "0")}`),
    at: unless(2, new Date(1_700_000_000_123 + n)),
    data: unless(3, { n, list: [n, null, "1"] }),
    bytes: unless(4, new Uint8Array([n, 0, 255])),
    uid: unless(5, `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`),
  };
}

const places = Array.from({ length: MANY }, (_, place) => place);

onEachFamily("many rows that are updated at once hold what each was given", async (t, url) => {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const things = places.map(() => new Thing({}));
  session.addAll(things);
  await session.commit();
  for (const [place, thing] of things.entries()) Object.assign(thing, valuesOf(place));
  await session.commit();
  const read = await sessionOf(app).select(Thing).orderBy("id").all();
  assert.deepEqual(
    read.map(({ id: _, ...values }) => values),
    places.map(valuesOf),
  );
  const changed = sessionOf(app);
  // Now from these to others.
  const again = await changed.select(Thing).orderBy("id").all();
  for (const [place, thing] of again.entries()) Object.assign(thing, valuesOf(place + 1));
  await changed.commit();
  assert.deepEqual(
    (await sessionOf(app).select(Thing).orderBy("id").all()).map(({ id: _, ...values }) => values),
    places.map((place) => valuesOf(place + 1)),
  );
});

onEachFamily("rows with a key of several parts are updated by few statements", async (t, url) => {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const seats = places.map((place) => new Seat({ row: `r${place % 5}`, number: place, guest: "nobody" }));
  session.addAll(seats);
  await session.commit();
  for (const seat of seats) seat.guest = `${seat.row} ${seat.number}`;
  const sent = record(app);
  await session.commit();
  assert.ok(sent.length <= 6, `${sent.length} statements`);
  const read = await sessionOf(app).select(Seat).all();
  assert.equal(read.length, MANY);
  for (const { row, number, guest } of read) assert.equal(guest, `${row} ${number}`);
});

onEachFamily("of many rows that are updated at once, those that are gone are named", async (t, url) => {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const things = places.map(() => new Thing({ number: 0 }));
  session.addAll(things);
  await session.commit();
  const gone = [3, 60, 61, 122].map((place) => things[place]!);
  await app.engine.kysely
    .deleteFrom(Thing.table)
    .where(
      "id",
      "in",
      gone.map(({ id }) => id),
    )
    .execute();
  for (const thing of things) thing.number = 1;
  await assert.rejects(session.flush(), (error) => {
    assert.ok(error instanceof StaleDataError);
    assert.deepEqual(error.entities, gone);
    return true;
  });
  await session.rollback();
  assert.equal(await sessionOf(app).select(Thing).where("number", "=", 1).count(), 0);
});
