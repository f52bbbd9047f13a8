import assert from "node:assert/strict";
import { expectTypeOf } from "expect-type";
import {
  bigint,
  binary,
  boolean,
  CrossBindError,
  date,
  enumeration,
  float,
  InvalidValueError,
  integer,
  json,
  jsonArrayFrom,
  jsonObjectFrom,
  Multibind,
  numeric,
  sql,
  text,
  time,
  timestamp,
  UnsupportedError,
  uuid,
  varchar,
} from "../../src/index.ts";
import { onEachFamily, sessionOf, start } from "../fixtures/matrix.ts";

const db = new Multibind<"other">();
class Owner extends db.model("owner", { id: integer().primaryKey(), name: varchar(20).named("owner_name") }) {}
class Thing extends db.model("thing", {
  id: integer().primaryKey(),
  ownerId: integer().named("owner_id"),
  label: text().named("thing_label"),
  serial: bigint().nullable(),
  price: numeric(10, 2).nullable(),
  ratio: float().nullable(),
  sold: boolean().nullable(),
  at: timestamp().nullable().named("thing_at"),
  day: date().nullable(),
  hour: time().nullable(),
  data: json().nullable(),
  photo: binary().nullable(),
  key: uuid().nullable(),
  state: enumeration(["new", "old"]).default("new"),
}) {}
class Elsewhere extends db.model("elsewhere", { id: integer().primaryKey() }, { bindKey: "other" }) {}

const NOON = new Date("2026-01-31T12:00:00.125Z");
const FULL = {
  id: 1,
  ownerId: 1,
  label: `quote " ' \\ and ☃`,
  serial: 2n ** 62n + 1n,
  price: "-12345678.90",
  ratio: 0.1,
  sold: true,
  at: NOON,
  day: "2026-01-31",
  hour: "12:34:56",
  data: { a: [1, null, "x"], b: "2026" },
  photo: new Uint8Array([0, 255, 10]),
  key: "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
  state: "old" as const,
};
const EMPTY = {
  serial: null,
  price: null,
  ratio: null,
  sold: null,
  at: null,
  day: null,
  hour: null,
  data: null,
  photo: null,
  key: null,
};

async function things(t: Parameters<typeof start>[0], url: string) {
  const app = await start(t, db, { databaseUri: url, binds: { other: "sqlite://" } });
  const session = sessionOf(app);
  session.addAll([new Owner({ name: "ada" }), new Owner({ name: "bob" }), new Owner({ name: "eve" })]);
  session.addAll([
    new Thing(FULL),
    new Thing({ id: 2, ownerId: 1, label: "second", sold: false }),
    new Thing({ id: 3, ownerId: 2, label: "third", at: NOON }),
  ]);
  await session.commit();
  return session;
}

onEachFamily("nested rows come with all values as they are", async (t, url) => {
  const session = await things(t, url);
  const rows = await session
    .selectFrom(Owner)
    .select((eb) => [
      "owner.name",
      jsonArrayFrom(eb.selectFrom(Thing).selectAll().whereRef("thing.ownerId", "=", "owner.id").orderBy("thing.id")).as(
        "things",
      ),
    ])
    .orderBy("owner.id")
    .execute();
  assert.deepEqual(rows, [
    { name: "ada", things: [FULL, { id: 2, ownerId: 1, label: "second", state: "new", ...EMPTY, sold: false }] },
    { name: "bob", things: [{ id: 3, ownerId: 2, label: "third", state: "new", ...EMPTY, at: NOON }] },
    { name: "eve", things: [] },
  ]);
});

onEachFamily("one row as an object, or null; aliases, orders, and rows in rows", async (t, url) => {
  const session = await things(t, url);
  const rows = await session
    .selectFrom(Owner)
    .select((eb) => [
      "owner.name",
      jsonObjectFrom(
        eb
          .selectFrom(Thing)
          .select(["thing.at as since", "thing.price"])
          .whereRef("thing.ownerId", "=", "owner.id")
          .orderBy("thing.id")
          .limit(1),
      ).as("first"),
      jsonArrayFrom(
        eb
          .selectFrom(Thing)
          .select((inner) => [
            "thing.id",
            jsonObjectFrom(
              inner.selectFrom(Owner).select(["owner.name"]).whereRef("owner.id", "=", "thing.ownerId"),
            ).as("owner"),
          ])
          .whereRef("thing.ownerId", "=", "owner.id")
          .orderBy("thing.id", "desc"),
      ).as("things"),
    ])
    .where("owner.id", "<>", 2)
    .orderBy("owner.id")
    .execute();
  expectTypeOf(rows).toEqualTypeOf<
    {
      name: string;
      first: { since: Date | null; price: string | null } | null;
      things: { id: number; owner: { name: string } | null }[];
    }[]
  >();
  assert.deepEqual(rows, [
    {
      name: "ada",
      first: { since: NOON, price: "-12345678.90" },
      things: [
        { id: 2, owner: { name: "ada" } },
        { id: 1, owner: { name: "ada" } },
      ],
    },
    { name: "eve", first: null, things: [] },
  ]);
});

onEachFamily(
  "rows of a select of entities have them too, and limits where the database can",
  async (t, url, family) => {
    const session = await things(t, url);
    const lastTwo = session
      .select(Owner)
      .select((eb) => [
        "owner.id",
        jsonArrayFrom(eb.selectFrom(Thing).select("thing.id").orderBy("thing.id", "desc").limit(2)).as("last"),
      ])
      .orderBy("owner.id")
      .limit(1);
    if (family === "mysql") await assert.rejects(lastTwo.all(), UnsupportedError);
    else assert.deepEqual(await lastTwo.all(), [{ id: 1, last: [{ id: 3 }, { id: 2 }] }]);
  },
);

onEachFamily(
  "a list that the database cuts off is an error",
  async (t, url) => {
    const session = await things(t, url);
    await session.execute(sql`set session group_concat_max_len = 200`, { bindKey: null });
    await assert.rejects(
      session
        .selectFrom(Owner)
        .select((eb) => jsonArrayFrom(eb.selectFrom(Thing).selectAll().orderBy("thing.id")).as("x"))
        .execute(),
      InvalidValueError,
    );
  },
  ["mysql"],
);

onEachFamily("tables in nested rows are routed as all others", async (t, url) => {
  const session = await things(t, url);
  await assert.rejects(
    session
      .selectFrom(Owner)
      .select((eb) => jsonArrayFrom(eb.selectFrom(Elsewhere).select("elsewhere.id")).as("x"))
      .execute(),
    CrossBindError,
  );
});
