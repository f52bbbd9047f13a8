import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { Kysely } from "kysely";
import {
  type Application,
  FailedTransactionError,
  type FamilyName,
  integer,
  Multibind,
  type Params,
  sql,
} from "../../src/index.ts";
import { onEachFamily, sessionOf, start } from "../fixtures/matrix.ts";
import { SERVERS, sleepsOn } from "../fixtures/slow-statements.ts";
import { until } from "../fixtures/until.ts";

const ENOUGH = new Error("the client has gone");
const IDS = [1, 2, 3, 4, 5, 6];

const db = new Multibind();
class Counter extends db.model("counter", { id: integer().primaryKey(), n: integer() }) {}

type App = Application<string>;
type K = Kysely<Record<never, never>>;
interface Abortable {
  readonly signal: AbortSignal;
}
type Use<T> = (k: K) => Promise<T>;

/** An application with six counters, and a check that no error is printed instead of being thrown. */
async function counters(t: TestContext, url: string, poolSize = 5) {
  const printed = t.mock.method(console, "error");
  const app: App = await start(t, db, { engineOptions: { url, poolSize } });
  await app.engine.kysely
    .insertInto(Counter)
    .values(IDS.map((id) => ({ id, n: 0 })))
    .execute();
  t.after(() => assert.deepEqual(printed.mock.calls, []));
  return app;
}

/** A condition that takes half a minute for each row. */
const never = (family: FamilyName) =>
  family === "postgres" ? sql<boolean>`pg_sleep(30)::text = 'no'` : sql<boolean>`sleep(30) = 2`;

/** Rows of which the third takes half a minute. They are large, since servers send small ones together. */
const thirdIsSlow = (k: K, family: FamilyName) =>
  k
    .selectFrom(Counter)
    .select("id")
    .select(sql<string>`repeat('x', 100000)`.as("padding"))
    .select(
      (family === "postgres"
        ? sql<string>`case when id > 2 then pg_sleep(30)::text end`
        : sql<string>`case when id > 2 then sleep(30) end`
      ).as("slept"),
    )
    .orderBy("id");

/** The forms of a statement that gives all of its rows at once. */
const forms: Record<string, (k: K, condition: ReturnType<typeof never>, options: Abortable) => Promise<unknown>> = {
  execute: (k, condition, options) => k.selectFrom(Counter).selectAll().where(condition).execute(options),
  executeTakeFirst: (k, condition, options) =>
    k.selectFrom(Counter).selectAll().where(condition).executeTakeFirst(options),
  executeTakeFirstOrThrow: (k, condition, options) =>
    k.selectFrom(Counter).selectAll().where(condition).executeTakeFirstOrThrow(options),
  update: (k, condition, options) => k.updateTable(Counter).set({ n: 1 }).where(condition).execute(options),
  delete: (k, condition, options) => k.deleteFrom(Counter).where(condition).executeTakeFirst(options),
  executeQuery: (k, condition, options) =>
    k.executeQuery(k.selectFrom(Counter).select("id").where(condition).compile(), options),
  "sql`…`": (k, condition, options) => sql`select id from counter where ${condition}`.execute(k, options),
  stream: (k, condition, options) =>
    rowsOf(k.selectFrom(Counter).selectAll().where(condition).stream({ chunkSize: 1, signal: options.signal })),
};

async function rowsOf<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const rows: T[] = [];
  for await (const row of stream) rows.push(row);
  return rows;
}

/** The places of Kysely's in which statements run, and whether a transaction surrounds them. */
const places: Record<string, { isTransaction: boolean; within<T>(app: App, use: Use<T>): Promise<T> }> = {
  "engine.kysely": { isTransaction: false, within: (app, use) => use(app.engine.kysely) },
  "connection()": { isTransaction: false, within: (app, use) => app.engine.kysely.connection().execute(use) },
  "transaction()": { isTransaction: true, within: (app, use) => app.engine.kysely.transaction().execute(use) },
  "startTransaction()": {
    isTransaction: true,
    within: async (app, use) => {
      const transaction = await app.engine.kysely.startTransaction().execute();
      try {
        return await use(transaction);
      } finally {
        await transaction.rollback().execute();
        assert.ok(transaction.isRolledBack);
      }
    },
  },
};

/** Checks that an application has all its connections back, and that they work. */
async function requireWhole(app: App, url: string, family: FamilyName, where: string): Promise<void> {
  await until(() => app.engine.status().inUse === 0);
  assert.equal(app.engine.status().waiting, 0, where);
  if (family !== "sqlite") await until(async () => (await sleepsOn(family, url)) === 0);
  const rows = await app.engine.kysely.selectFrom(Counter).selectAll().orderBy("id").execute();
  assert.deepEqual(
    rows,
    IDS.map((id) => ({ id, n: 0 })),
    where,
  );
}

/** A condition of all rows. */
const all = sql<boolean>`1 = 1`;

