import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import fc from "fast-check";
import { DatabaseUrl, type DatabaseUrlParts, type HostAddress, InvalidUrlError } from "../../src/index.ts";

function partsOf({ scheme, username, hosts, database, query }: DatabaseUrl) {
  return { scheme, username, hosts, database, query: { ...query } };
}

test("a URL has the parts that are written in it", () => {
  const url = DatabaseUrl.parse("postgresql://ada:s%3Acret@db.example:5433/main?application_name=shop&x=1%202");
  assert.deepEqual(partsOf(url), {
    scheme: "postgresql",
    username: "ada",
    hosts: [{ host: "db.example", port: 5433 }],
    database: "main",
    query: { application_name: "shop", x: "1 2" },
  });
  assert.equal(url.revealPassword(), "s:cret");
  assert.equal(url.family, "postgres");
});

test("the scheme tells the family, whatever driver SQLAlchemy's form names", () => {
  for (const [scheme, family] of [
    ["sqlite", "sqlite"],
    ["postgresql", "postgres"],
    ["postgres", "postgres"],
    ["mysql", "mysql"],
    ["mariadb", "mysql"],
    ["postgresql+psycopg2", "postgres"],
    ["mysql+pymysql", "mysql"],
    ["sqlite+pysqlite", "sqlite"],
    ["PostgreSQL", "postgres"],
  ] as const) {
    assert.equal(DatabaseUrl.parse(`${scheme}://`).family, family, scheme);
  }
});

