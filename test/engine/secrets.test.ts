import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { type TestContext, test } from "node:test";
import { inspect } from "node:util";
import fc from "fast-check";
import { SqliteDialect } from "kysely";
import {
  DatabaseConnectionError,
  type DatabaseError,
  type Engine,
  type EngineOptions,
  InvalidOptionError,
  integer,
  Multibind,
  sql,
  text,
  varchar,
} from "../../src/index.ts";
import { FAMILIES, freshDatabase, MYSQL, onMysql } from "../fixtures/databases.ts";
import { oneBind } from "../fixtures/one-bind.ts";

/** A PostgreSQL server that asks for a password in clear text, keeps it, and refuses it. */
async function refusingPostgres(t: TestContext): Promise<{ port: number; passwords: string[] }> {
  const passwords: string[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => {});
    let begun = false;
    socket.on("data", (data) => {
      if (!begun) {
        begun = true;
        socket.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]));
      } else if (data[0] === 0x70) {
        passwords.push(data.subarray(5, -1).toString());
        const fields = ["SFATAL", "VFATAL", "C28P01", 'Mpassword authentication failed for user "ada"', ""].join("\0");
        const head = Buffer.from([0x45, 0, 0, 0, 0]);
        head.writeInt32BE(Buffer.byteLength(fields) + 5, 1);
        socket.end(Buffer.concat([head, Buffer.from(`${fields}\0`)]));
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return { port: (server.address() as AddressInfo).port, passwords };
}

function shown(value: unknown): string {
  const deep = { depth: 10, showHidden: true, getters: true } as const;
  const texts = [String(value), inspect(value), inspect(value, { depth: 10 }), inspect(value, deep)];
  if (value instanceof Error)
    texts.push(value.message, String(value.stack), JSON.stringify(value), JSON.stringify(value.cause) ?? "");
  return texts.join("\n");
}

async function failure(engine: Engine): Promise<unknown> {
  try {
    await sql`select 1`.execute(engine.kysely);
  } catch (error) {
    return error;
  }
  return assert.fail("the connection was made");
}

const secrets = fc
  .tuple(
    fc.stringMatching(/^[a-z0-9]{16}$/),
    fc.string({ unit: fc.constantFrom(..."%:/?#[]@!$&'()*+,;= \"<>^`{|}~é😀a") }),
  )
  .map(([core, around]) => ({ core, password: `${around}${core}${around}` }));

test("the password shows neither in an application nor in its engines and options", () => {
  fc.assert(
    fc.property(secrets, ({ core, password }) => {
      const url = `postgresql://ada:${encodeURIComponent(password)}@127.0.0.1:1/main`;
      const db = new Multibind({ engineOptions: { poolSize: 3 } });
      const app = db.init({
        databaseUri: url,
        binds: {
          options: { url, driverOptions: { password } },
          mysql: `mysql://:${encodeURIComponent(password)}@h`,
          query: `postgresql:///x?password=${encodeURIComponent(password)}`,
        },
      });
      for (const value of [
        db,
        app,
        app.engines,
        ...[...app.engines].flatMap(([, engine]) => [engine, engine.options, engine.url, `${engine}`]),
      ]) {
        assert.equal(shown(value).includes(core), false);
        assert.equal((JSON.stringify(value) ?? "").includes(core), false);
      }
    }),
    { numRuns: 50 },
  );
});

