import assert from "node:assert/strict";
import { expectTypeOf } from "expect-type";
import { jsonArrayFrom as postgresArray, jsonObjectFrom as postgresObject } from "kysely/helpers/postgres";
import { jsonArrayFrom as sqliteArray, jsonObjectFrom as sqliteObject } from "kysely/helpers/sqlite";
import {
  boolean,
  integer,
  json,
  Multibind,
  numeric,
  sql,
  text,
  timestamp,
  typed,
  uuid,
  varchar,
} from "../../src/index.ts";
import { onEachFamily, sessionOf, start } from "../fixtures/matrix.ts";

const db = new Multibind();

class Author extends db.model("author", {
  id: integer().primaryKey(),
  name: varchar(40).named("full_name"),
  active: boolean().default(true),
  born: timestamp().nullable().named("born_at"),
  mentorId: integer().nullable().named("mentor_id"),
}) {}

class Book extends db.model("book", {
  id: integer().primaryKey(),
  authorId: integer().named("author_id"),
  title: text(),
  price: numeric(8, 2),
  sold: boolean().default(false),
  at: timestamp().named("published_at"),
  tags: json<string[]>().default([]),
  key: uuid().nullable(),
}) {}

/** A table, not a model: both stand wherever Kysely takes a table. */
const archive = db.table("archive", {
  id: integer().primaryKey(),
  title: text().named("book_title"),
  at: timestamp().named("stored_at"),
});

const DAY = 86_400_000;
const MAY = new Date("2026-05-01T00:00:00.000Z");
const day = (days: number) => new Date(MAY.getTime() + days * DAY);
const KEY = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6";

/** Runs a function in a context in which three authors have five books. */
async function library(
  t: Parameters<typeof start>[0],
  url: string,
  run: (family: "sqlite" | "postgres" | "mysql") => Promise<void>,
): Promise<void> {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  session.addAll([
    new Author({ id: 1, name: "ada", born: MAY }),
    new Author({ id: 2, name: "bob", active: false, mentorId: 1 }),
    new Author({ id: 3, name: "eve", mentorId: 2, born: day(1) }),
  ]);
  await session.flush();
  session.addAll([
    new Book({ id: 1, authorId: 1, title: "a1", price: "9.50", at: day(0), tags: ["x"], key: KEY }),
    new Book({ id: 2, authorId: 1, title: "a2", price: "100", sold: true, at: day(1) }),
    new Book({ id: 3, authorId: 1, title: "a3", price: "20", at: day(2) }),
    new Book({ id: 4, authorId: 2, title: "b1", price: "5", sold: true, at: day(3) }),
    new Book({ id: 5, authorId: 2, title: "b2", price: "7.25", at: day(4) }),
  ]);
  await session.flush();
  await session
    .insertInto(archive)
    .values({ id: 1, title: "old", at: day(-100) })
    .execute();
  await session.commit();
  await app.run(() => run(app.engine.family.name));
}

onEachFamily("joins: columns of both sides are converted, also under an alias", async (t, url) => {
  await library(t, url, async () => {
    const rows = await db
      .selectFrom(Book)
      .innerJoin(Author, "author.id", "book.authorId")
      .select(["book.title", "author.active", "author.born as birthday", "book.at"])
      .where("author.born", "=", MAY)
      .where("book.sold", "=", true)
      .execute();
    expectTypeOf(rows).toEqualTypeOf<{ title: string; active: boolean; birthday: Date | null; at: Date }[]>();
    assert.deepEqual(rows, [{ title: "a2", active: true, birthday: MAY, at: day(1) }]);

    const none = await db
      .selectFrom(Author)
      .leftJoin(Book, (join) => join.onRef("book.authorId", "=", "author.id").on("book.price", ">", "50"))
      .select(["author.id", "book.sold", "book.at", "book.tags"])
      .orderBy("author.id")
      .execute();
    expectTypeOf(none).toEqualTypeOf<{ id: number; sold: boolean | null; at: Date | null; tags: string[] | null }[]>();
    assert.deepEqual(none, [
      { id: 1, sold: true, at: day(1), tags: [] },
      { id: 2, sold: null, at: null, tags: null },
      { id: 3, sold: null, at: null, tags: null },
    ]);
  });
});

