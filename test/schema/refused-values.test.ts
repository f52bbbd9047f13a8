import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type AnyColumn,
  bigint,
  binary,
  boolean,
  char,
  date,
  enumeration,
  float,
  InvalidValueError,
  integer,
  json,
  Multibind,
  numeric,
  type StatementEvent,
  smallint,
  text,
  time,
  timestamp,
  uuid,
  varchar,
} from "../../src/index.ts";

const cycle: Record<string, unknown> = {};
cycle["self"] = { cycle };

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = [value];
  return value;
}

const NO_TEXT = [
  1,
  1n,
  true,
  new Date(0),
  new Uint8Array(1),
  {},
  ["a"],
  Symbol("a"),
  "a\0",
  "\0",
  "\ud83d",
  "a\ude00b",
];

const CASES: readonly (readonly [name: string, column: AnyColumn, refused: readonly unknown[]])[] = [
  [
    "integer",
    integer(),
    [1.5, Number.NaN, Number.POSITIVE_INFINITY, "1", 1n, true, new Date(0), 2 ** 31, -(2 ** 31) - 1],
  ],
  ["smallint", smallint(), [1.5, Number.NaN, "1", 1n, true, 32_768, -32_769]],
  ["bigint", bigint(), [1, "1", 1.5, true, 2n ** 63n, -(2n ** 63n) - 1n]],
  [
    "numeric",
    numeric(10, 2),
    [
      1,
      1n,
      1.5,
      true,
      "",
      "-",
      ".",
      "1.",
      ".5",
      "+1",
      "--1",
      " 1",
      "1\n",
      "1e3",
      "0x1",
      "1,000",
      "NaN",
      "Infinity",
      "1.234",
      "-0.001",
      "123456789",
      "-123456789.00",
      "1".repeat(66),
    ],
  ],
  ["numeric without decimals", numeric(3), ["1000", "-1000", "0.5"]],
  ["float", float(), [Number.NaN, "1", 1n, true, new Date(0)]],
  ["boolean", boolean(), [0, 1, 1n, "true", "", {}]],
  ["varchar", varchar(3), [...NO_TEXT, "abcd", "😀😀😀😀", "    "]],
  ["char", char(3), [...NO_TEXT, "abcd"]],
  ["text", text(), NO_TEXT],
  [
    "date",
    date(),
    [
      new Date(0),
      0,
      "",
      "2026-02-29",
      "1900-02-29",
      "2026-02-30",
      "2026-13-01",
      "2026-00-01",
      "2026-01-00",
      "0000-01-01",
      "10000-01-01",
      "2026-1-31",
      "26-01-31",
      "2026-01-31T00:00:00Z",
      "2026-01-31 ",
      "2026-01-31\n",
      "tomorrow",
    ],
  ],
  [
    "time",
    time(),
    [
      new Date(0),
      0,
      "",
      "24:00:00",
      "12:60:00",
      "12:00:60",
      "12:00",
      "1:00:00",
      "12:00:00.1",
      "12:00:00.12",
      "12:00:00.1234",
      "-01:00:00",
      "12:00:00Z",
      "12:00:00 ",
    ],
  ],
  [
    "timestamp",
    timestamp(),
    [
      new Date(Number.NaN),
      0,
      0n,
      "2026-01-31T12:00:00Z",
      new Date("0000-12-31T23:59:59.999Z"),
      new Date("+010000-01-01T00:00:00.000Z"),
    ],
  ],
  [
    "timestamp as text",
    timestamp({ text: true }),
    [
      new Date(0),
      0,
      "",
      "2026-01-31",
      "2026-01-31 12:00:00Z",
      "2026-01-31T12:00:00",
      "2026-01-31T12:00:00+00:00",
      "2026-02-29T12:00:00Z",
      "2026-01-31T24:00:00Z",
      "2026-01-31T12:00:00.1234567Z",
      "0000-01-01T00:00:00Z",
    ],
  ],
  [
    "json",
    json(),
    [1n, { a: { b: 1n } }, { a: () => 1 }, { a: undefined }, [undefined], Array(2), Symbol("a"), { a: Symbol("a") }],
  ],
  ["json with numbers that are none", json(), [Number.NaN, Number.POSITIVE_INFINITY, { a: [Number.NaN] }]],
  [
    "json with objects that are not plain",
    json(),
    [
      new Date(0),
      { at: new Date(0) },
      new Map(),
      [new Set()],
      new Uint8Array(1),
      /a/,
      new Error("a"),
      { toJSON: () => 1 },
      Object(1),
    ],
  ],
  [
    "json with text that cannot be stored",
    json(),
    ["\0", { a: "b\0" }, { "\0": 1 }, "\ud83d", ["a\ude00"], { "\ud83d": 1 }, "\\\0"],
  ],
  ["json that refers to itself", json(), [cycle]],
  ["json that is nested without end", json(), [nested(50_000)]],
  [
    "binary",
    binary(),
    ["abc", [1, 2], new ArrayBuffer(2), new Uint16Array(2), new DataView(new ArrayBuffer(2)), 1, {}],
  ],
  [
    "uuid",
    uuid(),
    [
      "",
      "f81d4fae7dec11d0a76500a0c91e6bf6",
      "{f81d4fae-7dec-11d0-a765-00a0c91e6bf6}",
      "f81d4fae-7dec-11d0-a765-00a0c91e6bfg",
      "f81d4fae-7dec-11d0-a765-00a0c91e6bf6 ",
      1,
      new Uint8Array(16),
    ],
  ],
  ["enumeration", enumeration(["draft", "published"]), ["", "Draft", "draft ", "other", 0, true, ["draft"]]],
];

