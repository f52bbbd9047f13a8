import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
  type AnyColumn,
  bigint,
  binary,
  boolean,
  type FamilyName,
  float,
  InvalidValueError,
  integer,
  json,
  Multibind,
  numeric,
  PrecisionError,
  sql,
  time,
  timestamp,
} from "../../src/index.ts";
import { FAMILIES, freshDatabase } from "../fixtures/databases.ts";

/** A model over a table that somebody else has made and filled. */
async function foreign<C extends AnyColumn>(
  t: TestContext,
  family: FamilyName,
  column: C,
  type: string,
  literal: string,
) {
  const db = new Multibind<"data">();
  class Thing extends db.model("thing", { id: integer().primaryKey(), value: column }, { bindKey: "data" }) {}
  const app = db.init({ binds: { data: await freshDatabase(t, family) } });
  t.after(() => app.dispose());
  await app.transaction(async () => {
    await db.session.execute(sql.raw(`create table thing (id integer primary key, value ${type})`), {
      bindKey: "data",
    });
    await db.session.execute(sql.raw(`insert into thing values (1, ${literal})`), { bindKey: "data" });
  });
  return { db, app, Thing };
}

/** Every way in which a value is read. */
async function readings(fixture: Awaited<ReturnType<typeof foreign>>): Promise<(() => Promise<unknown>)[]> {
  const { db, app, Thing } = fixture;
  return [
    () => app.run(async () => (await db.session.get(Thing, 1))?.value as unknown),
    () => app.run(async () => (await db.select(Thing).one()).value as unknown),
    () => app.run(async () => (await db.selectFrom(Thing).selectAll().executeTakeFirstOrThrow()).value as unknown),
    () => app.run(async () => (await db.selectFrom(Thing).select("value as v").executeTakeFirstOrThrow()).v as unknown),
  ];
}

async function assertRefused(fixture: Awaited<ReturnType<typeof foreign>>, ErrorClass: typeof InvalidValueError) {
  for (const read of await readings(fixture)) {
    await assert.rejects(read, (error: unknown) => {
      assert.ok(error instanceof ErrorClass, String(error));
      assert.deepEqual([error.bindKey, error.table, error.column], ["data", "thing", "value"]);
      return true;
    });
  }
}

const MICROSECONDS: Readonly<Record<FamilyName, readonly [type: string, literal: string]>> = {
  sqlite: ["text", "'2026-01-31 12:00:00.123456'"],
  postgres: ["timestamptz", "'2026-01-31 12:00:00.123456+00'"],
  mysql: ["datetime(6)", "'2026-01-31 12:00:00.123456'"],
};
const BIG = { sqlite: "integer", postgres: "bigint", mysql: "bigint" } as const;
const FINE_TIME = { sqlite: "text", postgres: "time(6)", mysql: "time(6)" } as const;

for (const family of FAMILIES) {
  test(`an instant finer than a millisecond is refused with a PrecisionError (${family})`, async (t) => {
    await assertRefused(await foreign(t, family, timestamp(), ...MICROSECONDS[family]), PrecisionError);
  });

  test(`timestamp({ text: true }) reads and writes microseconds exactly (${family})`, async (t) => {
    const fixture = await foreign(t, family, timestamp({ text: true }), ...MICROSECONDS[family]);
    for (const read of await readings(fixture)) assert.equal(await read(), "2026-01-31T12:00:00.123456Z");
    const { db, app, Thing } = fixture;
    const instants = ["0001-01-01T00:00:00.000001Z", "9999-12-31T23:59:59.999999Z", "2024-02-29T00:00:00Z"];
    await app.transaction(() => db.session.addAll(instants.map((value, index) => new Thing({ id: index + 2, value }))));
    await app.run(async () => {
      assert.deepEqual(
        (await db.select(Thing).where("id", ">", 1).orderBy("id").all()).map(({ value }) => value),
        instants,
      );
    });
  });

  test(`an integer beyond 2^53 is refused with a PrecisionError, on both sides (${family})`, async (t) => {
    for (const literal of ["9007199254740993", "-9007199254740993", "9223372036854775807"]) {
      await assertRefused(await foreign(t, family, integer(), BIG[family], literal), PrecisionError);
    }
  });

  test(`the largest integer that a number holds exactly is read (${family})`, async (t) => {
    const fixture = await foreign(t, family, integer(), BIG[family], "9007199254740991");
    for (const read of await readings(fixture)) assert.equal(await read(), 9_007_199_254_740_991);
  });

  test(`bigint() reads what integer() refuses (${family})`, async (t) => {
    const fixture = await foreign(t, family, bigint(), BIG[family], "9007199254740993");
    for (const read of await readings(fixture)) assert.equal(await read(), 9_007_199_254_740_993n);
  });

  test(`a time finer than a millisecond is refused with a PrecisionError (${family})`, async (t) => {
    await assertRefused(await foreign(t, family, time(), FINE_TIME[family], "'12:00:00.123456'"), PrecisionError);
  });

  test(`a decimal number with more decimals than the column is refused with a PrecisionError (${family})`, async (t) => {
    const type = family === "sqlite" ? "text" : "numeric(10, 4)";
    await assertRefused(await foreign(t, family, numeric(10, 2), type, "'12.3456'"), PrecisionError);
  });

  test(`a decimal number with fewer decimals than the column is filled with zeros (${family})`, async (t) => {
    const type = family === "sqlite" ? "text" : "numeric(10, 1)";
    for (const read of await readings(await foreign(t, family, numeric(10, 2), type, "'-12.5'")))
      assert.equal(await read(), "-12.50");
  });
}

