import assert from "node:assert/strict";
import fc from "fast-check";
import { integer, Multibind, numeric, typed } from "../../src/index.ts";
import { onEachFamily, sessionOf, start } from "../fixtures/matrix.ts";

const db = new Multibind();
const entry = db.table("entry", {
  id: integer().primaryKey(),
  account: integer(),
  amount: numeric(10, 2).named("amount_now"),
  pieces: integer().default(1),
  whole: numeric(6, 0).nullable(),
});
const exact = numeric(14, 2);

async function book(t: Parameters<typeof start>[0], url: string, amounts: readonly string[]) {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  await session
    .insertInto(entry)
    .values(amounts.map((amount, index) => ({ account: index % 2, amount })))
    .execute();
  return session;
}

const AMOUNTS = ["10.10", "20.20", "-12.5", "-0.01", "0.70"];

onEachFamily("sums are exact, of negative amounts too", async (t, url) => {
  const session = await book(t, url, AMOUNTS);
  const [all] = await session
    .selectFrom(entry)
    .select((eb) => [
      typed(eb.fn.sum("amount"), exact).as("sum"),
      typed(eb.fn.sum(eb.neg("amount")), exact).as("negated"),
      eb.fn.min("amount").as("least"),
      eb.fn.max("amount").as("most"),
    ])
    .execute();
  assert.deepEqual(all, { sum: "18.49", negated: "-18.49", least: "-12.50", most: "20.20" });
  const running = await session
    .selectFrom(entry)
    .select((eb) =>
      typed(
        eb.fn.sum("amount").over((over) => over.orderBy("id")),
        exact,
      ).as("so_far"),
    )
    .orderBy("id")
    .execute();
  assert.deepEqual(
    running.map((row) => row.so_far),
    ["10.10", "30.30", "17.80", "17.79", "18.49"],
  );
  const none = await session
    .selectFrom(entry)
    .select((eb) => typed(eb.fn.sum("amount"), exact.nullable()).as("sum"))
    .where("id", "<", 0)
    .execute();
  assert.deepEqual(none, [{ sum: null }]);
});

onEachFamily("sums are compared with amounts, also outside of the query that made them", async (t, url) => {
  const session = await book(t, url, AMOUNTS);
  // Account 0 has 10.10 - 12.5 + 0.70 = -1.70, account 1 has 20.20 - 0.01 = 20.19.
  const sums = session
    .selectFrom(entry)
    .select((eb) => ["account", eb.fn.sum<string>("amount").as("balance")])
    .groupBy("account");
  const accounts = async (query: { execute(): Promise<{ account: number }[]> }) =>
    (await query.execute()).map(({ account }) => account);
  assert.deepEqual(await accounts(sums.having((eb) => eb.fn.sum("amount"), ">", "5")), [1]);
  assert.deepEqual(await accounts(sums.having((eb) => eb.fn.sum("amount"), "<", "-1.5")), [0]);
  assert.deepEqual(await accounts(sums.having((eb) => eb.fn.sum("amount"), "=", "20.19")), [1]);
  assert.deepEqual(await accounts(sums.having((eb) => eb.between(eb.fn.sum("amount"), "20", "21"))), [1]);
  const outside = session.selectFrom(sums.as("sums")).select("account");
  assert.deepEqual(await accounts(outside.where("balance", ">=", "20.19")), [1]);
  assert.deepEqual(await accounts(outside.where("balance", "in", ["-1.7", "3"])), [0]);
  assert.deepEqual(
    await accounts(
      session
        .with("b", () => sums)
        .selectFrom("b")
        .select("account")
        .where("b.balance", "<", "0"),
    ),
    [0],
  );
});

