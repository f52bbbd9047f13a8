import assert from "node:assert/strict";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import pg from "pg";
import {
  type EngineOptions,
  float,
  integer,
  Multibind,
  OperationalError,
  sql,
  UnsupportedError,
  varchar,
} from "../../src/index.ts";
import { onPostgres } from "../fixtures/databases.ts";
import { databaseForPooler, haproxy, type Pooler, pgbouncer, pgpool } from "../fixtures/poolers.ts";

const db = new Multibind();
class Admin extends db.model("admin_", { id: integer().primaryKey(), name: varchar(20) }) {}
class Guest extends db.model("guest_", { id: integer().primaryKey(), name: varchar(20).unique() }) {}
class Reading extends db.model("reading_", { id: integer().primaryKey(), value: float() }) {}

/** A database with the tables and a row in each. */
async function shop(t: TestContext): Promise<string> {
  const url = await databaseForPooler(t);
  await using app = db.init({ databaseUri: url });
  await app.createAll();
  await app.transaction(() => {
    db.session.addAll([new Admin({ name: "the admin" }), new Guest({ name: "a guest" }), new Reading({ value: 1 })]);
  });
  return url;
}

type Options = Omit<EngineOptions, "preparedStatements"> & { readonly preparedStatements?: boolean | undefined };

function application(t: TestContext, url: string, { preparedStatements, ...options }: Options = {}) {
  const named = preparedStatements === undefined ? {} : { preparedStatements };
  const app = db.init({ databaseUri: url, engineOptions: { poolSize: 1, ...options, ...named } });
  t.after(() => app.dispose());
  return app;
}

async function client(t: TestContext, url: string): Promise<pg.Client> {
  const connection = new pg.Client(url);
  connection.on("error", () => {});
  await connection.connect();
  t.after(() => connection.end().catch(() => {}));
  return connection;
}

/** Keeps one server connection of a pooler busy until the function that it returns is called. */
async function hold(t: TestContext, url: string): Promise<() => Promise<void>> {
  const holder = await client(t, url);
  await holder.query("begin");
  return async () => {
    await holder.query("rollback");
  };
}

/** The rows of a query through a pooler by a client of another kind, with simple messages. */
function asked(url: string, text: string): Promise<unknown[]> {
  return onPostgres(text, url);
}

/** The settings of the one server connection that a pooler keeps, as any client meets them. */
const LEFT_BEHIND = `
  select name, setting from pg_settings where source = 'session'
    and name not in ('client_encoding', 'application_name', 'TimeZone') and name not like 'transaction%'`;

/** Everything that an engine can say of its transactions. */
const OPTIONS = { isolationLevel: "serializable", readOnly: true, statementTimeout: "10s" } as const;

for (const preparedStatements of [undefined, false, true]) {
  const how = `preparedStatements: ${preparedStatements}`;

  test(`a statement's name never means another client's statement behind PgBouncer (${how})`, async (t) => {
    const url = await shop(t);
    const pooler = await pgbouncer(t, url, "transaction");
    const [one, two] = [0, 1].map(() => application(t, pooler.url, { preparedStatements }));
    const read = (app: typeof one, Model: typeof Admin | typeof Guest) =>
      app!.run(async () => (await db.session.get(Model, 1))?.name);
    const inTransaction = (app: typeof one, Model: typeof Admin | typeof Guest) =>
      app!.run(() =>
        db.session.transaction(async () => (await db.session.get(Model, 1, { lock: true }))?.name, { retries: 2 }),
      );
    // All pairs of server connections and clients meet each statement.
    for (let round = 0; round < 3; round++) {
      for (const look of [read, inTransaction]) {
        const releaseFirst = await hold(t, pooler.url);
        assert.equal(await look(one, Admin), "the admin");
        const releaseSecond = await hold(t, pooler.url);
        await releaseFirst();
        assert.equal(await look(two, Guest), "a guest");
        assert.equal(await look(one, Admin), "the admin");
        assert.equal(await look(two, Admin), "the admin");
        await releaseSecond();
      }
    }
  });
}

