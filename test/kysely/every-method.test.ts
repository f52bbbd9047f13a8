import assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { join } from "node:path";
import { test } from "node:test";
import { ControlledTransaction, Kysely, type LogEvent, QueryCreator, sql, Transaction } from "kysely";
import { FileMigrationProvider, Migrator, NO_MIGRATIONS } from "kysely/migration";
import {
  boolean,
  CrossBindError,
  type FamilyName,
  integer,
  Multibind,
  SessionError,
  text,
  timestamp,
  UnsupportedError,
  varchar,
} from "../../src/index.ts";
import { freshDatabase } from "../fixtures/databases.ts";
import { onEachFamily, sessionOf, start } from "../fixtures/matrix.ts";
import { untilTheFileEnds } from "../fixtures/until-the-file-ends.ts";

const db = new Multibind<"other">();
const NOON = new Date("2026-01-31T12:00:00.000Z");
class Note extends db.model("note", {
  id: integer().primaryKey(),
  body: varchar(60).named("note_body").unique(),
  done: boolean().default(false),
  at: timestamp().default(() => NOON),
}) {}
class Elsewhere extends db.model("elsewhere", { id: integer().primaryKey(), label: text() }, { bindKey: "other" }) {}

const noPlugin = {
  transformQuery: ({ node }: { node: never }) => node,
  transformResult: async ({ result }: { result: never }) => result,
} as never;

async function notes(t: Parameters<typeof start>[0], url: string, options = {}) {
  const app = await start(t, db, { engineOptions: { url, ...options }, binds: { other: "sqlite://" } });
  await app.engine.kysely.insertInto(Note).values({ body: "one" }).execute();
  return { app, kysely: app.engine.kysely, session: sessionOf(app) };
}

const ONE = { id: 1, body: "one", done: false, at: NOON };
type AnyKysely = Kysely<Record<never, never>>;
const read = (k: AnyKysely) => k.selectFrom(Note).selectAll().execute();

/** Each method of Kysely's, with what it does on a session's Kysely: `undefined` where it is refused. */
const METHODS: Record<string, ((k: AnyKysely) => unknown) | undefined> = {
  schema: async (k) => k.schema.createView("v").as(k.selectFrom(Note).select("id")).compile().sql.length > 0,
  dynamic: (k) => k.dynamic.ref("x"),
  introspection: (k) => k.introspection.getTables(),
  case: (k) => k.selectNoFrom(k.case().when(sql<boolean>`1 = 1`).then("yes").end().as("is")).execute(),
  fn: (k) => k.selectFrom(Note).select(k.fn.countAll().as("n")).execute(),
  transaction: undefined,
  startTransaction: undefined,
  connection: undefined,
  withPlugin: undefined,
  withoutPlugins: async (k) => assert.deepEqual(await read(k.withoutPlugins()), [ONE]),
  withSchema: undefined,
  $extendTables: async (k) => assert.deepEqual(await read(k.$extendTables()), [ONE]),
  $omitTables: async (k) => assert.deepEqual(await read(k.$omitTables()), [ONE]),
  $pickTables: async (k) => assert.deepEqual(await read(k.$pickTables()), [ONE]),
  withTables: async (k) => assert.deepEqual(await read(k.withTables()), [ONE]),
  destroy: undefined,
  isTransaction: (k) => assert.equal(k.isTransaction, false),
  getExecutor: (k) => assert.equal(typeof k.getExecutor().executeQuery, "function"),
  executeQuery: async (k) => assert.deepEqual((await k.executeQuery(k.selectFrom(Note).selectAll())).rows, [ONE]),
  selectFrom: async (k) => assert.deepEqual(await read(k), [ONE]),
  selectNoFrom: (k) => k.selectNoFrom((eb) => eb.lit(1).as("one")).execute(),
  insertInto: (k) =>
    k
      .withTables<{ note: object }>()
      .insertInto("note")
      .values({ body: "two" } as never)
      .execute(),
  replaceInto: (k) =>
    k
      .withTables<{ note: object }>()
      .replaceInto("note")
      .values({ id: 9, body: "r" } as never).compile,
  deleteFrom: (k) => k.deleteFrom(Note).where("id", ">", 1).execute(),
  updateTable: (k) => k.updateTable(Note).set({ done: false }).execute(),
  mergeInto: (k) => {
    const merge = k.withTables<{ note: object }>().mergeInto("note");
    assert.equal(typeof merge.using(Note.as("n"), (on) => on.onTrue()).whenMatched, "function");
  },
  with: (k) =>
    k
      .with("w", (qb) => qb.selectFrom(Note).select("id"))
      .selectFrom("w")
      .selectAll()
      .execute(),
  withRecursive: (k) =>
    k
      .withRecursive("w", (qb) => qb.selectFrom(Note).select("id"))
      .selectFrom("w")
      .selectAll()
      .execute(),
};

