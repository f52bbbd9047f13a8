import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type Application,
  foreignKey,
  integer,
  keyOf,
  Multibind,
  type Session,
  SessionError,
  sql,
  unique,
  varchar,
} from "../../src/index.ts";
import { onEachFamily, start } from "../fixtures/matrix.ts";
import { acceptable, type Change, canBeOrdered, leavesBehind, type Row, textOf } from "./plans/rows.ts";

/** How many plans are tried on a family; more are asked for by `MULTIBIND_PLANS`. */
const PLANS = Number(process.env["MULTIBIND_PLANS"] ?? 60);

/** With how many changes all ways that go through nulls are tried. */
const MOST_TRIED = 5;

function models() {
  const db = new Multibind();
  class Item extends db.model(
    "item",
    {
      list: integer().primaryKey(),
      thing: integer().primaryKey(),
      place: integer(),
      tag: varchar(9).nullable().unique(),
      parent: integer().nullable(),
    },
    { constraints: [unique(["list", "place"]), foreignKey(["list", "parent"], "item", ["list", "thing"])] },
  ) {}
  class Desk extends db.model("desk", {
    id: integer().primaryKey(),
    code: varchar(9).references("owner.code"),
    spare: varchar(9).nullable().unique().references("owner.code"),
  }) {}
  class Owner extends db.model("owner", { id: integer().primaryKey(), code: varchar(9).unique() }) {}
  return { db, classes: { item: Item, owner: Owner, desk: Desk } as const };
}

type Models = ReturnType<typeof models>;
type AnyEntity = InstanceType<Models["classes"][Row["table"]]>;

const small = fc.integer({ min: 1, max: 4 });
const code = fc.constantFrom("p", "q", "r");
const item: fc.Arbitrary<Row> = fc.record({
  table: fc.constant("item" as const),
  values: fc.record({
    list: fc.constantFrom(1, 1, 1, 2),
    thing: small,
    place: small,
    tag: fc.option(fc.constantFrom("a", "A", "b")),
    parent: fc.option(small),
  }),
});
const owner: fc.Arbitrary<Row> = fc.record({
  table: fc.constant("owner" as const),
  values: fc.record({ id: small, code }),
});
const desk: fc.Arbitrary<Row> = fc.record({
  table: fc.constant("desk" as const),
  values: fc.record({ id: small, code, spare: fc.option(code) }),
});
const rowsOf = (row: fc.Arbitrary<Row>) => fc.array(row, { minLength: 2, maxLength: 9 }).map(acceptable);

/** Rows as they are and as they have to be, which of them stay the same rows, and in what order things are said. */
const planOf = (row: fc.Arbitrary<Row>) =>
  fc.record({
    before: rowsOf(row),
    after: rowsOf(row),
    stays: fc.array(fc.constantFrom(true, true, false), { minLength: 9, maxLength: 9 }),
    order: fc.array(fc.nat(), { minLength: 18, maxLength: 18 }),
    said: fc.array(fc.boolean(), { minLength: 18, maxLength: 18 }),
  });
const plan = fc.oneof(planOf(item), planOf(fc.oneof(owner, desk)), planOf(fc.oneof(item, owner, desk)));

type Plan = typeof plan extends fc.Arbitrary<infer P> ? P : never;

function changesOf({ before, after, stays, order }: Plan): Change[] {
  const left = [...after];
  const changes: Change[] = before.map((old, index) => {
    const next = stays[index] === true ? left.findIndex(({ table }) => table === old.table) : -1;
    return { before: old, after: next < 0 ? undefined : left.splice(next, 1)[0] };
  });
  changes.push(...left.map((one) => ({ before: undefined, after: one })));
  return changes
    .map((change, index) => ({ change, rank: order[index]! }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ change }) => change);
}