for (const [name, pooler] of Object.entries<(t: TestContext, url: string) => Promise<Pooler>>({
  "PgBouncer in transaction mode": (t, url) => pgbouncer(t, url, "transaction", { default_pool_size: 1 }),
  "PgBouncer in transaction mode that discards all": (t, url) =>
    pgbouncer(t, url, "transaction", { default_pool_size: 1, server_reset_query_always: 1 }),
  "PgBouncer in session mode": (t, url) => pgbouncer(t, url, "session"),
  "Pgpool-II": pgpool,
  "Pgpool-II in raw mode": (t, url) => pgpool(t, url, { backend_clustering_mode: "raw" }),
  HAProxy: haproxy,
})) {
  for (const preparedStatements of [undefined, false]) {
    const how = `${name}, preparedStatements: ${preparedStatements}`;

    test(`each statement and transaction runs as the options say (${how})`, async (t) => {
      const app = application(t, (await pooler(t, await shop(t))).url, { ...OPTIONS, preparedStatements });
      const state = sql<{ level: string; access: string; limit: string }>`
        select current_setting('transaction_isolation') as level, current_setting('transaction_read_only') as access,
          current_setting('statement_timeout') as limit, ${1}::int as one`;
      const wanted = { level: "serializable", access: "on", limit: "10s", one: 1 };
      const { kysely } = app.engine;
      assert.deepEqual((await state.execute(kysely)).rows, [wanted]);
      assert.deepEqual((await sql.raw(state.compile(kysely).sql.replace("$1", "1")).execute(kysely)).rows, [wanted]);
      await kysely.transaction().execute(async (tx) => assert.deepEqual((await state.execute(tx)).rows, [wanted]));
      await app.run(async () => {
        assert.deepEqual((await db.session.execute(state, { readOnly: true })).rows, [wanted]);
        await db.session.rollback();
        await db.session.begin({ isolationLevel: "repeatable read" });
        const { rows } = await db.session.execute(state, { readOnly: true });
        assert.deepEqual(rows, [{ ...wanted, level: "repeatable read" }]);
        await db.session.rollback();
        assert.equal((await db.session.getOne(Admin, 1)).name, "the admin");
        await db.session.rollback();
      });
      await assert.rejects(sql`update admin_ set name = ${"x"}`.execute(kysely), { message: /read-only/ });
      await assert.rejects(sql`update admin_ set name = 'x'`.execute(kysely), { message: /read-only/ });
      assert.deepEqual((await state.execute(kysely)).rows, [wanted]);
    });

    test(`a statement that takes too long is ended, another client's is not (${how})`, async (t) => {
      const between = await pooler(t, await shop(t));
      const app = application(t, between.url, { statementTimeout: "500ms", preparedStatements });
      const sleep = (seconds: number) => sql`select pg_sleep(${seconds})`.execute(app.engine.kysely);
      await assert.rejects(sleep(10), { name: "DatabaseTimeoutError" });
      await app.run(() =>
        assert.rejects(db.session.execute(sql`select pg_sleep(${10})`), { name: "DatabaseTimeoutError" }),
      );
      await asked(between.url, "select pg_sleep(0.8)");
      await sleep(0);
    });

    test(`nothing is left on a connection for other clients (${how})`, async (t) => {
      const between = await pooler(t, await shop(t));
      for (const options of [{}, OPTIONS, { isolationLevel: "repeatable read" } as const]) {
        const app = application(t, between.url, { ...options, preparedStatements });
        await app.run(async () => {
          await db.session.getOne(Reading, 1);
          await db.session.rollback();
        });
        await app.transaction(() => db.session.execute(sql`select ${1}::int`));
        await sql`select ${1}::int`.execute(app.engine.kysely);
        await app.dispose();
      }
      assert.deepEqual(await asked(between.url, LEFT_BEHIND), []);
      const [left] = (await asked(between.url, "select count(*)::int as n from pg_prepared_statements")) as [object];
      assert.deepEqual(left, { n: 0 });
      await asked(between.url, "insert into guest_ (name) values ('another')");
    });
  }
}