onEachFamily("a model joined with itself, models inside callbacks", async (t, url) => {
  await library(t, url, async () => {
    const rows = await db
      .selectFrom(Author)
      .innerJoin(
        (eb) =>
          eb.selectFrom(Author).select(["author.id as mid", "author.name as mentor", "author.born as since"]).as("m"),
        (join) => join.onRef("m.mid", "=", "author.mentorId"),
      )
      .select((eb) => [
        "author.name",
        "m.mentor",
        "m.since",
        eb
          .selectFrom(Book)
          .select((inner) => inner.fn.max("book.at").as("last"))
          .whereRef("book.authorId", "=", "author.id")
          .as("last"),
        eb.exists(eb.selectFrom(Book).select("book.id").whereRef("book.authorId", "=", "author.id")).as("wrote"),
      ])
      .orderBy("author.id")
      .execute();
    assert.deepEqual(
      rows.map(({ wrote, ...row }) => ({ ...row, wrote: Boolean(wrote) })),
      [
        { name: "bob", mentor: "ada", since: MAY, last: day(4), wrote: true },
        { name: "eve", mentor: "bob", since: null, last: null, wrote: false },
      ],
    );
  });
});

onEachFamily("subqueries in from, where and select keep the columns' types", async (t, url) => {
  await library(t, url, async () => {
    const recent = db.selectFrom(Book).selectAll().where("at", ">=", day(2)).as("recent");
    assert.deepEqual(
      await db
        .selectFrom(recent)
        .select(["recent.title", "recent.sold", "recent.at", "recent.price"])
        .orderBy("recent.id")
        .execute(),
      [
        { title: "a3", sold: false, at: day(2), price: "20.00" },
        { title: "b1", sold: true, at: day(3), price: "5.00" },
        { title: "b2", sold: false, at: day(4), price: "7.25" },
      ],
    );
    const last = await db
      .selectFrom(Book)
      .select(["id", "at"])
      .where("at", "=", (eb) => eb.selectFrom(Book).select((inner) => inner.fn.max("book.at").as("last")))
      .execute();
    assert.deepEqual(last, [{ id: 5, at: day(4) }]);
    const written = await db
      .selectFrom(Author)
      .select("id")
      .where("id", "in", (eb) => eb.selectFrom(Book).select("authorId").where("sold", "=", true))
      .orderBy("id")
      .execute();
    assert.deepEqual(written, [{ id: 1 }, { id: 2 }]);
  });
});

onEachFamily("common table expressions: one after the other, joined, with their own column names", async (t, url) => {
  await library(t, url, async () => {
    const rows = await db
      .with("sales", (qb) => qb.selectFrom(Book).select(["authorId", "price", "at"]).where("sold", "=", true))
      .with("last", (qb) =>
        qb
          .selectFrom("sales")
          .select((eb) => ["authorId", eb.fn.max("at").as("at")])
          .groupBy("authorId"),
      )
      .selectFrom("last")
      .innerJoin(Author, "author.id", "last.authorId")
      .select(["author.name", "last.at", "author.active"])
      .orderBy("author.name")
      .execute();
    assert.deepEqual(rows, [
      { name: "ada", at: day(1), active: true },
      { name: "bob", at: day(3), active: false },
    ]);
    const renamed = await db
      .with("t(number, moment)", (qb) =>
        qb.selectFrom(Book).select(["id as number", "at as moment"]).where("id", "<", 3),
      )
      .selectFrom("t")
      .selectAll()
      .orderBy("number", "desc")
      .execute();
    assert.deepEqual(renamed, [
      { number: 2, moment: day(1) },
      { number: 1, moment: day(0) },
    ]);
  });
});

onEachFamily("a recursive common table expression", async (t, url) => {
  await library(t, url, async () => {
    const rows = await db
      .withRecursive("chain", (qb) =>
        qb
          .selectFrom(Author)
          .select(["author.id", "author.name", "author.born", "author.mentorId"])
          .where("author.name", "=", "eve")
          .unionAll((eb) =>
            eb
              .selectFrom("chain")
              .innerJoin(Author, "author.id", "chain.mentorId")
              .select(["author.id", "author.name", "author.born", "author.mentorId"]),
          ),
      )
      .selectFrom("chain")
      .select(["name", "born"])
      .orderBy("id", "desc")
      .execute();
    assert.deepEqual(rows, [
      { name: "eve", born: day(1) },
      { name: "bob", born: null },
      { name: "ada", born: MAY },
    ]);
  });
});

