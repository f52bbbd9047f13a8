import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import type { Dialect } from "kysely";
import { resolveConfiguration } from "../../src/context/configuration.ts";
import type { EngineOptions } from "../../src/engine/options/engine-options.ts";
import { type BindKey, type Configuration, DatabaseUrl, Multibind, sql } from "../../src/index.ts";

/** What becomes of a configuration: each bind's URL and options. */
function engines(configuration: Configuration, common: EngineOptions = {}) {
  const { engines: definitions } = resolveConfiguration(configuration, common);
  return new Map(
    definitions.map(({ bindKey, options, directory }) => [
      bindKey,
      { ...options, url: String(options.url), directory },
    ]),
  );
}

function poolSizes(configuration: Configuration, common: EngineOptions = {}): Map<BindKey, number> {
  return new Map([...engines(configuration, common)].map(([key, { poolSize }]) => [key, poolSize]));
}

const main = "postgresql://h/main";
const users = "mysql://h/users?charset=utf8mb4";

test("the default database comes from databaseUri, the others from binds", () => {
  const made = engines({ databaseUri: main, binds: { auth: users, meta: { url: "sqlite://" } } });
  assert.deepEqual(
    [...made].map(([key, { url }]) => [key, url]),
    [
      ["auth", users],
      ["meta", "sqlite://"],
      [null, main],
    ],
  );
});

test("a bind's value is a URL, a DatabaseUrl, or options with one of them", () => {
  const url = DatabaseUrl.parse(main);
  const made = engines({ databaseUri: url, binds: { a: main, b: url, c: { url: main, poolSize: 3 }, d: { url } } });
  for (const [, { url: text }] of made) assert.equal(text, main);
});

test("neither databaseUri nor binds is an error", () => {
  for (const configuration of [{}, { databaseUri: null }, { binds: {} }, { engineOptions: { poolSize: 3 } }]) {
    assert.throws(() => engines(configuration), {
      name: "ConfigurationError",
      message: "Either 'databaseUrl' or 'binds' must be set.",
    });
  }
});

test("binds alone are enough; then there is no default engine", () => {
  assert.deepEqual([...engines({ binds: { auth: users } }).keys()], ["auth"]);
});

test("engineOptions are the default engine's alone, and may hold its URL", () => {
  assert.deepEqual(
    poolSizes({ engineOptions: { url: main, poolSize: 3 }, binds: { auth: users } }),
    new Map([
      ["auth", 10],
      [null, 3],
    ]),
  );
});

test("engineOptions that reach no engine are refused", () => {
  const binds = [{ auth: users }, new Map<string | null, string>([[null, main]])];
  for (const its of binds)
    assert.throws(() => engines({ engineOptions: { poolSize: 3 }, binds: its }), {
      code: "INVALID_OPTION",
      bindKey: null,
      message: /belong to the default database, .* Set databaseUrl, put the options into the bind's own entry/,
    });
});

test("databaseUrl is the default database's URL; databaseUri is Flask's name for it, and both at once are refused", () => {
  assert.equal(engines({ databaseUrl: main }).get(null)?.url, main);
  assert.equal(engines({ databaseUrl: null, databaseUri: main }).get(null)?.url, main);
  assert.equal(engines({ databaseUrl: null, binds: { auth: users } }).get(null), undefined);
  assert.throws(() => engines({ databaseUrl: main, databaseUri: main }), {
    code: "INVALID_OPTION",
    message: /two names of one setting/,
  });
});

test("databaseUri overrides a URL in engineOptions", () => {
  assert.equal(engines({ databaseUri: main, engineOptions: { url: users } }).get(null)?.url, main);
});

test("the constructor's engineOptions are every engine's, and each engine's own go over them", () => {
  const sizes = poolSizes(
    { databaseUri: main, engineOptions: { poolSize: 2 }, binds: { a: main, b: { url: main, poolSize: 3 } } },
    { poolSize: 5 },
  );
  assert.deepEqual(
    sizes,
    new Map([
      ["a", 5],
      ["b", 3],
      [null, 2],
    ]),
  );
});

