import assert from "node:assert/strict";
import {
  CamelCasePlugin,
  CompiledQuery,
  DeduplicateJoinsPlugin,
  HandleEmptyInListsPlugin,
  type Kysely,
  ParseJSONResultsPlugin,
  replaceWithNoncontingentExpression,
  sql,
} from "kysely";
import { type FamilyName, integer, Multibind, text, varchar } from "../../src/index.ts";
import { onEachFamily, start } from "../fixtures/matrix.ts";
import { plainKysely } from "../fixtures/plain-kysely.ts";

const db = new Multibind();
class Client extends db.model("client", {
  id: integer().primaryKey(),
  name: varchar(40).unique(),
  city: varchar(40).nullable(),
  age: integer().nullable(),
}) {}
class Order extends db.model("client_order", {
  id: integer().primaryKey(),
  buyer: integer(),
  item: text(),
  pieces: integer().default(1),
  inStock: integer().nullable().named("in_stock"),
}) {}

interface Names {
  client: { id: number; name: string; city: string | null; age: number | null };
  client_order: { id: number; buyer: number; item: string; pieces: number };
}
type K = Kysely<Names>;

/** What a scenario sees: the name of a table, for plain Kysely, or the model. */
interface Tables {
  readonly client: "client";
  readonly order: "client_order";
}

type Scenario = (k: K, tables: Tables, family: FamilyName) => Promise<unknown>;

const CLIENTS = [
  { id: 1, name: "ada", city: "London", age: 36 },
  { id: 2, name: "bob", city: null, age: 50 },
  { id: 3, name: "eve", city: "London", age: null },
];
const ORDERS = [
  { id: 1, buyer: 1, item: "tea", pieces: 2 },
  { id: 2, buyer: 1, item: "cup", pieces: 1 },
  { id: 3, buyer: 2, item: "tea", pieces: 5 },
];

const everywhere: readonly FamilyName[] = ["sqlite", "postgres", "mysql"];