// SQLite keeps any value in any column.
for (const [name, column, literal] of [
  ["an empty text is not the integer 0", integer(), "''"],
  ["text is not an integer", integer(), "'abc'"],
  ["bytes are not an integer", integer(), "x'35'"],
  ["an empty text is not the bigint 0", bigint(), "''"],
  ["text is not a floating-point number", float(), "'abc'"],
  ["an empty text is not false", boolean(), "''"],
  ["2 is not true", boolean(), "2"],
  ["text is not bytes", binary(), "'abc'"],
  ["what cannot be parsed is not JSON", json(), "'{'"],
  ["an impossible date is not another instant", timestamp(), "'2026-02-31 12:00:00'"],
  ["text is not an instant", timestamp({ text: true }), "'yesterday'"],
  ["a stretch of time is not a time of day", time(), "'25:00:00'"],
  ["text is not a decimal number", numeric(10, 2), "'abc'"],
] as const) {
  test(`in a SQLite column of no type, ${name}`, async (t) => {
    await assertRefused(await foreign(t, "sqlite", column as AnyColumn, "blob", literal), InvalidValueError);
  });
}

test("a fraction in an integer column of SQLite is refused with a PrecisionError", async (t) => {
  await assertRefused(await foreign(t, "sqlite", integer(), "blob", "1.5"), PrecisionError);
});

test("MariaDB's date of zeros is refused, not taken for a day of the year -1", async (t) => {
  const fixture = await foreign(t, "mysql", timestamp(), "datetime", "now()");
  const { db, app } = fixture;
  await app.transaction(() =>
    db.session.execute(sql`set statement sql_mode = '' for update thing set value = '0000-00-00 00:00:00'`, {
      bindKey: "data",
    }),
  );
  await assertRefused(fixture, InvalidValueError);
});

test("PostgreSQL's instants without end are refused", async (t) => {
  await assertRefused(await foreign(t, "postgres", timestamp(), "timestamptz", "'infinity'"), InvalidValueError);
});

for (const zone of ["America/New_York", "Asia/Tokyo", "Asia/Kolkata"]) {
  test(`PostgreSQL's instants are read whatever the server's time zone is: ${zone}`, async (t) => {
    const fixture = await foreign(t, "postgres", timestamp(), "timestamptz", "'2026-07-01 12:00:00+00'");
    const { db, app, Thing } = fixture;
    const limits = ["0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"].map((text) => new Date(text));
    await app.transaction(() => db.session.addAll(limits.map((value, index) => new Thing({ id: index + 2, value }))));
    await app.transaction(() =>
      db.session.execute(
        sql.raw(
          `do $$ begin execute format('alter database %I set timezone to ''${zone}''', current_database()); end $$`,
        ),
        { bindKey: "data" },
      ),
    );
    await app.engines.get("data").dispose();
    await app.run(async () => {
      const values = (await db.select(Thing).orderBy("id").all()).map(({ value }) => value as unknown);
      assert.deepEqual(values, [new Date("2026-07-01T12:00:00.000Z"), ...limits]);
    });
  });
}

test("PostgreSQL's values are read whatever the server's style of dates and floating-point numbers is", async (t) => {
  const fixture = await foreign(t, "postgres", timestamp(), "timestamptz", "'2026-07-01 12:00:00.123+00'");
  const { db, app } = fixture;
  await app.transaction(async () => {
    for (const setting of ["datestyle to ''SQL, DMY''", "extra_float_digits to 0", "bytea_output to ''escape''"]) {
      await db.session.execute(
        sql.raw(`do $$ begin execute format('alter database %I set ${setting}', current_database()); end $$`),
        { bindKey: "data" },
      );
    }
  });
  await app.engines.get("data").dispose();
  for (const read of await readings(fixture)) assert.deepEqual(await read(), new Date("2026-07-01T12:00:00.123Z"));
  const { rows } = await app.run(() =>
    db.session.execute(
      sql`select date '2026-01-31' as day, 0.1::float8 + 0.2::float8 as sum, '\\x00ff5c'::bytea as bytes`,
      { bindKey: "data", readOnly: true },
    ),
  );
  assert.deepEqual(rows, [{ day: "2026-01-31", sum: 0.1 + 0.2, bytes: Buffer.from([0, 255, 92]) }]);
});
