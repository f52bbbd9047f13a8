import assert from "node:assert/strict";
import { date, integer, Multibind, sql, time, timestamp, typed } from "../../src/index.ts";
import { onEachFamily, sessionOf, start } from "../fixtures/matrix.ts";

const db = new Multibind();
const visit = db.table("visit", {
  id: integer().primaryKey(),
  at: timestamp().nullable(),
  exact: timestamp({ text: true }),
  day: date(),
  hour: time().nullable(),
  made: timestamp().default(sql`current_timestamp`),
  noted: timestamp({ text: true }).default(sql`current_timestamp`),
});

const NOON = new Date("2026-03-04T12:00:00.000Z");
const MIDNIGHT = new Date("2026-03-05T00:00:00.000Z");

async function filled(t: Parameters<typeof start>[0], url: string) {
  const session = sessionOf(await start(t, db, { databaseUri: url }));
  await session
    .insertInto(visit)
    .values([
      { at: NOON, exact: "2026-03-04T12:00:00Z", day: "2026-03-04" },
      { at: MIDNIGHT, exact: "2026-03-05T00:00:00.000001Z", day: "2026-03-05" },
      { at: new Date("2026-03-05T00:00:00.250Z"), exact: "2026-03-05T00:00:00.25Z", day: "2026-03-06" },
    ])
    .execute();
  await session.commit();
  return session;
}

onEachFamily("instants of both kinds and dates are compared", async (t, url) => {
  const session = await filled(t, url);
  const ids = session.selectFrom(visit).select("id").orderBy("id");
  const found = async (query: typeof ids) => (await query.execute()).map(({ id }) => id);
  assert.deepEqual(await found(ids.whereRef("at", "=", "exact" as never)), [1, 3]);
  assert.deepEqual(await found(ids.whereRef("at", "<", "exact" as never)), [2]);
  assert.deepEqual(await found(ids.whereRef("exact", ">=", "at" as never)), [1, 2, 3]);
  assert.deepEqual(await found(ids.where("exact", "=", "2026-03-05T00:00:00.250Z")), [3]);
  assert.deepEqual(await found(ids.whereRef("at", "=", "day" as never)), [2]);
  assert.deepEqual(await found(ids.whereRef("day", "<=", "at" as never)), [1, 2]);
  assert.deepEqual(await found(ids.whereRef("exact", ">", "day" as never)), [1, 2]);
  const days = session.selectFrom(visit.as("other")).select("other.day");
  assert.deepEqual(await found(ids.where("at", "in", days as never)), [2]);
  assert.deepEqual(
    await found(ids.where((eb) => eb.between("at", eb.ref("day") as never, sql<Date>`current_timestamp`))),
    await found(ids.whereRef("day", "<=", "at" as never).where("at", "<", new Date())),
  );
  const joined = session
    .selectFrom(visit)
    .innerJoin(visit.as("other"), (join) => join.onRef("visit.at", "=", "other.day" as never))
    .select(["visit.id", "other.id as other"]);
  assert.deepEqual(await joined.execute(), [{ id: 2, other: 2 }]);
});

onEachFamily("an instant is one whichever column it is copied to", async (t, url) => {
  const session = await filled(t, url);
  await session
    .updateTable(visit)
    .set((eb) => ({ at: eb.ref("day") as never, exact: eb.ref("at") as never }))
    .where("id", "=", 1)
    .execute();
  await session
    .updateTable(visit)
    .set((eb) => ({ day: eb.ref("at") as never, hour: eb.ref("at") as never }))
    .where("id", "=", 3)
    .execute();
  const rows = await session.selectFrom(visit).select(["at", "exact", "day", "hour"]).orderBy("id").execute();
  assert.deepEqual([rows[0]!.at, rows[2]!.day], [new Date("2026-03-04T00:00:00Z"), "2026-03-05"]);
  assert.equal(rows[2]!.hour, "00:00:00.250");
  // On MySQL and MariaDB what is set first counts for what is set next.
  assert.match(rows[0]!.exact, /^2026-03-04T(12|00):00:00Z$/);
  const found = await session
    .selectFrom(visit)
    .select("id")
    .where("at", "=", new Date("2026-03-04T00:00:00Z"))
    .where("hour", "is", null)
    .execute();
  assert.deepEqual(found, [{ id: 1 }]);
});

// PostgreSQL rounds what it stores to milliseconds, also up, so that it may be after the present.
onEachFamily(
  "current_timestamp is comparable with what is stored",
  async (t, url) => {
    const session = await filled(t, url);
    await session.updateTable(visit).set({ at: sql`current_timestamp` }).where("id", "=", 1).execute();
    const found = await session
      .selectFrom(visit)
      .select("id")
      .where("at", "<=", sql<Date>`current_timestamp`)
      .where("made", "<=", sql<Date>`current_timestamp`)
      .where("noted", "<=", sql<string>`current_timestamp`)
      .where("id", "=", 1)
      .execute();
    assert.deepEqual(found, [{ id: 1 }]);
  },
  ["sqlite", "mysql"],
);

onEachFamily(
  "a coalesce, case or union of a date and an instant gives instants",
  async (t, url) => {
    const session = await filled(t, url);
    const [row] = await session
      .selectFrom(visit)
      .select((eb) => [
        eb.fn.coalesce(eb.ref("day"), eb.ref("at") as never).as("coalesced"),
        typed(eb.case().when("id", "=", 1).then(eb.ref("day")).else(eb.ref("at")).end(), timestamp()).as("chosen"),
      ])
      .where("id", "=", 1)
      .execute();
    const midnight = new Date("2026-03-04T00:00:00Z");
    assert.deepEqual(row, { coalesced: midnight, chosen: midnight } as never);
    const united = session
      .selectFrom(visit)
      .select("day as x")
      .union(session.selectFrom(visit).select("at as x") as never)
      .orderBy("x");
    assert.equal((await united.execute()).length, 5);
  },
  ["sqlite"],
);
