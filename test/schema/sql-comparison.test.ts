import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import {
  type AnyColumn,
  bigint,
  date,
  type FamilyName,
  float,
  integer,
  Multibind,
  numeric,
  text,
  time,
  timestamp,
  UniqueViolationError,
  uuid,
  varchar,
} from "../../src/index.ts";
import { FAMILIES, freshDatabase } from "../fixtures/databases.ts";
import { decimals } from "./value-cases.ts";

const RUNS = Number(process.env["MULTIBIND_PROPERTY_RUNS"] ?? 8);

interface Sortable {
  readonly name: string;
  readonly column: AnyColumn;
  readonly values: fc.Arbitrary<unknown>;
  /** What JavaScript compares. */
  readonly key: (value: never) => string | number | bigint;
}

const instants = fc.date({
  min: new Date("0001-01-01T00:00:00Z"),
  max: new Date("9999-12-31T23:59:59.999Z"),
  noInvalidDate: true,
});

const SORTABLE: readonly Sortable[] = [
  { name: "integer", column: integer(), values: fc.integer(), key: (value: number) => value },
  {
    name: "bigint",
    column: bigint(),
    values: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    key: (value: bigint) => value,
  },
  ...(
    [
      [12, 4],
      [65, 30],
      [3, 3],
      [20, 0],
    ] as const
  ).map(
    ([precision, scale]): Sortable => ({
      name: `numeric(${precision}, ${scale})`,
      column: numeric(precision, scale),
      values: decimals(precision, scale),
      key: (value: string) => BigInt(value.replace(".", "")),
    }),
  ),
  {
    name: "float",
    column: float(),
    values: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
    key: (value: number) => value,
  },
  // How other characters are sorted is for a server's own settings to say.
  { name: "text of letters", column: text(), values: fc.stringMatching(/^[a-z]{0,6}$/), key: (value: string) => value },
  { name: "uuid", column: uuid(), values: fc.uuid(), key: (value: string) => value },
  {
    name: "date",
    column: date(),
    values: instants.map((instant) => instant.toISOString().slice(0, 10)),
    key: (value: string) => value,
  },
  {
    name: "time",
    column: time(),
    values: fc
      .integer({ min: 0, max: 86_399_999 })
      .map((ms) => new Date(ms).toISOString().slice(11, 23).replace(".000", "")),
    key: (value: string) => value,
  },
  { name: "timestamp", column: timestamp(), values: instants, key: (value: Date) => value.getTime() },
  {
    name: "timestamp as text",
    column: timestamp({ text: true }),
    values: fc
      .tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 999_999 }))
      .map(([second, micros]) =>
        `2026-01-31T12:00:0${second}.${String(micros).padStart(6, "0")}`.replace(/\.?0+$/, "").concat("Z"),
      )
      .map((instant) => (instant.includes(":00:0") ? instant : instant.replace("Z", ":00Z")))
      .filter((instant) => /T\d\d:\d\d:\d\d(\.\d+)?Z$/.test(instant)),
    key: (value: string) => value.slice(0, -1).padEnd(26, value.includes(".") ? "0" : ".000000"),
  },
];

function ordered(values: readonly unknown[], { key }: Sortable): unknown[] {
  const keyOf = (value: unknown) => key(value as never);
  return [...values].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : keyOf(a) > keyOf(b) ? 1 : 0));
}