test("the constructor's engineOptions may hold the default database's URL", () => {
  assert.equal(engines({}, { url: main }).get(null)?.url, main);
});

test("echo is every engine's, unless its own options say otherwise", () => {
  const made = engines({ databaseUri: main, echo: true, binds: { quiet: { url: main, echo: false } } });
  assert.equal(made.get(null)?.echo, true);
  assert.equal(made.get("quiet")?.echo, false);
});

test("in a Map the default database may be under null", () => {
  const binds = new Map<string | null, string>([
    [null, main],
    ["auth", users],
  ]);
  assert.deepEqual([...engines({ binds }).keys()], [null, "auth"]);
});

test("databaseUri overrides the default database of a Map, which keeps its other options", () => {
  const binds = new Map<string | null, EngineOptions>([[null, { url: users, poolSize: 3 }]]);
  const made = engines({ databaseUri: main, binds }).get(null);
  assert.deepEqual([made?.url, made?.poolSize], [main, 3]);
});

test("a key of a Map that is neither a string nor null is refused", () => {
  for (const key of [1, undefined, Symbol("a"), {}]) {
    assert.throws(() => engines({ binds: new Map([[key, main]]) as never }), {
      name: "InvalidOptionError",
      message: /expected a bind key to be a short name/,
    });
  }
});

test("binds that are no object and no Map are refused", () => {
  for (const binds of ["sqlite://", [main], null, 1]) {
    assert.throws(() => engines({ databaseUri: main, binds: binds as never }), {
      name: "InvalidOptionError",
      message: /binds is an object or a Map/,
    });
  }
});

test("a bind's value that is no URL and no options is refused by the bind's name", () => {
  for (const value of [1, null, undefined, [main], true]) {
    assert.throws(() => engines({ binds: { auth: value as never } }), {
      name: "InvalidOptionError",
      message: /bind "auth"/,
    });
  }
});

test("an error in the options of a bind names the bind", () => {
  assert.throws(() => engines({ binds: { auth: { url: main, poolSize: 0 } } }), {
    message: /poolSize \(bind "auth"\)/,
  });
  assert.throws(() => engines({ binds: { auth: "no url" } }), { name: "InvalidUrlError", message: /bind "auth"/ });
  assert.throws(() => engines({ databaseUri: "no url" }), { name: "InvalidUrlError", message: /the default bind/ });
  assert.throws(() => engines({ databaseUri: main }, { poolSize: 0 }), { message: /poolSize \(the default bind\)/ });
});

test("an unknown part of the configuration is refused with the known ones", () => {
  for (const name of ["databaseUris", "bind", "SQLALCHEMY_BINDS", "constructor"]) {
    assert.throws(() => engines({ databaseUri: main, [name]: main } as Configuration), {
      name: "InvalidOptionError",
      message: new RegExp(
        `no option "${name}" of a configuration\\. (?:There are databaseUrl, databaseUri, engineOptions|Did you mean)`,
      ),
    });
  }
});

for (const [name, refused] of [
  ["commitPolicy", ["twice", "", null, 1]],
  ["onUncommitted", ["ignored", "", null, true]],
  ["engineOptions", ["poolSize", 1, null, []]],
  ["instancePath", [1, null, {}]],
  ["commitOrder", ["auth", {}, null, 1]],
] as const) {
  test(`${name} takes nothing that it does not know`, () => {
    for (const value of refused) {
      assert.throws(
        () => engines({ databaseUri: main, binds: { auth: users }, [name]: value } as Configuration),
        {
          name: "InvalidOptionError",
          message: new RegExp(name),
        },
        String(value),
      );
    }
  });
}

test("binds commit as they are listed, the default one last", () => {
  assert.deepEqual(resolveConfiguration({ databaseUri: main, binds: { b: main, a: main } }, {}).commitOrder, [
    "b",
    "a",
    null,
  ]);
  const binds = new Map<string | null, string>([
    [null, main],
    ["b", main],
  ]);
  assert.deepEqual(resolveConfiguration({ binds }, {}).commitOrder, ["b", null]);
});

