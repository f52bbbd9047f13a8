import assert from "node:assert/strict";
import { test } from "node:test";
import { type Dialect, PostgresAdapter, PostgresDialect, SqliteDialect, SqliteQueryCompiler } from "kysely";
import { type OptionLayers, resolveEngineOptions } from "../../src/engine/options/engine-options.ts";
import { SQLALCHEMY_OPTIONS } from "../../src/engine/options/sqlalchemy-options.ts";
import { DatabaseUrl } from "../../src/index.ts";

const postgres = { url: "postgresql://h/db" };
const mysql = { url: "mysql://h/db" };
const sqlite = { url: "sqlite://" };
const resolve = (...layers: OptionLayers) => resolveEngineOptions(layers, 'bind "auth"');
const dialect = new PostgresDialect({ pool: async () => assert.fail("nothing connects") });

test("what is not given has a default", () => {
  const { url, ...others } = resolve(postgres);
  assert.equal(String(url), "postgresql://h/db");
  assert.deepEqual(others, {
    dialect: undefined,
    family: "postgres",
    driver: undefined,
    poolSize: 10,
    poolTimeout: 30_000,
    poolRecycle: undefined,
    poolPrePing: false,
    echo: false,
    log: undefined,
    isolationLevel: undefined,
    statementTimeout: undefined,
    lockTimeout: 10_000,
    preparedStatements: undefined,
    networkTimeout: 30_000,
    readOnly: false,
    managed: true,
    required: true,
    password: undefined,
    showValues: false,
    driverOptions: {},
  });
});

test("a connection to MySQL is recycled after two hours unless the options say otherwise", () => {
  assert.equal(resolve(mysql).poolRecycle, 7_200_000);
  assert.equal(resolve({ ...mysql, poolRecycle: "1h" }).poolRecycle, 3_600_000);
  assert.equal(resolve({ ...mysql, poolRecycle: -1 }).poolRecycle, undefined);
});

const echo = () => {};
for (const [name, taken, refused] of [
  [
    "poolSize",
    [
      [1, 1],
      [25, 25],
      ["5", 5],
    ],
    [0, -1, 1.5, "0", "five", "1.5", Number.NaN, null, true],
  ],
  [
    "poolTimeout",
    [
      [5, 5000],
      ["500ms", 500],
      [0, 0],
    ],
    [-1, "soon", 3601, 30_000, null],
  ],
  [
    "poolRecycle",
    [
      [3600, 3_600_000],
      ["2h", 7_200_000],
      [-1, undefined],
      ["-1", undefined],
      [0, 0],
    ],
    [-2, "never", null],
  ],
  [
    "poolPrePing",
    [
      [true, true],
      [false, false],
      ["true", true],
      ["false", false],
    ],
    [1, 0, "yes", "", null],
  ],
  [
    "echo",
    [
      [true, true],
      [false, false],
      ["true", true],
      [echo, echo],
    ],
    [1, "debug", null],
  ],
  [
    "log",
    [
      [echo, echo],
      [["query"], ["query"]],
      [
        ["query", "error"],
        ["query", "error"],
      ],
    ],
    [true, "query", ["debug"], null],
  ],
  [
    "isolationLevel",
    [
      ["serializable", "serializable"],
      ["REPEATABLE READ", "repeatable read"],
      ["READ_COMMITTED", "read committed"],
    ],
    ["snapshot", "autocommit", "", 1, null],
  ],
  [
    "statementTimeout",
    [
      [5, 5000],
      ["500ms", 500],
      [0, undefined],
    ],
    [-1, "soon", 5000, null],
  ],
  [
    "networkTimeout",
    [
      [5, 5000],
      ["500ms", 500],
      [0, undefined],
    ],
    [-1, "soon", 5000, null],
  ],
  [
    "readOnly",
    [
      [true, true],
      ["false", false],
    ],
    [1, "yes", null],
  ],
  [
    "managed",
    [
      [true, true],
      ["false", false],
    ],
    [1, "no", null],
  ],
  [
    "driverOptions",
    [
      [{ a: 1 }, { a: 1 }],
      [{}, {}],
    ],
    [1, "a", [1], null],
  ],
  ["url", [], [1, null, {}, [], "no url", "oracle://h", "postgresql://h:x"]],
  ["dialect", [], [1, "pg", {}, null, class {}.prototype]],
  ["family", [["postgres", "postgres"]], ["postgresql", "mariadb", "mssql", 1, null]],
] as const) {
  for (const [value, resolved] of taken) {
    test(`${name} takes ${typeof value === "string" ? JSON.stringify(value) : String(value)}`, () => {
      assert.deepEqual(resolve({ ...postgres, [name]: value })[name], resolved);
    });
  }
  test(`${name} takes nothing else, and the error names the option and the bind`, () => {
    for (const value of refused) {
      assert.throws(
        () => resolve({ ...postgres, [name]: value }),
        (error: Error) =>
          /^Invalid(Option|Url)Error$/.test(error.name) && error.message.includes(`${name} (bind "auth")`),
        String(value),
      );
    }
  });
}

