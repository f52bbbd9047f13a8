import assert from "node:assert/strict";
import {
  boolean,
  integer,
  json,
  Multibind,
  numeric,
  select,
  sql,
  text,
  timestamp,
  typed,
  varchar,
} from "../../src/index.ts";
import { onEachFamily, sessionOf, start } from "../fixtures/matrix.ts";

const db = new Multibind();
class User extends db.model("user", {
  id: integer().primaryKey(),
  name: varchar(40).named("user_name"),
  role: varchar(10),
  admin: boolean(),
  tags: json<string[]>().default([]),
  bio: text().nullable(),
}) {}
class Purchase extends db.model("purchase", {
  id: integer().primaryKey(),
  userId: integer().named("user_id"),
  price: numeric(8, 2),
  at: timestamp().named("bought_at"),
}) {}

const NOON = new Date("2026-01-31T12:00:00.000Z");
const LATER = new Date("2026-02-01T12:00:00.125Z");

async function filled(t: Parameters<typeof start>[0], url: string) {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  session.addAll([
    new User({ id: 1, name: "ada", role: "writer", admin: true, tags: ["math"] }),
    new User({ id: 2, name: "bob", role: "reader", admin: false, bio: "b" }),
    new User({ id: 3, name: "eve", role: "reader", admin: false, bio: "e" }),
    new Purchase({ id: 1, userId: 1, price: "10.50", at: NOON }),
    new Purchase({ id: 2, userId: 1, price: "0.50", at: LATER }),
    new Purchase({ id: 3, userId: 3, price: "100.00", at: NOON }),
  ]);
  await session.commit();
  return { app, session: sessionOf(app) };
}

onEachFamily("rows have the selected columns, with the values of entities", async (t, url) => {
  const { session } = await filled(t, url);
  const users = session.select(User).orderBy("id");
  assert.deepEqual(await users.select(["name", "admin", "tags"]).first(), { name: "ada", admin: true, tags: ["math"] });
  assert.deepEqual(await users.select("name").all(), [{ name: "ada" }, { name: "bob" }, { name: "eve" }]);
  const bought = session
    .select(User)
    .innerJoin(Purchase, "purchase.userId", "user.id")
    .select(["user.name as who", "purchase.price", "purchase.at as when"])
    .orderBy("purchase.id");
  assert.deepEqual(await bought.all(), [
    { who: "ada", price: "10.50", when: NOON },
    { who: "ada", price: "0.50", when: LATER },
    { who: "eve", price: "100.00", when: NOON },
  ]);
  assert.equal(await bought.count(), 3);
  assert.deepEqual(await bought.where({ name: "eve" }).one(), { who: "eve", price: "100.00", when: NOON });
  assert.equal(await bought.where({ name: "nobody" }).oneOrNull(), null);
  const page = await bought.paginate({ page: 2, perPage: 2 });
  assert.deepEqual([page.items, page.total], [[{ who: "eve", price: "100.00", when: NOON }], 3]);
});

onEachFamily("columns of an outer join are null where there is no row", async (t, url) => {
  const { session } = await filled(t, url);
  const rows = await session
    .select(User)
    .leftJoin(Purchase, "purchase.userId", "user.id")
    .select(["user.id", "purchase.at"])
    .orderBy("user.id")
    .orderBy("purchase.id")
    .all();
  assert.deepEqual(rows, [
    { id: 1, at: NOON },
    { id: 1, at: LATER },
    { id: 2, at: null },
    { id: 3, at: NOON },
  ]);
});

onEachFamily("expressions are selected by a callback, and what is typed is converted", async (t, url) => {
  const { session } = await filled(t, url);
  const [row] = await session
    .select(User)
    .select((eb) => [
      "id",
      eb.fn.coalesce("bio", eb.val("none")).as("bio"),
      typed(sql`${eb.ref("admin")}`, boolean()).as("isAdmin"),
      eb
        .selectFrom(Purchase)
        .select((inner) => inner.fn.max("at").as("latest"))
        .whereRef("purchase.userId", "=", "user.id")
        .as("latest"),
    ])
    .orderBy("id")
    .all();
  assert.deepEqual(row, { id: 1, bio: "none", isAdmin: true, latest: LATER });
});

