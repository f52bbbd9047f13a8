import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bigint,
  binary,
  InvalidValueError,
  integer,
  json,
  Multibind,
  text,
  timestamp,
  varchar,
} from "../../src/index.ts";
import { onEachFamily, sessionOf, start } from "../fixtures/matrix.ts";

const db = new Multibind();

class User extends db.model("user", {
  id: integer().primaryKey(),
  name: varchar(80),
  bio: text().nullable(),
  tags: json<string[]>().default(() => []),
}) {
  /** Private state and fields of the application's own class: made by real constructors. */
  #visits = 0;
  static made = 0;

  constructor(values: ConstructorParameters<typeof Base>[0]) {
    super(values);
    User.made++;
  }

  get initial(): string {
    return this.name.slice(0, 1);
  }

  visit(): number {
    return ++this.#visits;
  }
}
const Base = db.model("base", {
  id: integer().primaryKey(),
  name: varchar(80),
  bio: text().nullable(),
  tags: json<string[]>().default([]),
});

class Blob extends db.model("blob", { id: bigint().primaryKey(), data: binary(), at: timestamp() }) {}

test("an entity has its columns as own properties, in their order, and nothing else", () => {
  const ada = new User({ bio: "countess", name: "ada" });

  assert.deepEqual(Object.keys(ada), ["id", "name", "bio", "tags"]);
  assert.deepEqual(Reflect.ownKeys(ada), ["id", "name", "bio", "tags"]);
  assert.deepEqual({ ...ada }, { id: undefined, name: "ada", bio: "countess", tags: undefined });
});

test("an entity is an instance of the application's class, with its methods, getters and private members", () => {
  const ada = new User({ name: "ada" });

  assert.ok(ada instanceof User);
  assert.equal(ada.initial, "a");
  assert.equal(ada.visit(), 1);
  assert.equal(ada.visit(), 2);
});

test("structuredClone makes a plain object of the columns", () => {
  const clone: object = structuredClone(new User({ id: 1, name: "ada", bio: null, tags: ["x"] }));

  assert.equal(Object.getPrototypeOf(clone), Object.prototype);
  assert.deepEqual(clone, { id: 1, name: "ada", bio: null, tags: ["x"] });
});

test("entities with equal columns are deeply equal", () => {
  assert.deepEqual(new User({ name: "ada" }), new User({ name: "ada" }));
  assert.notDeepEqual(new User({ name: "ada" }), new User({ name: "eve" }));
});

test("toJSON gives a bigint as a string, bytes as base64 and an instant in ISO form", () => {
  const blob = new Blob({ id: 2n ** 60n, data: new Uint8Array([1, 2, 255]).subarray(1), at: new Date(0) });

  assert.equal(JSON.stringify(blob), '{"id":"1152921504606846976","data":"Av8=","at":"1970-01-01T00:00:00.000Z"}');
});

test("a new entity refuses a property that is no column", () => {
  const wrong = () => {
    // @ts-expect-error There is no such column.
    new User({ name: "ada", nick: "a" });
  };

  assert.throws(wrong, (error) => {
    assert.ok(error instanceof InvalidValueError);
    assert.match(error.message, /user/);
    assert.equal(error.column, "nick");
    assert.equal(error.bindKey, null);
    return true;
  });
});

test("a new entity refuses values that are no object", () => {
  // @ts-expect-error Values are an object.
  assert.throws(() => new Blob("x"), InvalidValueError);
});

test("a column named like a member of every object is a column like any other", () => {
  const other = new Multibind();
  class Odd extends other.model("odd", {
    id: integer().primaryKey(),
    valueOf: text(),
    hasOwnProperty: text(),
    __proto: text(),
  }) {}

  assert.deepEqual(Object.entries(new Odd({ id: 1, valueOf: "a", hasOwnProperty: "b", __proto: "c" })), [
    ["id", 1],
    ["valueOf", "a"],
    ["hasOwnProperty", "b"],
    ["__proto", "c"],
  ]);
});

onEachFamily("an entity that is read was made by the application's constructor", async (t, url) => {
  const app = await start(t, db, { databaseUri: url });
  const writer = sessionOf(app);
  writer.add(new User({ name: "ada", tags: ["first"] }));
  await writer.commit();
  const before = User.made;

  const ada = await sessionOf(app).get(User, 1);

  assert.equal(User.made, before + 1);
  assert.ok(ada instanceof User);
  assert.equal(ada.visit(), 1, "private members exist");
  assert.deepEqual(Reflect.ownKeys(ada), ["id", "name", "bio", "tags"]);
  assert.deepEqual({ ...ada }, { id: 1, name: "ada", bio: null, tags: ["first"] });
  assert.deepEqual(ada, new User({ id: 1, name: "ada", bio: null, tags: ["first"] }));
});
