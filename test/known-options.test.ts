import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { runInNewContext } from "node:vm";
import { enumeration, InvalidOptionError, integer, Multibind, SchemaError, unique } from "../src/index.ts";

const columns = { id: integer().primaryKey(), kind: enumeration(["car", "truck"]) };
/** What JavaScript lets through, and TypeScript too where options come from somewhere else. */
const misspelt: object = { bind_key: "auth" };
const refused = { name: "InvalidOptionError", message: /no option "bind_key".*Did you mean "bindKey"/ };

describe("a misspelt option", () => {
  for (const [what, define] of Object.entries<(db: Multibind) => unknown>({
    "a table": (db) => db.table("t", columns, misspelt),
    "a model": (db) => db.model("t", columns, misspelt),
    "a base": (db) => db.abstractModel(columns, misspelt),
    "a base of a base": (db) => db.abstractModel(columns).extendAbstract({}, misspelt),
    "a model of a base": (db) => db.abstractModel(columns).extend("t", {}, misspelt),
    "a child in its parent's table": (db) =>
      db.model("t", columns, { discriminator: "kind" }).extend({}, { identity: "car", ...misspelt }),
    "a child with a table": (db) =>
      db.model("t", columns).extend("u", { id: integer().primaryKey().references("t.id") }, misspelt),
    "a concrete child": (db) => db.model("t", columns).extend("u", {}, { concrete: true, ...misspelt }),
  })) {
    test(`of ${what} is refused, and no table is entered anywhere`, () => {
      const db = new Multibind();
      assert.throws(() => define(db), refused);
      for (const [, { tables }] of db.metadatas) assert.ok(!tables.has("u"));
      assert.equal(db.metadatas.has("auth"), false);
    });
  }

  test("of createAll, dropAll and reflect is refused, and does not mean every bind", async () => {
    const db = new Multibind();
    db.table("t", columns, { bindKey: "auth" });
    db.table("t", columns);
    await using app = db.init({ databaseUri: "sqlite://", binds: { auth: "sqlite://" } });
    await assert.rejects(app.createAll(misspelt), refused);
    await app.createAll();
    await assert.rejects(app.dropAll(misspelt), refused);
    await assert.rejects(app.dropAll("auth" as unknown as object), InvalidOptionError);
    await assert.rejects(app.dropAll(null as unknown as object), InvalidOptionError);
    await assert.rejects(app.reflect(misspelt), refused);
    for (const bindKey of ["auth", null]) {
      const tables = await app.engines.get(bindKey).kysely.introspection.getTables();
      assert.deepEqual(
        tables.map(({ name }) => name),
        ["t"],
      );
    }
  });

  test("of a session or a context is refused", async () => {
    await using app = new Multibind().init({ databaseUri: "sqlite://" });
    const options: object = { commit_policy: "single" };
    const meant = { name: "InvalidOptionError", message: /Did you mean "commitPolicy"/ };
    assert.throws(() => app.session(options), meant);
    assert.throws(() => app.context(options), meant);
    await assert.rejects(
      app.run(() => {}, options),
      meant,
    );
    const nothing: object = { onUncommitted: "ignore" };
    assert.throws(() => app.session(nothing), InvalidOptionError);
  });

  test("of a configuration is refused, as is what is no configuration", () => {
    const configuration: object = { database_uri: "sqlite://" };
    assert.throws(() => new Multibind().init(configuration), /Did you mean "databaseUri"/);
    for (const none of [undefined, null, "sqlite://", []]) {
      assert.throws(() => new Multibind().init(none as object), InvalidOptionError);
    }
  });
});

describe("an instance of a class as options", () => {
  for (const [what, instance] of Object.entries({
    "an AbortController": new AbortController(),
    "an AbortSignal": new AbortController().signal,
    "a Map": new Map([["bindKey", "auth"]]),
    "a Date": new Date(),
  })) {
    test(`${what} is refused, and does not mean every bind`, async () => {
      const db = new Multibind();
      assert.throws(() => db.table("u", columns, instance as object), InvalidOptionError);
      db.table("t", columns);
      await using app = db.init({ databaseUri: "sqlite://" });
      await assert.rejects(app.createAll(instance as object), InvalidOptionError);
      assert.deepEqual(await app.engines.get(null).kysely.introspection.getTables(), []);
      await app.createAll();
      await assert.rejects(app.dropAll(instance as object), InvalidOptionError);
      await assert.rejects(app.reflect(instance as object), InvalidOptionError);
      assert.throws(() => app.session(instance as object), InvalidOptionError);
      assert.throws(() => app.context(instance as object), InvalidOptionError);
      assert.throws(() => new Multibind().init(instance as object), InvalidOptionError);
    });
  }
});

describe("what is no table", () => {
  for (const [what, define] of Object.entries<(db: Multibind) => unknown>({
    "without columns": (db) => db.table("t", undefined as never),
    "with a column that is none": (db) => db.table("t", { id: 3 } as never),
    "with a bind key that is none": (db) => db.table("t", columns, { bindKey: 3 } as object),
    "with a schema that is none": (db) => db.table("t", columns, { schema: 3 } as object),
    "with one constraint for a list": (db) => db.table("t", columns, { constraints: unique(["id"]) } as object),
    "with a constraint that is none": (db) => db.table("t", columns, { constraints: [{}] } as object),
  })) {
    test(`${what} is refused`, () => {
      assert.throws(() => define(new Multibind()), SchemaError);
    });
  }
});

test("options of engines are plain objects, wherever they are given", () => {
  class Own {
    get url(): string {
      return "sqlite://";
    }
  }
  for (const given of [new Map([["url", "sqlite://"]]), new AbortController(), new Date(), new Own()]) {
    const refused = (configuration: object) =>
      assert.throws(() => new Multibind().init(configuration as never), InvalidOptionError);
    refused({ databaseUrl: "sqlite://", engineOptions: given });
    refused({ databaseUrl: "sqlite://", binds: { auth: given } });
    assert.throws(() => new Multibind({ engineOptions: given as never }), InvalidOptionError);
  }
});

test("objects of another realm are plain too", async () => {
  const app = new Multibind().init(runInNewContext('({ databaseUrl: "sqlite://", engineOptions: { poolSize: 2 } })'));
  assert.equal(app.engine.options.poolSize, 2);
  await app.dispose();
});