test("an unknown scheme is refused with the known ones", () => {
  for (const text of ["oracle://h/db", "mssql+pyodbc://h", "constructor://h", "http://h", "mongodb+srv://h"]) {
    assert.throws(
      () => DatabaseUrl.parse(text),
      { name: "InvalidUrlError", message: /sqlite:\/\/, postgresql:\/\/.*mysql:\/\// },
      text,
    );
  }
});

test("user, password, host, database and parameters may all be left out", () => {
  assert.deepEqual(partsOf(DatabaseUrl.parse("postgresql://")), {
    scheme: "postgresql",
    username: undefined,
    hosts: [],
    database: undefined,
    query: {},
  });
  assert.equal(DatabaseUrl.parse("postgresql:///main").database, "main");
  assert.equal(DatabaseUrl.parse("postgresql://localhost/").database, undefined);
  assert.equal(DatabaseUrl.parse("postgresql://:secret@localhost").username, undefined);
  assert.equal(DatabaseUrl.parse("postgresql://ada:@localhost").revealPassword(), "");
  assert.equal(DatabaseUrl.parse("postgresql://ada@localhost").revealPassword(), undefined);
});

test("several hosts are separated by commas, each with its own port", () => {
  assert.deepEqual(DatabaseUrl.parse("postgresql://one,two:5433,[::1]:5434/main").hosts, [
    { host: "one" },
    { host: "two", port: 5433 },
    { host: "::1", port: 5434 },
  ]);
});

test("a host may be the directory of a socket, escaped", () => {
  const url = DatabaseUrl.parse("postgresql://%2Fvar%2Frun%2Fpostgresql/main");
  assert.deepEqual(url.hosts, [{ host: "/var/run/postgresql" }]);
  assert.equal(url.toString(), "postgresql://%2Fvar%2Frun%2Fpostgresql/main");
});

test("a SQLite URL has a relative path behind three slashes and an absolute one behind four", () => {
  assert.equal(DatabaseUrl.parse("sqlite:///app.db").database, "app.db");
  assert.equal(DatabaseUrl.parse("sqlite:////var/app.db").database, "/var/app.db");
  assert.equal(DatabaseUrl.parse("sqlite:///100%.db").database, "100%.db");
});

test("a SQLite URL without path is a database in memory", () => {
  for (const text of [
    "sqlite://",
    "sqlite:///",
    "sqlite:///:memory:",
    "sqlite:///file::memory:?uri=true",
    "sqlite:///file:?uri=true",
    "sqlite:///file:app.db?mode=memory&uri=true",
  ])
    assert.equal(DatabaseUrl.parse(text).isMemory, true, text);
  // Without `uri=true` it is the name of a file.
  for (const text of ["sqlite:///file::memory:", "sqlite:///file:", "sqlite:///file::memory:?uri=false"])
    assert.equal(DatabaseUrl.parse(text).isMemory, false, text);
  assert.equal(DatabaseUrl.parse("sqlite:///app.db").isMemory, false);
  assert.equal(DatabaseUrl.parse("mysql://").isMemory, false);
});

test("a SQLite URL with a host, user or password is refused with the number of slashes", () => {
  for (const text of ["sqlite://app.db", "sqlite://ada@/app.db", "sqlite://:secret@/app.db"]) {
    assert.throws(() => DatabaseUrl.parse(text), { name: "InvalidUrlError", message: /three slashes/ }, text);
  }
});

test("what is no URL is refused", () => {
  for (const text of [
    "",
    " ",
    "app.db",
    "/var/app.db",
    "localhost:5432",
    "postgresql:/localhost/main",
    "postgresql//localhost",
    "://localhost",
    "postgresql://localhost:port/main",
    "postgresql://localhost:0/main",
    "postgresql://localhost:65536/main",
    "postgresql://a:1:2/main",
    "postgresql://one,,two/main",
    "postgresql://[::1/main",
    "postgresql://ada:pa#ss@localhost/main",
  ]) {
    assert.throws(() => DatabaseUrl.parse(text), InvalidUrlError, text);
  }
});

test("a percent sign that begins no escape is refused", () => {
  for (const text of ["mysql://ada:50%@h/db", "mysql://a%zz@h/db", "mysql://h/d%b", "mysql://h%/db"]) {
    assert.throws(() => DatabaseUrl.parse(text), { name: "InvalidUrlError", message: /%25/ }, text);
  }
});

test('a "/" or "?" in the password that is not escaped is refused, also where what is before it could be a port', () => {
  for (const password of ["pa/ss", "12/34", "pa?ss", "12?34", "1/2?3", "a/b@c"]) {
    assert.throws(() => DatabaseUrl.parse(`postgresql://ada:${password}@localhost/main`), InvalidUrlError, password);
  }
});

test("a parameter that is given twice is refused, since only one could count", () => {
  assert.throws(() => DatabaseUrl.parse("postgresql:///main?host=one&host=two"), {
    name: "InvalidUrlError",
    message: /twice/,
  });
});

test("parts that no URL can hold are refused", () => {
  for (const parts of [
    { username: "\ud83d" },
    { password: "\ud83d" },
    { database: "\ud83d" },
    { hosts: [{ host: "\ud83d" }] },
    { query: { a: "\ud83d" } },
    { hosts: [{ host: "" }] },
    { hosts: [{ host: "a", port: 0 }] },
    { hosts: [{ host: "a", port: 1.5 }] },
    { scheme: "postgresql://h" },
    { scheme: "" },
  ] satisfies Partial<DatabaseUrlParts>[]) {
    assert.throws(() => new DatabaseUrl({ scheme: "postgresql", ...parts }), InvalidUrlError, JSON.stringify(parts));
  }
});

test("spaces around a URL do not count", () => {
  assert.equal(DatabaseUrl.parse("  mysql://localhost/users\n").toString(), "mysql://localhost/users");
});

test("a URL with other parts keeps the password", () => {
  const url = DatabaseUrl.parse("mysql://ada:secret@h/one").with({ database: "two" });
  assert.equal(url.render({ hidePassword: false }), "mysql://ada:secret@h/two");
});

test("a URL and its parts cannot be changed", () => {
  const url = DatabaseUrl.parse("mysql://h/db?a=1");
  for (const part of [url, url.hosts, url.hosts[0], url.query]) assert.equal(Object.isFrozen(part), true);
});

const part = fc.string({ unit: "binary", minLength: 1, maxLength: 12 });
const odd = fc.string({
  unit: fc.constantFrom(..."%:/?#[]@!$&'()*+,;= \\\"<>^`{|}~é😀\n\0a"),
  minLength: 1,
  maxLength: 12,
});
const texts = fc.oneof(part, odd);
const hosts: fc.Arbitrary<HostAddress> = fc
  .tuple(fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6(), texts), fc.option(fc.integer({ min: 1, max: 65_535 })))
  .map(([host, port]) => (port === null ? { host } : { host, port }));
const serverUrls = fc.record(
  {
    scheme: fc.constantFrom("postgresql", "postgres", "mysql", "mariadb", "mysql+pymysql"),
    username: texts,
    password: fc.oneof(texts, fc.constant("")),
    hosts: fc.array(hosts, { maxLength: 3 }),
    database: texts,
    query: fc.dictionary(texts, fc.oneof(texts, fc.constant("")), { maxKeys: 3 }),
  },
  { requiredKeys: ["scheme"] },
);