test("an option that is given as undefined is not given", () => {
  assert.equal(resolve({ ...postgres, poolSize: undefined }).poolSize, 10);
  assert.equal(resolve({ ...mysql, poolRecycle: undefined }).poolRecycle, 7_200_000);
});

test("an unknown option is refused with the known ones", () => {
  assert.throws(() => resolve({ ...postgres, poolsize: 1 }), { message: /"poolsize" .*Did you mean "poolSize"\?$/ });
  for (const name of ["max", "constructor", "toString", "__proto__x"]) {
    assert.throws(() => resolve({ ...postgres, [name]: 1 }), {
      name: "InvalidOptionError",
      message: new RegExp(`"${name}" \\(bind "auth"\\).*poolSize, poolTimeout`),
    });
  }
});

test("a name of SQLAlchemy's is refused with what to use instead", () => {
  for (const [name, instead] of Object.entries(SQLALCHEMY_OPTIONS)) {
    assert.throws(() => resolve({ ...postgres, [name]: 1 }), {
      name: "InvalidOptionError",
      message: `The option "${name}" (bind "auth") is SQLAlchemy's: ${instead}.`,
    });
  }
});

test("later layers go over earlier ones, option by option", () => {
  const { poolSize, poolTimeout, poolPrePing } = resolve(
    { poolSize: 1, poolTimeout: 1, poolPrePing: true },
    { ...postgres, poolSize: 2, poolTimeout: 2 },
    { poolSize: 3 },
  );
  assert.deepEqual({ poolSize, poolTimeout, poolPrePing }, { poolSize: 3, poolTimeout: 2000, poolPrePing: true });
});

test("a URL in a later layer takes the place of a dialect, and the other way round", () => {
  assert.equal(resolve({ dialect, family: "postgres" }, mysql).family, "mysql");
  assert.equal(resolve({ dialect }, postgres).dialect, undefined);
  assert.equal(resolve(mysql, { dialect }).url, undefined);
  assert.equal(resolve(mysql, { dialect }).family, "postgres");
});

test("a URL and a dialect together are refused", () => {
  assert.throws(() => resolve({ ...postgres, dialect }), { name: "InvalidOptionError", message: /bind "auth".*both/ });
});

test("neither a URL nor a dialect is refused", () => {
  assert.throws(() => resolve({ poolSize: 1 }), { name: "InvalidUrlError", message: /no URL for bind "auth"/ });
  assert.throws(() => resolve(), { name: "InvalidUrlError" });
});

test("a URL may be an object", () => {
  const url = DatabaseUrl.parse("mysql://ada:secret@h/db");
  assert.equal(resolve({ url }).url, url);
});

test("a family that is not the URL's is refused", () => {
  assert.throws(() => resolve({ ...postgres, family: "mysql" }), {
    name: "InvalidOptionError",
    message: /bind "auth".*"mysql".*"postgres"/,
  });
});

test("the family of a dialect is seen from its parts", () => {
  assert.equal(resolve({ dialect }).family, "postgres");
  assert.equal(resolve({ dialect: new SqliteDialect({ database: async () => assert.fail() }) }).family, "sqlite");
  // A class of somebody's own, derived from Kysely's.
  class OwnCompiler extends SqliteQueryCompiler {}
  const own: Dialect = {
    ...parts(dialect),
    createQueryCompiler: () => new OwnCompiler(),
    createAdapter: () => ({}) as never,
  };
  assert.equal(resolve({ dialect: own }).family, "sqlite");
  class OwnAdapter extends PostgresAdapter {}
  const other: Dialect = {
    ...parts(dialect),
    createQueryCompiler: () => ({}) as never,
    createAdapter: () => new OwnAdapter(),
  };
  assert.equal(resolve({ dialect: other }).family, "postgres");
});

