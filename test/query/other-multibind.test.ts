import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
  type AnyModel,
  alias,
  integer,
  Multibind,
  OtherMultibindError,
  type Params,
  type Session,
  select,
  sql,
  varchar,
} from "../../src/index.ts";

/** Two `Multibind` objects, each with a table "member" in its default bind, which are two databases. */
async function twoObjects(t: TestContext) {
  const auth = new Multibind({ name: "auth" });
  class Member extends auth.model("member", { id: integer().primaryKey(), name: varchar(30) }) {}
  const shop = new Multibind({ name: "shop" });
  class Customer extends shop.model("member", { id: integer().primaryKey(), name: varchar(30) }) {}
  const [authApp, shopApp] = [auth, shop].map((db) => db.init({ databaseUri: "sqlite://" })) as [
    ReturnType<typeof auth.init>,
    ReturnType<typeof shop.init>,
  ];
  await authApp.createAll();
  await shopApp.createAll();
  const session = shopApp.session();
  t.after(async () => {
    await session.close();
    await authApp.dispose();
    await shopApp.dispose();
  });
  return { auth, shop, Member, Customer, authApp, shopApp, session };
}

const isRefusal = (error: unknown): boolean =>
  error instanceof OtherMultibindError &&
  error.code === "OTHER_MULTIBIND" &&
  error.table === "member" &&
  error.bindKey === null &&
  error.message.includes("auth") &&
  error.message.includes("shop");

const READS: Record<string, (session: Session, Model: AnyModel) => unknown> = {
  get: (session, Model) => session.get(Model, 1 as never),
  getOne: (session, Model) => session.getOne(Model, 1 as never),
  getOr404: (session, Model) => session.getOr404(Model, 1 as never),
  select: (session, Model) => session.select(Model).all(),
  "a detached select": (session, Model) => session.select(select(Model)).count(),
  "an alias": (session, Model) => session.select(alias(Model, "m")).all(),
  paginate: (session, Model) => session.select(Model).paginate({ page: 1 }),
  "bulk update": (session, Model) => session.select(Model).update({ name: "x" } as never),
  "bulk delete": (session, Model) => session.select(Model).delete(),
  stream: async (session, Model) => {
    for await (const _ of session.select(Model).stream()) assert.fail("a row of the wrong database");
  },
  selectFrom: (session, Model) =>
    session
      .selectFrom(Model as never)
      .selectAll()
      .execute(),
  insertInto: (session, Model) =>
    session
      .insertInto(Model as never)
      .values({ name: "x" } as never)
      .execute(),
  updateTable: (session, Model) =>
    session
      .updateTable(Model as never)
      .set({ name: "x" } as never)
      .execute(),
  deleteFrom: (session, Model) => session.deleteFrom(Model as never).execute(),
  "sql text": (session, Model) => session.execute(sql`select * from ${(Model as never as { table: never }).table}`),
  getBind: (session, model) => session.getBind({ model }),
  "getBind by table": (session, Model) => session.getBind({ table: (Model as never as { table: never }).table }),
  "getBind by statement": (session, Model) => session.getBind({ statement: select(Model) }),
  "session.kysely": (session, Model) =>
    session
      .kysely(null)
      .selectFrom(Model as never)
      .selectAll()
      .execute(),
};

for (const [name, use] of Object.entries(READS)) {
  test(`a model of another Multibind object is refused by ${name}`, async (t) => {
    const { session, Member, Customer, shopApp } = await twoObjects(t);
    session.add(new Customer({ name: "of shop" }));
    await session.commit();
    await assert.rejects(async () => use(session as Session, Member), isRefusal);
    assert.deepEqual(await shopApp.engine.kysely.selectFrom(Customer).select("name").execute(), [{ name: "of shop" }]);
  });
}

test("an entity of another Multibind object is refused by add, delete and merge, and stays transient", async (t) => {
  const { session, Member } = await twoObjects(t);
  const member = new Member({ name: "meant for auth" });
  assert.throws(() => session.add(member), isRefusal);
  assert.equal(session.stateOf(member), "transient");
  assert.throws(() => session.delete(member), isRefusal);
  await assert.rejects(session.merge(new Member({ id: 1, name: "x" })), isRefusal);
  await assert.rejects(session.merge(new Member({ name: "x" })), isRefusal);
});

test("an engine refuses tables of another Multibind object", async (t) => {
  const { shopApp, Member } = await twoObjects(t);
  await assert.rejects(shopApp.engine.kysely.selectFrom(Member).selectAll().execute(), isRefusal);
  await assert.rejects(shopApp.engine.kysely.insertInto(Member).values({ name: "x" }).execute(), isRefusal);
});

test("a statement that was prepared with another Multibind object is refused", async (t) => {
  const { shop, shopApp, Member } = await twoObjects(t);
  const byName = shop.prepare((p: Params<{ name: string }>) => select(Member).where("name", "=", p("name")));
  await assert.rejects(
    shopApp.run(() => byName.all({ name: "x" })),
    isRefusal,
  );
});

test("keyset pages of another Multibind object's model are refused", async (t) => {
  const { session, Member } = await twoObjects(t);
  await assert.rejects(session.select(Member).orderBy("id").keyset({ perPage: 2 }), isRefusal);
});

test("a model over a table, and a reference to a column, of another Multibind object are refused", async (t) => {
  const { shop, Member } = await twoObjects(t);
  assert.throws(() => shop.model(Member.table), isRefusal);
  assert.throws(
    () =>
      shop.table("note", {
        id: integer().primaryKey(),
        memberId: integer().references(Member.columns.id),
      }),
    isRefusal,
  );
});

test("messages call a Multibind object without a name by its number", async () => {
  const [one, two] = [new Multibind(), new Multibind()];
  const tag = one.table("tag", { id: integer().primaryKey() });
  const app = two.init({ databaseUri: "sqlite://" });
  const session = app.session();
  assert.throws(() => session.getBind({ table: tag }), /defined with Multibind \d+, and this belongs to Multibind \d+/);
  await session.close();
  await app.dispose();
});

test("a name of a Multibind object that is not text is refused", () => {
  assert.throws(() => new Multibind({ name: "" }), { code: "INVALID_OPTION" });
  assert.throws(() => new Multibind({ name: 7 as never }), { code: "INVALID_OPTION" });
});
