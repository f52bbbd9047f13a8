import assert from "node:assert/strict";
import fc from "fast-check";
import {
  bigint,
  binary,
  boolean,
  enumeration,
  float,
  InvalidCursorError,
  InvalidValueError,
  integer,
  json,
  Multibind,
  NotFoundError,
  numeric,
  type Select,
  sql,
  text,
  timestamp,
  UnsupportedError,
  uuid,
  varchar,
} from "../../src/index.ts";
import { KeysetPage } from "../../src/query/keyset/keyset.ts";
import { onEachFamily, record, sessionOf, start } from "../fixtures/matrix.ts";

const db = new Multibind();
class Row extends db.model("row_of_feed", {
  id: integer().primaryKey(),
  name: varchar(20).named("row_name"),
  rank: integer().nullable(),
  price: numeric(8, 2).nullable(),
  big: bigint(),
  ratio: float(),
  at: timestamp().nullable().named("created_at"),
  open: boolean(),
  token: uuid(),
  bytes: binary().nullable(),
  data: json<number[]>(),
}) {}
class Note extends db.model("note", { id: integer().primaryKey(), rowId: integer(), body: text() }) {}
class Pair extends db.model("pair", { a: integer().primaryKey(), b: integer().primaryKey(), name: text() }) {}
class Shape extends db.model(
  "shape",
  { id: integer().primaryKey(), kind: enumeration(["circle", "square"]), name: text() },
  { discriminator: "kind" },
) {}
class Square extends Shape.extend({ side: integer() }, { identity: "square" }) {
  static {
    db.register(Square);
  }
}
class Circle extends Shape.extend(
  "circle",
  { id: integer().primaryKey().references("shape.id"), radius: integer() },
  { identity: "circle" },
) {
  static {
    db.register(Circle);
  }
}

const ROWS = 40;
const few = <T>(values: readonly T[], index: number): T => values[index % values.length]!;

async function filled(t: Parameters<typeof start>[0], url: string) {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  for (let id = 1; id <= ROWS; id++) {
    session.add(
      new Row({
        id,
        name: few(["a", "B", "b", "ä", "it's", ""], id * 7),
        rank: few([1, null, 2, 3, null, -1], id * 5),
        price: few(["1.00", "10.00", null, "9.50", "-3.00"], id * 3),
        big: few([9007199254740993n, 9007199254740992n, -5n], id),
        ratio: few([0.1, 0.30000000000000004, -2.5, 1e300], id * 3),
        at: few([new Date("2026-01-01T00:00:00.125Z"), null, new Date("2026-01-01T00:00:00.126Z")], id),
        open: id % 3 === 0,
        token: few(["00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-000000000009"], id),
        bytes: few([new Uint8Array([1, 255]), new Uint8Array([]), null], id * 2),
        data: [id],
      }),
    );
    if (id % 4 === 0) session.addAll([new Note({ rowId: id, body: "x" }), new Note({ rowId: id, body: `y${id % 3}` })]);
    session.add(new Pair({ a: id % 5, b: id, name: few(["p", "q"], id) }));
  }
  session.addAll([1, 2, 3, 4].map((side) => new Square({ name: `s${side % 2}`, side })));
  session.addAll([1, 2, 3].map((radius) => new Circle({ name: `s${radius % 2}`, radius })));
  await session.commit();
  return { app, session };
}

/** A select as these tests read it. */
interface Feed<E> {
  all(): Promise<E[]>;
  keyset(options: { after?: string | null; before?: string | null; perPage: number }): Promise<KeysetPage<E>>;
}

async function forwards<E>(feed: Feed<E>, perPage: number): Promise<E[]> {
  const seen: E[] = [];
  for (let after: string | null = null, page = 0; ; page++) {
    const { items, next, previous } = await feed.keyset({ after, perPage });
    assert.ok(items.length <= perPage && page <= 300);
    assert.equal(previous === null, page === 0 || items.length === 0);
    seen.push(...items);
    if (next === null) return seen;
    assert.equal(items.length, perPage, "only the last page is short");
    after = next;
  }
}

async function backwards<E>(feed: Feed<E>, from: string, perPage: number): Promise<E[]> {
  const seen: E[] = [];
  for (let before: string | null = from; before !== null; ) {
    const page: KeysetPage<E> = await feed.keyset({ before, perPage });
    seen.unshift(...page.items);
    before = page.previous;
  }
  return seen;
}

const COLUMNS = ["name", "rank", "price", "big", "ratio", "at", "open", "token", "bytes"] as const;
const orders = fc.uniqueArray(
  fc.record({ column: fc.constantFrom(...COLUMNS), direction: fc.constantFrom("asc" as const, "desc" as const) }),
  { maxLength: 3, selector: ({ column }) => column },
);