/** The names of what the classes have. */
function membersOf(...classes: readonly { readonly prototype: object }[]): string[] {
  const names = classes.flatMap(({ prototype }) => Object.getOwnPropertyNames(prototype));
  return [...new Set(names)].filter((name) => name !== "constructor").toSorted();
}

test("every method of Kysely's is in the table of methods", () => {
  assert.deepEqual(membersOf(Kysely, QueryCreator), Object.keys(METHODS).toSorted());
  const own = [
    "commit",
    "isCommitted",
    "isRolledBack",
    "releaseSavepoint",
    "rollback",
    "rollbackToSavepoint",
    "savepoint",
  ];
  const more = membersOf(Transaction, ControlledTransaction).filter(
    (name) => METHODS[name] === undefined && !(name in METHODS),
  );
  assert.deepEqual(more, own);
});

/** Refused on a session's Kysely; each comes to nothing before it is executed. */
const REFUSED: Record<string, (k: AnyKysely) => unknown> = {
  transaction: (k) => k.transaction().execute(async () => {}),
  startTransaction: (k) => k.startTransaction().execute(),
  connection: (k) => k.connection().execute(async () => {}),
  withPlugin: (k) => read(k.withPlugin(noPlugin)),
  withSchema: (k) => read(k.withSchema("main")),
  destroy: (k) => k.destroy(),
};