for (const [place, { isTransaction, within }] of Object.entries(places)) {
  onEachFamily(`${place}: a statement whose signal was aborted before is not sent`, async (t, url, family) => {
    const app = await counters(t, url);
    const options = { signal: AbortSignal.abort(ENOUGH) };
    for (const [form, run] of Object.entries(forms)) {
      const sent: string[] = [];
      await within(app, async (k) => {
        const stop = app.engine.onStatement((event) => sent.push(event.sql));
        await assert.rejects(run(k, all, options), ENOUGH, form);
        stop();
        assert.deepEqual(sent, [], form);
        // Nothing happened to the transaction, if there is one.
        assert.equal((await k.selectFrom(Counter).selectAll().execute()).length, IDS.length);
      });
      await requireWhole(app, url, family, form);
    }
  });

  onEachFamily(
    `${place}: an abort ends the statement that runs on the server`,
    async (t, url, family) => {
      const app = await counters(t, url);
      for (const [form, run] of Object.entries(forms)) {
        const controller = new AbortController();
        const running = within(app, async (k) => {
          if (isTransaction) await k.updateTable(Counter).set({ n: 7 }).execute();
          await run(k, never(family), controller);
        });
        const failed = assert.rejects(running, ENOUGH, form);
        await until(async () => (await sleepsOn(family, url)) > 0);
        controller.abort(ENOUGH);
        await failed;
        await requireWhole(app, url, family, form);
        assert.ok(app.engine.status().idle > 0, `${form}: the connection lives on`);
      }
    },
    SERVERS,
  );

  onEachFamily(
    `${place}: an abort ends the chunk that is being fetched, on the server too`,
    async (t, url, family) => {
      const app = await counters(t, url);
      for (const chunkSize of [1, 2]) {
        const controller = new AbortController();
        const seen: number[] = [];
        const running = within(app, async (k) => {
          for await (const { id } of thirdIsSlow(k, family).stream({ chunkSize, signal: controller.signal }))
            seen.push(id);
        });
        const failed = assert.rejects(running, ENOUGH);
        await until(async () => seen.length === 2 && (await sleepsOn(family, url)) > 0);
        controller.abort(ENOUGH);
        await failed;
        assert.deepEqual(seen, [1, 2]);
        await requireWhole(app, url, family, `chunks of ${chunkSize}`);
      }
    },
    SERVERS,
  );

  onEachFamily(`${place}: an abort between two chunks ends the stream`, async (t, url, family) => {
    const app = await counters(t, url);
    const controller = new AbortController();
    const seen: number[] = [];
    await within(app, async (k) => {
      const rows = k.selectFrom(Counter).selectAll().orderBy("id").stream({ chunkSize: 2, signal: controller.signal });
      await assert.rejects(async () => {
        for await (const { id } of rows) {
          seen.push(id);
          if (id === 2) controller.abort(ENOUGH);
        }
      }, ENOUGH);
      assert.deepEqual(seen, [1, 2]);
      // No statement has failed, so the transaction goes on, if there is one.
      assert.equal((await k.selectFrom(Counter).selectAll().execute()).length, IDS.length);
    });
    await requireWhole(app, url, family, place);
  });

  onEachFamily(
    `${place}: an abort between two chunks ends a statement that the server still runs`,
    async (t, url, family) => {
      const app = await counters(t, url);
      const controller = new AbortController();
      await within(app, async (k) => {
        const rows = thirdIsSlow(k, family).stream({ chunkSize: 1, signal: controller.signal });
        await assert.rejects(async () => {
          for await (const { id } of rows) {
            if (id !== 2) continue;
            // MariaDB goes on to the next rows by itself; PostgreSQL waits until they are asked for.
            if (family === "mysql") await until(async () => (await sleepsOn(family, url)) > 0);
            controller.abort(ENOUGH);
          }
        }, ENOUGH);
        assert.equal((await k.selectFrom(Counter).selectAll().execute()).length, IDS.length);
      });
      await requireWhole(app, url, family, place);
    },
    SERVERS,
  );

  onEachFamily(`${place}: an abort after the end changes nothing`, async (t, url, family) => {
    const app = await counters(t, url);
    for (const [form, run] of Object.entries(forms)) {
      const controller = new AbortController();
      await within(app, async (k) => {
        await run(k, sql<boolean>`id = 77`, controller).catch((error: Error) => {
          assert.equal(form, "executeTakeFirstOrThrow", error.stack);
        });
        controller.abort(ENOUGH);
        assert.equal((await k.selectFrom(Counter).selectAll().execute()).length, IDS.length);
      });
      await requireWhole(app, url, family, form);
    }
  });
}

for (const [place, { within }] of Object.entries(places)) {
  onEachFamily(
    `${place}: an abort at the moment when a statement is sent ends it`,
    async (t, url, family) => {
      const app = await counters(t, url);
      for (const [form, run] of Object.entries(forms)) {
        const controller = new AbortController();
        // Some statements wait for a turn on their connection, even where nothing is before them.
        const stop = app.engine.onStatement((event) => {
          if (event.sql.includes("sleep")) queueMicrotask(() => controller.abort(ENOUGH));
        });
        await assert.rejects(
          within(app, (k) => run(k, never(family), controller)),
          ENOUGH,
          form,
        );
        stop();
        await requireWhole(app, url, family, form);
      }
    },
    SERVERS,
  );
}