onEachFamily("all pages together are all rows, each once and in order, whichever way they are read", async (t, url) => {
  const { session } = await filled(t, url);
  await fc.assert(
    fc.asyncProperty(orders, fc.integer({ min: 1, max: 17 }), fc.boolean(), async (order, perPage, all) => {
      let select = all ? session.select(Row) : session.select(Row).where("id", ">", 10).where("open", "=", false);
      for (const { column, direction } of order) select = select.orderBy(column, direction);
      const last = order.at(-1)?.direction ?? "asc";
      const wanted = await select.orderBy("id", last).pluck("id");
      assert.deepEqual(
        (await forwards(select, perPage)).map(({ id }) => id),
        wanted,
      );
      const end = (await select.keyset({ perPage: 100 })).items.length;
      assert.equal(end, wanted.length);
      const { next } = await select.keyset({ perPage: end - 1 });
      assert.deepEqual(
        (await backwards(select, next!, perPage)).map(({ id }) => id),
        wanted.slice(0, -2),
      );
    }),
    { numRuns: 40 },
  );
});

onEachFamily("null has the place that the select says", async (t, url, family) => {
  const { session } = await filled(t, url);
  if (family === "mysql") return;
  for (const nulls of ["nullsFirst", "nullsLast"] as const) {
    for (const direction of ["asc", "desc"] as const) {
      const select = session.select(Row).orderBy("rank", (order) => order[direction]()[nulls]());
      const wanted = await select.orderBy("id", direction).pluck("id");
      assert.deepEqual(
        (await forwards(select, 7)).map(({ id }) => id),
        wanted,
        `${nulls} ${direction}`,
      );
      const { next } = await select.keyset({ perPage: ROWS - 1 });
      assert.deepEqual(
        (await backwards(select, next!, 7)).map(({ id }) => id),
        wanted.slice(0, -2),
      );
    }
  }
});

onEachFamily("rows of joins have places too", async (t, url) => {
  const { session } = await filled(t, url);
  const joined = session.select(Row).leftJoin(Note, "note.rowId", "row_of_feed.id");
  const byNote = joined.orderBy("note.body", "desc").orderBy("row_of_feed.rank");
  const wanted = await byNote.orderBy("row_of_feed.id").orderBy("note.id").pluck("row_of_feed.id");
  assert.deepEqual(
    (await forwards(byNote, 6)).map(({ id }) => id),
    wanted,
  );
  const distinct = session.select(Row).innerJoin(Note, "note.rowId", "row_of_feed.id").distinct().orderBy("name");
  assert.equal((await forwards(distinct, 3)).length, ROWS / 4);
  const distinctPairs = session
    .select(Row)
    .joinAndSelect(Note, "note.rowId", "row_of_feed.id")
    .distinct()
    .orderBy("note.body");
  assert.equal((await forwards(distinctPairs, 3)).length, ROWS / 2);
  const together = session.select(Row).leftJoinAndSelect(Note, "note.rowId", "row_of_feed.id").orderBy("name", "desc");
  const pairs = await together.orderBy("row_of_feed.id", "desc").orderBy("note.id", "desc").all();
  assert.deepEqual(await forwards(together, 5), pairs);
  const rows = session
    .select(Row)
    .innerJoin(Note, "note.rowId", "row_of_feed.id")
    .select(["row_of_feed.name", "note.body as text", "row_of_feed.at"])
    .orderBy("note.body");
  assert.deepEqual(await forwards(rows, 4), await rows.orderBy("row_of_feed.id").orderBy("note.id").all());
});

onEachFamily("composite keys and families of models have places", async (t, url) => {
  const { session } = await filled(t, url);
  const pairs = session.select(Pair).orderBy("name", "desc").orderBy("b");
  assert.deepEqual(await forwards(pairs, 7), await pairs.orderBy("a").all());
  assert.deepEqual(await forwards(session.select(Pair), 9), await session.select(Pair).orderBy("a").orderBy("b").all());
  const shapes = session.select(Shape).orderBy("name", "desc");
  const all = await forwards(shapes, 2);
  assert.deepEqual(all, await shapes.orderBy("id", "desc").all());
  assert.equal(all.filter((shape) => shape instanceof Circle).length, 3);
  const circles = session.select(Circle).orderBy("radius", "desc");
  assert.deepEqual(
    (await forwards(circles, 2)).map(({ radius }) => radius),
    [3, 2, 1],
  );
  const squares = session.select(Square).orderBy("side", "desc");
  assert.deepEqual(
    (await forwards(squares, 3)).map(({ side }) => side),
    [4, 3, 2, 1],
  );
});