/** What can be done with Kysely, as its documentation says it. */
const scenarios: Record<string, Scenario | readonly [readonly FamilyName[], Scenario]> = {
  "select: columns, aliases, where, order, limit, offset": (k, { client }) =>
    k
      .selectFrom(client)
      .select(["id", "name as n"])
      .where("age", ">", 10)
      .orderBy("id", "desc")
      .limit(1)
      .offset(1)
      .execute(),
  "select: all of it, distinct": async (k, { client }) => [
    await k.selectFrom(client).selectAll().orderBy("id").execute(),
    await k.selectFrom(client).select("city").distinct().orderBy("city").execute(),
    await k.selectFrom(client).selectAll("client").orderBy("client.id").executeTakeFirst(),
    await k.selectFrom(client).selectAll().where("id", "=", 77).executeTakeFirst(),
  ],
  executeTakeFirstOrThrow: (k, { client }) =>
    k.selectFrom(client).selectAll().where("id", "=", 77).executeTakeFirstOrThrow(),
  "executeTakeFirstOrThrow with a function": (k, { client }) =>
    k
      .selectFrom(client)
      .selectAll()
      .where("id", "=", 77)
      .executeTakeFirstOrThrow(() => new RangeError("none")),
  "joins: inner, left, cross, with callbacks": async (k, { client, order }) => [
    await k
      .selectFrom(client)
      .innerJoin(order, "client_order.buyer", "client.id")
      .select(["name", "item"])
      .orderBy("client_order.id")
      .execute(),
    await k
      .selectFrom(client)
      .leftJoin(order, (join) => join.onRef("client_order.buyer", "=", "client.id").on("pieces", ">", 1))
      .select(["name", "pieces"])
      .orderBy("client.id")
      .execute(),
    await k
      .selectFrom(client)
      .crossJoin(order)
      .select((eb) => eb.fn.count<number>("client.id").as("n"))
      .execute()
      .then(numbers),
    await k
      .selectFrom(client)
      .innerJoin(
        (eb) =>
          eb
            .selectFrom(order)
            .select((one) => ["buyer as cid", one.fn.sum<number>("pieces").as("sum")])
            .groupBy("buyer")
            .as("o"),
        (join) => join.onRef("o.cid", "=", "client.id"),
      )
      .select(["name", "o.sum"])
      .orderBy("name")
      .execute()
      .then(numbers),
  ],
  "expressions: and, or, not, exists, between, case, cast, fn, val, lit, tuple": async (k, { client, order }) => [
    await k
      .selectFrom(client)
      .select("id")
      .where((eb) => eb.or([eb("city", "is", null), eb.and({ city: "London", age: 36 }), eb.not(eb("id", "<", 3))]))
      .orderBy("id")
      .execute(),
    await k
      .selectFrom(client)
      .select((eb) => [
        "id",
        eb
          .case()
          .when("age", ">", 40)
          .then("old")
          .when("age", "is", null)
          .then("unknown")
          .else("young")
          .end()
          .as("kind"),
        eb.fn.coalesce("city", eb.val("nowhere")).as("place"),
        eb.lit(1).as("one"),
        eb("age", "+", 1).as("next"),
        eb.between("age", 30, 40).as("thirties"),
      ])
      .orderBy("id")
      .execute()
      .then(numbers),
    await k
      .selectFrom(client)
      .select("name")
      .where(({ exists, selectFrom, ref }) =>
        exists(selectFrom(order).select("item").where("client_order.buyer", "=", ref("client.id"))),
      )
      .orderBy("name")
      .execute(),
    await k
      .selectFrom(client)
      .select((eb) => eb.cast<string>("age", "char(2)" as never).as("age"))
      .where("id", "=", 1)
      .execute()
      .catch(kind),
    await k
      .selectFrom(client)
      .select("id")
      .where((eb) => eb.eb(eb.refTuple("id", "age"), "in", [eb.tuple(1, 36), eb.tuple(2, 1)]))
      .execute(),
  ],
  "aggregates: count, sum, min, max, avg, group by, having, filter": async (k, { order }, family) => [
    await k
      .selectFrom(order)
      .select((eb) => [
        "buyer",
        eb.fn.countAll<number>().as("n"),
        eb.fn.sum<number>("pieces").as("sum"),
        eb.fn.max("pieces").as("max"),
        eb.fn.count<number>("item").distinct().as("items"),
      ])
      .groupBy("buyer")
      .having((eb) => eb.fn.countAll(), ">", 1)
      .execute()
      .then(numbers),
    family === "mysql"
      ? []
      : await k
          .selectFrom(order)
          .select((eb) => eb.fn.countAll<number>().filterWhere("pieces", ">", 1).as("n"))
          .execute()
          .then(numbers),
  ],
  windows: (k, { order }) =>
    k
      .selectFrom(order)
      .select((eb) => [
        "id",
        eb.fn
          .agg<number>("row_number")
          .over((ob) => ob.partitionBy("buyer").orderBy("pieces"))
          .as("place"),
      ])
      .orderBy("id")
      .execute()
      .then(numbers),
  "set operations": async (k, { client, order }) => [
    await k
      .selectFrom(client)
      .select("id")
      .where("id", "<", 3)
      .union(k.selectFrom(order).select("id"))
      .orderBy("id")
      .execute(),
    await k.selectFrom(client).select("id").unionAll(k.selectFrom(order).select("id")).orderBy("id").execute(),
    await k
      .selectFrom(client)
      .select("id")
      .intersect(k.selectFrom(order).select("buyer as id"))
      .orderBy("id")
      .execute(),
    await k.selectFrom(client).select("id").except(k.selectFrom(order).select("buyer as id")).execute(),
  ],
  "common table expressions": async (k, { client, order }) => [
    await k
      .with("big", (qb) => qb.selectFrom(order).select(["buyer", "pieces"]).where("pieces", ">", 1))
      .selectFrom("big")
      .innerJoin(client, "client.id", "big.buyer")
      .select(["name", "big.pieces"])
      .orderBy("name")
      .execute(),
    await k
      .withRecursive("n(i)", (qb) =>
        qb
          .selectNoFrom((eb) => eb.lit(1).as("i"))
          .unionAll(
            qb
              .selectFrom("n")
              .select((eb) => eb("i", "+", 1).as("i"))
              .where("i", "<", 4),
          ),
      )
      .selectFrom("n")
      .selectAll()
      .execute()
      .then(numbers),
  ],
  "selectNoFrom, raw SQL": async (k, _, family) => [
    await k
      .selectNoFrom((eb) => [eb.lit(1).as("one"), eb.val("x").as("x")])
      .execute()
      .then(numbers),
    (await sql<{ name: string }>`select name from ${sql.table("client")} where ${sql.ref("id")} = ${2}`.execute(k))
      .rows,
    (
      await k.executeQuery(
        CompiledQuery.raw(`select name from client where id = ${family === "postgres" ? "$1" : "?"}`, [1]),
      )
    ).rows,
    (await k.executeQuery(k.selectFrom("client").select("id").where("id", "=", 3))).rows,
    (await k.executeQuery(k.selectFrom("client").select("id").where("id", "=", 3).compile())).rows,
  ],
  "insert: one, many, generated keys": async (k, { client }) => [
    await k
      .insertInto(client)
      .values({ id: 10, name: "x" } as never)
      .executeTakeFirst(),
    await k
      .insertInto(client)
      .values([
        { id: 11, name: "y" },
        { id: 12, name: "z" },
      ] as never)
      .executeTakeFirst(),
    await k
      .insertInto(client)
      .values([
        { id: 13, name: "v" },
        { id: 14, name: "w" },
      ] as never)
      .execute(),
  ],
  "insert: keys that the database generates": [
    ["sqlite", "mysql"],
    async (k, { client }) => [
      await k
        .insertInto(client)
        .values({ name: "x" } as never)
        .executeTakeFirst(),
      await k
        .insertInto(client)
        .values([{ name: "y" }, { name: "z" }] as never)
        .executeTakeFirst(),
      await k
        .insertInto(client)
        .values([{ name: "v" }, { name: "w" }] as never)
        .execute(),
      await k.selectFrom(client).select(["id", "name"]).orderBy("id").execute(),
    ],
  ],
  "insert: from a select, with expressions": async (k, { client }) => [
    await k
      .insertInto(client)
      .columns(["id", "name", "age"])
      .expression((eb) =>
        eb
          .selectFrom("client")
          .select((one) => [one("id", "+", 20).as("id"), sql<string>`concat(name, '2')`.as("name"), "age"]),
      )
      .executeTakeFirst(),
    await k.insertInto(client).values({ id: 50, name: "n", age: sql<number>`1 + 1`, city: null }).executeTakeFirst(),
    await k.selectFrom(client).selectAll().where("id", ">", 20).orderBy("id").execute(),
  ],
  "insert: conflicts": [
    ["sqlite", "postgres"],
    async (k, { client }) => [
      await k
        .insertInto(client)
        .values({ id: 1, name: "ada" } as never)
        .onConflict((oc) => oc.doNothing())
        .executeTakeFirst()
        .then(inserted),
      await k
        .insertInto(client)
        .values({ id: 1, name: "ada", age: 3 } as never)
        .onConflict((oc) => oc.column("id").doUpdateSet((eb) => ({ age: eb.ref("excluded.age") })))
        .executeTakeFirst()
        .then(inserted),
      await k
        .insertInto(client)
        .values({ id: 1, name: "new" } as never)
        .onConflict((oc) => oc.column("id").doUpdateSet({ name: "new" }))
        .returning("name")
        .execute(),
    ],
  ],
  "insert: duplicates, ignore, replace": [
    ["mysql"],
    async (k, { client }) => [
      await k
        .insertInto(client)
        .ignore()
        .values({ id: 1, name: "ada" } as never)
        .executeTakeFirst(),
      await k
        .insertInto(client)
        .values({ id: 1, name: "ada" } as never)
        .onDuplicateKeyUpdate({ age: 4 })
        .executeTakeFirst(),
      await k
        .insertInto(client)
        .values([
          { id: 1, name: "ada" },
          { id: 60, name: "q" },
        ] as never)
        .onDuplicateKeyUpdate({ age: 5 })
        .executeTakeFirst(),
      await k
        .replaceInto(client)
        .values({ id: 1, name: "ada", age: 9 } as never)
        .executeTakeFirst(),
    ],
  ],
  "insert or replace": [
    ["sqlite"],
    async (k, { client }) => [
      await k
        .replaceInto(client)
        .values({ id: 1, name: "ada", age: 9 } as never)
        .executeTakeFirst(),
      await k
        .insertInto(client)
        .orIgnore()
        .values({ id: 1, name: "ada" } as never)
        .executeTakeFirst()
        .then(inserted),
    ],
  ],
  returning: [
    ["sqlite", "postgres"],
    async (k, { client }) => [
      await k
        .insertInto(client)
        .values({ id: 70, name: "r" } as never)
        .returning(["id", "name as n"])
        .execute(),
      await k.updateTable(client).set({ age: 1 }).where("id", "<", 3).returningAll().execute().then(byId),
      await k
        .deleteFrom(client)
        .where("id", "=", 70)
        .returning((eb) => [eb("age", "+", 1).as("x"), "id"])
        .executeTakeFirst(),
    ],
  ],
  "update and delete": async (k, { client, order }) => [
    await k.updateTable(client).set({ city: "Rome" }).where("city", "=", "London").executeTakeFirst().then(updated),
    await k
      .updateTable(client)
      .set("age", (eb) => eb("age", "+", 1))
      .where("id", "=", 1)
      .execute()
      .then((all) => all.map(updated)),
    await k
      .updateTable(client)
      .set((eb) => ({ city: eb.ref("name") }))
      .executeTakeFirstOrThrow()
      .then(updated),
    await k.updateTable(client).set({ city: "?" }).where("id", "=", 99).executeTakeFirst().then(updated),
    await k.selectFrom(client).selectAll().orderBy("id").execute(),
    await k.deleteFrom(order).where("pieces", ">", 4).executeTakeFirst(),
    await k.deleteFrom(order).where("id", "=", 99).execute(),
    await k
      .deleteFrom(order)
      .where("buyer", "in", (eb) => eb.selectFrom(client).select("id"))
      .executeTakeFirst(),
  ],
  "update from, delete using": [
    ["postgres"],
    async (k, { client, order }) => [
      await k
        .updateTable(client)
        .from(order)
        .set({ city: "X" })
        .whereRef("client.id", "=", "client_order.buyer")
        .returning(["client.id", "city"])
        .execute()
        .then(byId),
      await k
        .deleteFrom(order)
        .using(client)
        .whereRef("client.id", "=", "client_order.buyer")
        .where("name", "=", "ada")
        .executeTakeFirst(),
    ],
  ],
  merge: [
    ["postgres"],
    async (k, { client, order }) => [
      await k
        .mergeInto(client)
        .using(order, "client_order.buyer", "client.id")
        .whenMatchedAnd("pieces", ">", 3)
        .thenUpdateSet({ age: 1 })
        .whenNotMatched()
        .thenDoNothing()
        .executeTakeFirst(),
      await k.selectFrom(client).select(["id", "age"]).orderBy("id").execute(),
    ],
  ],
  streams: async (k, { client }) => {
    const rows: unknown[] = [];
    for await (const row of k.selectFrom(client).selectAll().orderBy("id").stream(2)) rows.push(row);
    for await (const row of k.selectFrom(client).select("id").orderBy("id").stream({ chunkSize: 1 })) {
      rows.push(row);
      if (rows.length === 5) break;
    }
    return rows;
  },
  "transactions: commit and rollback": async (k, { client }) => [
    await k.transaction().execute(async (trx) => {
      await trx
        .insertInto(client)
        .values({ id: 80, name: "t" } as never)
        .execute();
      return [trx.isTransaction, await trx.selectFrom(client).select("id").where("id", "=", 80).execute()];
    }),
    await k
      .transaction()
      .execute(async (trx) => {
        await trx
          .insertInto(client)
          .values({ id: 81, name: "u" } as never)
          .execute();
        throw new RangeError("undone");
      })
      .catch(kind),
    await k.selectFrom(client).select("id").where("id", ">", 70).execute(),
  ],
  "transactions: isolation level": [
    ["postgres", "mysql"],
    (k, { client }) =>
      k
        .transaction()
        .setIsolationLevel("serializable")
        .execute((trx) => trx.selectFrom(client).select("id").orderBy("id").execute()),
  ],
  "controlled transactions: savepoints": async (k, { client }) => {
    const trx = await k.startTransaction().execute();
    await trx
      .insertInto(client)
      .values({ id: 90, name: "c" } as never)
      .execute();
    const after = await trx.savepoint("first").execute();
    await after
      .insertInto(client)
      .values({ id: 91, name: "d" } as never)
      .execute();
    const back = await after.rollbackToSavepoint("first").execute();
    await back
      .insertInto(client)
      .values({ id: 92, name: "e" } as never)
      .execute();
    const released = await back.releaseSavepoint("first").execute();
    const inside = await released.selectFrom(client).select("id").where("id", ">=", 90).orderBy("id").execute();
    await trx.commit().execute();
    const late = await Promise.resolve(trx.selectFrom(client).select("id").execute()).catch(kind);
    return [
      inside,
      trx.isCommitted,
      trx.isRolledBack,
      late,
      await k.selectFrom(client).select("id").where("id", ">=", 90).orderBy("id").execute(),
    ];
  },
  "controlled transactions: rollback": async (k, { client }) => {
    const trx = await k.startTransaction().execute();
    await trx.updateTable(client).set({ age: 0 }).execute();
    for await (const row of trx.selectFrom(client).select("age").stream(1)) assert.deepEqual(row, { age: 0 });
    await trx.rollback().execute();
    return [trx.isCommitted, trx.isRolledBack, await k.selectFrom(client).select("age").orderBy("id").execute()];
  },
  "one connection": (k, { client }) =>
    k
      .connection()
      .execute(async (one) => [
        one.isTransaction,
        await one.selectFrom(client).select("id").orderBy("id").execute(),
        await one.transaction().execute((trx) => trx.selectFrom(client).select("name").orderBy("id").execute()),
      ]),
  "$if, $call, $castTo, $narrowType, $notNull, $assertType": async (k, { client }) => [
    await k
      .selectFrom(client)
      .select("id")
      .$if(true, (qb) => qb.select("name"))
      .$if(false, (qb) => qb.select("city"))
      .orderBy("id")
      .execute(),
    await k
      .selectFrom(client)
      .$call((qb) => qb.select("id").where("id", "=", 1))
      .$castTo<{ id: 1 }>()
      .execute(),
    await k.selectFrom(client).select("city").where("city", "is not", null).$narrowType<{ city: string }>().execute(),
    await k
      .selectFrom(client)
      .select((eb) => eb.ref("city").$notNull().as("c"))
      .where("id", "=", 1)
      .execute(),
  ],
  "dynamic, fn, case": async (k, { client }) => {
    const { ref } = k.dynamic;
    const { count, max } = k.fn;
    return [
      await k.selectFrom(client).select("id").where(ref<string>("name"), "=", "bob").execute(),
      await k
        .selectFrom(client)
        .select([ref<"city">("city"), "id"])
        .orderBy(ref<"id">("id"))
        .execute(),
      await k
        .selectFrom(client)
        .select([count<number>("client.id").as("n"), max("client.age").as("oldest")])
        .execute()
        .then(numbers),
      await k.selectNoFrom(k.case().when(sql<boolean>`1 = 1`).then("yes").else("no").end().as("answer")).execute(),
    ];
  },
  "clear…": (k, { client }) =>
    k
      .selectFrom(client)
      .select("name")
      .where("id", "=", 1)
      .orderBy("id")
      .limit(1)
      .clearSelect()
      .clearWhere()
      .clearOrderBy()
      .clearLimit()
      .select("id")
      .orderBy("id")
      .execute(),
  "plugins: camel case": async (k) => {
    type Camel = { clientOrder: { id: number; buyer: number; item: string; pieces: number; inStock: number | null } };
    const camel = (k as unknown as Kysely<Camel>).withPlugin(new CamelCasePlugin());
    return [
      await camel.selectFrom("clientOrder").selectAll().where("buyer", "=", 2).execute(),
      await camel.selectFrom("clientOrder").select(["inStock", "item as whatItIs"]).orderBy("id").execute(),
      await camel
        .insertInto("clientOrder")
        .values({ id: 7, buyer: 3, item: "pot", pieces: 1, inStock: 4 })
        .executeTakeFirst(),
      await camel
        .transaction()
        .execute((trx) =>
          trx.updateTable("clientOrder").set({ inStock: 5 }).where("inStock", "=", 4).executeTakeFirst(),
        )
        .then(updated),
      await camel
        .withoutPlugins()
        .selectFrom("client_order" as never)
        .select(["in_stock" as never])
        .where("id" as never, "=", 7 as never)
        .execute(),
    ];
  },
  "plugins: duplicate joins, lists, JSON": async (k, { client, order }) => [
    await k
      .withPlugin(new DeduplicateJoinsPlugin())
      .selectFrom(client)
      .innerJoin(order, "client_order.buyer", "client.id")
      .innerJoin(order, "client_order.buyer", "client.id")
      .select("item")
      .orderBy("client_order.id")
      .execute(),
    await k
      .withPlugin(new HandleEmptyInListsPlugin({ strategy: replaceWithNoncontingentExpression }))
      .selectFrom(client)
      .select("id")
      .where("id", "in", [])
      .execute(),
    await k.withPlugin(new ParseJSONResultsPlugin()).selectNoFrom(sql<unknown>`'{"a":[1]}'`.as("j")).execute(),
  ],
  "schema: tables, columns, indexes, views": async (k, _, family) => {
    const { schema } = k;
    await schema.dropTable("extra").ifExists().execute();
    await schema
      .createTable("extra")
      .ifNotExists()
      .addColumn("id", "integer", (column) => column.primaryKey())
      .addColumn("label", "varchar(20)", (column) => column.notNull().defaultTo("x"))
      .addUniqueConstraint("extra_label", ["label"])
      .execute();
    await schema.createIndex("extra_index").on("extra").columns(["id", "label"]).execute();
    await schema.alterTable("extra").addColumn("more", "integer").execute();
    await schema.alterTable("extra").renameColumn("more", "most").execute();
    const wide = k.$extendTables<{ extra: { id: number; label: string; most: number | null } }>();
    await wide.insertInto("extra").values({ id: 1, label: "a", most: 3 }).execute();
    await schema
      .createView("extra_view")
      .as(wide.selectFrom("extra").select(["id", "most"]).where("id", ">", 0))
      .execute();
    const rows = await (wide as never as Kysely<{ extra_view: { id: number; most: number } }>)
      .selectFrom("extra_view")
      .selectAll()
      .execute();
    await schema.dropView("extra_view").execute();
    if (family === "mysql") await schema.dropIndex("extra_index").on("extra").execute();
    else await schema.dropIndex("extra_index").execute();
    await schema.dropTable("extra").execute();
    return rows;
  },
  introspection: async (k) => {
    const tables = await k.introspection.getTables();
    const known = tables.filter(({ name }) => name === "client" || name === "client_order");
    return known.map(({ name, isView, columns }) => ({
      name,
      isView,
      columns: columns.map((one) => [one.name, one.isNullable]),
    }));
  },
  explain: async (k, { client }) => (await k.selectFrom(client).select("id").where("id", "=", 1).explain()).length > 0,
  compile: async (k) => {
    const { sql: text, parameters } = k.selectFrom("client").select("id").where("name", "=", "ada").compile();
    return [text, parameters];
  },
  "withTables, $pickTables, $omitTables, isTransaction": async (k) => [
    k.isTransaction,
    await k.$pickTables<"client">().selectFrom("client").select("id").orderBy("id").execute(),
    await k.$omitTables<"client">().selectFrom("client_order").select("id").orderBy("id").execute(),
    await k.withTables<{ other: { id: number } }>().selectFrom("client").select("id").orderBy("id").execute(),
  ],
  "a transaction begins no other, and is not destroyed": (k) =>
    k
      .transaction()
      .execute(async (trx) => [
        await attempt(() => trx.transaction()),
        await attempt(() => trx.startTransaction()),
        await attempt(() => trx.connection()),
        await attempt(() => trx.destroy()),
      ]),
};

