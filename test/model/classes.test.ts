import assert from "node:assert/strict";
import { test } from "node:test";
import {
  boolean,
  date,
  enumeration,
  integer,
  json,
  ModelClassError,
  Multibind,
  SchemaError,
  select,
  text,
  timestamp,
  UnmappedClassError,
  uuid,
  varchar,
} from "../../src/index.ts";
import { onEachFamily, sessionOf, start } from "../fixtures/matrix.ts";

const COLUMNS = { id: integer().primaryKey(), name: varchar(80).nullable() };

/** An application that never connects. */
function nowhere(db: Multibind) {
  return db.init({ databaseUri: "sqlite://" });
}

function isModelClassError(column: string) {
  return (error: unknown) => {
    assert.ok(error instanceof ModelClassError, String(error));
    assert.match(error.message, new RegExp(`"${column}"`));
    return true;
  };
}

/** Classes that do not let their entities hold the columns' values. */
const UNSOUND: Record<
  string,
  (db: Multibind) => new (values: { name: string }) => InstanceType<ReturnType<typeof sound>>
> = {
  "a class field that hides a column": (db) =>
    class User extends db.model("user", COLUMNS) {
      override name: string | null = "nobody";
    },
  "a class field without value that hides a column": (db) =>
    class User extends db.model("user", COLUMNS) {
      override name!: string | null;
    },
  "a constructor that keeps its argument": (db) =>
    class User extends db.model("user", COLUMNS) {
      constructor(_values: { name: string }) {
        super();
      }
    },
  "a constructor that passes on something else": (db) =>
    class User extends db.model("user", COLUMNS) {
      constructor(values: { name: string }) {
        super({ id: 1, name: values.name });
      }
    },
  "a constructor that takes the values apart": (db) =>
    class User extends db.model("user", COLUMNS) {
      constructor(name: unknown) {
        // What callers pass is one object; this class expects a name.
        super({ name: name as string });
      }
    },
};

function sound(db: Multibind) {
  return class User extends db.model("user", COLUMNS) {};
}

for (const [what, make] of Object.entries(UNSOUND)) {
  const column =
    what.includes("something else") || what.includes("apart") || what.includes("keeps") ? "(id|name)" : "name";

  test(`${what} is an error when an entity is added`, async () => {
    const db = new Multibind();
    const User = make(db);
    const app = nowhere(db);
    const session = app.session();

    assert.throws(() => session.add(new User({ name: "ada" })), isModelClassError(column));
    assert.equal(session.new.size, 0);
    await app.dispose();
  });

  test(`${what} is an error when a select names the class`, () => {
    const User = make(new Multibind()) as unknown as ReturnType<typeof sound>;

    assert.throws(() => select(User), isModelClassError(column));
  });

  test(`${what} is an error when an entity is got`, async () => {
    const db = new Multibind();
    const User = make(db) as unknown as ReturnType<typeof sound>;
    const app = nowhere(db);

    await assert.rejects(app.session().get(User, 1), isModelClassError(column));
    await app.dispose();
  });
}

test("a child's field that hides a parent's column is an error, also when it is read through the parent", async (t) => {
  const db = new Multibind();
  class Vehicle extends db.model(
    "vehicle",
    { id: integer().primaryKey(), kind: enumeration(["car"]), name: text().nullable() },
    { discriminator: "kind" },
  ) {}
  class Car extends Vehicle.extend({ doors: integer() }, { identity: "car" }) {
    override name = "a car";
    static {
      db.register(Car);
    }
  }
  const app = db.init({ databaseUri: "sqlite://" });
  t.after(() => app.dispose());
  await app.createAll();
  await app.engine.kysely
    .insertInto("vehicle" as never)
    .values({ kind: "car", name: "x", doors: 3 } as never)
    .execute();
  const session = app.session();
  t.after(() => session.close());

  await assert.rejects(session.select(Vehicle).all(), isModelClassError("name"));
  assert.throws(() => session.add(new Car({ doors: 2 })), isModelClassError("name"));
});

test("a constructor may change what it was given", async () => {
  const db = new Multibind();
  class User extends db.model("user", COLUMNS) {
    constructor(values: { name: string }) {
      super({ ...values, name: values.name.trim() });
      this.name = this.name?.toLowerCase() ?? null;
    }
  }
  const app = nowhere(db);
  const session = app.session();

  session.add(new User({ name: " ADA " }));

  assert.deepEqual([...session.new], [new User({ name: "ada" })]);
  await app.dispose();
});

test("a constructor may refuse what no row would hold", async () => {
  const db = new Multibind();
  class User extends db.model("user", {
    id: integer().primaryKey(),
    email: text(),
    born: date(),
    key: uuid(),
    on: boolean(),
  }) {
    constructor(values: { id?: number; email: string; born: string; key: string; on: boolean }) {
      if (!values.email.includes("@")) throw new TypeError("no address");
      super(values);
    }
  }
  const app = nowhere(db);
  const session = app.session();

  session.add(new User({ email: "ada@example.org", born: "1815-12-10", key: crypto.randomUUID(), on: true }));

  assert.equal(session.new.size, 1);
  await app.dispose();
});