async function store(app: Application, list: readonly Row[]): Promise<void> {
  const { kysely } = app.engine;
  await sql.raw("update item set parent = null").execute(kysely);
  for (const table of ["desk", "owner", "item"]) await sql.raw(`delete from ${table}`).execute(kysely);
  const literal = (value: unknown) => (typeof value === "string" ? `'${value}'` : String(value));
  for (const table of ["owner", "desk", "item"]) {
    for (const { values } of list.filter((one) => one.table === table)) {
      const names = Object.keys(values).filter((name) => name !== "parent");
      const texts = names.map((name) => literal(values[name]));
      await sql.raw(`insert into ${table} (${names.join(", ")}) values (${texts.join(", ")})`).execute(kysely);
    }
  }
  for (const { table, values } of list) {
    if (table !== "item" || values["parent"] === null) continue;
    const { list: inList, thing, parent } = values;
    await sql.raw(`update item set parent = ${parent} where list = ${inList} and thing = ${thing}`).execute(kysely);
  }
}

async function stored(app: Application, { classes }: Models): Promise<string[]> {
  const session = app.session();
  const all: string[] = [];
  for (const [table, model] of Object.entries(classes)) {
    // Each is a model of the same session.
    const entities = (await session.select(model as Models["classes"]["owner"]).all()) as AnyEntity[];
    for (const entity of entities)
      all.push(textOf({ table: table as Row["table"], values: { ...entity } as Row["values"] }));
  }
  await session.close();
  return all.sort();
}

/** Does to entities what the plan says. */
async function say(session: Session, { classes }: Models, changes: readonly Change[], said: readonly boolean[]) {
  const entities = new Map<Change, AnyEntity>();
  for (const change of changes) {
    const { before, after } = change;
    // Models and values of a row belong together.
    const model = classes[(before ?? after)!.table] as Models["classes"]["owner"];
    if (before === undefined) {
      entities.set(change, new model(after!.values as { id: number; code: string }));
      continue;
    }
    const key =
      before.table === "item" ? { list: before.values["list"], thing: before.values["thing"] } : before.values["id"];
    entities.set(change, await session.getOne(model, key as number));
  }
  for (const [index, change] of changes.entries()) {
    const entity = entities.get(change)!;
    if (change.after === undefined) session.delete(entity);
    else {
      Object.assign(entity, withKeyOf(change, changes, entities, said[index] === true));
      if (change.before === undefined) session.add(entity);
    }
  }
}

/** The values of a row, its reference to an owner perhaps by `keyOf`. */
function withKeyOf(
  { after }: Change,
  changes: readonly Change[],
  entities: ReadonlyMap<Change, AnyEntity>,
  isSaid: boolean,
): Record<string, unknown> {
  const { table, values } = after!;
  if (table !== "desk" || !isSaid) return { ...values };
  const owner = changes.find((one) => one.after?.table === "owner" && one.after.values["code"] === values["code"]);
  return { ...values, code: keyOf(entities.get(owner!)! as InstanceType<Models["classes"]["owner"]>, "code") };
}

onEachFamily("whatever order there is in which a database accepts the changes, a flush finds one", async (t, url) => {
  const all = models();
  const app = await start(t, all.db, { databaseUri: url });
  const counts = { ordered: 0, byNulls: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(plan, async (one) => {
      const changes = changesOf(one);
      await store(app, one.before);
      const session = app.session();
      try {
        await say(session, all, changes, one.said);
        const isOrderable = canBeOrdered(changes, false);
        try {
          await session.commit();
        } catch (error) {
          assert.ok(!isOrderable, `there is an order, and yet: ${error}`);
          if (!leavesBehind(changes)) {
            assert.ok(error instanceof SessionError, `refused by the database: ${error}`);
            assert.ok(changes.length > MOST_TRIED || !canBeOrdered(changes, true), `nulls would do: ${error}`);
            assert.match(error.message, /(Item|Owner|Desk).*".+\..+".*flush\(\)/);
          }
          await session.rollback();
          assert.deepEqual(await stored(app, all), one.before.map(textOf).sort());
          counts.refused++;
          return;
        }
        assert.deepEqual(await stored(app, all), one.after.map(textOf).sort());
        counts[isOrderable ? "ordered" : "byNulls"]++;
      } finally {
        await session.close();
      }
    }),
    { numRuns: PLANS },
  );
  t.diagnostic(`plans: ${JSON.stringify(counts)}`);
});