for (const preparedStatements of [undefined, false]) {
  test(`what another client has set does not change what is read or written (preparedStatements: ${preparedStatements})`, async (t) => {
    const pooler = await pgbouncer(t, await shop(t), "transaction", { default_pool_size: 1 });
    const app = application(t, pooler.url, { preparedStatements });
    const other = await client(t, pooler.url);
    await other.query("set extra_float_digits to -15");
    await other.query("set IntervalStyle to sql_standard");
    await other.query("set array_nulls to off");
    await other.query("set DateStyle to 'German'");
    const value = 1234567.125;
    await app.run(async () => {
      const reading = await db.session.getOne(Reading, 1);
      reading.value = value;
      await db.session.commit();
    });
    const texts = sql<object>`select ${"1234567.125"}::float8 as value, ${"1 day"}::interval as span, ${"{1,NULL}"}::int[] as list`;
    const plain = sql<object>`select 1234567.125::float8 as value`;
    const { kysely } = app.engine;
    const wanted = { value, span: { days: 1 }, list: [1, null] };
    for (let round = 0; round < 3; round++) {
      const [row] = (await texts.execute(kysely)).rows;
      assert.deepEqual(JSON.parse(JSON.stringify(row)), wanted);
      assert.deepEqual((await plain.execute(kysely)).rows, [{ value }]);
      await app.run(async () => {
        assert.equal((await db.session.getOne(Reading, 1)).value, value);
        assert.deepEqual(
          await db
            .select(Reading)
            .all()
            .then((all) => all.map((one) => one.value)),
          [value],
        );
        await db.session.begin();
        assert.equal((await db.session.getOne(Reading, 1, { refresh: true })).value, value);
        const seen: number[] = [];
        await db.session.rollback();
        for await (const one of db.select(Reading).stream()) seen.push(one.value);
        assert.deepEqual(seen, [value]);
        assert.deepEqual(await db.selectFrom(Reading).select("value").execute(), [{ value }]);
        assert.deepEqual(await db.updateTable(Reading).set({ value }).returning("value").execute(), [{ value }]);
        await db.session.rollback();
      });
    }
    assert.deepEqual((await other.query("show extra_float_digits")).rows, [{ extra_float_digits: "-15" }]);
  });
}

test("names that a pooler loses are noticed at the first answer, warned of once, and given up for the engine", async (t) => {
  const url = await shop(t);
  const pooler = await pgbouncer(t, url, "transaction", { default_pool_size: 1 });
  const app = application(t, pooler.url, { preparedStatements: true });
  const admin = (lock?: boolean) => db.session.get(Admin, 1, lock ? { lock } : {});
  assert.equal((await app.run(() => admin()))?.name, "the admin");
  const names = () => asked(pooler.url, "select name from pg_prepared_statements");
  assert.equal((await names()).length, 1);
  await asked(pooler.url, "deallocate all");
  const warned = once(process, "warning") as Promise<[Error & { readonly code?: string }]>;
  assert.equal((await app.run(() => admin()))?.name, "the admin");
  const [warning] = await warned;
  assert.equal(warning.code, "MULTIBIND_POOLER");
  assert.match(warning.message, /preparedStatements: false/);
  for (let i = 0; i < 3; i++) assert.equal((await app.run(() => admin()))?.name, "the admin");
  assert.deepEqual(await names(), []);
});

for (const [what, spoil] of Object.entries({
  "does not exist": "deallocate all",
  "exists already": "",
})) {
  test(`a name that ${what} within a transaction is an error that says what to do, and is retryable`, async (t) => {
    const url = await shop(t);
    const pooler = await pgbouncer(t, url, "transaction", { default_pool_size: 1 });
    const [one, two] = [0, 1].map(() => application(t, pooler.url, { preparedStatements: true }));
    const rename = (name: string) => async () => {
      const admin = await db.session.getOne(Admin, 1, { lock: true });
      admin.name = name;
    };
    await one!.transaction(rename("first"));
    if (spoil !== "") await asked(pooler.url, spoil);
    const spoiled = spoil === "" ? two! : one!;
    await assert.rejects(spoiled.transaction(rename("second")), (error) => {
      assert.ok(error instanceof OperationalError);
      assert.equal(error.retryable, true);
      assert.match(error.message, /transaction pooler is between: set `preparedStatements: false`/);
      return true;
    });
    await spoiled.transaction(rename("third"));
    assert.deepEqual(await onPostgres("select name from admin_", url), [{ name: "third" }]);
  });
}