onEachFamily("set operations over models and tables with renamed columns", async (t, url) => {
  await library(t, url, async () => {
    const all = await db
      .selectFrom(Book)
      .select(["title", "at"])
      .where("id", "<", 3)
      .unionAll(db.selectFrom(archive).select(["title", "at"]))
      .orderBy("at")
      .execute();
    assert.deepEqual(all, [
      { title: "old", at: day(-100) },
      { title: "a1", at: day(0) },
      { title: "a2", at: day(1) },
    ]);
    const sold = db.selectFrom(Book).select("authorId as id").where("sold", "=", true);
    assert.deepEqual(await db.selectFrom(Author).select("id").intersect(sold).orderBy("id").execute(), [
      { id: 1 },
      { id: 2 },
    ]);
    assert.deepEqual(await db.selectFrom(Author).select("id").except(sold).execute(), [{ id: 3 }]);
  });
});

onEachFamily("window functions, aggregates with filters, grouping", async (t, url, family) => {
  await library(t, url, async () => {
    const ranked = await db
      .selectFrom(Book)
      .select((eb) => [
        "id",
        eb.fn
          .agg<number>("row_number")
          .over((over) => over.partitionBy("authorId").orderBy("price", "desc"))
          .as("place"),
        eb.fn
          .max("at")
          .over((over) => over.partitionBy("authorId"))
          .as("last"),
        typed(
          eb.fn.agg<Date | null>("lag", ["at"]).over((over) => over.orderBy("id")),
          timestamp().nullable(),
        ).as("before"),
      ])
      .orderBy("id")
      .execute();
    assert.deepEqual(
      ranked.map((row) => ({ ...row, place: Number(row.place) })),
      [
        { id: 1, place: 3, last: day(2), before: null },
        { id: 2, place: 1, last: day(2), before: day(0) },
        { id: 3, place: 2, last: day(2), before: day(1) },
        { id: 4, place: 2, last: day(4), before: day(2) },
        { id: 5, place: 1, last: day(4), before: day(3) },
      ],
    );
    const grouped = db
      .selectFrom(Book)
      .select((eb) => [
        "authorId",
        typed(eb.fn.countAll(), integer()).as("books"),
        typed(eb.fn.sum(eb.case().when("sold", "=", true).then(1).else(0).end()), integer()).as("sold"),
        eb.fn.min("at").as("first"),
      ])
      .groupBy("authorId")
      .having((eb) => eb.fn.max("at"), ">", day(2))
      .orderBy("authorId");
    assert.deepEqual(await grouped.execute(), [{ authorId: 2, books: 2, sold: 1, first: day(3) }]);
    if (family === "mysql") return;
    const filtered = await db
      .selectFrom(Book)
      .select((eb) => typed(eb.fn.countAll().filterWhere("at", "<", day(2)), integer()).as("early"))
      .execute();
    assert.deepEqual(filtered, [{ early: 2 }]);
  });
});

onEachFamily("computed values are the driver's, or what `typed` says", async (t, url) => {
  await library(t, url, async () => {
    const [row] = await db
      .selectFrom(Book)
      .select((eb) => [
        typed(sql`coalesce(${eb.ref("key")}, ${KEY})`, uuid()).as("key"),
        typed(sql<string>`${eb.ref("published_at" as never)}`, timestamp()).as("at"),
        typed(eb("price", ">", "9"), boolean()).as("dear"),
        eb.fn.coalesce("key", eb.val(KEY)).as("either"),
      ])
      .where("id", "=", 2)
      .execute();
    assert.deepEqual(row, { key: KEY, at: day(1), dear: true, either: KEY });
    const [{ found }] = (await db
      .selectFrom(Book)
      .select((eb) => typed(eb.fn.countAll(), integer()).as("found"))
      .where((eb) => eb(typed(sql`published_at`, timestamp()), ">=", day(3)))
      .execute()) as [{ found: number }];
    assert.equal(found, 2);
  });
});

onEachFamily("an empty list is in nothing", async (t, url) => {
  await library(t, url, async () => {
    assert.deepEqual(await db.selectFrom(Author).select("id").where("id", "in", []).execute(), []);
    assert.equal((await db.selectFrom(Author).select("id").where("id", "not in", []).execute()).length, 3);
    assert.equal((await db.selectFrom(Author).select("id").where("mentorId", "not in", []).execute()).length, 3);
    const combined = await db
      .selectFrom(Author)
      .select("id")
      .where((eb) => eb.or([eb("name", "in", []), eb.not(eb("id", "in", [])).and("id", "=", 2)]))
      .execute();
    assert.deepEqual(combined, [{ id: 2 }]);
    const counted = await db
      .selectFrom(Author)
      .select((eb) => ["id", eb.case().when("id", "in", []).then("yes").else("no").end().as("chosen")])
      .where("id", "=", 1)
      .execute();
    assert.deepEqual(counted, [{ id: 1, chosen: "no" }]);
  });
});

