import assert from "node:assert/strict";
import { test } from "node:test";
import {
  integer,
  Multibind,
  SelfDeadlockError,
  SessionClosedError,
  SessionError,
  StreamInTransactionError,
  sql,
  stateOf,
  text,
} from "../../src/index.ts";
import { onEachFamily, sessionOf, sharedDatabase, start } from "../fixtures/matrix.ts";

const ROWS = 500;
const db = new Multibind();
class Row extends db.model("row_", { id: integer().primaryKey(), name: text() }) {}

async function manyRows(t: Parameters<typeof start>[0], url: string) {
  const app = await start(t, db, { databaseUri: url });
  const writer = sessionOf(app);
  writer.addAll(Array.from({ length: ROWS }, (_, n) => new Row({ name: `row ${n}` })));
  await writer.commit();
  await writer.close();
  return { app, session: sessionOf(app) };
}

onEachFamily("a stream gives every entity in order, and the session keeps none of them", async (t, url) => {
  const { app, session } = await manyRows(t, url);
  const names: string[] = [];
  let last: Row | undefined;
  for await (const row of session.select(Row).orderBy("id").stream({ chunkSize: 7 })) {
    assert.ok(row instanceof Row);
    names.push(row.name);
    if (last !== undefined) assert.equal(stateOf(last), "detached");
    last = row;
  }

  assert.deepEqual(
    names,
    Array.from({ length: ROWS }, (_, n) => `row ${n}`),
  );
  assert.equal(session.contains(last!), false);
  assert.equal(app.engine.status().inUse, 0);
});

onEachFamily("entities that are there already come as themselves, and stay", async (t, url) => {
  const { session } = await manyRows(t, url);
  const third = await session.getOne(Row, 3);
  const first: Row[] = [];
  for await (const row of session.select(Row).orderBy("id").limit(5).stream()) {
    first.push(row);
    // What is loaded meanwhile changes nothing for those that were there.
    if (row.id === 3) await session.get(Row, 400);
  }

  assert.equal(first[2], third);
  assert.equal(session.contains(third), true);
  assert.equal(first.filter((row) => session.contains(row)).length, 1);
});

onEachFamily("an entity that the loop changes or deletes is kept, and stored", async (t, url) => {
  const { app, session } = await manyRows(t, url);
  for await (const row of session.select(Row).where("id", "<=", 10).orderBy("id").stream({ chunkSize: 3 })) {
    if (row.id === 2) row.name = "changed";
    if (row.id === 4) session.delete(row);
  }
  assert.deepEqual([[...session.dirty].length, [...session.deleted].length], [1, 1]);
  await session.commit();

  const check = sessionOf(app);
  assert.equal((await check.getOne(Row, 2)).name, "changed");
  assert.equal(await check.get(Row, 4), null);
});

for (const [how, leave] of [
  [
    "a break",
    async (rows: AsyncIterable<Row>) => {
      for await (const row of rows) if (row.id === 3) break;
    },
  ],
  [
    "an error",
    async (rows: AsyncIterable<Row>) => {
      await assert.rejects(async () => {
        for await (const row of rows) if (row.id === 3) throw new Error("enough");
      }, /enough/);
    },
  ],
] as const) {
  onEachFamily(`leaving the loop by ${how} gives the connection back`, async (t, url) => {
    const { app, session } = await manyRows(t, url);
    await leave(session.select(Row).orderBy("id").stream({ chunkSize: 2 }));

    assert.equal(app.engine.status().inUse, 0);
    assert.equal(await session.select(Row).count(), ROWS);
    assert.equal([...(await session.select(Row).limit(5).all())].length, 5);
  });
}

onEachFamily("rows are read as they are wanted", async (t, url, family) => {
  const { app, session } = await manyRows(t, url);
  const rows = session.select(Row).orderBy("id").stream({ chunkSize: 10 });
  await rows.next();
  assert.equal(app.engine.status().inUse, 1, "the stream has a connection of its own");
  if (family !== "sqlite") await app.engine.kysely.deleteFrom(Row.table).execute();
  let count = 1;
  for await (const _ of rows) count++;
  assert.equal(count, ROWS, "one state of the table");
  assert.equal(app.engine.status().inUse, 0);
});

onEachFamily("other statements of the session run beside a stream", async (t, url) => {
  const { session } = await manyRows(t, url);
  let sum = 0;
  for await (const row of session.select(Row).where("id", "<=", 20).stream({ chunkSize: 5 })) {
    sum += await session.select(Row).where("id", "<=", row.id).count();
  }
  assert.equal(sum, 210);
});