test("commitOrder says otherwise", () => {
  const { commitOrder } = resolveConfiguration(
    { databaseUri: main, binds: { b: main, a: main }, commitOrder: [null, "a", "b"] },
    {},
  );
  assert.deepEqual(commitOrder, [null, "a", "b"]);
});

test("commitOrder names every bind once and no other", () => {
  const configuration = { databaseUri: main, binds: { a: main, b: main } };
  assert.throws(() => engines({ ...configuration, commitOrder: ["a", "b"] }), {
    message: /leaves out the default bind/,
  });
  assert.throws(() => engines({ ...configuration, commitOrder: ["a", null] }), { message: /leaves out bind "b"/ });
  assert.throws(() => engines({ ...configuration, commitOrder: ["a", "b", null, "a"] }), { message: /each once/ });
  assert.throws(() => engines({ ...configuration, commitOrder: ["a", "b", null, "c"] }), {
    message: /bind "c", which is not configured/,
  });
});

test("bind keys that look like numbers need a Map or a commitOrder, since objects put them first", () => {
  const binds = { a: main, 2: main };
  assert.throws(() => engines({ binds }), { name: "InvalidOptionError", message: /Map.*commitOrder/ });
  assert.deepEqual(resolveConfiguration({ binds, commitOrder: ["a", "2"] }, {}).commitOrder, ["a", "2"]);
  assert.deepEqual(resolveConfiguration({ binds: new Map(Object.entries(binds)) }, {}).commitOrder, ["2", "a", null]);
  assert.deepEqual([...engines({ binds: { 1: main } }).keys()], ["1"]);
  assert.deepEqual(
    [...engines({ binds: { a: main, "01": main, "1.5": main, "-1": main } }).keys()],
    ["a", "01", "1.5", "-1"],
  );
});

test("a bind may be called like a property of every object", () => {
  const binds = JSON.parse(`{"constructor": "${main}", "__proto__": "${main}", "toString": "${main}"}`) as Record<
    string,
    string
  >;
  assert.deepEqual([...engines({ binds }).keys()], ["constructor", "__proto__", "toString"]);
});

test("a relative SQLite path is below ./instance, or below instancePath", () => {
  for (const [configuration, directory] of [
    [{}, resolve("instance")],
    [{ instancePath: "data" }, resolve("data")],
    [{ instancePath: "/srv/app" }, "/srv/app"],
  ] as const) {
    const made = engines({ ...configuration, databaseUri: "sqlite:///app.db", binds: { sub: "sqlite:///sub/x.db" } });
    assert.equal(made.get(null)?.url, `sqlite:///${join(directory, "app.db")}`);
    assert.equal(made.get(null)?.directory, directory);
    assert.equal(made.get("sub")?.url, `sqlite:///${join(directory, "sub/x.db")}`);
  }
});

test("an absolute SQLite path and a database in memory stay as they are", () => {
  for (const url of [
    "sqlite:////var/app.db",
    "sqlite://",
    "sqlite:///:memory:",
    "sqlite:///file::memory:?uri=true",
    "sqlite:///file:x?mode=memory&uri=true",
    "sqlite:///file:/var/app.db?mode=ro&uri=true",
  ]) {
    const made = engines({ databaseUri: url }).get(null);
    assert.equal(made?.url, DatabaseUrl.parse(url).toString());
    assert.equal(made?.directory, undefined);
  }
});

test("a relative file: URI is below the directory too, whatever the directory is called", () => {
  const made = engines({ instancePath: "/srv/100% ä", databaseUri: "sqlite:///file:a%20b.db?uri=true" }).get(null);
  assert.equal(made?.url, "sqlite:///file:/srv/100%25%20%C3%A4/a%20b.db?uri=true");
});

test("nothing is written and nothing is connected when an application is made", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "multibind-"));
  t.after(() => rm(folder, { recursive: true }));
  const db = new Multibind();
  const app = db.init({
    instancePath: join(folder, "instance"),
    databaseUri: "sqlite:///app.db",
    binds: { down: "postgresql://127.0.0.1:1/x" },
  });
  t.after(() => app.dispose());
  assert.deepEqual(await readdir(folder), []);
});

