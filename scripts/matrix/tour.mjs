import assert from "node:assert/strict";
import {
  CrossBindError,
  integer,
  json,
  keyOf,
  Multibind,
  numeric,
  sql,
  text,
  timestamp,
  UniqueViolationError,
  varchar,
} from "multibind";

// The URLs of PostgreSQL, MariaDB, a third database, and, if there is one, of a database that has to be refused.
const [postgres, mysql, third, refused] = process.argv.slice(2);
const db = new Multibind();

class User extends db.model(
  "user",
  { id: integer().primaryKey(), name: varchar(40).unique(), createdAt: timestamp() },
  { bindKey: "auth" },
) {
  #greeting = "hello";
  greet() {
    return `${this.#greeting} ${this.name}`;
  }
}
class Order extends db.model("order", {
  id: integer().primaryKey(),
  customerId: integer(),
  total: numeric(10, 2),
  tags: json(),
}) {}
const note = db.table("note", { id: integer().primaryKey(), body: text() }, { bindKey: "meta" });

const app = db.init({ databaseUri: postgres, binds: { auth: mysql, meta: third } });
const createdAt = new Date("2026-03-08T07:30:00.123Z");
try {
  await app.run(async () => {
    await db.createAll();
    const ada = new User({ name: "ada", createdAt });
    db.session.addAll([ada, new Order({ customerId: keyOf(ada), total: "99.90", tags: { new: true } })]);
    await db
      .insertInto(note)
      .values([{ body: "a" }, { body: "b" }])
      .execute();
    await db.session.commit();
  });
  await app.run(async () => {
    const ada = await db.select(User).where({ name: "ada" }).one();
    assert.equal(ada.greet(), "hello ada");
    assert.deepEqual(ada.createdAt, createdAt);
    assert.equal(await db.session.get(User, ada.id), ada);
    const order = await db.select(Order).where("total", ">", "50").one();
    assert.deepEqual({ ...order }, { id: 1, customerId: ada.id, total: "99.90", tags: { new: true } });
    order.tags.new = false;
    await db.session.commit();
    assert.equal(await db.select(Order).count(), 1);
    assert.deepEqual(await db.selectFrom(note).select("body").orderBy("id").execute(), [{ body: "a" }, { body: "b" }]);
    const names = [];
    for await (const { name } of db.select(User).stream()) names.push(name);
    assert.deepEqual(names, ["ada"]);
    for (const bindKey of [null, "auth", "meta"]) {
      const { rows } = await db.session.execute(sql`select 1 + 1 as two`, { bindKey });
      assert.equal(Number(rows[0].two), 2);
    }
    await db.session.commit();
    await assert.rejects(
      db.selectFrom(User).innerJoin(note, "note.id", "user.id").selectAll().execute(),
      CrossBindError,
    );
  });
  await app.run(async () => {
    db.session.addAll([new User({ name: "ada", createdAt }), new Order({ customerId: 1, total: "1", tags: {} })]);
    await assert.rejects(db.session.flush(), UniqueViolationError);
    await db.session.rollback();
    assert.equal(await db.select(Order).count(), 1);
  });
  await app.run(async () => {
    await db.session.transaction(async () => {
      const user = await db.select(User).forUpdate().one();
      user.name = "bob";
      await assert.rejects(
        db.session.transaction(async () => {
          await db.insertInto(note).values({ body: "c" }).execute();
          throw new Error("undo");
        }),
        /undo/,
      );
    });
    assert.equal((await db.select(User).one()).name, "bob");
    assert.equal((await db.selectFrom(note).select("id").execute()).length, 2);
  });
} finally {
  await app.dropAll().finally(() => app.dispose());
}
if (refused !== undefined) assert.throws(() => db.init({ databaseUri: refused }), { code: "UNSUPPORTED_NODE" });
console.log("right");
