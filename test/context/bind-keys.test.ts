import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { inspect } from "node:util";
import {
  type Application,
  type BindKey,
  type Configuration,
  integer,
  Multibind,
  MultibindError,
  type Session,
  select,
  sql,
  text,
  UnboundExecutionError,
} from "../../src/index.ts";
import { nearestName } from "../../src/nearest-name.ts";

const SECRET = "s3cret-Pa55";

/** What is given as a bind key by mistake. */
const WRONG: Record<string, unknown> = {
  "a URL": `postgresql://root:${SECRET}@localhost:5432/main`,
  "a URL in capitals": ` MYSQL://root:${SECRET}@localhost/main`,
  "a URL without a scheme": `root:${SECRET}@localhost/main`,
  "a connection string": `Server=localhost;Pwd=${SECRET}`,
  "JSON text": JSON.stringify({ password: SECRET }),
  "a long text": SECRET.repeat(2000),
  "an object": { url: `postgresql://root:${SECRET}@localhost/main` },
  "an object with toString": { toString: () => SECRET },
  "an array": [SECRET],
  "a symbol": Symbol(SECRET),
  "a function": () => SECRET,
  "a number": 5,
};

/** Everything of an error that may be logged. */
function shown(error: unknown): string {
  assert.ok(error instanceof MultibindError, inspect(error));
  const { message, bindKey, cause } = error;
  return [
    message,
    String(bindKey),
    String(cause),
    inspect(error, { depth: 9 }),
    JSON.stringify(error),
    error.stack,
  ].join("\n");
}

async function errorOf(run: () => unknown): Promise<unknown> {
  try {
    await run();
  } catch (error) {
    return error;
  }
  assert.fail("nothing was thrown");
}

class Known extends Multibind {}

interface Given {
  readonly db: Multibind;
  readonly app: Application;
  readonly session: Session;
  readonly key: string;
}

const ENTRANCES: Record<string, (given: Given) => unknown> = {
  "engines.get": ({ app, key }) => app.engines.get(key),
  "metadatas.get": ({ db, key }) => db.metadatas.get(key),
  getBind: ({ session, key }) => session.getBind({ bindKey: key }),
  "getBind of a statement": ({ session, key }) => session.getBind({ statement: sql`select 1`, bindKey: key }),
  "getBind beside a table": ({ session, db, key }) =>
    session.getBind({ table: db.metadata.tables.get("post")!, bindKey: key }),
  createAll: ({ app, key }) => app.createAll({ bindKey: key }),
  "createAll of a list": ({ app, key }) => app.createAll({ bindKey: [null, key] }),
  dropAll: ({ app, key }) => app.dropAll({ bindKey: key }),
  reflect: ({ app, key }) => app.reflect({ bindKey: key }),
  "a model": ({ db, key }) => db.model("one", { id: integer().primaryKey() }, { bindKey: key }),
  "a table": ({ db, key }) => db.table("one", { id: integer() }, { bindKey: key }),
  "an abstract model": ({ db, key }) => db.abstractModel({ id: integer() }, { bindKey: key }),
  "a model of an abstract one": ({ db, key }) =>
    db.abstractModel({ id: integer().primaryKey() }).extend("one", {}, { bindKey: key }),
  "a child": ({ db, key }) =>
    db
      .model("parent", { id: integer().primaryKey(), kind: text() }, { discriminator: "kind" })
      .extend({}, { bindKey: key, identity: "child" } as never),
  "session.execute": ({ session, key }) => session.execute(sql`select 1`, { bindKey: key }),
  "session.kysely": ({ session, key }) => session.kysely(key),
  "compile()": ({ session, db, key }) =>
    session.select(db.model("other", { id: integer().primaryKey() })).compile({ bindKey: key }),
  commitOrder: ({ db, key }) => db.init({ databaseUri: "sqlite://", commitOrder: [null, key] }),
  decisionBind: ({ db, key }) => db.init({ databaseUri: "sqlite://", decisionBind: key }),
  "a Map of binds": ({ db, key }) => db.init({ binds: new Map([[key, "sqlite://"]]) }),
};

for (const [what, value] of Object.entries(WRONG)) {
  test(`${what} in place of a bind key shows no secret`, async () => {
    for (const [entrance, use] of Object.entries(ENTRANCES)) {
      // A list of bind keys is what these three take.
      if (Array.isArray(value) && ["createAll", "dropAll", "reflect"].includes(entrance)) continue;
      const db = new Known();
      db.table("post", { id: integer() });
      const app = db.init({ databaseUri: "sqlite://" });
      const session = app.session();
      const error = await errorOf(() => use({ db, app, session, key: value as string }));
      assert.ok(!shown(error).includes(SECRET), `${entrance}: ${shown(error)}`);
      assert.ok((error as Error).message.length < 1000, entrance);
      await session.close();
      await app.dispose();
    }
  });
}

test("keys of a plain object of binds show no secret", async () => {
  for (const value of Object.values(WRONG)) {
    if (typeof value !== "string") continue;
    const error = await errorOf(() => new Multibind().init({ binds: { [value]: "sqlite://" } }));
    assert.ok(!shown(error).includes(SECRET));
    assert.match((error as Error).message, /Expected|expected/);
  }
});