onEachFamily("rows that come and go do not move the others", async (t, url) => {
  const { session } = await filled(t, url);
  const feed = session.select(Row).where("id", "<=", 6).orderBy("id", "desc");
  const first = await feed.keyset({ perPage: 2 });
  assert.ok(first instanceof KeysetPage);
  assert.deepEqual(
    [...first].map(({ id }) => id),
    [6, 5],
  );
  await session.select(Row).where("id", "in", [6, 5]).delete();
  const second = await feed.keyset({ perPage: 2, after: first.next });
  assert.deepEqual(
    [...second].map(({ id }) => id),
    [4, 3],
  );
  const back = await feed.keyset({ perPage: 2, before: second.previous });
  assert.deepEqual([[...back], back.previous, typeof back.next], [[], null, "object"]);
});

onEachFamily("entities and rows have nothing but their own columns", async (t, url) => {
  const { app, session } = await filled(t, url);
  const sent = record(app);
  const [row] = (await session.select(Row).orderBy("rank").keyset({ perPage: 1 })).items;
  assert.equal(sent.length, 1, "one statement");
  assert.deepEqual(Object.keys(row!), [...Object.keys(Row.columns)]);
  assert.equal(session.isModified(row!), false);
  assert.equal(await session.get(Row, row!.id), row);
  const page = await session.select(Row).select(["id"]).keyset({ perPage: "2" });
  assert.deepEqual(page.items, [{ id: 1 }, { id: 2 }]);
  assert.equal((await session.select(Row).keyset({ perPage: 1000, maxPerPage: 5 })).items.length, 5);
  assert.equal((await session.select(Row).keyset()).items.length, 20);
});

onEachFamily("an invalid cursor, or one of another order, is refused before anything is sent", async (t, url) => {
  const { app, session } = await filled(t, url);
  const byName = session.select(Row).orderBy("name");
  const { next } = await byName.keyset({ perPage: 3 });
  const content = JSON.parse(Buffer.from(next!, "base64url").toString()) as unknown[];
  const forged = (values: readonly unknown[]) => Buffer.from(JSON.stringify(values)).toString("base64url");
  assert.equal((await byName.keyset({ after: forged(content), perPage: 3 })).items.length, 3);
  const sent = record(app);
  const wrong = [
    "",
    "x",
    "%",
    "bm90IGpzb24",
    forged([]),
    forged([content[0]]),
    forged([...content, "1"]),
    forged([content[0], "a", "one"]),
    forged([content[0], "a", null]),
    forged([content[0], "a", 1]),
    forged([content[0], { x: 1 }, "1"]),
    forged([content[0], "x".repeat(21), "1"]),
    `${next}'; drop table note`,
  ];
  for (const cursor of wrong) {
    const refused = (error: unknown) =>
      error instanceof InvalidCursorError && error.status === 400 && error.code === "INVALID_CURSOR";
    await assert.rejects(byName.keyset({ after: cursor }), refused, cursor);
    await assert.rejects(byName.keyset({ before: cursor }), refused, cursor);
  }
  await assert.rejects(session.select(Row).orderBy("name", "desc").keyset({ after: next }), InvalidCursorError);
  await assert.rejects(session.select(Row).orderBy("token").keyset({ after: next }), InvalidCursorError);
  await assert.rejects(byName.keyset({ after: next, before: next }), InvalidValueError);
  await assert.rejects(byName.keyset({ perPage: "x" }), NotFoundError);
  assert.deepEqual(sent, []);
});

onEachFamily("what tells no place is refused, with the reason", async (t, url) => {
  const { session } = await filled(t, url);
  const rows = session.select(Row);
  const wrong: [Pick<Select<never, never, unknown, null, unknown>, "keyset">, RegExp][] = [
    [rows.orderBy(sql`1`) as never, /ordered by an expression/],
    [rows.orderBy((eb) => eb.fn("lower", ["name"])) as never, /ordered by an expression/],
    [rows.orderBy("data") as never, /a column of type json/],
    [rows.limit(3) as never, /a limit/],
    [rows.offset(3) as never, /a limit/],
    [rows.select("name").groupBy("name") as never, /groups/],
    [rows.select("name").distinct() as never, /distinct/],
    [rows.select("name as other").orderBy("other") as never, /ordered by "other" as it was selected/],
    [rows.select((eb) => eb.fn.max("rank").as("name")).orderBy("name") as never, /as it was selected/],
    [
      rows.innerJoin(Note, "note.rowId", "row_of_feed.id").distinct().orderBy("note.body") as never,
      /"body", which is no column of the rows' tables/,
    ],
  ];
  for (const [select, reason] of wrong) {
    await assert.rejects(
      select.keyset(),
      (error: Error) => error instanceof UnsupportedError && reason.test(error.message),
      String(reason),
    );
  }
});
