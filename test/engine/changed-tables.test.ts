import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import {
  type Application,
  type EngineOptions,
  integer,
  Multibind,
  type Params,
  ProgrammingError,
  select,
  sql,
} from "../../src/index.ts";
import { onEachFamily, start } from "../fixtures/matrix.ts";

const db = new Multibind();
class Plan extends db.model("plan_", { id: integer().primaryKey(), n: integer() }) {}

/** What changes the type of a column, by family. SQLite's columns take any value: there a table is made anew. */
const CHANGES = {
  postgres: (type: string) => [`alter table plan_ alter column n type ${type}`],
  mysql: (type: string) => [`alter table plan_ modify n ${type} not null`],
  sqlite: (type: string) => [
    `create table other_ (id integer primary key, n ${type} not null)`,
    "insert into other_ select * from plan_",
    "drop table plan_",
    "alter table other_ rename to plan_",
  ],
} as const;

async function changer(t: TestContext, url: string): Promise<(statements: readonly string[]) => Promise<void>> {
  const app = new Multibind().init({ databaseUri: url });
  t.after(() => app.dispose());
  return async (statements) => {
    for (const text of statements) await sql.raw(text).execute(app.engine.kysely);
  };
}

/** An application with one row, and what changes its table from another one. */
async function plans(t: TestContext, url: string, engineOptions: EngineOptions = {}) {
  const app = await start(t, db, { databaseUri: url, engineOptions });
  await app.transaction(() => db.session.add(new Plan({ id: 1, n: 1 })));
  return { app, change: await changer(t, url) };
}

const prepared = db.prepare((p: Params<{ id: number }>) => select(Plan).where("id", "=", p("id")));
const READS: Readonly<Record<string, () => Promise<number | undefined>>> = {
  get: async () => (await db.session.get(Plan, 1, { refresh: true }))?.n,
  select: async () => (await db.select(Plan).where("id", "=", 1).one()).n,
  prepared: async () => (await prepared.one({ id: 1 })).n,
  kysely: async () => (await db.selectFrom(Plan).select("n").where("id", "=", 1).executeTakeFirst())?.n,
  update: () =>
    db.session.transaction(
      async () => (await db.updateTable(Plan).set({ n: 1 }).where("id", "=", 1).returning("n").execute())[0]?.n,
      { retries: 1 },
    ),
};

async function readAll(app: Application<string>, without: readonly string[] = []): Promise<void> {
  for (const [name, read] of Object.entries(READS)) {
    if (!without.includes(name)) assert.equal(await app.run(read), 1, name);
  }
}

onEachFamily("a statement runs after a column has changed its type, on every connection", async (t, url, family) => {
  const { app, change } = await plans(t, url, { poolSize: 2 });
  // MySQL's family gives no rows of an update back.
  const without = family === "mysql" ? ["update"] : [];
  for (const type of ["integer", "smallint", "bigint", "integer"]) {
    await change(CHANGES[family](type));
    await Promise.all([1, 2, 3, 4].map(() => readAll(app, without)));
  }
});

onEachFamily(
  "a value that a column takes only since its type has changed is stored",
  async (t, url) => {
    const { app, change } = await plans(t, url);
    await change(["alter table plan_ alter column n type smallint"]);
    const setNumber = (n: number) => db.updateTable(Plan).set({ n }).where("id", "=", 1).execute();
    const { kysely } = app.engine;
    const store = (n: number) => kysely.updateTable(Plan).set({ n }).where("id", "=", 1).execute();
    await store(1);
    await change(["alter table plan_ alter column n type integer"]);
    await store(100_000);
    await app.transaction(() => setNumber(2));
    await change(["alter table plan_ alter column id type bigint", "alter table plan_ alter column n type text"]);
    await store(3);
    await change(["alter table plan_ alter column n type integer using n::integer"]);
    await app.run(async () => assert.equal((await db.session.get(Plan, 1))?.n, 3));
  },
  ["postgres"],
);

onEachFamily(
  "within a transaction a statement whose columns have changed is retryable, and retries begin it anew",
  async (t, url) => {
    const { app, change } = await plans(t, url, { poolSize: 1 });
    const read = async () => {
      await db.session.execute(sql`select 1`);
      return READS["get"]!();
    };
    assert.equal(await app.transaction(read), 1);
    await change(["alter table plan_ alter column n type smallint"]);
    await assert.rejects(app.transaction(read), { name: "SerializationError", retryable: true });
    assert.equal(await app.transaction(read), 1);
    await change(["alter table plan_ alter column n type integer"]);
    assert.equal(await app.run(() => db.session.transaction(read, { retries: 1 })), 1);
  },
  ["postgres"],
);

onEachFamily(
  "statements that are used no more are not kept on the server",
  async (t, url) => {
    const { app, change } = await plans(t, url, { poolSize: 1 });
    const kept = async () => {
      const count = sql<{ n: number }>`select count(*)::int as n from pg_prepared_statements`;
      return (await count.execute(app.engine.kysely)).rows[0]!.n;
    };
    await readAll(app);
    await app.run(() => app.transaction(READS["get"]!));
    const before = await kept();
    for (let round = 0; round < 40; round++) {
      await change(CHANGES.postgres(round % 2 === 0 ? "smallint" : "integer"));
      await app.run(() => db.session.transaction(READS["get"]!, { retries: 1 }));
      await readAll(app);
    }
    assert.equal(await kept(), before);
  },
  ["postgres"],
);

onEachFamily(
  "a statement that was never right is not sent twice under a name, and its error is the server's",
  async (t, url) => {
    const { app, change } = await plans(t, url, { poolSize: 1 });
    const read = () => app.run(READS["get"]!);
    await read();
    await change(["alter table plan_ drop column n"]);
    for (let i = 0; i < 2; i++) await assert.rejects(read(), (error) => error instanceof ProgrammingError);
    await change(["alter table plan_ add column n integer not null default 1"]);
    assert.equal(await read(), 1);
  },
  ["postgres"],
);

onEachFamily(
  "a transaction that reads a table which has changed since its snapshot is retryable, and retries begin it anew",
  async (t, url) => {
    const { app, change } = await plans(t, url);
    await app.run(async () => {
      await db.session.execute(sql`create table first_ (id int primary key)`);
    });
    const types = ["bigint", "smallint"];
    const read = async () => {
      await db.session.execute(sql`select * from first_`);
      const type = types.pop();
      if (type !== undefined) await change(CHANGES.mysql(type));
      return READS["get"]!();
    };
    await assert.rejects(app.transaction(read), { name: "SerializationError", retryable: true });
    assert.equal(await app.run(() => db.session.transaction(read, { retries: 1 })), 1);
    assert.deepEqual(types, []);
  },
  ["mysql"],
);