test("the directory of a relative SQLite path is made at the first connection", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "multibind-"));
  t.after(() => rm(folder, { recursive: true }));
  const db = new Multibind();
  const app = db.init({ instancePath: join(folder, "instance"), databaseUri: "sqlite:///app.db" });
  t.after(() => app.dispose());
  await sql`select 1`.execute(app.engine.kysely);
  assert.ok((await readdir(join(folder, "instance"))).includes("app.db"));
});

test("MySQL is spoken to in utf8mb4 unless the URL names a character set", () => {
  assert.equal(engines({ databaseUri: "mysql://h/users" }).get(null)?.url, users);
  assert.equal(
    engines({ databaseUri: "mysql://h/users?charset=latin1" }).get(null)?.url,
    "mysql://h/users?charset=latin1",
  );
});

test("a dialect whose kind of database cannot be seen is refused when the application is made", () => {
  const dialect: Dialect = {
    createDriver: () => assert.fail("nothing connects"),
    createQueryCompiler: () => ({}) as never,
    createAdapter: () => ({}) as never,
    createIntrospector: () => ({}) as never,
  };
  const db = new Multibind();
  assert.throws(() => db.init({ binds: { own: { dialect } } }), {
    name: "InvalidOptionError",
    message: /bind "own".*family/s,
  });
});

test("several applications of one db have configurations and engines of their own", async (t) => {
  const db = new Multibind();
  const [one, two] = [db.init({ databaseUri: main }), db.init({ databaseUri: "sqlite://" })];
  t.after(() => Promise.all([one.dispose(), two.dispose()]));
  assert.deepEqual([String(one.engine.url), String(two.engine.url)], [main, "sqlite://"]);
  assert.equal(one.metadatas, two.metadatas);
});

test("a driver that is not installed is refused when the application is made, naming what to install", async (t) => {
  // A copy of the sources in a place from where Kysely is found and no driver is.
  const folder = await mkdtemp(join(tmpdir(), "multibind-"));
  t.after(() => rm(folder, { recursive: true }));
  await cp(resolve("src"), join(folder, "src"), { recursive: true });
  await mkdir(join(folder, "node_modules"));
  await symlink(resolve("node_modules/kysely"), join(folder, "node_modules/kysely"));
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  await writeFile(
    join(folder, "main.ts"),
    `import { Multibind } from "./src/index.ts";
     const outcomes = [];
     for (const value of ["postgresql://h/x", "mysql://h/x", "sqlite://", { url: "postgresql://h/x", driver: { Client: class {} } }]) {
       try {
         new Multibind().init({ binds: { auth: value } });
         outcomes.push("made");
       } catch (error) {
         outcomes.push(error.name + ": " + error.message);
       }
     }
     console.log(JSON.stringify(outcomes));`,
  );
  const { stdout } = await promisify(execFile)(process.execPath, ["main.ts"], { cwd: folder });
  const [pg, mariadb, sqlite, given] = JSON.parse(stdout) as string[];
  assert.match(pg!, /^MissingDriverError: .*bind "auth".*npm install pg`/);
  assert.match(mariadb!, /^MissingDriverError: .*bind "auth".*npm install mariadb`/);
  assert.match(sqlite!, /^MissingDriverError: .*bind "auth".*npm install better-sqlite3`/);
  assert.equal(given, "made");
});

test("an error in a bind's options has the bind's key", () => {
  for (const [bind, name] of [
    ["sqlite:///app.db?cache=shared", "InvalidUrlError"],
    ["nothing", "InvalidUrlError"],
    [{ url: main, pool_size: 3 }, "InvalidOptionError"],
    [3, "InvalidOptionError"],
  ] as const) {
    const configuration = { databaseUri: main, binds: { auth: bind } } as Configuration;
    assert.throws(() => engines(configuration), { name, bindKey: "auth", message: /bind "auth"/ });
  }
  assert.throws(() => engines({ databaseUri: "nothing" }), { bindKey: null, message: /the default bind/ });
});
