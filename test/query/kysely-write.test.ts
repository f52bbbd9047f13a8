import assert from "node:assert/strict";
import { expectTypeOf } from "expect-type";
import {
  boolean,
  type FamilyName,
  InvalidValueError,
  integer,
  Multibind,
  numeric,
  sql,
  text,
  timestamp,
  UndefinedValueError,
  UnsupportedError,
  varchar,
} from "../../src/index.ts";
import { onEachFamily, start } from "../fixtures/matrix.ts";

const db = new Multibind();
let ticks = 0;
const tick = () => new Date(Date.UTC(2026, 0, 1) + 1000 * ++ticks);

class Product extends db.model("product", {
  id: integer().primaryKey(),
  code: varchar(20).unique().named("product_code"),
  price: numeric(8, 2).default("1"),
  listed: boolean().default(true),
  stock: integer().default(0),
  createdAt: timestamp().default(tick).named("created_at"),
  changedAt: timestamp().nullable().onUpdate(tick).named("changed_at"),
}) {}

const sale = db.table("sale", {
  id: integer().primaryKey(),
  productId: integer().named("product_id"),
  pieces: integer(),
  at: timestamp().default(tick),
});

const old = db.table("old_product", {
  id: integer().primaryKey(),
  code: varchar(20),
  price: numeric(8, 2),
  since: timestamp().named("created_at"),
  reason: text().default("withdrawn"),
});

async function shop(
  t: Parameters<typeof start>[0],
  url: string,
  run: (family: FamilyName) => Promise<void>,
): Promise<void> {
  const app = await start(t, db, { databaseUri: url });
  ticks = 0;
  await app.transaction(async () => {
    await db
      .insertInto(Product)
      .values([{ code: "a", stock: 5 }, { code: "b", price: "2.50", listed: false }, { code: "c" }])
      .execute();
  });
  await app.transaction(() => run(app.engine.family.name));
}

const all = () => db.selectFrom(Product).selectAll().orderBy("id").execute();
const codes = async () => (await all()).map(({ code }) => code);

onEachFamily("an insert: values converted, defaults made for each row", async (t, url) => {
  await shop(t, url, async () => {
    const rows = await all();
    assert.deepEqual(
      rows.map(({ code, price, listed, stock, changedAt }) => ({ code, price, listed, stock, changedAt })),
      [
        { code: "a", price: "1.00", listed: true, stock: 5, changedAt: null },
        { code: "b", price: "2.50", listed: false, stock: 0, changedAt: null },
        { code: "c", price: "1.00", listed: true, stock: 0, changedAt: null },
      ],
    );
    assert.equal(new Set(rows.map(({ createdAt }) => createdAt.getTime())).size, 3);
    const result = await db.insertInto(Product).values({ code: "d" }).executeTakeFirstOrThrow();
    assert.equal(result.numInsertedOrUpdatedRows, 1n);
    // Whether there is an `insertId` is the driver's business, as in Kysely.
    assert.ok(result.insertId === undefined || result.insertId === 4n);
    await assert.rejects(
      db
        .insertInto(Product)
        .values({ code: "x".repeat(21) })
        .execute(),
      InvalidValueError,
    );
    await assert.rejects(db.insertInto(Product).values({ code: "e", price: "0.001" }).execute(), InvalidValueError);
    assert.deepEqual(await codes(), ["a", "b", "c", "d"]);
  });
});

onEachFamily("an insert with expressions and subqueries for values", async (t, url) => {
  await shop(t, url, async () => {
    await db
      .insertInto(Product)
      .values((eb) => ({
        code: sql<string>`upper(${"z"})`,
        stock: eb.selectFrom(Product).select((inner) => inner.fn.max("product.stock").as("most")),
        price: eb.val("3"),
      }))
      .execute();
    const [last] = await db.selectFrom(Product).select(["code", "stock", "price"]).where("code", "=", "Z").execute();
    assert.deepEqual(last, { code: "Z", stock: 5, price: "3.00" });
  });
});