onEachFamily("amounts are calculated with, compared with calculations, and set to them", async (t, url) => {
  const session = await book(t, url, AMOUNTS);
  const doubled = await session
    .selectFrom(entry)
    .select((eb) => typed(eb("amount", "*", "2"), exact).as("twice"))
    .orderBy((eb) => eb("amount", "*", "2"))
    .execute();
  assert.deepEqual(
    doubled.map(({ twice }) => twice),
    ["-25.00", "-0.02", "1.40", "20.20", "40.40"],
  );
  const found = async (query: { execute(): Promise<{ id: number }[]> }) => (await query.execute()).map(({ id }) => id);
  const ids = session.selectFrom(entry).select("id").orderBy("id");
  assert.deepEqual(await found(ids.where((eb) => eb(eb("amount", "+", "2"), ">", "12"))), [1, 2]);
  assert.deepEqual(
    await found(ids.where((eb) => eb("amount", ">", eb(eb.parens("amount", "*", "2"), "-", "1")))),
    [3, 4, 5],
  );
  assert.deepEqual(await found(ids.where((eb) => eb(eb.neg("amount"), ">", "0"))), [3, 4]);
  assert.deepEqual(await found(ids.where((eb) => eb(eb.fn("abs", ["amount"]), ">", "11"))), [2, 3]);
  assert.deepEqual(
    await found(
      ids.where("amount", ">", (eb) =>
        eb.selectFrom(entry).select((inner) => inner.fn.avg<string>("entry.amount").as("mean")),
      ),
    ),
    [1, 2],
  );

  await session
    .updateTable(entry)
    .set((eb) => ({ amount: eb("amount", "-", "10.5") }))
    .execute();
  // Written as they are kept: found, ordered and read as ever.
  const after = await session.selectFrom(entry).select("amount").orderBy("amount").execute();
  assert.deepEqual(
    after.map(({ amount }) => amount),
    ["-23.00", "-10.51", "-9.80", "-0.40", "9.70"],
  );
  assert.deepEqual(await found(ids.where("amount", "=", "-0.4")), [1]);
  assert.deepEqual(await found(ids.where("amount", "<", "-9.8")), [3, 4]);

  await session
    .insertInto(entry)
    .columns(["account", "amount"])
    .expression((eb) =>
      eb
        .selectFrom(entry)
        .select((inner) => ["account", inner("amount", "*", "3").as("more")])
        .where("id", "=", 1),
    )
    .execute();
  assert.deepEqual(await found(ids.where("amount", "=", "-1.20")), [6]);
});

onEachFamily("decimals without decimal places", async (t, url) => {
  const session = await book(t, url, ["1", "2"]);
  await session.updateTable(entry).set({ whole: "-7" }).where("id", "=", 1).execute();
  await session.updateTable(entry).set({ whole: "12" }).where("id", "=", 2).execute();
  const [sum] = await session
    .selectFrom(entry)
    .select((eb) => typed(eb.fn.sum("whole"), integer()).as("sum"))
    .execute();
  assert.deepEqual(sum, { sum: 5 });
  await session
    .updateTable(entry)
    .set((eb) => ({ whole: eb("whole", "*", "2") }))
    .execute();
  assert.deepEqual(await session.selectFrom(entry).select("whole").orderBy("whole").execute(), [
    { whole: "-14" },
    { whole: "24" },
  ]);
});

const cents = fc.integer({ min: -99_999_999_99, max: 99_999_999_99 });
const amountOf = (value: number) =>
  `${value < 0 ? "-" : ""}${Math.floor(Math.abs(value) / 100)}.${String(Math.abs(value) % 100).padStart(2, "0")}`;

onEachFamily("the sum of any amounts, and any amount less another", async (t, url) => {
  const session = await book(t, url, ["0"]);
  await fc.assert(
    fc.asyncProperty(fc.array(cents, { minLength: 1, maxLength: 8 }), cents, async (values, other) => {
      await session.deleteFrom(entry).execute();
      await session
        .insertInto(entry)
        .values(values.map((value, index) => ({ id: index + 1, account: 0, amount: amountOf(value) })))
        .execute();
      const rows = await session
        .selectFrom(entry)
        .select((eb) => typed(eb.fn.sum("amount"), exact).as("sum"))
        .execute();
      assert.equal(rows[0]!.sum, amountOf(values.reduce((sum, value) => sum + value)).replace("-0.00", "0.00"));
      const difference = values[0]! - other;
      if (Math.abs(difference) > 99_999_999_99) return;
      await session
        .updateTable(entry)
        .set((eb) => ({ amount: eb("amount", "-", amountOf(other)) }))
        .where("id", "=", 1)
        .execute();
      const same = await session
        .selectFrom(entry)
        .select("amount")
        .where("id", "=", 1)
        .where("amount", "=", amountOf(difference))
        .execute();
      assert.deepEqual(same, [{ amount: amountOf(difference) }]);
    }),
    { numRuns: 40 },
  );
});
