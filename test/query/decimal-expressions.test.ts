import assert from "node:assert/strict";
import Database from "better-sqlite3";
import { expressionBuilder, SqliteDialect } from "kysely";
import {
  CheckViolationError,
  defineDecimalFunctions,
  float,
  integer,
  Multibind,
  number,
  numeric,
  sql,
  typed,
  varchar,
} from "../../src/index.ts";
import { onEachFamily, sessionOf, start } from "../fixtures/matrix.ts";

const db = new Multibind();
const seat = db.table("seat", {
  id: integer().primaryKey(),
  price: numeric(8, 2).unique(),
  credit: numeric(30, 10).index().nullable(),
  big: numeric(40, 0).default("0"),
  pieces: integer().default(1),
  name: varchar(40).nullable(),
});

async function filled(t: Parameters<typeof start>[0], url: string) {
  const session = sessionOf(await start(t, db, { databaseUri: url }));
  await session
    .insertInto(seat)
    .values([
      { price: "12.50", credit: "12.5", big: "99999999999999999999999999999999999999", pieces: 3 },
      { price: "0", credit: "-0.0000000001", big: "1", pieces: -1 },
      { price: "-7.25", credit: null, big: "-5", pieces: 2 },
    ])
    .execute();
  await session.commit();
  return session;
}

onEachFamily("sums are exact beyond 15 digits, in select, having, order by, windows and distinct", async (t, url) => {
  const session = await filled(t, url);
  const wide = numeric(45, 10);
  const [sums] = await session
    .selectFrom(seat)
    .select((eb) => [
      typed(eb.fn.sum("big"), wide).as("big"),
      typed(eb.fn.sum("credit"), wide).as("credit"),
      typed(eb.fn.sum(eb("big", "+", eb.lit(0.5) as never)), wide).as("halves"),
      typed(eb.fn.sum("price").distinct(), wide).as("distinct"),
    ])
    .execute();
  assert.deepEqual(sums, {
    big: "99999999999999999999999999999999999995.0000000000",
    credit: "12.4999999999",
    halves: "99999999999999999999999999999999999996.5000000000",
    distinct: "5.2500000000",
  } as never);
  const running = await session
    .selectFrom(seat)
    .select((eb) =>
      typed(
        eb.fn.sum("big").over((over) => over.orderBy("id")),
        wide,
      ).as("sum"),
    )
    .orderBy("id")
    .execute();
  assert.deepEqual(
    running.map(({ sum }) => sum.split(".")[0]!.slice(-3)),
    ["999", "000", "995"],
  );
  const grouped = await session
    .selectFrom(seat)
    .select("pieces")
    .groupBy("pieces")
    .having((eb) => eb.fn.sum("big"), ">", "0.5" as never)
    .orderBy((eb) => eb.fn.sum("big"))
    .execute();
  assert.deepEqual(grouped, [{ pieces: -1 }, { pieces: 3 }]);
});

onEachFamily(
  "decimals are cast, joined to text, and given to functions as the numbers that they are",
  async (t, url, family) => {
    const session = await filled(t, url);
    const [shown] = await session
      .selectFrom(seat)
      .select((eb) => [
        typed(eb.fn("concat", ["price", sql.lit("!")]), varchar(20)).as("text"),
        typed(eb.fn("floor", ["price"]), float()).as("floor"),
        typed(eb.fn("round", ["price"]), numeric(8, 0)).as("rounded"),
        typed(eb.fn("nullif", ["price", "pieces"]), numeric(8, 2)).as("nullif"),
        typed(eb.ref("price"), float()).as("float"),
        typed(eb("price", "/", "4"), float()).as("quarter"),
        typed(eb("price", "%", "5"), numeric(8, 2)).as("rest"),
        typed(eb.cast("price", family === "mysql" ? (sql`double` as never) : "real"), float()).as("real"),
      ])
      .where("id", "=", 1)
      .execute();
    assert.deepEqual(shown, {
      text: "12.50!",
      floor: 12,
      rounded: "13",
      nullif: "12.50",
      float: 12.5,
      quarter: 3.125,
      rest: "2.50",
      real: 12.5,
    });
  },
);

onEachFamily("SQL of one's own compares number(column)", async (t, url) => {
  const session = await filled(t, url);
  const found = await session
    .selectFrom(seat)
    .select(["id", number(sql.ref("price")).as("price")])
    .where(sql<boolean>`${number(sql.ref("price"))} > ${1.5}`)
    .execute();
  assert.deepEqual(found, [{ id: 1, price: 12.5 }]);
});

