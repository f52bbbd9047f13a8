import assert from "node:assert/strict";
import {
  bigint,
  float,
  integer,
  jsonArrayFrom,
  Multibind,
  numeric,
  type Params,
  select,
  sql,
} from "../../src/index.ts";
import { freshDatabase } from "../fixtures/databases.ts";
import { onEachFamily, sessionOf, start } from "../fixtures/matrix.ts";

const db = new Multibind();
class Tariff extends db.model("tariff", {
  rate: numeric(6, 3).primaryKey(),
  base: numeric(10, 4).default(sql`1.50`),
  most: numeric(20, 0).default("7").nullable(),
}) {}
class Call extends db.model("call", {
  id: integer().primaryKey(),
  rate: numeric(6, 3).references("tariff.rate"),
  seconds: bigint(),
  share: float().nullable(),
  price: numeric(12, 2).index(),
}) {}

async function filled(t: Parameters<typeof start>[0], url: string) {
  const session = sessionOf(await start(t, db, { databaseUri: url }));
  session.addAll([new Tariff({ rate: "0.125" }), new Tariff({ rate: "2", most: null }), new Tariff({ rate: "-1.5" })]);
  await session.flush();
  session.addAll([
    new Call({ rate: "0.125", seconds: 8n, price: "1", share: 1 }),
    new Call({ rate: "2.000", seconds: 3n, price: "6.00", share: 0.25 }),
    new Call({ rate: "-1.500", seconds: 2n, price: "-3", share: -3 }),
    new Call({ rate: "2", seconds: 100n, price: "10.5" }),
  ]);
  await session.commit();
  session.expungeAll();
  return session;
}

onEachFamily("decimals as keys, defaults, in lists, ranges, pages and nested rows", async (t, url) => {
  const session = await filled(t, url);
  const tariff = await session.getOne(Tariff, "2");
  assert.deepEqual({ ...tariff }, { rate: "2.000", base: "1.5000", most: null });
  assert.equal(await session.get(Tariff, "2.000"), tariff);
  const ids = (query: { pluck(column: "id"): Promise<number[]> }) => query.pluck("id");
  const calls = session.select(Call).orderBy("id");
  assert.deepEqual(await ids(calls.where("price", "in", ["6", "-3.00", "7"])), [2, 3]);
  assert.deepEqual(await ids(calls.where((eb) => eb.between("price", "-3", "6"))), [1, 2, 3]);
  assert.deepEqual(
    await ids(calls.where((eb) => eb("price", "=", eb("rate", "*", eb.ref("seconds") as never)))),
    [1, 2, 3],
  );
  assert.deepEqual(await ids(calls.where((eb) => eb("price", "=", eb.ref("share") as never))), [1, 3]);

  const page = await session.select(Call).orderBy("price").orderBy("id").keyset({ perPage: 2 });
  assert.deepEqual(
    page.items.map(({ price }) => price),
    ["-3.00", "1.00"],
  );
  const next = await session.select(Call).orderBy("price").orderBy("id").keyset({ perPage: 2, after: page.next! });
  assert.deepEqual(
    next.items.map(({ price }) => price),
    ["6.00", "10.50"],
  );

  const nested = await session
    .selectFrom(Tariff)
    .select((eb) => [
      "tariff.rate",
      jsonArrayFrom(
        eb
          .selectFrom(Call)
          .select(["call.price", "call.rate"])
          .whereRef("call.rate", "=", "tariff.rate")
          .orderBy("call.id"),
      ).as("calls"),
    ])
    .where("tariff.rate", ">", "1")
    .execute();
  assert.deepEqual(nested, [
    {
      rate: "2.000",
      calls: [
        { price: "6.00", rate: "2.000" },
        { price: "10.50", rate: "2.000" },
      ],
    },
  ]);
});

onEachFamily("decimals in prepared statements and bulk updates", async (t, url) => {
  const session = await filled(t, url);
  const dearer = db.prepare((p: Params<{ price: string }>) =>
    select(Call).where("price", ">", p("price")).orderBy("id"),
  );
  assert.deepEqual(
    (await dearer.on(session).all({ price: "5.9" })).map(({ id }) => id),
    [2, 4],
  );
  const changed = await session
    .select(Call)
    .where((eb) => eb("price", ">", eb.ref("rate")))
    .update((eb) => ({ price: eb("price", "*", eb.lit(2) as never) as never }));
  assert.equal(Number(changed), 3);
  await session.commit();
  session.expungeAll();
  const all = await session.select(Call).orderBy("price", "desc").all();
  assert.deepEqual(
    all.map(({ price }) => price),
    ["21.00", "12.00", "2.00", "-3.00"],
  );
  all[0]!.price = "0.10";
  await session.commit();
  assert.equal(await session.select(Call).where("price", "=", "0.1").count(), 1);
});

onEachFamily(
  "a decimal that another program declared is compared with ours as the number that it is",
  async (t) => {
    const own = new Multibind();
    await using app = own.init({ databaseUri: await freshDatabase(t, "sqlite") });
    await app.transaction(() =>
      own.session.execute(sql`create table theirs (id integer primary key, cost decimal(10, 2), note text)`),
    );
    await app.transaction(() =>
      own.session.execute(sql`insert into theirs values (1, 12.5, ''), (2, 0.1, ''), (3, -7, ''), (4, 100, '')`),
    );
    await app.reflect();
    const ours = own.table("ours", { id: integer().primaryKey(), price: numeric(12, 3) });
    await app.createAll();
    const theirs = own.metadata.tables.get("theirs")!;
    await app.run(
      async () => {
        const { session } = own;
        await session
          .insertInto(ours)
          .values([{ price: "12.5" }, { price: "0.100" }, { price: "-7.001" }, { price: "20" }])
          .execute();
        const joined = async (operator: "=" | "<") => {
          const rows = await session
            .selectFrom([ours.as("ours"), theirs.as("theirs")] as never)
            .select("ours.id" as never)
            .whereRef("ours.id" as never, "=", "theirs.id" as never)
            .whereRef("ours.price" as never, operator, "theirs.cost" as never)
            .orderBy("ours.id" as never)
            .execute();
          return rows.map((row) => (row as { readonly id: number }).id);
        };
        assert.deepEqual(await joined("="), [1, 2]);
        assert.deepEqual(await joined("<"), [3, 4]);
        await session
          .updateTable(ours)
          .set((eb) => ({
            price: eb
              .selectFrom(theirs as never)
              .select("theirs.cost" as never)
              .where("theirs.id" as never, "=", eb.ref("ours.id") as never) as never,
          }))
          .execute();
        const rows = await session
          .selectFrom(ours)
          .select(["id", "price"])
          .where("price", "in", ["0.1", "100"])
          .orderBy("id")
          .execute();
        assert.deepEqual(rows, [
          { id: 2, price: "0.100" },
          { id: 4, price: "100.000" },
        ]);
      },
      { onUncommitted: "ignore" },
    );
  },
  ["sqlite"],
);