test("a class is tried at its first use alone, and its constructor meets values such as a row has", () => {
  const db = new Multibind();
  const seen: object[] = [];
  class Event extends db.model("event", {
    id: integer().primaryKey(),
    at: timestamp(),
    data: json<{ readonly x?: number }>(),
    kind: enumeration(["a", "b"]),
  }) {
    constructor(values: { at: Date; data: { readonly x?: number }; kind: "a" | "b" }) {
      super(values);
      seen.push({ at: this.at.toISOString(), kind: this.kind });
    }
  }

  select(Event);
  const tried = seen.length;
  select(Event);

  assert.ok(tried > 0);
  assert.equal(seen.length, tried);
});

test("fields and accessors of the application's own that are no columns are allowed", () => {
  const db = new Multibind();
  class User extends db.model("user", COLUMNS) {
    readonly #secret = 1;
    get secret(): number {
      return this.#secret;
    }
  }

  assert.doesNotThrow(() => select(User));
  assert.equal(new User({}).secret, 1);
});

test("a declared field is no field", () => {
  const db = new Multibind();
  class User extends db.model("user", COLUMNS) {
    declare name: string;
  }

  assert.doesNotThrow(() => select(User));
  assert.equal(new User({ name: "ada" }).name, "ada");
});

test("a second class on one model is an error at its first use", async () => {
  const db = new Multibind();
  class User extends db.model("user", COLUMNS) {}
  class Special extends User {}
  const app = nowhere(db);
  const session = app.session();
  session.add(new User({}));

  assert.throws(() => session.add(new Special({})), ModelClassError);
  assert.throws(() => select(Special), ModelClassError);
  await assert.rejects(session.get(Special, 1), ModelClassError);
  assert.throws(() => db.register(Special), ModelClassError);
  await app.dispose();
});

test("what is not a model is refused by name", async () => {
  const db = new Multibind();
  const app = nowhere(db);
  const session = app.session();
  class Plain {}

  // @ts-expect-error A plain class is no model.
  assert.throws(() => select(Plain), UnmappedClassError);
  // @ts-expect-error A plain class is no model.
  await assert.rejects(session.get(Plain, 1), UnmappedClassError);
  // @ts-expect-error A plain class is no model.
  assert.throws(() => db.register(Plain), UnmappedClassError);
  // @ts-expect-error A plain object is no entity.
  assert.throws(() => session.add(new Plain()), UnmappedClassError);
  // @ts-expect-error Nothing is no entity.
  assert.throws(() => session.add(undefined), UnmappedClassError);
  // @ts-expect-error Nothing is no entity.
  assert.throws(() => session.delete(null), UnmappedClassError);
  await app.dispose();
});

test("db.register takes the application's class, not the one that db.model returns", () => {
  const db = new Multibind();

  assert.throws(() => db.register(db.model("user", COLUMNS)), UnmappedClassError);
});

test("a model needs a primary key, and is not defined without one", () => {
  const db = new Multibind();

  assert.throws(() => db.model("user", { name: text() }), SchemaError);
  assert.equal(db.metadata.tables.size, 0);
});

for (const name of ["constructor", "toJSON", "__proto__"]) {
  test(`a model has no column ${name}, which entities need themselves`, () => {
    const db = new Multibind();

    assert.throws(() => db.model("odd", { id: integer().primaryKey(), [name]: text() }), SchemaError);
    assert.equal(db.metadata.tables.size, 0);
    class Odd extends db.model("odd", { id: integer().primaryKey(), other: text().named(name) }) {}
    assert.deepEqual({ ...new Odd({ id: 1, other: "x" }) }, { id: 1, other: "x" });
  });
}

test("the bind key of a model cannot be changed", () => {
  const db = new Multibind<"auth">();
  class User extends db.model("user", COLUMNS, { bindKey: "auth" }) {}

  assert.throws(() => Object.assign(User, { bindKey: null }), TypeError);
  assert.throws(() => Object.defineProperty(Object.getPrototypeOf(User), "bindKey", { value: null }), TypeError);
  assert.equal(User.bindKey, "auth");
});

onEachFamily("a bind key put on the class later has no effect", async (t, url) => {
  const db = new Multibind<"auth">();
  class User extends db.model("user", COLUMNS, { bindKey: "auth" }) {}
  Object.defineProperty(User, "bindKey", { value: null });
  const app = await start(t, db, { binds: { auth: url } });

  const session = sessionOf(app);
  session.add(new User({ name: "ada" }));
  await session.commit();

  assert.equal(session.getBind({ model: User }).bindKey, "auth");
  assert.equal(await session.select(User).count(), 1);
});
