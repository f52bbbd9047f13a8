import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import {
  type AnyColumn,
  type Application,
  type FamilyName,
  integer,
  jsonArrayFrom,
  jsonObjectFrom,
  Multibind,
  sql,
  typed,
} from "../../src/index.ts";
import { FAMILIES, freshDatabase } from "../fixtures/databases.ts";
import { VALUE_CASES, type ValueCase } from "./value-cases.ts";

/** How many batches of values each column goes every way with; each batch in the next of the time zones. */
const RUNS = Number(process.env["MULTIBIND_WAYS_RUNS"] ?? 1);
const ZONES = ["America/New_York", "Asia/Kolkata", "Pacific/Kiritimati"];
const BATCH = 4;

/** What one kind of column is tried with: two models alike, and values. */
interface World {
  readonly db: Multibind;
  readonly app: Application;
  readonly family: FamilyName;
  readonly column: AnyColumn;
  readonly isComparable: boolean;
  readonly One: ReturnType<typeof modelOf>;
  readonly Copy: ReturnType<typeof modelOf>;
  readonly table: string;
  /** The values that are stored in `One` as rows 1, 2… */
  readonly values: readonly unknown[];
}

/** A way that values go into the database and come back; it gives what came back for each of them. */
type Way = (world: World) => Promise<readonly unknown[]>;

function modelOf(db: Multibind, name: string, column: AnyColumn) {
  return db.model(name, {
    id: integer().primaryKey(),
    value: (column as ReturnType<typeof integer>).nullable(),
    other: (column as ReturnType<typeof integer>).nullable(),
  });
}

/** Every column is described as one of numbers here, whatever it holds, so that one code serves them all. */
const held = (value: unknown) => value as number;
const valuesIn = (rows: readonly { readonly value: unknown }[]) => rows.map(({ value }) => value);
const idsOf = ({ values }: World) => values.map((_, index) => index + 1);

async function read({ db, One }: World): Promise<readonly unknown[]> {
  db.session.expungeAll();
  return valuesIn(await db.select(One).orderBy("id").all());
}

async function fresh({ db, One, Copy }: World): Promise<void> {
  await db.deleteFrom(One).execute();
  await db.deleteFrom(Copy).execute();
}

/** Empty rows, to be updated. */
async function emptied(world: World): Promise<void> {
  await fresh(world);
  await world.db
    .insertInto(world.One)
    .values(idsOf(world).map((id) => ({ id })))
    .execute();
}

async function filled(world: World): Promise<void> {
  await fresh(world);
  const { db, One, values } = world;
  await db
    .insertInto(One)
    .values(values.map((value, index) => ({ id: index + 1, value: held(value), other: held(value) })))
    .execute();
}