test("a dialect whose family cannot be seen is refused unless the family is said", () => {
  const strange: Dialect = {
    ...parts(dialect),
    createQueryCompiler: () => ({}) as never,
    createAdapter: () => ({}) as never,
  };
  for (const unseen of [strange, () => dialect]) {
    assert.throws(() => resolve({ dialect: unseen }), {
      name: "InvalidOptionError",
      message: /bind "auth".*family: "sqlite"/s,
    });
    assert.equal(resolve({ dialect: unseen, family: "mysql" }).family, "mysql");
  }
});

test("an option that could have no effect on a dialect is refused", () => {
  for (const option of [
    { poolRecycle: 5 },
    { poolPrePing: true },
    { statementTimeout: 5 },
    { preparedStatements: false },
    { networkTimeout: 5 },
    { driver: {} },
    { driverOptions: { a: 1 } },
  ]) {
    const [name] = Object.keys(option);
    assert.throws(() => resolve({ dialect, ...option }), {
      name: "InvalidOptionError",
      message: new RegExp(`^${name} has no effect on the dialect of bind "auth"`),
    });
  }
  assert.equal(resolve({ dialect, family: "mysql" }).poolRecycle, undefined);
});

test("only a bind behind a network has a networkTimeout, and has one unless it is 0", () => {
  assert.equal(resolve(mysql).networkTimeout, 30_000);
  assert.equal(resolve({ ...postgres, networkTimeout: 0 }).networkTimeout, undefined);
  assert.equal(resolve(sqlite).networkTimeout, undefined);
  assert.equal(resolve({ dialect, family: "mysql" }).networkTimeout, undefined);
  assert.throws(() => resolve({ ...sqlite, networkTimeout: 5 }), {
    name: "InvalidOptionError",
    message: /networkTimeout of bind "auth"/,
  });
});

test("SQLite has no statementTimeout and no other isolation level than serializable", () => {
  assert.throws(() => resolve({ ...sqlite, statementTimeout: 5 }), {
    name: "InvalidOptionError",
    message: /statementTimeout of bind "auth"/,
  });
  assert.throws(() => resolve({ ...sqlite, isolationLevel: "read committed" }), {
    name: "InvalidOptionError",
    message: /isolationLevel of bind "auth"/,
  });
  assert.equal(resolve({ ...sqlite, isolationLevel: "serializable" }).isolationLevel, "serializable");
  assert.equal(resolve({ ...sqlite, statementTimeout: 0 }).statementTimeout, undefined);
});

for (const [url, message] of [
  ["sqlite:///app.db?cache=shared", /parameter "cache"/],
  ["sqlite:///app.db?mode=append", /mode "append"/],
  ["sqlite:///app.db?timeout=soon", /timeout/],
  ["sqlite:///app.db?timeout=5000", /milliseconds/],
  ["sqlite:///file:50%.db?uri=true", /%25/],
  ["postgresql://h/db?sslmode=maybe", /sslmode "maybe"/],
  ["postgresql:///db?port=x", /port/],
] as const) {
  test(`a parameter that has no meaning is refused before anything is connected: ${url}`, () => {
    assert.throws(() => resolve({ url }), message);
  });
}

test("the options cannot be changed, and a change to what they were made of does not count", () => {
  const driverOptions = { a: 1 };
  const options = resolve({ ...postgres, driverOptions });
  driverOptions.a = 2;
  assert.deepEqual(options.driverOptions, { a: 1 });
  assert.equal(Object.isFrozen(options), true);
});

function parts(of: Dialect): Dialect {
  return {
    createDriver: () => of.createDriver(),
    createQueryCompiler: () => of.createQueryCompiler(),
    createAdapter: () => of.createAdapter(),
    createIntrospector: (db) => of.createIntrospector(db),
  };
}

test("a driver is the module of the package that the database needs", async () => {
  for (const [url, name] of [
    ["sqlite://", "better-sqlite3"],
    ["postgresql:///db", "pg"],
    ["mysql://h/db", "mariadb"],
  ] as const) {
    const module = await import(name);
    assert.equal(resolve({ url, driver: module }).driver, module);
    assert.equal(resolve({ url, driver: module.default }).driver, module.default);
    for (const driver of [null, 3, name, {}, { default: {} }, { default: null }]) {
      assert.throws(() => resolve({ url, driver }), {
        name: "InvalidOptionError",
        message: new RegExp(`^driver \\(bind "auth"\\) is not the module of "${name}"`),
      });
    }
  }
});