/** What becomes of something: its value, or that it failed. */
async function attempt(run: () => unknown): Promise<unknown> {
  try {
    await run();
    return "done";
  } catch {
    return "refused";
  }
}

function kind(error: unknown): string {
  return error instanceof RangeError ? `RangeError: ${error.message}` : "an error";
}

/** Counts and sums are what each driver gives: compared as numbers. */
function numbers(rows: object[]): object[] {
  return rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [
        name,
        typeof value === "boolean" || typeof value === "bigint" || (typeof value === "string" && /^\d+$/.test(value))
          ? Number(value)
          : value,
      ]),
    ),
  );
}

function byId<R extends { readonly id: number }>(rows: R[]): R[] {
  return rows.toSorted((one, other) => one.id - other.id);
}

/** SQLite's number of the last inserted row may be another statement's, which plain Kysely gives. */
function inserted(result: { readonly numInsertedOrUpdatedRows?: bigint | undefined } | undefined): unknown {
  return result?.numInsertedOrUpdatedRows;
}

/** The driver of MariaDB does not count changed rows for plain Kysely. */
function updated(result: { numUpdatedRows: bigint } | undefined): unknown {
  return result?.numUpdatedRows;
}

async function fill(k: Kysely<Names>, family: FamilyName): Promise<void> {
  await k.deleteFrom("client_order").execute();
  await k.deleteFrom("client").execute();
  if (family === "sqlite") await sql`delete from sqlite_sequence`.execute(k);
  if (family === "mysql") await sql`alter table client auto_increment = 1`.execute(k);
  await k.insertInto("client").values(CLIENTS).execute();
  await k.insertInto("client_order").values(ORDERS).execute();
}

async function outcome(run: () => Promise<unknown>): Promise<unknown> {
  try {
    return await run();
  } catch (error) {
    return kind(error);
  }
}

const NAMES: Tables = { client: "client", order: "client_order" };
// A model stands wherever Kysely takes a table.
const MODELS = { client: Client, order: Order } as unknown as Tables;

for (const [name, entry] of Object.entries(scenarios)) {
  const [families, scenario] = typeof entry === "function" ? [everywhere, entry] : entry;
  onEachFamily(
    `as Kysely itself: ${name}`,
    async (t, url, family) => {
      const app = await start(t, db, { databaseUri: url });
      const plain = plainKysely<Names>(family, url);
      try {
        await fill(plain, family);
        const expected = await outcome(() => scenario(plain, NAMES, family));
        const own = app.engine.kysely as unknown as K;
        await fill(plain, family);
        assert.deepEqual(await outcome(() => scenario(own, NAMES, family)), expected, "by names");
        await fill(plain, family);
        assert.deepEqual(await outcome(() => scenario(own, MODELS, family)), expected, "by models");
        assert.equal(app.engine.status().inUse, 0);
      } finally {
        await plain.destroy();
      }
    },
    families,
  );
}