const WAYS: Readonly<Record<string, Way>> = {
  "one row": async (world) => {
    await fresh(world);
    const { db, One, values } = world;
    const found: unknown[] = [];
    for (const [index, value] of values.entries()) {
      db.session.add(new One({ id: index + 1, value: held(value) }));
      await db.session.flush();
      db.session.expungeAll();
      found.push((await db.session.getOne(One, index + 1)).value);
    }
    return found;
  },
  "many rows": async (world) => {
    await fresh(world);
    const { db, One, values } = world;
    db.session.addAll(values.map((value, index) => new One({ id: index + 1, value: held(value) })));
    await db.session.flush();
    return read(world);
  },
  "an update": async (world) => {
    await emptied(world);
    const { db, One, values } = world;
    const found: unknown[] = [];
    for (const [index, value] of values.entries()) {
      (await db.session.getOne(One, index + 1)).value = held(value);
      await db.session.flush();
      db.session.expungeAll();
      found.push((await db.session.getOne(One, index + 1)).value);
    }
    return found;
  },
  "many updates": async (world) => {
    await emptied(world);
    const { db, One, values } = world;
    for (const [index, one] of (await db.select(One).orderBy("id").all()).entries()) one.value = held(values[index]);
    await db.session.flush();
    return read(world);
  },
  "a bulk update": async (world) => {
    await emptied(world);
    const { db, One, values } = world;
    for (const [index, value] of values.entries())
      await db
        .select(One)
        .where("id", "=", index + 1)
        .update({ value: held(value) });
    return read(world);
  },
  "rows in Kysely's form": async (world) => {
    await filled(world);
    const { db, One } = world;
    const rows = await db.selectFrom(One).select(["value", "other"]).orderBy("id").execute();
    assert.deepStrictEqual(
      rows.map(({ other }) => other),
      valuesIn(rows),
    );
    // Rows are streamed outside of transactions.
    await db.session.commit();
    const streamed: { readonly value: unknown }[] = [];
    for await (const row of db.selectFrom(One).select("value").orderBy("id").stream(2)) streamed.push(row);
    assert.deepStrictEqual(valuesIn(streamed), valuesIn(rows));
    return valuesIn(rows);
  },
  "a raw parameter": async (world) => {
    await emptied(world);
    const { db, table, column, values } = world;
    for (const [index, value] of values.entries()) {
      const parameter = value === null ? sql`null` : typed(sql`${value}`, column);
      await db.session.execute(sql`update ${sql.id(table)} set value = ${parameter} where id = ${index + 1}`);
    }
    return read(world);
  },
  "an expression": async (world) => {
    await emptied(world);
    const { db, One, values } = world;
    for (const [index, value] of values.entries()) {
      await db
        .updateTable(One)
        .set((eb) => ({ value: value === null ? eb.ref("other") : eb.fn.coalesce("other", eb.val(held(value))) }))
        .where("id", "=", index + 1)
        .execute();
    }
    return read(world);
  },
  "another column": async (world) => {
    await filled(world);
    const { db, One } = world;
    // MySQL and MariaDB assign one column after the other, so both at once would not mean the same everywhere.
    await db.updateTable(One).set({ value: null }).execute();
    await db
      .updateTable(One)
      .set((eb) => ({ value: eb.ref("other") }))
      .execute();
    await db.updateTable(One).set({ other: null }).execute();
    await db
      .updateTable(One)
      .set((eb) => ({ other: eb.ref("value") }))
      .execute();
    return valuesIn(await db.selectFrom(One).select("other as value").orderBy("id").execute());
  },
  "a comparison with another column": async (world) => {
    await filled(world);
    const { db, One, Copy, values, isComparable } = world;
    if (!isComparable) return values;
    await db
      .insertInto(Copy)
      .values(values.map((value, index) => ({ id: index + 1, other: held(value) })))
      .execute();
    const rows = await db
      .selectFrom(One.as("one"))
      .innerJoin(Copy.as("copy"), "one.id", "copy.id")
      .whereRef("one.value", "=", "copy.other")
      .whereRef("one.value", "<=", "one.other")
      .select(["one.id as id", "copy.other as value"])
      .execute();
    const byId = new Map<number, unknown>(rows.map(({ id, value }) => [id, value]));
    return idsOf(world).map((id) => byId.get(id) ?? null);
  },
  "a comparison with a value": async (world) => {
    await filled(world);
    const { db, One, values, isComparable } = world;
    if (!isComparable) return values;
    const found: unknown[] = [];
    for (const [index, value] of values.entries()) {
      const select = db.select(One).where("id", "=", index + 1);
      const one = await (value === null
        ? select.where("value", "is", null)
        : select.where("value", "=", held(value)).where("value", "in", [held(value)])
      ).one();
      found.push(one.value);
    }
    return found;
  },
  "insert-select": async (world) => {
    await filled(world);
    const { db, One, Copy } = world;
    await db
      .insertInto(Copy)
      .columns(["id", "value"])
      .expression(db.selectFrom(One).select(["id", "value"]))
      .execute();
    return valuesIn(await db.selectFrom(Copy).select("value").orderBy("id").execute());
  },
  "a case": async (world) => {
    await filled(world);
    const { db, One, values } = world;
    const [first = null] = values.filter((value) => value !== null);
    const rows = await db
      .selectFrom(One)
      .select((eb) => [
        "id",
        eb.case().when("id", ">", 0).then(eb.ref("value")).else(eb.ref("other")).end().as("value"),
        eb
          .case()
          .when("id", "<", 0)
          .then(eb.ref("value"))
          .else(eb.val(held(first)))
          .end()
          .as("constant"),
      ])
      .orderBy("id")
      .execute();
    for (const { constant } of rows) assert.deepStrictEqual(constant, first);
    await db
      .updateTable(One)
      .set((eb) => ({ other: eb.case().when("id", ">", 0).then(eb.ref("value")).else(null).end() }))
      .execute();
    assert.deepStrictEqual(
      valuesIn(await db.selectFrom(One).select("other as value").orderBy("id").execute()),
      valuesIn(rows),
    );
    return valuesIn(rows);
  },
  "a union": async (world) => {
    await filled(world);
    const { db, One, Copy } = world;
    const rows = await db
      .selectFrom(One)
      .select(["id", "value"])
      .unionAll(db.selectFrom(Copy).select(["id", "other as value"]))
      .orderBy("id")
      .execute();
    return valuesIn(rows);
  },
  "a subquery and a common table expression": async (world) => {
    await filled(world);
    const { db, One } = world;
    const inner = db.selectFrom(One).select(["id", "value as renamed"]);
    const rows = await db
      .selectFrom(inner.as("inner"))
      .select(["inner.renamed as value"])
      .orderBy("inner.id")
      .execute();
    const others = await db
      .with("named", () => inner)
      .selectFrom("named")
      .select("named.renamed as value")
      .orderBy("named.id")
      .execute();
    assert.deepStrictEqual(valuesIn(others), valuesIn(rows));
    return valuesIn(rows);
  },
  "nested JSON": async (world) => {
    await filled(world);
    const { db, One } = world;
    const [row] = await db
      .selectNoFrom([jsonArrayFrom(db.selectFrom(One).select(["id", "value"]).orderBy("id")).as("rows")])
      .execute();
    const objects: unknown[] = [];
    for (const id of idsOf(world)) {
      const one = jsonObjectFrom(db.selectFrom(One).select("value").where("id", "=", id)).as("row");
      objects.push((await db.selectNoFrom([one]).execute())[0]!.row?.value);
    }
    assert.deepStrictEqual(objects, valuesIn(row!.rows));
    return valuesIn(row!.rows);
  },
  "what an insert gives back": async (world) => {
    if (world.family === "mysql") return world.values;
    await fresh(world);
    const { db, One, values } = world;
    const rows = await db
      .insertInto(One)
      .values(values.map((value, index) => ({ id: index + 1, value: held(value) })))
      .returning(["id", "value"])
      .execute();
    return valuesIn(rows.toSorted((a, b) => a.id - b.id));
  },
};