onEachFamily("every method of a session's Kysely works, or says the way out", async (t, url) => {
  const { session } = await notes(t, url);
  const kysely = session.kysely(null);
  for (const [name, use] of Object.entries(METHODS)) {
    if (use !== undefined) {
      await t.test(name, async () => void (await use(kysely)));
      continue;
    }
    await t.test(`${name} is refused`, () =>
      assert.rejects(
        async () => REFUSED[name]!(kysely),
        (error) => error instanceof UnsupportedError && /`/.test(error.message),
      ),
    );
  }
  await t.test("also of the schema, and of SQL text", async () => {
    await assert.rejects(kysely.schema.withPlugin(noPlugin).dropTable("x").execute(), UnsupportedError);
    await assert.rejects(kysely.schema.withSchema("main").dropTable("x").execute(), UnsupportedError);
    await assert.rejects(async () => kysely[Symbol.asyncDispose](), UnsupportedError);
    const migrations = { getMigrations: async () => ({}) };
    const { error } = await new Migrator({ db: kysely, provider: migrations }).migrateToLatest();
    assert.ok(error instanceof UnsupportedError);
  });
});

onEachFamily(
  "engine.kysely takes every method, and converts values whichever way it is reached",
  async (t, url, family) => {
    const { kysely } = await notes(t, url);
    const schema = family === "sqlite" ? "main" : family === "postgres" ? "public" : new URL(url).pathname.slice(1);
    const ways: Record<string, (use: (k: AnyKysely) => Promise<unknown>) => Promise<unknown>> = {
      plain: (use) => use(kysely),
      withoutPlugins: (use) => use(kysely.withoutPlugins()),
      withPlugin: (use) => use(kysely.withPlugin(noPlugin)),
      "withPlugin and without": (use) => use(kysely.withPlugin(noPlugin).withoutPlugins()),
      withSchema: (use) => use(kysely.withSchema(schema)),
      $extendTables: (use) => use(kysely.$extendTables()),
      connection: (use) => kysely.connection().execute(use),
      transaction: (use) => kysely.transaction().execute(use),
      "transaction of a connection": (use) => kysely.connection().execute((one) => one.transaction().execute(use)),
      "transaction withoutPlugins": (use) => kysely.transaction().execute((trx) => use(trx.withoutPlugins())),
      startTransaction: async (use) => {
        const trx = await kysely.startTransaction().execute();
        try {
          return await use(trx);
        } finally {
          await trx.commit().execute();
        }
      },
      savepoint: async (use) => {
        const trx = await kysely.startTransaction().execute();
        try {
          const one = await trx.savepoint("one").execute();
          const back = await one.rollbackToSavepoint("one").execute();
          const result = await use(back.withTables() as unknown as AnyKysely);
          await back.releaseSavepoint("one").execute();
          return result;
        } finally {
          await trx.rollback().execute();
        }
      },
    };
    for (const [name, way] of Object.entries(ways)) {
      await t.test(name, async () => {
        assert.deepEqual(await way(read), [ONE]);
        const streamed = await way(async (k) => {
          const rows: unknown[] = [];
          for await (const row of k.selectFrom(Note).selectAll().stream(1)) rows.push(row);
          return rows;
        });
        assert.deepEqual(streamed, [ONE]);
        await way((k) => k.updateTable(Note).set({ at: NOON, done: false }).where("at", "=", NOON).execute());
        await way((k) => k.executeQuery(k.deleteFrom(Note).where("done", "=", true)));
        await assert.rejects(
          way((k) => k.selectFrom(Elsewhere).selectAll().execute()),
          CrossBindError,
        );
      });
    }
  },
);

onEachFamily("a transaction of Kysely's says how to nest, in its own way", async (t, url) => {
  const { kysely } = await notes(t, url);
  await kysely.transaction().execute(async (trx) => {
    for (const method of ["transaction", "startTransaction", "connection", "destroy"] as const)
      assert.throws(() => trx[method](), UnsupportedError, method);
  });
  const ended = await kysely.startTransaction().execute();
  await ended.commit().execute();
  const undone = await kysely.startTransaction().execute();
  await undone.rollback().execute();
  for (const [transaction, ending] of [
    [ended, "committed"],
    [undone, "rolled back"],
  ] as const) {
    const uses: readonly (() => Promise<unknown>)[] = [
      () => read(transaction),
      () => transaction.selectFrom(Note).selectAll().executeTakeFirst(),
      () => transaction.selectFrom(Note).selectAll().executeTakeFirstOrThrow(),
      () => transaction.deleteFrom(Note).execute(),
      () => transaction.executeQuery(transaction.selectFrom(Note).selectAll()),
      () => sql`select 1`.execute(transaction),
      () => transaction.savepoint("late").execute(),
      () => transaction.commit().execute(),
      () => transaction.rollback().execute(),
    ];
    for (const use of uses) {
      await assert.rejects(use, (error: Error) => {
        assert.ok(error instanceof SessionError, `${use}: ${error.stack}`);
        assert.ok(error.message.includes(`already ${ending}. Nothing was sent.`), error.message);
        return true;
      });
    }
  }
});

onEachFamily("the number of a new row is that of the statement, or none", async (t, url, family) => {
  const { app, kysely } = await notes(t, url);
  const numbered = async (statement: { executeTakeFirstOrThrow(): Promise<{ insertId?: bigint | undefined }> }) =>
    (await statement.executeTakeFirstOrThrow()).insertId;
  const first = (number: bigint) => (family === "postgres" ? undefined : number);
  const insert = (...bodies: string[]) => kysely.insertInto(Note).values(bodies.map((body) => ({ body })));
  assert.equal(await numbered(insert("two")), first(2n));
  // SQLite gives the last, MySQL and MariaDB the first.
  assert.equal(await numbered(insert("three", "four")), family === "sqlite" ? 4n : first(3n));
  const session = sessionOf(app);
  assert.equal(await numbered(session.insertInto(Note).values({ body: "five" })), first(5n));
  await session.commit();
  const updates = kysely.updateTable(Note).set({ done: false });
  assert.equal((await kysely.executeQuery(updates)).insertId, undefined);
  assert.equal((await kysely.executeQuery(kysely.deleteFrom(Note).where("id", "=", 5))).insertId, undefined);
  if (family === "mysql") {
    assert.equal(await numbered(insert("two").ignore()), undefined);
    return;
  }
  const upsert = (body: string, id = 0) =>
    kysely
      .insertInto(Note)
      .values(id === 0 ? { body } : { id, body })
      .onConflict((conflict) => conflict.column("body").doUpdateSet({ done: true }));
  assert.equal(await numbered(insert("two").onConflict((conflict) => conflict.doNothing())), undefined);
  assert.equal(await numbered(upsert("two")), undefined);
  assert.equal(await numbered(upsert("new", 40)), first(40n));
  assert.equal(await numbered(upsert("new", 40)), undefined);
});

test("the option log is Kysely's, for every statement of the engine", async (t) => {
  const events: LogEvent[] = [];
  const { app, kysely } = await notes(t, await freshDatabase(untilTheFileEnds, "sqlite"), {
    log: (event: LogEvent) => events.push(event),
  });
  events.length = 0;
  await kysely.selectFrom(Note).select("id").where("body", "=", "one").execute();
  await app.run(() => db.select(Note).all());
  await assert.rejects(sql`select nothing`.execute(kysely));
  assert.deepEqual(
    events.map(({ level, query }) => [level, query.sql.split(" ")[0], query.parameters.length]),
    [
      ["query", "select", 1],
      ["query", "select", 0],
      ["error", "select", 0],
    ],
  );
  assert.ok(events.every((event) => event.queryDurationMillis >= 0));
});

/** A migration as its author writes it, with Kysely alone. */
const MIGRATIONS = {
  "1_made.mjs": `
    export const up = (db) => db.schema.createTable("made").addColumn("id", "integer", (c) => c.primaryKey()).addColumn("label", "varchar(20)").execute();
    export const down = (db) => db.schema.dropTable("made").execute();`,
  "2_filled.mjs": `
    export const up = (db) => db.insertInto("made").values([{ id: 1, label: "a" }, { id: 2, label: "b" }]).execute();
    export const down = (db) => db.deleteFrom("made").execute();`,
};

onEachFamily("Kysely's Migrator runs the files of a folder on engine.kysely", async (t, _, family: FamilyName) => {
  const { app, kysely } = await notes(t, await freshDatabase(untilTheFileEnds, family));
  const migrationFolder = await mkdtemp(join(tmpdir(), "multibind-migrations-"));
  t.after(() => rm(migrationFolder, { recursive: true, force: true }));
  for (const [name, source] of Object.entries(MIGRATIONS)) await writeFile(join(migrationFolder, name), source);
  const migrator = () =>
    new Migrator({ db: kysely, provider: new FileMigrationProvider({ fs, path, migrationFolder }) });
  const { error, results } = await migrator().migrateToLatest();
  assert.equal(error, undefined);
  assert.deepEqual(
    results?.map(({ migrationName, status }) => [migrationName, status]),
    [
      ["1_made", "Success"],
      ["2_filled", "Success"],
    ],
  );
  const made = kysely.withTables<{ made: { id: number; label: string } }>();
  assert.equal((await made.selectFrom("made").selectAll().execute()).length, 2);
  assert.deepEqual((await migrator().migrateToLatest()).results, []);
  assert.equal((await migrator().migrateDown()).error, undefined);
  assert.deepEqual(await made.selectFrom("made").selectAll().execute(), []);
  assert.equal((await migrator().getMigrations()).filter(({ executedAt }) => executedAt !== undefined).length, 1);
  assert.equal((await migrator().migrateTo("2_filled")).error, undefined);
  assert.equal(app.engine.status().inUse, 0);
  assert.equal((await migrator().migrateTo(NO_MIGRATIONS)).error, undefined);
});

onEachFamily("destroy closes the engine's connections, and the next statement connects anew", async (t, url) => {
  const { app, kysely } = await notes(t, url);
  await kysely.destroy();
  assert.deepEqual([app.engine.status().inUse, app.engine.status().idle], [0, 0]);
  assert.deepEqual(await read(kysely), [ONE]);
});