test("a lost name is healed by retries", async (t) => {
  const url = await shop(t);
  const pooler = await pgbouncer(t, url, "transaction", { default_pool_size: 1 });
  const app = application(t, pooler.url, { preparedStatements: true });
  let runs = 0;
  const rename = async () => {
    runs++;
    (await db.session.getOne(Admin, 1, { lock: true })).name = `run ${runs}`;
  };
  await app.run(() => db.session.transaction(rename));
  await asked(pooler.url, "deallocate all");
  await app.run(() => db.session.transaction(rename, { retries: 1 }));
  assert.equal(runs, 3);
  assert.deepEqual(await onPostgres("select name from admin_", url), [{ name: "run 3" }]);
});

test("a transaction cannot be begun as text behind a pooler where it would lack the options", async (t) => {
  const pooler = await pgbouncer(t, await shop(t), "transaction");
  const app = application(t, pooler.url, { isolationLevel: "serializable" });
  const run = (text: string) => sql.raw(text).execute(app.engine.kysely);
  for (const text of ["begin", "  START transaction", "/* now */ begin"]) {
    await assert.rejects(run(text), (error) => error instanceof UnsupportedError && /begin\(\)/.test(error.message));
  }
  await run("rollback");
  await run("select 1");
});

test("settings that a pooler would drop are refused, before anything is sent where it is known", async (t) => {
  const url = await shop(t);
  for (const driverOptions of [{ options: "-c search_path=other" }, { statement_timeout: 5_000 }]) {
    const [name] = Object.keys(driverOptions);
    const engineOptions = { driverOptions, preparedStatements: false };
    const expected = { name: "InvalidOptionError", message: new RegExp(`"${name}".*does not pass it on`, "s") };
    assert.throws(() => db.init({ databaseUri: url, engineOptions }), expected);
    const pooler = await pgbouncer(t, url, "transaction", { ignore_startup_parameters: name! });
    const app = application(t, pooler.url, { driverOptions });
    await assert.rejects(
      app.run(() => db.session.get(Admin, 1)),
      expected,
    );
  }
  assert.throws(
    () => db.init({ databaseUri: `${url}?options=-cjit=off`, engineOptions: { preparedStatements: false } }),
    {
      name: "InvalidOptionError",
    },
  );
});

test("a driver that sends one statement after the other works behind a pooler too", async (t) => {
  const pooler = await pgbouncer(t, await shop(t), "transaction", { default_pool_size: 1 });
  const { Client, types } = pg;
  const other = await client(t, pooler.url);
  await other.query("set extra_float_digits to -15");
  for (const options of [{}, OPTIONS]) {
    const app = application(t, pooler.url, { ...options, driver: { Client, types } });
    const query = sql<object>`select ${"1234567.125"}::float8 as value`;
    assert.deepEqual((await query.execute(app.engine.kysely)).rows, [{ value: 1234567.125 }]);
    await assert.rejects(sql`select ${1}::int / 0`.execute(app.engine.kysely));
    assert.deepEqual((await query.execute(app.engine.kysely)).rows, [{ value: 1234567.125 }]);
  }
});

test("preparedStatements: false is refused where there are no such poolers", () => {
  for (const url of ["sqlite://", "mysql://root@localhost/none"]) {
    assert.throws(() => db.init({ binds: { a: { url, preparedStatements: false } } }), {
      name: "InvalidOptionError",
      message: /bind "a".*Leave the option out/s,
    });
    db.init({ binds: { a: { url, preparedStatements: true } } });
  }
});
