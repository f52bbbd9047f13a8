import assert from "node:assert/strict";
import {
  ConcurrentTransactionError,
  integer,
  Multibind,
  SerializationError,
  type Session,
  sql,
  varchar,
} from "../../src/index.ts";
import { onEachFamily, sessionOf, start } from "../fixtures/matrix.ts";

const db = new Multibind();
class Row extends db.model("late_row", { id: integer().primaryKey(), name: varchar(20) }) {}

/** Each way to use a session; none may reach a transaction that other code runs. */
const USES: Record<string, (session: Session, row: Row) => unknown> = {
  add: (session) => session.add(new Row({ name: "late" })),
  delete: (session, row) => session.delete(row),
  expunge: (session, row) => session.expunge(row),
  expungeAll: (session) => session.expungeAll(),
  touch: (session, row) => session.touch(row, "name"),
  get: (session) => session.get(Row, 1),
  "get of another": (session) => session.get(Row, 2),
  merge: (session) => session.merge(new Row({ id: 1, name: "late" })),
  refresh: (session, row) => session.refresh(row),
  select: (session) => session.select(Row).all(),
  count: (session) => session.select(Row).count(),
  "bulk update": (session) => session.select(Row).where("id", ">", 0).update({ name: "late" }),
  "bulk delete": (session) => session.select(Row).where("id", ">", 0).delete(),
  insertInto: (session) => session.insertInto(Row).values({ name: "late" }).execute(),
  selectFrom: (session) => session.selectFrom(Row).selectAll().execute(),
  kysely: (session) => session.kysely<{ late_row: { name: string } }>(null).deleteFrom("late_row").execute(),
  execute: (session) => session.execute(sql`delete from late_row`),
  flush: (session) => session.flush(),
  commit: (session) => session.commit(),
  rollback: (session) => session.rollback(),
  reset: (session) => session.reset(),
  begin: (session) => session.begin(),
  beginNested: (session) => session.beginNested(),
  transaction: (session) => session.transaction(async () => {}),
  stream: async (session) => {
    for await (const _ of session.select(Row).stream()) return;
  },
};

async function oneRow(t: Parameters<typeof start>[0], url: string) {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  session.add(new Row({ name: "first" }));
  await session.commit();
  const names = async () => await sessionOf(app).select(Row).orderBy("id").pluck("name");
  return { app, session, names };
}

onEachFamily("code that runs on after its transaction cannot use the session", async (t, url) => {
  const { session, names } = await oneRow(t, url);
  const row = await session.getOne(Row, 1);
  const late: Promise<void>[] = [];
  const ended = Promise.withResolvers<void>();
  // Builders that were made in time are run too late.
  const made: [string, () => unknown][] = [];
  await session.transaction(async (tx) => {
    const select = tx.select(Row);
    const update = tx.updateTable(Row).set({ name: "late" });
    made.push(["a select made before", () => select.all()], ["an update made before", () => update.execute()]);
    const uses = [
      ...Object.entries(USES).map(([name, use]): [string, () => unknown] => [name, () => use(tx, row)]),
      ...made,
    ];
    for (const [name, use] of uses) {
      late.push(ended.promise.then(() => assert.rejects(async () => await use(), ConcurrentTransactionError, name)));
    }
  });
  await session.transaction(async (tx) => {
    tx.add(new Row({ name: "second" }));
    await tx.flush();
    ended.resolve();
    await Promise.all(late);
    assert.equal(tx.isActive, true);
  });
  assert.deepEqual(await names(), ["first", "second"]);
});

onEachFamily("the same after a function that threw, in its retries, and after a nested one", async (t, url) => {
  const { session, names } = await oneRow(t, url);
  const late: Promise<void>[] = [];
  const ended = Promise.withResolvers<void>();
  const startLate = (tx: Session) => {
    const insert = async () => await tx.insertInto(Row).values({ name: "late" }).execute();
    late.push(ended.promise.then(() => assert.rejects(insert, ConcurrentTransactionError)));
  };
  await assert.rejects(
    session.transaction(async (tx) => {
      startLate(tx);
      throw new Error("no");
    }),
    /no/,
  );
  let runs = 0;
  const mayPass = new SerializationError("try again", { retryable: true });
  await session.transaction(
    async (tx) => {
      startLate(tx);
      runs++;
      if (runs === 1) throw mayPass;
      await tx.flush();
    },
    { retries: 1 },
  );
  await session.transaction(async (tx) => {
    await tx.transaction(async () => startLate(tx));
    ended.resolve();
    await Promise.all(late);
    tx.add(new Row({ name: "outer" }));
  });
  assert.deepEqual(await names(), ["first", "outer"]);
});

onEachFamily("what was asked for before the function returned still belongs to its transaction", async (t, url) => {
  const { session, names } = await oneRow(t, url);
  let asked: Promise<unknown> | undefined;
  await session.transaction(async (tx) => {
    asked = tx.insertInto(Row).values({ name: "asked for" }).execute();
  });
  await asked;
  assert.deepEqual(await names(), ["first", "asked for"]);
});

onEachFamily("what is added while the transaction commits does not join the next one", async (t, url) => {
  const { session, names } = await oneRow(t, url);
  const committing = Promise.withResolvers<void>();
  let late: Promise<void> | undefined;
  session.on("beforeCommit", async () => {
    committing.resolve();
    await late;
  });
  await session.transaction(async (tx) => {
    late = committing.promise.then(() =>
      assert.throws(() => tx.add(new Row({ name: "late" })), ConcurrentTransactionError),
    );
    tx.add(new Row({ name: "second" }));
  });
  await late;
  await session.commit();
  assert.deepEqual(await names(), ["first", "second"]);
});

onEachFamily("another session is free in such code", async (t, url) => {
  const { app, session, names } = await oneRow(t, url);
  let late: Promise<void> | undefined;
  const ended = Promise.withResolvers<void>();
  await session.transaction(async () => {
    late = ended.promise.then(async () => {
      const other = sessionOf(app);
      await other.transaction(async (tx) => tx.add(new Row({ name: "other" })));
    });
  });
  ended.resolve();
  await late;
  assert.deepEqual(await names(), ["first", "other"]);
});

onEachFamily("a commit that a context did not await is done, and not called rolled back", async (t, url) => {
  const { app, names } = await oneRow(t, url);
  let committed: Promise<void> | undefined;
  await app.run(
    async () => {
      const row = await db.session.getOne(Row, 1);
      row.name = "changed";
      db.session.add(new Row({ name: "added" }));
      committed = db.session.commit();
    },
    { onUncommitted: "throw" },
  );
  await committed;
  assert.deepEqual(await names(), ["changed", "added"]);
});

onEachFamily("work after such a commit is, and its connection comes back", async (t, url) => {
  const { app, names } = await oneRow(t, url);
  let committed: Promise<void> | undefined;
  await assert.rejects(
    app.run(
      async () => {
        db.session.add(new Row({ name: "added" }));
        await db.session.flush();
        committed = db.session.commit();
        db.session.add(new Row({ name: "forgotten" }));
      },
      { onUncommitted: "throw" },
    ),
    { code: "UNCOMMITTED" },
  );
  await committed;
  assert.deepEqual(await names(), ["first", "added"]);
});