onEachFamily(
  "Kysely's JSON helpers, their text read by `typed`",
  async (t, url, family) => {
    const [jsonArrayFrom, jsonObjectFrom] =
      family === "sqlite" ? [sqliteArray, sqliteObject] : [postgresArray, postgresObject];
    await library(t, url, async () => {
      const rows = await db
        .selectFrom(Author)
        .select((eb) => [
          "author.name",
          typed(
            jsonArrayFrom(
              eb
                .selectFrom(Book)
                .select(["book.id", "book.title"])
                .whereRef("book.authorId", "=", "author.id")
                .orderBy("book.id"),
            ),
            json<{ id: number; title: string }[]>(),
          ).as("books"),
          typed(
            jsonObjectFrom(
              eb
                .selectFrom(Book)
                .select(["book.title"])
                .whereRef("book.authorId", "=", "author.id")
                .orderBy("book.id", "desc")
                .limit(1),
            ),
            json<{ title: string } | null>().nullable(),
          ).as("last"),
        ])
        .orderBy("author.id", "desc")
        .limit(2)
        .execute();
      assert.deepEqual(rows, [
        { name: "eve", books: [], last: null },
        {
          name: "bob",
          books: [
            { id: 4, title: "b1" },
            { id: 5, title: "b2" },
          ],
          last: { title: "b2" },
        },
      ]);
    });
  },
  ["sqlite", "postgres"],
);

onEachFamily("$if, $call, dynamic and reusable parts", async (t, url) => {
  await library(t, url, async () => {
    const search = (wanted: { title?: string; sold?: boolean }) =>
      db
        .selectFrom(Book)
        .select("id")
        .$if(wanted.title !== undefined, (qb) => qb.where("title", "like", `${wanted.title}%`))
        .$if(wanted.sold !== undefined, (qb) => qb.where("sold", "=", wanted.sold!))
        .orderBy("id")
        .execute();
    assert.deepEqual(await search({ title: "a", sold: false }), [{ id: 1 }, { id: 3 }]);
    assert.equal((await search({})).length, 5);
    assert.deepEqual(await db.selectFrom(Book).select("id").orderBy(sql.ref("price"), "desc").limit(2).execute(), [
      { id: 2 },
      { id: 3 },
    ]);
    const seen: unknown[] = [];
    for await (const row of db.selectFrom(Book).select(["id", "sold"]).orderBy("id").stream(2)) seen.push(row);
    assert.equal(seen.length, 5);
    assert.deepEqual(seen[0], { id: 1, sold: false });
    const one = await db.selectFrom(Book).select("at").where("id", "=", 1).executeTakeFirstOrThrow();
    assert.deepEqual(one, { at: day(0) });
  });
});

onEachFamily(
  "values of no table, a recursion after a plain `with`, and how an expression is kept",
  async (t, url, family) => {
    await library(t, url, async () => {
      assert.deepEqual(await db.selectNoFrom((eb) => typed(eb.val(2), integer()).as("two")).execute(), [{ two: 2 }]);
      const days = await db
        .with("bounds", (qb) => qb.selectFrom(Book).select((eb) => eb.fn.max("id").as("last")))
        .withRecursive("numbers(n)", (qb) =>
          qb
            .selectNoFrom((eb) => eb.lit(1).as("n"))
            .unionAll(
              qb
                .selectFrom("numbers")
                .select((eb) => eb("n", "+", eb.lit(1)).as("n"))
                .where("n", "<", 5),
            ),
        )
        .selectFrom("numbers")
        .innerJoin("bounds", (join) => join.onTrue())
        .leftJoin(Book, "book.id", "numbers.n")
        .select(["numbers.n", "book.title", "bounds.last"])
        .orderBy("numbers.n")
        .execute();
      assert.deepEqual(
        days.map((row) => ({ ...row, n: Number(row.n) })),
        ["a1", "a2", "a3", "b1", "b2"].map((title, index) => ({ n: index + 1, title, last: 5 })),
      );
      if (family === "mysql") return;
      const kept = await db
        .with(
          (cte) => cte("dear").materialized(),
          (qb) => qb.selectFrom(Book).select(["title", "at"]).where("price", ">", "50"),
        )
        .selectFrom("dear")
        .selectAll()
        .execute();
      expectTypeOf(kept).toEqualTypeOf<{ title: string; at: Date }[]>();
      assert.deepEqual(kept, [{ title: "a2", at: day(1) }]);
    });
  },
);