test("a URL in place of a bind key is told where URLs go", async () => {
  const db = new Multibind();
  await using app = db.init({ databaseUri: "sqlite://", binds: { auth: "sqlite://" } });
  assert.throws(() => app.engines.get(`postgresql://root:${SECRET}@localhost/main`), {
    name: "UnboundExecutionError",
    code: "UNBOUND_EXECUTION",
    bindKey: "postgresql://…",
    message:
      "Bind key 'postgresql://…' is not in 'binds' config. A bind key names a database, such as \"auth\"; its URL is the " +
      "value of that key in `binds`, or `databaseUrl` for the default bind. Configured: 'auth', the default bind.",
  });
  assert.throws(
    () => app.engines.get({ url: SECRET } as never),
    (error: UnboundExecutionError) => {
      assert.match(
        error.message,
        /^Expected a bind key to be a short name, or null for the default bind, but got an object\./,
      );
      return !("bindKey" in error);
    },
  );
});

test("short names of any letters are bind keys", async () => {
  const keys = ["auth", "auth-eu", "tenant:acme", "a.b/c d", "användare", "__proto__", "constructor", "x".repeat(64)];
  const db = new Multibind();
  await using app = db.init({ binds: new Map(keys.map((key) => [key, "sqlite://"] as const)) });
  assert.deepEqual([...app.engines.keys()], keys);
  for (const key of keys) assert.equal(app.engines.get(key).bindKey, key);
});

test("every way to a bind key without engine has one message, with the configured keys and the nearest", async () => {
  const db = new Multibind();
  class Login extends db.model("login", { id: integer().primaryKey() }, { bindKey: "auht" }) {}
  const audit = db.table("audit", { id: integer() }, { bindKey: "auht" });
  const warned = once(process, "warning");
  await using app = db.init({ databaseUri: "sqlite://", binds: { auth: "sqlite://", meta: "sqlite://" } });
  await warned;
  const session = app.session();
  const prepared = db.prepare(() => select(Login).where("id", "=", 1));
  const ways: Record<string, () => unknown> = {
    "engines.get": () => app.engines.get("auht"),
    "getBind of a key": () => session.getBind({ bindKey: "auht" }),
    "getBind of a model": () => session.getBind({ model: Login }),
    "getBind of a table": () => session.getBind({ table: audit }),
    "getBind of a statement": () => session.getBind({ statement: select(Login) }),
    get: () => session.get(Login, 1),
    getOne: () => session.getOne(Login, 1),
    select: () => session.select(Login).all(),
    "select by a condition": () => session.select(Login).where("id", "=", 1).first(),
    count: () => session.select(Login).count(),
    keyset: () => session.select(Login).orderBy("id").keyset({ perPage: 1 }),
    paginate: () => session.select(Login).orderBy("id").paginate(),
    stream: () => session.select(Login).stream().next(),
    "a bulk update": () => session.select(Login).where("id", "=", 1).delete(),
    prepared: () => prepared.on(session).all(),
    "Kysely's select": () => session.selectFrom(audit).selectAll().execute(),
    "Kysely's insert": () => session.insertInto(audit).values({ id: 1 }).execute(),
    "session.kysely": () => session.kysely("auht"),
    "SQL text": () => session.execute(sql`select 1`, { bindKey: "auht" }),
    "SQL text with a table": () => session.execute(sql`select * from ${sql.table("audit")}`),
    compile: () => session.select(Login).compile(),
    createAll: () => app.createAll(),
    "createAll of the key": () => app.createAll({ bindKey: "auht" }),
    dropAll: () => app.dropAll({ bindKey: "auht" }),
    reflect: () => app.reflect({ bindKey: "auht" }),
    flush: async () => {
      const own = app.session();
      own.add(new Login({ id: 1 }));
      await own.flush();
    },
    commit: async () => {
      const own = app.session();
      own.add(new Login({ id: 1 }));
      await own.commit();
    },
    "app.check": () => app.check(),
    "db.check": () => db.check(),
  };
  for (const [way, use] of Object.entries(ways)) {
    const error = await errorOf(use);
    assert.ok(error instanceof UnboundExecutionError, `${way}: ${inspect(error)}`);
    assert.equal(error.bindKey, "auht", way);
    assert.equal(
      error.message,
      "Bind key 'auht' is not in 'binds' config. Its tables: \"login\", \"audit\". Did you mean 'auth'? " +
        "Configured: 'auth', 'meta', the default bind.",
      way,
    );
  }
  await session.close();
});

/** The warnings of a `db.init`, which come after it. */
async function warningsOf(init: () => Application): Promise<{ app: Application; warnings: NodeJS.ErrnoException[] }> {
  const warnings: NodeJS.ErrnoException[] = [];
  const listen = (warning: NodeJS.ErrnoException) => void warnings.push(warning);
  process.on("warning", listen);
  const app = init();
  // Warnings are given out in the next tick, in their order.
  process.emitWarning("the end of the test's warnings");
  while (!warnings.some(({ message }) => message === "the end of the test's warnings")) await once(process, "warning");
  process.off("warning", listen);
  return { app, warnings: warnings.filter(({ message }) => message !== "the end of the test's warnings") };
}

