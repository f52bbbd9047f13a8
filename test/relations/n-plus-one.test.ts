import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import {
  type Configuration,
  InvalidOptionError,
  integer,
  Multibind,
  NPlusOneError,
  type ToMany,
} from "../../src/index.ts";
import { sessionOf, sharedDatabase, start } from "../fixtures/matrix.ts";

const db = new Multibind();
class Parent extends db.model("parent", { id: integer().primaryKey() }) {
  declare readonly children: ToMany<Child>;

  static {
    db.relate(Parent, (r) => ({ children: r.hasMany(() => Child, "parentId") }));
  }
}
class Child extends db.model("child", { id: integer().primaryKey(), parentId: integer().index() }) {}

async function open(t: Parameters<typeof start>[0], settings: Configuration) {
  const app = await start(t, db, { databaseUrl: await sharedDatabase("sqlite"), recordQueries: true, ...settings });
  const writing = sessionOf(app);
  writing.addAll(Array.from({ length: 12 }, (_, index) => new Parent({ id: index + 1 })));
  await writing.commit();
  return sessionOf(app);
}

test("a loop that loads a relation of one entity after the other is reported once, with its line", async (t) => {
  const session = await open(t, { nPlusOne: { threshold: 3 } });
  const parents = await session.select(Parent).all();
  const warning = once(process, "warning");
  for (const parent of parents) await session.load(parent, { children: true });
  const [{ message, code }] = (await warning) as [Error & { readonly code: string }];
  assert.equal(code, "MULTIBIND_N_PLUS_ONE");
  assert.match(message, /n-plus-one\.test\.ts:\d+:\d+ has loaded Parent\.children 3 times/);
});

test("or refused, before the statement is sent", async (t) => {
  const session = await open(t, { nPlusOne: { threshold: 3, action: "throw" } });
  const parents = await session.select(Parent).all();
  const before = session.recordedQueries.length;
  const loop = async () => {
    for (const parent of parents) await session.load(parent, { children: true });
  };
  await assert.rejects(loop, (error: unknown) => {
    assert.ok(error instanceof NPlusOneError);
    assert.deepEqual(
      [error.code, error.relation, error.entity, error.bindKey],
      ["N_PLUS_ONE", "children", "Parent", null],
    );
    assert.match(error.location, /n-plus-one\.test\.ts:\d+:\d+$/);
    return true;
  });
  assert.equal(session.recordedQueries.length - before, 2);
});

test("loads side by side, of lists, and of what is loaded are no loop", async (t) => {
  const session = await open(t, { nPlusOne: { threshold: 2, action: "throw" } });
  const parents = await session.select(Parent).all();
  await Promise.all(parents.map((parent) => session.load(parent, { children: true })));
  for (const parent of parents) await session.load(parent, { children: true });
  await session.load(parents, { children: true }, { refresh: true });
});

test("relationChunk says how many keys a statement has", async (t) => {
  const session = await open(t, { relationChunk: 5 });
  const parents = await session.select(Parent).all();
  const before = session.recordedQueries.length;
  await session.load(parents, { children: true });
  assert.equal(session.recordedQueries.length - before, 3);
});

test("settings that make no sense are refused", () => {
  for (const settings of [
    { relationChunk: 0 },
    { relationChunk: 1.5 },
    { relationChunk: "5" },
    { nPlusOne: { threshold: 0 } },
    { nPlusOne: { action: "log" } },
    { nPlusOne: { treshold: 3 } },
    { nPlusOne: null },
  ]) {
    assert.throws(
      () => db.init({ databaseUrl: "sqlite://", ...(settings as unknown as Configuration) }),
      InvalidOptionError,
      JSON.stringify(settings),
    );
  }
});
