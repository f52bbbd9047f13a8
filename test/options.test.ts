import assert from "node:assert/strict";
import { test } from "node:test";
import { check, index, integer, Multibind, type Session, sql, text, timestamp, unique, varchar } from "../src/index.ts";
import { sessionOf, start } from "./fixtures/matrix.ts";

const db = new Multibind<"auth">();
class Item extends db.model("item", { id: integer().primaryKey(), name: varchar(20) }) {}

/** What JavaScript lets through, and TypeScript too where options come from somewhere else. */
const UNKNOWN: object = { Signal: undefined };

/** Every method of a session, or of what it gives, that takes options. */
const METHODS: Record<string, (session: Session<"auth">, item: Item, options: object) => unknown> = {
  get: (session, item, options) => session.get(Item, item.id, options),
  getOne: (session, item, options) => session.getOne(Item, item.id, options),
  getOr404: (session, item, options) => session.getOr404(Item, item.id, options),
  refresh: (session, item, options) => session.refresh(item, options),
  merge: (session, item, options) => session.merge(new Item({ id: item.id, name: "x" }), options),
  execute: (session, _, options) => session.execute(sql`select 1`, options),
  begin: (session, _, options) => session.begin(options),
  transaction: (session, _, options) => session.transaction(async () => {}, options),
  getBind: (session, _, options) => session.getBind(options),
  all: (session, _, options) => session.select(Item).all(options),
  first: (session, _, options) => session.select(Item).first(options),
  firstOr404: (session, _, options) => session.select(Item).firstOr404(options),
  one: (session, _, options) => session.select(Item).one(options),
  oneOrNull: (session, _, options) => session.select(Item).oneOrNull(options),
  oneOr404: (session, _, options) => session.select(Item).oneOr404(options),
  pluck: (session, _, options) => session.select(Item).pluck("name", options),
  count: (session, _, options) => session.select(Item).count(options),
  exists: (session, _, options) => session.select(Item).exists(options),
  paginate: (session, _, options) => session.select(Item).paginate(options),
  keyset: (session, _, options) => session.select(Item).keyset(options),
  stream: (session, _, options) => session.select(Item).stream(options),
  compile: (session, _, options) => session.select(Item).compile(options),
  update: (session, _, options) => session.select(Item).update({ name: "y" }, options),
  delete: (session, _, options) => session.select(Item).delete(options),
  "the next page": async (session, _, options) => (await session.select(Item).paginate()).next(options),
  "the previous page": async (session, _, options) => (await session.select(Item).paginate()).previous(options),
  iterPages: async (session, _, options) => (await session.select(Item).paginate()).iterPages(options),
};

for (const [name, call] of Object.entries(METHODS)) {
  test(`${name} refuses options that it does not have, before anything is done`, async (t) => {
    const app = await start(t, db, { databaseUri: "sqlite://", binds: { auth: "sqlite://" } });
    const session = sessionOf(app);
    const item = new Item({ name: "one" });
    session.add(item);
    await session.commit();
    await assert.rejects(async () => await call(session, item, UNKNOWN), {
      name: "InvalidOptionError",
      message: /"Signal"/,
    });
    for (const none of [null, "fast", 3]) {
      await assert.rejects(async () => await call(session, item, none as unknown as object), {
        name: "InvalidOptionError",
      });
    }
    for (const instance of [
      new AbortController(),
      new AbortController().signal,
      new Map(),
      new Date(),
      new (class {})(),
    ]) {
      await assert.rejects(async () => await call(session, item, instance), {
        name: "InvalidOptionError",
        message: /plain object/,
      });
    }
    assert.equal(session.inTransaction, false);
    await call(session, item, Object.create(null));
    await session.rollback();
    await call(session, item, {});
    await session.rollback();
    const names = await session.select(Item).pluck("name");
    assert.ok(names.length <= 1);
  });
}

test("the other options of a session work with those of every read", async (t) => {
  const app = await start(t, db, { databaseUri: "sqlite://", binds: { auth: "sqlite://" } });
  const session = sessionOf(app);
  const { signal } = new AbortController();
  session.add(new Item({ name: "pending" }));
  const options = { autoflush: false, signal };
  assert.deepEqual(await session.select(Item).all(options), []);
  assert.equal(await session.select(Item).count(options), 0);
  assert.equal(await session.get(Item, 1, options), null);
  assert.equal((await session.select(Item).paginate({ ...options, perPage: 5 })).total, 0);
  await assert.rejects(session.getOr404(Item, 1, { ...options, description: "none" }), {
    message: "none",
    status: 404,
  });
  await assert.rejects(session.select(Item).firstOr404({ ...options, description: "none" }), { message: "none" });
  const merged = await session.merge(new Item({ id: 9, name: "merged" }), options);
  assert.equal(session.new.size, 2);
  assert.ok(session.new.has(merged));
});

test("retries that are no count are refused", async (t) => {
  const app = await start(t, db, { databaseUri: "sqlite://", binds: { auth: "sqlite://" } });
  const session = sessionOf(app);
  for (const retries of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, "3", null]) {
    await assert.rejects(
      session.transaction(async () => assert.fail(), { retries: retries as number }),
      { name: "InvalidOptionError", message: /retries/ },
    );
  }
  assert.equal(session.inTransaction, false);
});

test("a context, a URL, columns and constraints refuse options that they do not have", async () => {
  const refused = { name: "InvalidOptionError" };
  const app = db.init({ databaseUri: "sqlite://", binds: { auth: "sqlite://" } });
  const context = app.context();
  await assert.rejects(context.close({ fail: true } as object), refused);
  await context.close();
  await assert.rejects(app.recover({ adopted: [] } as object), refused);
  assert.throws(() => app.engine.url!.render({ hide_password: false } as object), refused);
  assert.throws(() => app.engine.url!.with({ host: "x" } as object), refused);
  const unknown: object = { lenght: 3 };
  for (const define of [
    () => varchar(3, unknown),
    () => text(unknown),
    () => timestamp(unknown as { text: true }),
    () => unique(["id"], unknown),
    () => index(["id"], unknown),
    () => check(sql`true`, unknown),
  ]) {
    assert.throws(define, refused);
  }
  await app.dispose();
});

test("the bind key of a table, a model, a column and metadata cannot be assigned", () => {
  const other = new Multibind<"auth">();
  class User extends other.model("user", { id: integer().primaryKey() }, { bindKey: "auth" }) {}
  const { table } = User;
  for (const owner of [table, table.as("u"), User, other.metadatas.get("auth"), table.columns.id.table]) {
    assert.throws(() => {
      (owner as { bindKey: unknown }).bindKey = null;
    }, TypeError);
    assert.equal(owner.bindKey, "auth");
  }
  assert.throws(() => {
    (User as { table: unknown }).table = Item.table;
  }, TypeError);
  assert.throws(() => {
    (table.columns.id as { table: unknown }).table = Item.table;
  }, TypeError);
});
