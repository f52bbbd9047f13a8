import assert from "node:assert/strict";
import {
  alias,
  check,
  enumeration,
  index,
  integer,
  Multibind,
  numeric,
  sql,
  timestamp,
  UniqueViolationError,
  unique,
  varchar,
} from "../../src/index.ts";
import { onEachFamily, sessionOf, start } from "../fixtures/matrix.ts";

/** Parts of names that mean something elsewhere: in SQL, in Kysely's references, to drivers, in patterns. */
const ODD: readonly string[] = [
  `qu"ote it's tick\`s`,
  "a.b",
  "back\\slash 50% who? $1 :name",
  "a as b, c (d) [x]",
  "--new\nline",
  "ä€ß /* x */",
  "constructor",
];

for (const odd of ODD) {
  onEachFamily(`tables, columns and constraints with ${JSON.stringify(odd)} in their names work`, async (t, url) => {
    const db = new Multibind();
    class Parent extends db.model(
      `parent ${odd}`,
      {
        id: integer().primaryKey().named(odd),
        kind: enumeration(["parent", "child"]).named(`kind ${odd}`),
        price: numeric(8, 2).named(`price ${odd}`).default("1.50"),
        code: varchar(20).named(`code ${odd}`).unique(),
        at: timestamp().named(`at ${odd}`).nullable(),
      },
      {
        discriminator: "kind",
        identity: "parent",
        constraints: [index(["code", "price"], { name: `index ${odd}` }), unique(["price", "code"])],
      },
    ) {
      static {
        db.register(Parent);
      }
    }
    class Child extends Parent.extend(
      `child ${odd}`,
      {
        id: integer().primaryKey().references(Parent.columns.id).named(`id ${odd}`),
        size: integer().named(`price ${odd}`),
      },
      { identity: "child", constraints: [check(sql`${sql.ref("size")} > 0`, { name: `check ${odd}` })] },
    ) {
      static {
        db.register(Child);
      }
    }
    const app = await start(t, db, { databaseUri: url });
    await app.createAll();
    const session = sessionOf(app);
    const numbers = [1, 2, 3];
    session.addAll([
      ...numbers.map((id) => new Child({ id, code: `c${id}`, size: id })),
      new Parent({ id: 4, code: "p" }),
    ]);
    await session.commit();
    session.expungeAll();

    const all = await session.select(Parent).orderBy("price").orderBy(`id`).all();
    assert.deepEqual(
      all.map((one) => [one.id, one.price, one instanceof Child ? one.size : null, one.code, one.at]),
      [...numbers.map((id) => [id, "1.50", id, `c${id}`, null]), [4, "1.50", null, "p", null]],
    );
    for (const one of all) {
      one.price = `${one.id}.25`;
      if (one instanceof Child) one.size += 10;
    }
    await session.commit();
    session.expungeAll();

    const other = alias(Parent, `other ${odd}`);
    const pairs = await session
      .select(Child)
      .joinAndSelect(other, (on) => on.onTrue())
      .all();
    assert.deepEqual(
      pairs.map(([child, parent]) => `${child.id} ${child.size} ${parent.id} ${parent.price}`).sort(),
      numbers.flatMap((id) => [1, 2, 3, 4].map((one) => `${id} ${id + 10} ${one} ${one}.25`)),
    );
    const rows = await session.selectFrom(Parent).selectAll().where("price", ">", "2").orderBy("id").execute();
    assert.deepEqual(
      rows.map(({ id, price, code }) => [id, price, code]),
      [
        [2, "2.25", "c2"],
        [3, "3.25", "c3"],
        [4, "4.25", "p"],
      ],
    );
    const named = await session
      .selectFrom(Parent.as(`x${odd}`))
      .select((eb) => eb.ref("price").as(`alias ${odd}`))
      .where("id", "=", 3)
      .execute();
    assert.deepEqual(named, [{ [`alias ${odd}`]: "3.25" }]);
    const page = await session.select(Child).orderBy("size").keyset({ perPage: 2 });
    assert.deepEqual(
      page.items.map(({ size }) => size),
      [11, 12],
    );
    await session.insertInto(Parent).values({ id: 9, code: "late", kind: "parent" }).execute();
    await session.select(Parent).where({ code: "late" }).update({ price: "9.00" });
    assert.equal((await session.select(Parent).where({ id: 9 }).one()).price, "9.00");
    await session.deleteFrom(Parent).where("code", "=", "late").execute();
    await session.commit();

    session.add(new Parent({ code: "c1" }));
    await assert.rejects(session.commit(), (error) => {
      assert.ok(error instanceof UniqueViolationError, String(error));
      assert.deepEqual(error.columns, ["code"]);
      return true;
    });
    await session.rollback();
    for (const one of await session.select(Parent).all()) session.delete(one);
    await session.commit();

    const again = new Multibind();
    await using reflected = again.init({ databaseUri: url });
    await reflected.reflect();
    assert.deepEqual(
      [...again.metadata.tables.get(`parent ${odd}`)!.columnList].map(({ name }) => name),
      Parent.table.columnList.map(({ name }) => name),
    );
    await app.dropAll();
    await reflected.createAll();
    await app.dropAll();
  });
}