test("the password reaches the server as it was meant, and does not show when that refuses it (postgres)", async (t) => {
  const { port, passwords } = await refusingPostgres(t);
  await fc.assert(
    fc.asyncProperty(secrets, async ({ core, password }) => {
      const { engine, app } = oneBind(t, {
        url: `postgresql://ada:${encodeURIComponent(password)}@127.0.0.1:${port}/main?sslpassword=${core}`,
      });
      const error = await failure(engine);
      await app.dispose();
      assert.ok(error instanceof DatabaseConnectionError, String(error));
      assert.match(
        error.message,
        /password authentication failed.*\(bind "auth", postgresql:\/\/ada:\*\*\*@127\.0\.0\.1/,
      );
      assert.equal(passwords.at(-1), password);
      assert.equal(shown(error).includes(core), false, shown(error));
    }),
    { numRuns: 20 },
  );
});

test("the password does not show when the server refuses it (mysql)", async (t) => {
  await freshDatabase(t, "mysql");
  await fc.assert(
    fc.asyncProperty(secrets, async ({ core, password }) => {
      const url = Object.assign(new URL(MYSQL), { username: "root", password: encodeURIComponent(password) });
      const { engine, app } = oneBind(t, { url: url.href });
      const error = await failure(engine);
      await app.dispose();
      assert.ok(error instanceof DatabaseConnectionError, String(error));
      assert.match(error.message, /Access denied.*\(bind "auth", mysql:\/\/root:\*\*\*@/);
      assert.equal(shown(error).includes(core), false, shown(error));
    }),
    { numRuns: 20 },
  );
});

for (const scheme of ["postgresql", "mysql"]) {
  for (const host of ["127.0.0.1:1", "does-not-exist.invalid", "[::1]:1", "127.0.0.1:1,127.0.0.1:2", "localhost:1"]) {
    test(`the password does not show when there is no server: ${scheme}://…@${host}`, async (t) => {
      const { engine } = oneBind(t, {
        url: `${scheme}://ada:hunter2hunter2@${host}/main`,
        driverOptions: { keepAlive: true, password: "hunter2hunter2" },
      });
      const error = await failure(engine);
      assert.ok(error instanceof DatabaseConnectionError, String(error));
      assert.equal(error.bindKey, "auth");
      assert.match(error.message, /bind "auth", (postgresql|mysql):\/\/ada:\*\*\*@/);
      assert.equal(shown(error).includes("hunter2"), false, shown(error));
    });
  }
}

for (const family of FAMILIES) {
  test(`an error of a statement does not show its parameters, which are the application's data (${family})`, async (t) => {
    const db = new Multibind<"auth">();
    db.table("user", { id: integer().primaryKey(), name: varchar(80).unique(), bio: text() }, { bindKey: "auth" });
    const app = db.init({ binds: { auth: await freshDatabase(t, family) } });
    t.after(() => app.dispose());
    await app.createAll();
    const { kysely } = app.engines.get("auth");
    const typed = kysely.withTables<{ user: { id?: number; name: string; bio: string } }>();
    const insert = typed.insertInto("user").values({ name: "ada", bio: "hunter2hunter2" });
    await insert.execute();
    const errors: unknown[] = [];
    await insert.execute().catch((error: unknown) => errors.push(error));
    await sql`select ${"hunter2hunter2"} from nowhere`.execute(kysely).catch((error: unknown) => errors.push(error));
    assert.deepEqual(
      errors.map((error) => (error as DatabaseError).code),
      ["UNIQUE_VIOLATION", "PROGRAMMING"],
    );
    for (const error of errors) {
      assert.match((error as DatabaseError).sql ?? "", /insert into|select/);
      assert.equal(shown(error).includes("hunter2"), false, shown(error));
    }
  });
}

test("a function gives the password of each new connection", async (t) => {
  const { port, passwords } = await refusingPostgres(t);
  let count = 0;
  const { engine } = oneBind(t, {
    url: `postgresql://ada@127.0.0.1:${port}/main`,
    password: async () => `token-${++count}`,
  });
  for (let i = 0; i < 2; i++) {
    const error = await failure(engine);
    assert.ok(!shown(error).includes("token-"));
  }
  assert.deepEqual(passwords, ["token-1", "token-2"]);
  assert.ok(!shown(engine).includes("token"));
  assert.ok(!("password" in engine.options));
});

test("a password that changes is asked for anew on MariaDB", async (t) => {
  const url = new URL(await freshDatabase(t, "mysql"));
  const user = `ada_${randomBytes(4).toString("hex")}`;
  await onMysql(`create user ${user}@'%' identified by 'one'`);
  t.after(() => onMysql(`drop user ${user}@'%'`));
  await onMysql(`grant all on ${url.pathname.slice(1)}.* to ${user}@'%'`);
  url.username = user;
  let password = "one";
  const { engine } = oneBind(t, { url: url.href, password: () => password });
  await sql`select 1`.execute(engine.kysely);
  await onMysql(`alter user ${user}@'%' identified by 'two'`);
  await engine.dispose();
  const error = await failure(engine);
  assert.ok(error instanceof DatabaseConnectionError, String(error));
  password = "two";
  await sql`select 1`.execute(engine.kysely);
});

test("a password function that fails, or gives no text, is told of", async (t) => {
  const cause = new Error("the vault is closed");
  const { engine } = oneBind(t, {
    url: "postgresql://ada@127.0.0.1:1/main",
    password: () => {
      throw cause;
    },
  });
  const error = await failure(engine);
  assert.ok(error instanceof DatabaseConnectionError);
  assert.equal(error.cause, cause);
  // @ts-expect-error a password is text
  const { engine: other } = oneBind(t, { url: "mysql://ada@127.0.0.1:1/main", password: () => 1234 });
  const refusal = await failure(other);
  assert.ok(refusal instanceof DatabaseConnectionError && refusal.message.includes("gave no text"), String(refusal));
});

test("a password function goes with no password in the URL, no SQLite and no dialect", () => {
  const password = () => "secret";
  const db = new Multibind();
  const refused = (options: EngineOptions) =>
    assert.throws(() => db.init({ engineOptions: options }), InvalidOptionError);
  refused({ url: "postgresql://ada:one@127.0.0.1/main", password });
  refused({ url: "sqlite://", password });
  refused({ dialect: new SqliteDialect({ database: async () => assert.fail() }), password });
  // @ts-expect-error text belongs into the URL
  refused({ url: "postgresql://ada@127.0.0.1/main", password: "secret" });
});
