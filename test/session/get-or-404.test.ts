import assert from "node:assert/strict";
import {
  bigint,
  date,
  enumeration,
  InvalidValueError,
  integer,
  Multibind,
  NotFoundError,
  numeric,
  smallint,
  uuid,
  varchar,
} from "../../src/index.ts";
import { onEachFamily, record, sessionOf, start } from "../fixtures/matrix.ts";

const db = new Multibind();
class ByInteger extends db.model("by_integer", { id: integer().primaryKey() }) {}
class BySmallint extends db.model("by_smallint", { id: smallint().primaryKey() }) {}
class ByBigint extends db.model("by_bigint", { id: bigint().primaryKey() }) {}
class ByUuid extends db.model("by_uuid", { id: uuid().primaryKey() }) {}
class ByText extends db.model("by_text", { id: varchar(5).primaryKey() }) {}
class ByDate extends db.model("by_date", { id: date().primaryKey() }) {}
class ByNumeric extends db.model("by_numeric", { id: numeric(6, 2).primaryKey() }) {}
class ByKind extends db.model("by_kind", { id: enumeration(["a", "b"]).primaryKey() }) {}
class ByTwo extends db.model("by_two", { left: integer().primaryKey(), right: uuid().primaryKey() }) {}

const ID = "11111111-2222-3333-4444-555555555555";

/** Keys that no row can have, as they come with requests. */
const IMPOSSIBLE: readonly (readonly [model: unknown, keys: readonly unknown[]])[] = [
  [ByInteger, [2 ** 31, -(2 ** 31) - 1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "abc", "1", "", true, [1], 1n]],
  [BySmallint, [40_000, "x"]],
  [ByBigint, [2n ** 63n, "1", 1.5]],
  [ByUuid, ["not-a-uuid", `${ID}0`, 7, ""]],
  [ByText, ["too long", "\0", 5, "\ud800"]],
  [ByDate, ["2026-02-30", "yesterday"]],
  [ByNumeric, ["12345.67", "1.234", "x"]],
  [ByKind, ["c", 1]],
  [
    ByTwo,
    [
      { left: Number.NaN, right: ID },
      { left: 1, right: "x" },
    ],
  ],
];

/** Keys that a program makes, not a request. */
const MISTAKEN: readonly (readonly [model: unknown, keys: readonly unknown[]])[] = [
  [ByInteger, [undefined, null]],
  [ByTwo, [1, undefined, { left: 1 }, { left: 1, right: ID, third: 1 }, { left: undefined, right: ID }]],
];

onEachFamily("a key that no row can have is a 404, and nothing is sent", async (t, url) => {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const sent = record(app);
  for (const [model, keys] of IMPOSSIBLE) {
    for (const key of keys) {
      const what = `${(model as { name: string }).name} ${String(typeof key === "object" ? JSON.stringify(key) : key)}`;
      await assert.rejects(
        session.getOr404(model as typeof ByInteger, key as number, { description: "gone" }),
        (error) => error instanceof NotFoundError && error.status === 404 && error.message === "gone",
        what,
      );
      await assert.rejects(session.get(model as typeof ByInteger, key as number), InvalidValueError, what);
    }
  }
  for (const [model, keys] of MISTAKEN) {
    for (const key of keys) {
      await assert.rejects(session.getOr404(model as typeof ByInteger, key as number), InvalidValueError);
    }
  }
  assert.deepEqual(sent, []);
});

onEachFamily("a key that a row has is found as before", async (t, url) => {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  session.addAll([new ByUuid({ id: ID }), new ByTwo({ left: 1, right: ID }), new ByNumeric({ id: "1.50" })]);
  await session.commit();
  const other = sessionOf(app);
  assert.equal((await other.getOr404(ByUuid, ID.toUpperCase())).id, ID);
  assert.equal((await other.getOr404(ByTwo, { left: 1, right: ID })).left, 1);
  assert.equal((await other.getOr404(ByNumeric, "1.5")).id, "1.50");
  await assert.rejects(other.getOr404(ByInteger, 5), NotFoundError);
});