for (const family of FAMILIES) {
  test(`what goes into a column any way comes out of it equal, in every time zone (${family})`, async (t) => {
    restoreZone(t);
    const db = new Multibind();
    const cases = VALUE_CASES.map((valueCase, index) => ({
      valueCase,
      One: modelOf(db, `ways_${index}`, valueCase.column),
      Copy: modelOf(db, `ways_copy_${index}`, valueCase.column),
      table: `ways_${index}`,
    }));
    const app = db.init({ databaseUri: await freshDatabase(t, family), onUncommitted: "ignore" });
    t.after(() => app.dispose());
    await app.createAll();
    let tried = 0;
    for (const { valueCase, ...tables } of cases) {
      for (let run = 0; run < RUNS; run++) {
        const zone = ZONES[run % ZONES.length]!;
        process.env["TZ"] = zone;
        const values = batchOf(valueCase, family);
        const isComparable = valueCase.comparable !== false;
        const world: World = { db, app, family, column: valueCase.column, isComparable, values, ...tables };
        for (const [way, go] of Object.entries(WAYS)) {
          await t.test(`${valueCase.name} by ${way} in ${zone} (${run})`, () =>
            app.run(async () => {
              const found = await go(world);
              await db.session.rollback();
              assert.deepStrictEqual(found, values);
            }),
          );
          tried += values.length;
        }
      }
    }
    t.diagnostic(`${tried} combinations`);
  });
}

/** Values of a kind of column, null among them now and then. */
function batchOf({ values }: ValueCase, family: FamilyName): readonly unknown[] {
  return fc.sample(fc.option(values(family), { freq: 8 }), BATCH);
}

function restoreZone(t: TestContext): void {
  const zone = process.env["TZ"];
  t.after(() => {
    if (zone === undefined) delete process.env["TZ"];
    else process.env["TZ"] = zone;
  });
}