onEachFamily("insert from a select, its selections converted and defaults added", async (t, url) => {
  await shop(t, url, async () => {
    await db
      .insertInto(old)
      .columns(["code", "price", "since"])
      .expression((eb) =>
        eb
          .selectFrom(Product)
          .select(["product.code", "product.price", "product.createdAt"])
          .where("product.listed", "=", true),
      )
      .execute();
    const rows = await db.selectFrom(old).select(["code", "price", "since", "reason"]).orderBy("id").execute();
    const products = await all();
    assert.deepEqual(rows, [
      { code: "a", price: "1.00", since: products[0]!.createdAt, reason: "withdrawn" },
      { code: "c", price: "1.00", since: products[2]!.createdAt, reason: "withdrawn" },
    ]);
  });
});

onEachFamily("an update: `onUpdate` applies, expressions count on the column", async (t, url) => {
  await shop(t, url, async () => {
    const result = await db
      .updateTable(Product)
      .set((eb) => ({ stock: eb("stock", "+", 2), listed: false, price: "9.9" }))
      .where("code", "=", "a")
      .executeTakeFirstOrThrow();
    assert.equal(result.numUpdatedRows, 1n);
    const [a, b] = await all();
    assert.deepEqual([a!.stock, a!.listed, a!.price], [7, false, "9.90"]);
    assert.ok(a!.changedAt instanceof Date);
    assert.equal(b!.changedAt, null);
    await db.updateTable(Product).set("changedAt", null).execute();
    assert.ok((await all()).every(({ changedAt }) => changedAt === null));
    await assert.rejects(
      db
        .updateTable(Product)
        .set({ price: "x" as never })
        .execute(),
      InvalidValueError,
    );
  });
});

onEachFamily("a delete, and one by a subquery of another table", async (t, url) => {
  await shop(t, url, async () => {
    await db
      .insertInto(sale)
      .values([{ productId: 1, pieces: 1 }])
      .execute();
    const unsold = await db
      .deleteFrom(Product)
      .where("id", "not in", (eb) => eb.selectFrom(sale).select("sale.productId"))
      .executeTakeFirstOrThrow();
    assert.equal(unsold.numDeletedRows, 2n);
    assert.deepEqual(await codes(), ["a"]);
  });
});

onEachFamily("an upsert on each family's words: what is there is updated, with `onUpdate`", async (t, url) => {
  await shop(t, url, async (family) => {
    const insert = db.insertInto(Product).values([
      { code: "a", stock: 1, price: "4" },
      { code: "n", stock: 9 },
    ]);
    if (family === "mysql") {
      await insert
        .onDuplicateKeyUpdate((eb) => ({
          stock: eb("product.stock", "+", eb.fn<number>("values", ["stock"])),
          price: eb.fn("values", ["price"]),
        }))
        .execute();
    } else {
      await insert
        .onConflict((oc) =>
          oc.column("code").doUpdateSet((eb) => ({
            stock: eb("product.stock", "+", eb.ref("excluded.stock")),
            price: eb.ref("excluded.price"),
          })),
        )
        .execute();
    }
    const rows = await all();
    assert.deepEqual(
      rows.map(({ code, stock, price }) => [code, stock, price]),
      [
        ["a", 6, "4.00"],
        ["b", 0, "2.50"],
        ["c", 0, "1.00"],
        ["n", 9, "1.00"],
      ],
    );
    assert.ok(rows[0]!.changedAt instanceof Date);
    assert.equal(rows[3]!.changedAt, null);
    if (family === "mysql") await db.insertInto(Product).ignore().values({ code: "a", stock: 100 }).execute();
    else
      await db
        .insertInto(Product)
        .values({ code: "a", stock: 100 })
        .onConflict((oc) => oc.columns(["code"]).doNothing())
        .execute();
    assert.equal((await all())[0]!.stock, 6);
  });
});