for (const family of FAMILIES) {
  test(`a database sorts and compares values as JavaScript does (${family})`, async (t) => {
    const db = new Multibind();
    const things = SORTABLE.map((sortable, index) => ({
      ...sortable,
      Thing: db.model(`thing_${index}`, { id: integer().primaryKey(), value: sortable.column }),
    }));
    const app = db.init({ databaseUri: await freshDatabase(t, family) });
    t.after(() => app.dispose());
    await app.createAll();
    for (const { Thing, ...sortable } of things) {
      await t.test(sortable.name, async () => {
        const batch = fc.uniqueArray(sortable.values, {
          minLength: 2,
          maxLength: 40,
          selector: (value) => String(sortable.key(value as never)),
        });
        await fc.assert(
          fc.asyncProperty(batch, async (values) => {
            await app.transaction(() =>
              db
                .insertInto(Thing)
                .values(values.map((value) => ({ value })))
                .execute(),
            );
            await app.transaction(async () => {
              const rows = await db.selectFrom(Thing).select("value").orderBy("value").execute();
              const expected = ordered(values, sortable);
              assert.deepStrictEqual(
                rows.map(({ value }) => value as unknown),
                expected,
              );
              const middle = expected[expected.length >> 1];
              const above = await db
                .selectFrom(Thing)
                .select("value")
                .where("value", ">", middle)
                .orderBy("value")
                .execute();
              assert.deepStrictEqual(
                above.map(({ value }) => value as unknown),
                expected.slice((expected.length >> 1) + 1),
              );
              const ends = [expected[0], expected.at(-1)];
              const listed = await db
                .selectFrom(Thing)
                .select("value")
                .where("value", "in", ends)
                .orderBy("value")
                .execute();
              assert.deepStrictEqual(
                listed.map(({ value }) => value as unknown),
                ends,
              );
              await db.deleteFrom(Thing).execute();
            });
          }),
          { numRuns: RUNS },
        );
      });
    }
  });

  test(`decimals that differ only behind the 16th digit are told apart (${family})`, async (t) => {
    const near = [
      "12345678901234567890.123",
      "12345678901234567890.124",
      "9007199254740992.100",
      "9007199254740993.100",
    ];
    const { db, app, Thing } = await things(t, family, numeric(30, 3));
    await app.transaction(() =>
      db
        .insertInto(Thing)
        .values(near.map((value) => ({ value })))
        .execute(),
    );
    await app.run(async () => {
      for (const value of near) {
        assert.deepEqual(await db.selectFrom(Thing).select("value").where("value", "=", value).execute(), [{ value }]);
      }
      assert.equal(await db.select(Thing).where("value", ">", near[0]!).count(), 1);
      assert.equal(await db.select(Thing).where("value", ">=", near[1]!).count(), 1);
    });
  });

  test(`decimals in a list are told apart behind the 16th digit too (${family})`, async (t) => {
    const near = [
      "12345678901234567890.123",
      "12345678901234567890.124",
      "9007199254740992.100",
      "9007199254740993.100",
    ];
    const { db, app, Thing } = await things(t, family, numeric(30, 3));
    await app.transaction(() =>
      db
        .insertInto(Thing)
        .values(near.map((value) => ({ value })))
        .execute(),
    );
    await app.run(async () => {
      const wanted = [near[0]!, near[3]!];
      const rows = await db.selectFrom(Thing).select("value").where("value", "in", wanted).orderBy("id").execute();
      assert.deepEqual(
        rows.map(({ value }) => value as unknown),
        wanted,
      );
    });
  });

  test(`equality of text tells case, accents and composition apart (${family})`, async (t) => {
    const { db, app, Thing } = await things(t, family, varchar(20));
    const texts = ["a", "A", "á", "a\u0301", "ß", "ss", "ſs", "😀", "😁", "i", "İ", "ı", "I", " a", "%", "_"];
    await app.transaction(() =>
      db
        .insertInto(Thing)
        .values(texts.map((value) => ({ value })))
        .execute(),
    );
    await app.run(async () => {
      for (const value of texts) {
        assert.deepEqual(await db.selectFrom(Thing).select("value").where("value", "=", value).execute(), [{ value }]);
      }
    });
  });

  test(`uniqueness of text tells upper from lower case (${family})`, async (t) => {
    const { db, app, Thing } = await things(t, family, varchar(20).unique());
    await app.transaction(() =>
      db
        .insertInto(Thing)
        .values([{ value: "a" }, { value: "A" }, { value: "á" }])
        .execute(),
    );
    await app.run(async () => {
      await assert.rejects(() => db.insertInto(Thing).values({ value: "A" }).execute(), UniqueViolationError);
      await db.session.rollback();
    });
  });
}

async function things<C extends AnyColumn>(t: TestContext, family: FamilyName, value: C) {
  const db = new Multibind();
  const Thing = db.model("thing", { id: integer().primaryKey(), value });
  const app = db.init({ databaseUri: await freshDatabase(t, family) });
  t.after(() => app.dispose());
  await app.createAll();
  return { db, app, Thing };
}