test("init warns once of bind keys without engine, with their tables and the configured keys", async () => {
  const db = new Multibind();
  db.table("post", { id: integer() });
  db.table("log", { id: integer() }, { bindKey: "meta" });
  db.model("user", { id: integer().primaryKey() }, { bindKey: "auth" });
  const { app, warnings } = await warningsOf(() => db.init({ binds: { meta: "sqlite://", more: "sqlite://" } }));
  assert.deepEqual(
    warnings.map(({ name, code, message }) => ({ name, code, message })),
    [
      {
        name: "MultibindWarning",
        code: "MULTIBIND_UNBOUND_MODELS",
        message:
          "There is no default engine: 'databaseUrl' is not configured. Tables without a bind key: \"post\". Configure it, " +
          "or give the model, table or statement a bind key. Bind key 'auth' is not in 'binds' config. " +
          "Its tables: \"user\". Configured: 'meta', 'more'.",
      },
    ],
  );
  assert.throws(() => app.check(), { name: "UnboundExecutionError", message: warnings[0]!.message });
  assert.throws(() => db.check(), { name: "UnboundExecutionError", message: warnings[0]!.message });
  await app.dispose();
});

test("no warning where every table has an engine, or a key has no table", async () => {
  const db = new Multibind();
  db.table("post", { id: integer() });
  db.metadatas.ensure("empty");
  const { app, warnings } = await warningsOf(() => db.init({ databaseUri: "sqlite://" }));
  assert.deepEqual(warnings, []);
  app.check();
  db.check();
  await app.dispose();
});

test("models that are defined after init are covered by check and by the first use", async () => {
  const db = new Multibind();
  await using app = db.init({ databaseUri: "sqlite://" });
  app.check();
  class Late extends db.model("late", { id: integer().primaryKey() }, { bindKey: "auth" }) {}
  const message = "Bind key 'auth' is not in 'binds' config. Its tables: \"late\". Configured: the default bind.";
  assert.throws(() => app.check(), { message, bindKey: "auth" });
  assert.throws(() => db.check(), { message });
  await app.run(async () => {
    assert.throws(() => db.check(), { message });
    await assert.rejects(db.session.get(Late, 1), { message });
  });
});

test("db.check asks the context's application, else all applications together", async () => {
  const db = new Multibind();
  db.table("user", { id: integer() }, { bindKey: "auth" });
  db.table("log", { id: integer() }, { bindKey: "meta" });
  db.check();
  const init = async (configuration: Configuration) => (await warningsOf(() => db.init(configuration))).app;
  const one = await init({ binds: { auth: "sqlite://" } });
  assert.throws(() => db.check(), /'meta' is not .* Configured: 'auth'\./);
  const two = await init({ binds: { meta: "sqlite://" } });
  db.check();
  await one.run(() => assert.throws(() => db.check(), /'meta' is not/));
  await two.run(() => assert.throws(() => db.check(), /'auth' is not/));
  await one.dispose();
  assert.throws(() => db.check(), /'auth' is not .* Configured: 'meta'\./);
  await two.dispose();
  db.check();
});

test("what identifies an engine, an application or a table cannot be assigned", async () => {
  const db = new Multibind();
  const tag = db.table("tag", { id: integer() });
  await using app = db.init({ databaseUri: "sqlite://", binds: { auth: "sqlite://" } });
  const engine = app.engines.get("auth");
  const context = app.context();
  const fixed: [object, string][] = [
    [engine, "bindKey"],
    [engine, "family"],
    [engine, "options"],
    [engine.options, "readOnly"],
    [engine, "url"],
    [tag, "bindKey"],
    [tag, "schema"],
    [tag, "owner"],
    [tag.columns.id, "table"],
    [tag.columns.id, "name"],
    [db.metadata, "bindKey"],
    [db, "metadatas"],
    [app, "engines"],
    [app, "metadatas"],
    [app, "db"],
    [context, "application"],
  ];
  for (const [target, name] of fixed) {
    const before = Reflect.get(target, name);
    assert.throws(() => Object.assign(target, { [name]: "changed" }), TypeError, name);
    assert.equal(Reflect.get(target, name), before, name);
  }
  await context.close();
});

test("the nearest name is one that differs in a few characters, and no other as little", () => {
  const cases: [string, BindKey[], string | undefined][] = [
    ["auht", ["auth", "meta"], "auth"],
    ["Auth", ["auth", "meta"], "auth"],
    ["auth_db", ["authDb", "meta"], "authDb"],
    ["aut", ["auth", "meta"], "auth"],
    ["mets", ["auth", "meta"], "meta"],
    ["shop", ["auth", "meta"], undefined],
    ["ax", ["ay", "az"], undefined],
    ["", ["auth"], undefined],
    ["x".repeat(100), ["x".repeat(99)], undefined],
  ];
  for (const [given, names, expected] of cases)
    assert.equal(
      nearestName(
        given,
        names.filter((name) => name !== null),
      ),
      expected,
      given,
    );
});