onEachFamily("a stream flushes what is pending, in which case there is a transaction", async (t, url) => {
  const { session } = await manyRows(t, url);
  session.add(new Row({ name: "new" }));

  await assert.rejects(session.select(Row).stream().next(), StreamInTransactionError);
  assert.equal(session.new.size, 0);
  await session.rollback();
});

onEachFamily("within a transaction a stream is refused at once", async (t, url) => {
  const { app, session } = await manyRows(t, url);
  await session.insertInto(Row).values({ name: "x" }).execute();
  await assert.rejects(session.select(Row).stream().next(), StreamInTransactionError);
  await session.rollback();

  session.begin();
  await assert.rejects(
    session.selectFrom(Row).select("id").stream()[Symbol.asyncIterator]().next(),
    StreamInTransactionError,
  );
  await session.rollback();
  await session.transaction(async (tx) => {
    await assert.rejects(tx.select(Row).stream().next(), StreamInTransactionError);
  });
  assert.equal(app.engine.status().inUse, 0);
});

onEachFamily("rows in Kysely's form are streamed with their values converted", async (t, url) => {
  const { app, session } = await manyRows(t, url);
  const ids: number[] = [];
  for await (const { id } of session.selectFrom(Row).select("id").orderBy("id").limit(30).stream(4)) {
    ids.push(id);
    if (ids.length === 25) break;
  }
  assert.deepEqual(
    ids,
    Array.from({ length: 25 }, (_, n) => n + 1),
  );
  assert.equal(app.engine.status().inUse, 0);
});

onEachFamily("a stream that is not read to its end ends with its session", async (t, url) => {
  const { app, session } = await manyRows(t, url);
  const rows = session.select(Row).orderBy("id").stream({ chunkSize: 5 });
  await rows.next();
  assert.equal(app.engine.status().inUse, 1);
  await session.close();

  assert.equal(app.engine.status().inUse, 0);
  await assert.rejects(async () => {
    for await (const _ of rows);
  }, SessionError);
  assert.throws(() => session.select(Row), SessionClosedError);
});

onEachFamily("a context that ends during a stream returns its connection", async (t, url) => {
  const { app } = await manyRows(t, url);
  await app.run(async () => {
    await db.select(Row).stream().next();
  });
  assert.equal(app.engine.status().inUse, 0);
});

test("a stream over a database in memory has its one connection, and what waits for it is told", async (t) => {
  const app = await start(t, db, { databaseUri: "sqlite://" });
  const session = sessionOf(app);
  session.addAll([new Row({ name: "a" }), new Row({ name: "b" })]);
  await session.commit();

  for await (const _ of session.select(Row).stream()) {
    await assert.rejects(session.select(Row).count(), SelfDeadlockError);
    break;
  }
  assert.equal(await session.select(Row).count(), 2);
});

onEachFamily("an error of the statement is the stream's, and costs no connection", async (t, url) => {
  const { app, session } = await manyRows(t, url);
  await assert.rejects(
    session
      .kysely<{ nowhere: { id: number } }>(null)
      .selectFrom("nowhere")
      .selectAll()
      .stream()
      [Symbol.asyncIterator]()
      .next(),
  );
  const { rows } = await session.execute(sql<{ one: number }>`select 1 as one`, { readOnly: true });
  assert.equal(Number(rows[0]?.one), 1);
  assert.equal(app.engine.status().inUse, 0);
});

onEachFamily("an abort ends a stream", async (t, url) => {
  const { app, session } = await manyRows(t, url);
  const abort = new AbortController();
  const seen: number[] = [];
  await assert.rejects(async () => {
    for await (const { id } of session
      .selectFrom(Row)
      .select("id")
      .orderBy("id")
      .stream({ chunkSize: 5, signal: abort.signal } as never)) {
      seen.push(id);
      if (seen.length === 7) abort.abort();
    }
  });
  assert.ok(seen.length < 30, `${seen.length}`);
  assert.equal(app.engine.status().inUse, 0);
});

test("a stream of a joined family gives each its class", async (t) => {
  const other = new Multibind();
  class Animal extends other.model("animal", { id: integer().primaryKey(), kind: text() }, { discriminator: "kind" }) {}
  class Dog extends Animal.extend(
    "dog",
    { id: integer().primaryKey().references("animal.id"), tricks: integer() },
    { identity: "dog" },
  ) {
    static {
      other.register(Dog);
    }
  }
  const app = await start(t, other, { databaseUri: await sharedDatabase("sqlite") });
  const session = sessionOf(app);
  session.add(new Dog({ tricks: 3 }));
  await session.commit();
  session.expungeAll();
  for await (const animal of session.select(Animal).stream()) assert.ok(animal instanceof Dog);
});
