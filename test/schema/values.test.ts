import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { binary, char, type FamilyName, integer, json, Multibind, text, uuid, varchar } from "../../src/index.ts";
import { FAMILIES, freshDatabase } from "../fixtures/databases.ts";
import { VALUE_CASES } from "./value-cases.ts";

/** How many batches of up to 60 values each column gets. */
const RUNS = Number(process.env["MULTIBIND_PROPERTY_RUNS"] ?? 8);

for (const family of FAMILIES) {
  test(`what goes into a column comes out of it equal (${family})`, async (t) => {
    const db = new Multibind();
    const things = VALUE_CASES.map((valueCase, index) => ({
      ...valueCase,
      Thing: db.model(`thing_${index}`, { id: integer().primaryKey(), value: valueCase.column.nullable() }),
    }));
    const app = db.init({ databaseUri: await freshDatabase(t, family) });
    t.after(() => app.dispose());
    await app.createAll();

    for (const { name, Thing, values, comparable = true } of things) {
      const batch = fc.array(fc.option(values(family), { freq: 10 }), { minLength: 1, maxLength: 60 });

      await t.test(`${name}, by entities`, async () => {
        await fc.assert(
          fc.asyncProperty(batch, async (given) => {
            const ids = await app.transaction(async () => {
              const entities = given.map((value) => new Thing({ value }));
              db.session.addAll(entities);
              await db.session.flush();
              return entities.map(({ id }) => id);
            });
            await app.run(async () => {
              const read = await db.select(Thing).where("id", "in", ids).orderBy("id").all();
              assert.deepStrictEqual(valuesOf(read), given);
              assert.deepEqual([...db.session.dirty], []);
              const wanted = given.find((value) => value !== null);
              if (!comparable || wanted === undefined) return;
              const found = await db
                .select(Thing)
                .where("id", "in", ids)
                .where("value", "=", wanted)
                .orderBy("id")
                .all();
              assert.deepStrictEqual(
                found.map(({ id }) => id),
                ids.filter((_, index) => isEqualInSql(given[index], wanted, family)),
              );
            });
          }),
          { numRuns: RUNS },
        );
      });

      await t.test(`${name}, by Kysely's builders`, async () => {
        await fc.assert(
          fc.asyncProperty(batch, async (given) => {
            await app.transaction(async () => {
              await db.deleteFrom(Thing).execute();
              await db
                .insertInto(Thing)
                .values(given.map((value) => ({ value })))
                .execute();
            });
            await app.run(async () => {
              const rows = await db.selectFrom(Thing).selectAll().orderBy("id").execute();
              assert.deepStrictEqual(valuesOf(rows), given);
              const streamed: { readonly value: unknown }[] = [];
              for await (const row of db.selectFrom(Thing).select("value").orderBy("id").stream(25)) streamed.push(row);
              assert.deepStrictEqual(valuesOf(streamed), given);
              const [first] = given;
              const updated = db.updateTable(Thing).set({ value: first }).where("id", "=", rows.at(-1)!.id);
              await updated.execute();
              const { value } = await db
                .selectFrom(Thing)
                .select("value")
                .where("id", "=", rows.at(-1)!.id)
                .executeTakeFirstOrThrow();
              assert.deepStrictEqual(value, first);
              await db.session.rollback();
            });
          }),
          { numRuns: RUNS },
        );
      });
    }
  });

  test(`text and bytes may be long (${family})`, async (t) => {
    const db = new Multibind();
    class Long extends db.model("long", {
      id: integer().primaryKey(),
      text: text(),
      bytes: binary(),
      data: json<string[]>(),
    }) {}
    const app = db.init({ databaseUri: await freshDatabase(t, family) });
    t.after(() => app.dispose());
    await app.createAll();
    const values = {
      text: "aé😀'\\\n".repeat(20_000),
      bytes: new Uint8Array(300_000).map((_, index) => index),
      data: Array.from({ length: 5_000 }, (_, index) => `entry ${index}`),
    };
    await app.transaction(() => db.session.add(new Long(values)));
    await app.run(async () => {
      assert.deepStrictEqual({ ...(await db.session.get(Long, 1)) }, { id: 1, ...values });
    });
  });

  test(`a value that has another canonical form comes back in that (${family})`, async (t) => {
    const db = new Multibind();
    class Thing extends db.model("thing", {
      id: integer().primaryKey(),
      bytes: binary(),
      uuid: uuid(),
      number: integer(),
    }) {}
    const app = db.init({ databaseUri: await freshDatabase(t, family) });
    t.after(() => app.dispose());
    await app.createAll();
    const [upper, lower] = ["F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"];
    await app.transaction(() => db.session.add(new Thing({ bytes: Buffer.from([1, 2]), uuid: upper, number: -0 })));
    await app.run(async () => {
      const read = await db.select(Thing).where("uuid", "=", upper).one();
      assert.deepStrictEqual({ ...read }, { id: 1, bytes: new Uint8Array([1, 2]), uuid: lower, number: 0 });
      assert.equal(read.bytes.buffer.byteLength, 2);
    });
  });

  test(`char pads nothing and cuts nothing (${family})`, async (t) => {
    const db = new Multibind();
    class Thing extends db.model("thing", { id: integer().primaryKey(), code: char(5) }) {}
    const app = db.init({ databaseUri: await freshDatabase(t, family) });
    t.after(() => app.dispose());
    await app.createAll();
    const codes = ["", "a", "a ", " a", "     "];
    await app.transaction(() => db.session.addAll(codes.map((code) => new Thing({ code }))));
    await app.run(async () => {
      assert.deepEqual(
        (await db.select(Thing).orderBy("id").all()).map(({ code }) => code),
        codes,
      );
    });
  });
}

test("spaces at the end do not count on MariaDB when text is compared, unless the collation says so", async (t) => {
  const db = new Multibind();
  class Thing extends db.model("thing", {
    id: integer().primaryKey(),
    usual: varchar(5),
    exact: varchar(5, { mysqlCollation: "utf8mb4_nopad_bin" }),
  }) {}
  const app = db.init({ databaseUri: await freshDatabase(t, "mysql") });
  t.after(() => app.dispose());
  await app.createAll();
  await app.transaction(() =>
    db.session.addAll(["a", "a ", "A"].map((value) => new Thing({ usual: value, exact: value }))),
  );
  await app.run(async () => {
    assert.equal(await db.select(Thing).where("usual", "=", "a").count(), 2);
    assert.equal(await db.select(Thing).where("exact", "=", "a").count(), 1);
  });
});

function valuesOf(rows: readonly { readonly value: unknown }[]): unknown[] {
  return rows.map(({ value }) => value);
}

function isEqualInSql(one: unknown, other: unknown, family: FamilyName): boolean {
  if (typeof one === "string" && typeof other === "string" && family === "mysql")
    return one.replace(/ +$/, "") === other.replace(/ +$/, "");
  try {
    assert.deepStrictEqual(one, other);
    return true;
  } catch {
    return false;
  }
}