test("a URL that is written out with its password reads back the same", () => {
  fc.assert(
    fc.property(serverUrls, (parts) => {
      const url = new DatabaseUrl(parts);
      const again = DatabaseUrl.parse(url.render({ hidePassword: false }));
      assert.deepEqual(partsOf(again), partsOf(url));
      assert.equal(again.revealPassword(), url.revealPassword());
    }),
    { numRuns: 1000 },
  );
});

test("a SQLite URL that is written out reads back the same", () => {
  const paths = texts.map((path) => path.replaceAll("?", "")).filter((path) => path.trim() === path && path !== "");
  fc.assert(
    fc.property(paths, fc.dictionary(texts, texts, { maxKeys: 3 }), (database, query) => {
      const url = new DatabaseUrl({ scheme: "sqlite", database, query });
      assert.deepEqual(
        partsOf(DatabaseUrl.parse(url.render())),
        partsOf(new DatabaseUrl({ scheme: "sqlite", database, query: { ...query } })),
      );
    }),
  );
});

/** A password that appears nowhere by chance, with what would need escaping around it. */
const secrets = fc
  .tuple(fc.stringMatching(/^[a-z0-9]{16}$/), odd)
  .map(([core, around]) => ({ core, password: `${around}${core}${around}` }));

function shown(value: unknown): string {
  const deep = { depth: 10, showHidden: true, getters: true } as const;
  return [
    String(value),
    JSON.stringify(value),
    JSON.stringify({ value }),
    inspect(value),
    inspect([value], deep),
    `${value}`,
  ].join("\n");
}

test("the password never shows", () => {
  fc.assert(
    fc.property(serverUrls, secrets, (parts, { core, password }) => {
      const url = new DatabaseUrl({ ...parts, password });
      assert.equal(shown(url).includes(core), false);
      assert.equal(shown(DatabaseUrl.parse(url.render({ hidePassword: false }))).includes(core), false);
    }),
  );
});

test("a password or token in a parameter does not show either", () => {
  for (const name of ["password", "sslpassword", "passwd", "pwd", "passphrase", "access_token", "clientSecret"]) {
    const url = DatabaseUrl.parse(`postgresql://h/db?${name}=hunter2&a=1`);
    assert.equal(shown(url).includes("hunter2"), false, name);
    assert.equal(url.toString(), `postgresql://h/db?${name}=***&a=1`);
    assert.equal(url.render({ hidePassword: false }), `postgresql://h/db?${name}=hunter2&a=1`);
  }
});

test("the password does not show in the error about a malformed URL", () => {
  const cuts = fc.array(fc.tuple(fc.nat(), fc.constantFrom("", "/", ":", "@", "?", "#", "%", "[", " ", ",")), {
    minLength: 0,
    maxLength: 3,
  });
  const schemes = fc.constantFrom(
    "postgresql://",
    "mysql://",
    "oracle://",
    "sqlite://",
    "postgresql:",
    "",
    "://",
    "mysql:/",
    "x y://",
  );
  fc.assert(
    fc.property(schemes, secrets, fc.boolean(), cuts, (scheme, { core, password }, escaped, changes) => {
      const start = `${scheme}ada:${escaped ? encodeURIComponent(password) : password}`;
      // The text before the password stays a sign that there is one: what has none of ":", "@" and "=" is taken for a name.
      let text = `${start}@localhost:5432/main`;
      for (const [position, change] of changes) {
        const at = start.length + (position % (text.length - start.length));
        text = text.slice(0, at) + change + text.slice(at + 1);
      }
      let outcome: unknown;
      try {
        outcome = DatabaseUrl.parse(text);
      } catch (error) {
        outcome = error;
        assert.ok(error instanceof InvalidUrlError);
      }
      // Without "@" behind it the secret is not in the place of a password, but in that of a port or of a file.
      if (outcome instanceof DatabaseUrl && !text.slice(start.length).includes("@")) return;
      assert.equal(shown(outcome).includes(core), false, text);
      assert.equal(inspect(outcome, { depth: 10 }).includes(core), false, text);
    }),
    { numRuns: 2000 },
  );
});