onEachFamily("decimals are copied to columns of other types as the servers do", async (t, url) => {
  const session = await filled(t, url);
  await session
    .updateTable(seat)
    .set((eb) => ({
      pieces: eb.ref("price") as never,
      name: eb.ref("price") as never,
      big: eb.ref("price"),
      credit: eb.ref("price"),
    }))
    .execute();
  const rows = await session.selectFrom(seat).select(["pieces", "name", "big", "credit"]).orderBy("id").execute();
  assert.deepEqual(
    rows.map((row) => Object.values(row)),
    [
      [13, "12.50", "13", "12.5000000000"],
      [0, "0.00", "0", "0.0000000000"],
      [-7, "-7.25", "-7", "-7.2500000000"],
    ],
  );
});

onEachFamily(
  "what is no decimal is not stored, and an index serves comparisons",
  async (t, url) => {
    const session = await filled(t, url);
    for (const value of [sql`5`, sql`'5'`, sql`-5`, sql`99999999`]) {
      await assert.rejects(session.execute(sql`update seat set price = ${value} where id = 1`), CheckViolationError);
      await session.rollback();
    }
    await assert.rejects(session.updateTable(seat).set({ price: sql`1e7` }).execute(), CheckViolationError);
    await session.rollback();
    const plan = async (query: { explain(): Promise<unknown[]> }) => JSON.stringify(await query.explain());
    assert.match(
      await plan(session.selectFrom(seat).select("id").where("price", "=", "5")),
      /"Found"|"SeekGE"|"NotFound"/,
    );
    const joined = session
      .selectFrom(seat)
      .innerJoin(seat.as("other"), (join) => join.onRef("seat.credit", "=", "other.pieces" as never))
      .select("seat.id");
    assert.match(await plan(joined), /"SeekGE"/);
  },
  ["sqlite"],
);

// biome-ignore lint/suspicious/noExplicitAny: a definition's expressions belong to no statement
const eb = expressionBuilder<any, any>();

onEachFamily("a check compares decimals with numbers", async (t, url) => {
  const own = new Multibind();
  const checked = own.table("checked", {
    id: integer().primaryKey(),
    price: numeric(8, 2)
      .named("unit_price")
      .check(sql`${sql.ref("price")} > 0 and unit_price <= 100`, "positive"),
    worth: numeric(12, 4)
      .default("1")
      .check(eb("worth", ">", "0.5"), "worth"),
    share: numeric(5, 4).nullable().check(sql`share between -0.5 and 1`, "share"),
    note: varchar(20)
      .default("")
      .check(eb.and([eb("note", "not like", "A\\_%"), sql<boolean>`note <> 'unit_price > 5'`]), "note"),
  });
  const app = await start(t, own, { databaseUri: url });
  const add = async (values: { price: string; worth?: string; share?: string; note?: string }) => {
    const session = app.session();
    try {
      await session.insertInto(checked).values(values).execute();
      await session.commit();
    } finally {
      await session.close();
    }
  };
  await add({ price: "0.01", share: "-0.5" });
  await add({ price: "100", share: "1" });
  await add({ price: "99.99", share: "0", note: "unit_price > '>5'" });
  for (const price of ["0", "-1", "100.01"]) await assert.rejects(add({ price }), CheckViolationError, price);
  for (const share of ["-0.5001", "1.0001"])
    await assert.rejects(add({ price: "1", share }), CheckViolationError, share);
  await assert.rejects(add({ price: "1", note: "unit_price > 5" }), CheckViolationError);
  await assert.rejects(add({ price: "1", note: "A_x" }), CheckViolationError);
  for (const note of ["a_x", "Abx"]) await add({ price: "1", note });
  await assert.rejects(add({ price: "1", worth: "0.5" }), CheckViolationError);
  await add({ price: "1", worth: "0.5001" });
});

onEachFamily(
  "a database that is handed to a dialect calculates too, once it has the functions",
  async (t) => {
    const database = new Database(":memory:");
    defineDecimalFunctions(database);
    const own = new Multibind<"own">();
    const columns = { id: integer().primaryKey(), price: numeric(8, 2), pieces: integer().default(1) };
    const chair = own.table("chair", columns, { bindKey: "own" });
    const app = await start(t, own, { binds: { own: { dialect: new SqliteDialect({ database }) } } });
    const session = sessionOf(app);
    await session
      .insertInto(chair)
      .values([{ price: "1.5" }, { price: "2.25", pieces: 3 }])
      .execute();
    const rows = await session
      .selectFrom(chair)
      .select((eb) => typed(eb.fn.sum(eb("price", "*", eb.ref("pieces") as never)), numeric(12, 2)).as("sum"))
      .execute();
    assert.deepEqual(rows, [{ sum: "8.25" }]);
  },
  ["sqlite"],
);