onEachFamily("a conditional upsert leaves newer rows alone", async (t, url, family) => {
  await shop(t, url, async () => {
    const upsert = (stock: number) =>
      family === "mysql"
        ? db
            .insertInto(Product)
            .values({ code: "a", stock })
            .onDuplicateKeyUpdate((eb) => ({ stock: eb.fn<number>("greatest", ["stock", eb.fn("values", ["stock"])]) }))
            .execute()
        : db
            .insertInto(Product)
            .values({ code: "a", stock })
            .onConflict((oc) =>
              oc
                .column("code")
                .doUpdateSet({ stock })
                .where("product.stock", "<", (eb) => eb.ref("excluded.stock")),
            )
            .execute();
    await upsert(2);
    assert.equal((await all())[0]!.stock, 5);
    await upsert(8);
    assert.equal((await all())[0]!.stock, 8);
  });
});

onEachFamily("returning: rows of inserts, updates and deletes, converted", async (t, url) => {
  await shop(t, url, async (family) => {
    const inserted = await db
      .insertInto(Product)
      .values({ code: "r", price: "1.5" })
      .returning(["id", "code", "price", "listed as visible", "createdAt"])
      .executeTakeFirstOrThrow();
    expectTypeOf(inserted).toEqualTypeOf<{
      id: number;
      code: string;
      price: string;
      visible: boolean;
      createdAt: Date;
    }>();
    assert.deepEqual(
      { ...inserted, createdAt: inserted.createdAt instanceof Date },
      { id: 4, code: "r", price: "1.50", visible: true, createdAt: true },
    );
    const update = db.updateTable(Product).set({ listed: false }).where("id", "=", 4).returningAll();
    if (family === "mysql") {
      await assert.rejects(update.execute(), (error: unknown) => {
        assert.ok(error instanceof UnsupportedError);
        assert.match(error.message, /cannot return the rows of an? update/);
        return true;
      });
    } else {
      const [updated] = await update.execute();
      assert.deepEqual([updated!.listed, updated!.price], [false, "1.50"]);
      assert.ok(updated!.changedAt instanceof Date);
    }
    const [deleted] = await db.deleteFrom(Product).where("id", "=", 4).returning(["code", "createdAt"]).execute();
    assert.deepEqual(deleted, { code: "r", createdAt: inserted.createdAt });
  });
});

onEachFamily("replaceInto, where there is one", async (t, url, family) => {
  await shop(t, url, async () => {
    const replace = db.replaceInto(Product).values({ code: "a", stock: 1 });
    if (family === "postgres") {
      await assert.rejects(replace.execute(), UnsupportedError);
      return;
    }
    await replace.execute();
    const row = await db.selectFrom(Product).select(["code", "stock", "price"]).where("code", "=", "a").execute();
    assert.deepEqual(row, [{ code: "a", stock: 1, price: "1.00" }]);
  });
});

onEachFamily(
  "mergeInto: matched rows are updated, others inserted",
  async (t, url) => {
    await shop(t, url, async () => {
      await db
        .insertInto(sale)
        .values([
          { productId: 1, pieces: 2 },
          { productId: 9, pieces: 3 },
        ])
        .execute();
      await db
        .mergeInto(Product)
        .using(sale, "sale.productId", "product.id")
        .whenMatched()
        .thenUpdateSet((eb) => ({ stock: eb("product.stock", "-", eb.ref("sale.pieces")) }))
        .whenNotMatched()
        .thenInsertValues({ code: "m", stock: 1 })
        .execute();
      const rows = await all();
      assert.deepEqual(
        rows.map(({ code, stock }) => [code, stock]),
        [
          ["a", 3],
          ["b", 0],
          ["c", 0],
          ["m", 1],
        ],
      );
      assert.ok(rows[0]!.changedAt instanceof Date);
      assert.ok(rows[3]!.createdAt instanceof Date);
    });
  },
  ["postgres"],
);

