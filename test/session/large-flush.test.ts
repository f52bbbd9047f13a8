import assert from "node:assert/strict";
import { integer, Multibind, sql, varchar } from "../../src/index.ts";
import { onEachFamily, record, sessionOf, start } from "../fixtures/matrix.ts";

const ROWS = 20_000;

const db = new Multibind();
class Line extends db.model("large_line", {
  id: integer().primaryKey(),
  number: integer(),
  text: varchar(40),
  rank: integer().default(sql`7`),
}) {}
class Pair extends db.model("large_pair", {
  left: integer().primaryKey(),
  right: integer().primaryKey(),
  weight: integer(),
}) {}
const WIDTH = 120;
const columns = Object.fromEntries(Array.from({ length: WIDTH }, (_, n) => [`c${n}`, integer()] as const));
class Wide extends db.model("large_wide", { id: integer().primaryKey(), ...columns }) {}

onEachFamily(
  "20,000 rows are inserted, updated and deleted by one flush each, and each has its own key",
  async (t, url, family) => {
    const app = await start(t, db, { databaseUri: url });
    const session = sessionOf(app);
    const lines = Array.from({ length: ROWS }, (_, number) => new Line({ number, text: `line ${number}` }));
    session.addAll(lines);
    const sent = record(app);
    await session.commit();
    assert.equal(new Set(lines.map(({ id }) => id)).size, ROWS);
    assert.ok(lines.every(({ rank }) => rank === 7));
    if (family !== "sqlite") assert.ok(sent.length < 100, `${sent.length} statements`);

    for (const line of lines) line.text = `changed ${line.number}`;
    await session.commit();
    const stored = new Map((await sessionOf(app).select(Line).all()).map((line) => [line.id, line]));
    assert.equal(stored.size, ROWS);
    for (const { id, number } of lines) {
      const line = stored.get(id);
      assert.deepEqual([line?.number, line?.text], [number, `changed ${number}`]);
    }

    for (const line of lines.slice(1)) session.delete(line);
    await session.commit();
    assert.deepEqual(
      (await sessionOf(app).select(Line).all()).map(({ id }) => id),
      [lines[0]!.id],
    );
  },
);

onEachFamily("thousands of rows with keys of several parts", async (t, url) => {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const pairs = Array.from({ length: 5000 }, (_, n) => new Pair({ left: n % 100, right: n, weight: n }));
  session.addAll(pairs);
  await session.commit();
  for (const pair of pairs) pair.weight = -pair.weight;
  await session.commit();
  assert.equal((await sessionOf(app).getOne(Pair, { left: 99, right: 4999 })).weight, -4999);
  for (const pair of pairs) if (pair.right % 2 === 1) session.delete(pair);
  await session.commit();
  assert.equal(await session.select(Pair).count(), 2500);
  assert.equal(await session.select(Pair).where("right", "=", 3).count(), 0);
});

onEachFamily("rows whose values are more than one statement may have parameters", async (t, url) => {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const values = (row: number) => Object.fromEntries(Object.keys(columns).map((name, n) => [name, row * 1000 + n]));
  const rows = Array.from({ length: 600 }, (_, row) => new Wide(values(row) as ConstructorParameters<typeof Wide>[0]));
  session.addAll(rows);
  await session.commit();
  for (const row of rows) Object.assign(row, values(row.id % 7));
  await session.commit();
  const stored = await sessionOf(app).select(Wide).all();
  assert.equal(stored.length, 600);
  for (const row of stored) assert.deepEqual({ ...row }, { id: row.id, ...values(row.id % 7) });
});