onEachFamily("groups are made, kept by a condition, ordered by what was selected, and counted", async (t, url) => {
  const { session } = await filled(t, url);
  const roles = session
    .select(User)
    .select((eb) => ["role", eb.fn.count<number | string | bigint>("id").as("users")])
    .groupBy("role");
  const counted = (await roles.orderBy("users", "desc").all()).map(({ role, users }) => [role, Number(users)]);
  assert.deepEqual(counted, [
    ["reader", 2],
    ["writer", 1],
  ]);
  const big = roles.having((eb) => eb(eb.fn.count("id"), ">", 1));
  assert.deepEqual(
    (await big.all()).map(({ role }) => role),
    ["reader"],
  );
  assert.equal(await roles.count(), 2);
  assert.equal(await big.count(), 1);
  assert.equal(await big.having((eb) => eb(eb.fn.count("id"), ">", 5)).exists(), false);
  assert.equal(
    await session
      .select(User)
      .select((eb) => eb.fn.countAll().as("n"))
      .having((eb) => eb(eb.fn.countAll(), ">", 5))
      .count(),
    0,
  );
});

onEachFamily("pluck gives the values of a column", async (t, url) => {
  const { session } = await filled(t, url);
  assert.deepEqual(await session.select(User).orderBy("id").pluck("name"), ["ada", "bob", "eve"]);
  assert.deepEqual(await session.select(User).orderBy("id").limit(1).pluck("tags"), [["math"]]);
  const joined = session.select(User).innerJoin(Purchase, "purchase.userId", "user.id");
  assert.deepEqual(await joined.orderBy("purchase.id").pluck("purchase.at"), [NOON, LATER, NOON]);
  assert.deepEqual(await joined.distinct().orderBy("user.name").pluck("user.name"), ["ada", "eve"]);
});

onEachFamily("rows are streamed", async (t, url) => {
  const { session } = await filled(t, url);
  const seen = [];
  for await (const row of session.select(Purchase).orderBy("id").select(["id", "at"]).stream({ chunkSize: 2 }))
    seen.push(row);
  assert.deepEqual(seen, [
    { id: 1, at: NOON },
    { id: 2, at: LATER },
    { id: 3, at: NOON },
  ]);
});

onEachFamily("selecting again replaces what was selected", async (t, url) => {
  const { session } = await filled(t, url);
  const rows = session.select(User).where({ id: 2 }).select("name").select(["id"]);
  assert.deepEqual(await rows.all(), [{ id: 2 }]);
});

onEachFamily("a list with nothing in it has nothing in it", async (t, url) => {
  const { session } = await filled(t, url);
  const users = session.select(User);
  assert.equal(await users.where("id", "in", []).count(), 0);
  assert.equal(await users.where({ id: [] }).count(), 0);
  assert.equal(await users.where("bio", "in", []).count(), 0);
  assert.equal(await users.where("id", "not in", []).count(), 3);
  assert.equal(await users.where("bio", "not in", []).count(), 3, "whatever is null is in no list either");
  assert.equal(await users.where((eb) => eb.or([eb("id", "in", []), eb("name", "=", "bob")])).count(), 1);
  assert.equal(await users.where((eb) => eb.not(eb("id", "in", []))).count(), 3);
  assert.equal(await users.where((eb) => eb(eb.refTuple("id", "name"), "in", [])).count(), 0);
  assert.equal(
    await users
      .innerJoin(Purchase, (join) => join.onRef("purchase.userId", "=", "user.id").on("purchase.id", "in", []))
      .count(),
    0,
  );
  assert.equal((await session.selectFrom(User).selectAll().where("id", "not in", []).execute()).length, 3);
});

onEachFamily("a select is a value in conditions of others", async (t, url) => {
  const { session } = await filled(t, url);
  const buyers = select(Purchase).where("price", ">", "1").select("userId");
  assert.deepEqual(await session.select(User).where("id", "in", buyers).orderBy("id").pluck("name"), ["ada", "eve"]);
  assert.equal(
    await session
      .select(User)
      .where((eb) => eb.exists(buyers))
      .count(),
    3,
  );
  const withPurchases = session
    .select(User)
    .where((eb) => eb.exists(eb.selectFrom(Purchase).select("id").whereRef("purchase.userId", "=", "user.id")));
  assert.deepEqual(await withPurchases.orderBy("id").pluck("name"), ["ada", "eve"]);
});