onEachFamily("an update from another table", async (t, url, family) => {
  await shop(t, url, async () => {
    await db
      .insertInto(sale)
      .values([{ productId: 1, pieces: 2 }])
      .execute();
    if (family === "mysql") {
      await db
        .updateTable([Product, sale])
        .set((eb) => ({ stock: eb("product.stock", "-", eb.ref("sale.pieces")) }))
        .whereRef("sale.productId", "=", "product.id")
        .execute();
    } else {
      await db
        .updateTable(Product)
        .from(sale)
        .set((eb) => ({ stock: eb("product.stock", "-", eb.ref("sale.pieces")) }))
        .whereRef("sale.productId", "=", "product.id")
        .execute();
    }
    const rows = await all();
    assert.deepEqual(
      rows.map(({ stock }) => stock),
      [3, 0, 0],
    );
    assert.ok(rows[0]!.changedAt instanceof Date);
    assert.equal(rows[1]!.changedAt, null);
  });
});

onEachFamily("statements of Kysely's form make entities stale, and see what is pending", async (t, url) => {
  await shop(t, url, async () => {
    const product = await db.session.getOne(Product, 1);
    product.code = "changed";
    assert.deepEqual(await codes(), ["changed", "b", "c"]);
    await db.updateTable(Product).set({ stock: 77 }).where("id", "=", 1).execute();
    assert.equal((await db.session.getOne(Product, 1)).stock, 77);
    assert.equal(product.stock, 77);
  });
});

onEachFamily("an insert of what common table expressions give", async (t, url) => {
  await shop(t, url, async () => {
    const moving = db
      .with("cheap", (qb) => qb.selectFrom(Product).select(["code", "price", "createdAt"]).where("price", "<", "2"))
      .insertInto(old)
      .columns(["code", "price", "since"])
      .expression((eb) => eb.selectFrom("cheap").select(["code", "price", "createdAt"]));
    await moving.execute();
    const products = await all();
    assert.deepEqual(await db.selectFrom(old).select(["code", "price", "since", "reason"]).orderBy("id").execute(), [
      { code: "a", price: "1.00", since: products[0]!.createdAt, reason: "withdrawn" },
      { code: "c", price: "1.00", since: products[2]!.createdAt, reason: "withdrawn" },
    ]);
  });
});

onEachFamily(
  "writes within common table expressions, on models and tables",
  async (t, url) => {
    await shop(t, url, async () => {
      const moved = await db
        .with("gone", (qb) =>
          qb.deleteFrom(Product).where("listed", "=", false).returning(["code", "price", "createdAt"]),
        )
        .with("kept", (qb) =>
          qb
            .insertInto(old)
            .columns(["code", "price", "since", "reason"])
            .expression((eb) =>
              eb
                // The tables of the statement around are not among the types here.
                .selectFrom(sql<{ code: string; price: string; createdAt: Date }>`gone`.as("gone"))
                .select(["gone.code", "gone.price", "gone.createdAt", eb.val("moved").as("reason")]),
            )
            .returning(["code", "since", "price"]),
        )
        .selectFrom("kept")
        .selectAll()
        .execute();
      assert.deepEqual(
        moved.map(({ code, price, since }) => [code, price, since instanceof Date]),
        [["b", "2.50", true]],
      );
      assert.deepEqual(await codes(), ["a", "c"]);
    });
  },
  ["postgres"],
);

onEachFamily("undefined among the new values of an update is an error, in every form", async (t, url) => {
  await shop(t, url, async () => {
    const refused = (run: () => unknown) =>
      assert.throws(run, (error) => error instanceof UndefinedValueError && error.column === "price");
    refused(() => db.updateTable(Product).set({ code: "x", price: undefined }));
    refused(() => db.updateTable(Product).set(() => ({ price: undefined })));
    refused(() =>
      db
        .insertInto(Product)
        .values({ code: "a" })
        .onConflict((conflict) => conflict.column("code").doUpdateSet({ price: undefined })),
    );
    refused(() => db.insertInto(Product).values({ code: "a" }).onDuplicateKeyUpdate({ price: undefined }));
    await assert.rejects(
      async () =>
        db
          .updateTable(Product)
          .set("price", undefined as never)
          .execute(),
      UndefinedValueError,
    );
    await db.insertInto(Product).values({ code: "d", price: undefined }).execute();
    assert.equal((await db.select(Product).where({ code: "d" }).one()).price, "1.00", "not given, in a new row");
  });
});