// Nobody listens there: what is refused before anything is sent needs no database.
const URLS = {
  sqlite: "sqlite:////nowhere/at/all.db",
  postgres: "postgresql://127.0.0.1:1/nothing",
  mysql: "mysql://127.0.0.1:1/nothing",
};
const BIND_KEYS = Object.keys(URLS) as (keyof typeof URLS)[];

for (const [name, column, refused] of CASES) {
  test(`what does not fit is refused before anything is sent, on every database: ${name}`, async (t) => {
    for (const bindKey of BIND_KEYS) {
      const db = new Multibind<keyof typeof URLS>();
      class Thing extends db.model("thing", { id: integer().primaryKey(), value: column.nullable() }, { bindKey }) {}
      const app = db.init({ binds: URLS });
      t.after(() => app.dispose());
      const sent: StatementEvent[] = [];
      app.engines.get(bindKey).onStatement((event) => sent.push(event));
      const isRefusal = (error: unknown) => {
        assert.ok(error instanceof InvalidValueError, String(error));
        assert.deepEqual([error.bindKey, error.table, error.column], [bindKey, "thing", "value"]);
        assert.match(error.message, new RegExp(`"thing\\.value" \\(\\w+, bind "${bindKey}"\\)`));
        return true;
      };
      for (const value of refused) {
        await app.run(async () => {
          await assert.rejects(async () => {
            db.session.add(new Thing({ value: value as never }));
            await db.session.commit();
          }, isRefusal);
          await db.session.rollback();
          await assert.rejects(
            () =>
              db
                .insertInto(Thing)
                .values({ value: value as never })
                .execute(),
            isRefusal,
          );
          await assert.rejects(
            () =>
              db
                .updateTable(Thing)
                .set({ value: value as never })
                .execute(),
            isRefusal,
          );
        });
      }
      assert.deepEqual(sent, []);
    }
  });
}

test("a function is no JSON", async (t) => {
  const db = new Multibind();
  class Thing extends db.model("thing", { id: integer().primaryKey(), value: json() }) {}
  const app = db.init({ databaseUri: "sqlite://" });
  t.after(() => app.dispose());
  await app.run(async () => {
    db.session.add(new Thing({ value: () => 1 }));
    await assert.rejects(db.session.commit(), InvalidValueError);
    await db.session.rollback();
  });
});

test("infinite numbers are refused on MySQL and MariaDB, which have none", async (t) => {
  const db = new Multibind();
  class Thing extends db.model("thing", { id: integer().primaryKey(), value: float() }) {}
  const app = db.init({ databaseUri: URLS.mysql });
  t.after(() => app.dispose());
  for (const value of [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    await app.run(async () => {
      db.session.add(new Thing({ value }));
      await assert.rejects(db.session.commit(), InvalidValueError);
      await db.session.rollback();
    });
  }
});

test("a refusal does not repeat text, which may be a secret", async (t) => {
  const db = new Multibind();
  class Thing extends db.model("thing", {
    id: integer().primaryKey(),
    number: integer().nullable(),
    code: varchar(3).nullable(),
  }) {}
  const app = db.init({ databaseUri: "sqlite://" });
  t.after(() => app.dispose());
  for (const values of [{ number: "hunter2" as never }, { code: "hunter2" }]) {
    await app.run(async () => {
      await assert.rejects(
        () => db.insertInto(Thing).values(values).execute(),
        (error: Error) => error instanceof InvalidValueError && !error.message.includes("hunter2"),
      );
    });
  }
});

test("very long text that is no number is refused without delay", () => {
  const { type } = numeric(10, 2).definition;
  for (const value of [`${"0".repeat(500_000)}x`, `0.${"0".repeat(500_000)}1`, `0.${"0".repeat(500_000)}x`]) {
    assert.throws(() => type.accept(value));
  }
});

test("an enumeration takes only strings that every database can keep", () => {
  for (const members of [["a", "\0"], ["\ud83d"], [1 as never], ["a", "a"], [""], []]) {
    assert.throws(() => enumeration(members), { name: "SchemaError" });
  }
});

test("a length or precision that not every database has is refused when the column is described", () => {
  for (const make of [
    () => varchar(0),
    () => varchar(16_384),
    () => varchar(1.5),
    () => char(0),
    () => numeric(0),
    () => numeric(66),
    () => numeric(10, 11),
    () => numeric(65, 31),
    () => numeric(10, -1),
    () => numeric(1.5),
  ]) {
    assert.throws(make, { name: "SchemaError" });
  }
});