onEachFamily("an abort ends the wait for a connection", async (t, url, family) => {
  const app = await counters(t, url, 1);
  for (const [form, run] of Object.entries(forms)) {
    const holder = await app.engine.kysely.startTransaction().execute();
    const controller = new AbortController();
    const failed = assert.rejects(run(app.engine.kysely, all, controller), ENOUGH, form);
    await until(() => app.engine.status().waiting === 1);
    controller.abort(ENOUGH);
    await failed;
    assert.equal(app.engine.status().waiting, 0);
    // The one that has the connection is not disturbed.
    await holder.selectFrom(Counter).selectAll().execute();
    await holder.rollback().execute();
    await requireWhole(app, url, family, form);
  }
});

for (const place of ["connection()", "transaction()", "startTransaction()"] as const) {
  onEachFamily(
    `${place}: an abort ends the wait for a statement's turn`,
    async (t, url, family) => {
      const app = await counters(t, url);
      for (const [form, run] of Object.entries(forms)) {
        const [first, second] = [new AbortController(), new AbortController()];
        const running = places[place]!.within(app, async (k) => {
          const before = k.selectFrom(Counter).selectAll().where(never(family)).execute(first);
          const failed = assert.rejects(before, { message: "the first is over" });
          await until(async () => (await sleepsOn(family, url)) > 0);
          const waiting = assert.rejects(run(k, all, second), ENOUGH, form);
          second.abort(ENOUGH);
          await waiting;
          assert.equal(await sleepsOn(family, url), 1, `${form}: the one before runs on`);
          first.abort(new Error("the first is over"));
          await failed;
        });
        await running.catch((error: unknown) => {
          // PostgreSQL's transaction has failed with the first statement, so it cannot be committed.
          assert.equal(`${place} ${family}`, "transaction() postgres", String(error));
        });
        await requireWhole(app, url, family, form);
      }
    },
    SERVERS,
  );
}

onEachFamily(
  "a session's Kysely forms end in the same ways, and its transaction has failed then",
  async (t, url, family) => {
    const app = await counters(t, url);
    const session = sessionOf(app);
    const k = session.kysely(null) as K;
    for (const [form, run] of Object.entries(forms)) {
      await assert.rejects(run(k, all, { signal: AbortSignal.abort(ENOUGH) }), ENOUGH, form);
      const controller = new AbortController();
      const failed = assert.rejects(run(k, never(family), controller), ENOUGH, form);
      await until(async () => (await sleepsOn(family, url)) > 0);
      controller.abort(ENOUGH);
      await failed;
      const writes = form === "update" || form === "delete" || form === "sql`…`";
      if (writes) await assert.rejects(session.execute(sql`select 1`), FailedTransactionError, form);
      await session.rollback();
      await requireWhole(app, url, family, form);
      assert.equal(await session.select(Counter).count(), IDS.length);
      await session.rollback();
    }
    const controller = new AbortController();
    const seen: number[] = [];
    const streaming = assert.rejects(async () => {
      for await (const { id } of thirdIsSlow(k, family).stream({ chunkSize: 1, signal: controller.signal }))
        seen.push(id);
    }, ENOUGH);
    await until(async () => seen.length === 2 && (await sleepsOn(family, url)) > 0);
    controller.abort(ENOUGH);
    await streaming;
    await requireWhole(app, url, family, "stream");
  },
  SERVERS,
);

onEachFamily(
  "the signal of a context or a transaction ends a prepared statement",
  async (t, url, family) => {
    const app = await counters(t, url);
    const slow = never(family);
    const rows = db.prepare((p: Params<{ id: number }>, qb) =>
      qb.selectFrom(Counter).selectAll().where("id", "=", p("id")).where(slow),
    );
    const write = db.prepare((p: Params<{ n: number }>, qb) =>
      qb
        .updateTable(Counter)
        .set({ n: p("n") })
        .where(slow),
    );
    const runs: readonly (() => Promise<unknown>)[] = [
      () => rows.execute({ id: 1 }),
      () => rows.executeTakeFirst({ id: 1 }),
      () => rows.executeTakeFirstOrThrow({ id: 1 }),
      () => write.execute({ n: 7 }),
    ];
    for (const run of runs) {
      for (const within of [
        (options: Abortable) => app.run(run, options),
        (options: Abortable) => app.transaction(run, options),
      ]) {
        await assert.rejects(within({ signal: AbortSignal.abort(ENOUGH) }), ENOUGH);
        const controller = new AbortController();
        const failed = assert.rejects(within({ signal: controller.signal }), ENOUGH);
        await until(async () => (await sleepsOn(family, url)) > 0);
        controller.abort(ENOUGH);
        await failed;
        await requireWhole(app, url, family, String(run));
      }
    }
  },
  SERVERS,
);
