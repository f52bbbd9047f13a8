import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import fc from "fast-check";
import {
  integer,
  Multibind,
  numeric,
  type Params,
  type Session,
  select,
  sql,
  UnsupportedError,
  varchar,
} from "../../src/index.ts";
import { onEachFamily, sessionOf, start } from "../fixtures/matrix.ts";

const db = new Multibind();
class Item extends db.model("item", {
  id: integer().primaryKey(),
  name: varchar(20).index(),
  pattern: varchar(20).nullable(),
  price: numeric(8, 2).default("1.5"),
}) {}

const NAMES = [
  "Ada",
  "ada",
  "50% off",
  "50x off",
  "a_b",
  "axb",
  "back\\slash",
  "[x]",
  "x",
  "*",
  "?y",
  "Ärger",
  "ärger",
];

async function filled(t: TestContext, url: string, names = NAMES): Promise<Session<string>> {
  const session = sessionOf(await start(t, db, { databaseUri: url }));
  session.addAll(names.map((name) => new Item({ name })));
  await session.commit();
  return session;
}

onEachFamily("case counts, and a backslash escapes, in every form of like", async (t, url) => {
  const session = await filled(t, url);
  const like = (pattern: string) => session.select(Item).where("name", "like", pattern).orderBy("id").pluck("name");
  assert.deepEqual(await like("A%"), ["Ada"]);
  assert.deepEqual(await like("50\\%%"), ["50% off"]);
  assert.deepEqual(await like("a\\_b"), ["a_b"]);
  assert.deepEqual(await like("a_b"), ["a_b", "axb"]);
  assert.deepEqual(await like("back\\\\s%"), ["back\\slash"]);
  assert.deepEqual(await like("[x]"), ["[x]"]);
  assert.deepEqual(await like("*"), ["*"]);
  assert.deepEqual(await like("?%"), ["?y"]);
  assert.deepEqual(await like("\\[x\\]"), ["[x]"]);
  assert.deepEqual(await like("_rger"), ["Ärger", "ärger"]);
  assert.deepEqual(await like("ä%"), ["ärger"]);

  const rows = session.selectFrom(Item).select("name").orderBy("id");
  const names = async (query: { execute(): Promise<{ name: string }[]> }) =>
    (await query.execute()).map(({ name }) => name);
  assert.deepEqual(await names(rows.where("name", "not like", "%a%").where("id", "<", 5)), ["50% off", "50x off"]);
  assert.deepEqual(await names(rows.where((eb) => eb("name", "like", eb.val("A%")))), ["Ada"]);
  assert.deepEqual(await names(rows.where((eb) => eb(eb.fn("upper", ["name"]), "like", "AD%"))), ["Ada", "ada"]);
  assert.deepEqual(await names(rows.where((eb) => eb("name", "like", sql<string>`${"A%"}`))), ["Ada"]);
  assert.deepEqual(
    await names(rows.where((eb) => eb("name", "like", eb.fn<string>("concat", [sql.lit("A"), sql.lit("%")])))),
    ["Ada"],
  );
  assert.deepEqual(await names(rows.where((eb) => eb.not(eb("name", "like", "%a%"))).where("id", "<", 5)), [
    "50% off",
    "50x off",
  ]);
  const [counted] = await session
    .selectFrom(Item)
    .select((eb) =>
      eb.fn.sum<number>(eb.case().when("name", "like", "A%").then(eb.lit(1)).else(eb.lit(0)).end()).as("n"),
    )
    .execute();
  assert.equal(Number(counted!.n), 1);
  const none = await session
    .selectFrom(Item)
    .select("id")
    .where((eb) => eb("name", "like", eb.ref("pattern")))
    .execute();
  assert.deepEqual(none, [], "null is like nothing");
});

onEachFamily("bulk updates and deletes write the rows that like finds", async (t, url) => {
  const session = await filled(t, url);
  await session.select(Item).where("name", "like", "A%").delete();
  await session.updateTable(Item).set({ pattern: "found" }).where("name", "like", "a\\_%").execute();
  await session.select(Item).where("name", "like", "50\\%%").update({ pattern: "bulk" });
  await session.deleteFrom(Item).where("name", "not like", "%a%").where("name", "not like", "50%").execute();
  await session.commit();
  const left = await session.selectFrom(Item).select(["name", "pattern"]).orderBy("id").execute();
  assert.deepEqual(
    left.map((row) => Object.values(row).join(" ")),
    ["ada ", "50% off bulk", "50x off ", "a_b found", "axb ", "back\\slash "],
  );
});

onEachFamily("a prepared statement is given the pattern", async (t, url) => {
  const session = await filled(t, url);
  const entities = db.prepare((p: Params<{ like: string }>) =>
    select(Item).where("name", "like", p("like")).orderBy("id"),
  );
  const rows = db.prepare((p: Params<{ like: string }>, qb) =>
    qb.selectFrom(Item).select("name").where("name", "not like", p("like")).where("id", "<", 4),
  );
  assert.deepEqual(
    (await entities.on(session).all({ like: "A%" })).map(({ name }) => name),
    ["Ada"],
  );
  assert.deepEqual(
    (await entities.on(session).all({ like: "50\\%%" })).map(({ name }) => name),
    ["50% off"],
  );
  assert.deepEqual(await rows.on(session).execute({ like: "ada" }), [{ name: "Ada" }, { name: "50% off" }]);
});

onEachFamily("decimals are not matched as text", async (t, url) => {
  const session = await filled(t, url, ["x"]);
  await assert.rejects(session.selectFrom(Item).select("id").where("price", "like", "1%").execute(), UnsupportedError);
  await assert.rejects(session.select(Item).where("price", "not like", "1%").all(), UnsupportedError);
});

/** Text and patterns of the characters that mean something to some database, and a few that do not. */
const text = fc.string({
  unit: fc.constantFrom("a", "A", "%", "_", "\\", "[", "]", "*", "?", "^", "b", "é", "😀"),
  maxLength: 6,
});
/** PostgreSQL refuses a pattern that ends with an escape of nothing. */
const isWhole = (pattern: string) => /\\*$/.exec(pattern)![0].length % 2 === 0;

/** SQL's `like`, from its definition. */
function matches(value: readonly string[], pattern: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return value.length === 0;
  if (first === "%") return value.some((_, index) => matches(value.slice(index), rest)) || matches([], rest);
  if (value.length === 0) return false;
  if (first === "_") return matches(value.slice(1), rest);
  const [wanted, others] = first === "\\" ? [rest[0], rest.slice(1)] : [first, rest];
  return value[0] === wanted && matches(value.slice(1), others);
}

onEachFamily("any pattern, as a value and from a column, finds what SQL's like does", async (t, url) => {
  const session = await filled(t, url, []);
  await fc.assert(
    fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 12 }), text.filter(isWhole), async (values, pattern) => {
      await session.deleteFrom(Item).execute();
      await session
        .insertInto(Item)
        .values(values.map((name, index) => ({ id: index + 1, name, pattern })))
        .execute();
      const wanted = values.flatMap((value, index) => (matches([...value], [...pattern]) ? [index + 1] : []));
      const ids = session.selectFrom(Item).select("id").orderBy("id");
      const found = async (query: typeof ids) => (await query.execute()).map(({ id }) => id);
      assert.deepEqual(await found(ids.where("name", "like", pattern)), wanted);
      assert.deepEqual(await found(ids.whereRef("name", "like", "pattern")), wanted);
      assert.equal((await found(ids.where("name", "not like", pattern))).length, values.length - wanted.length);
    }),
    { numRuns: 150 },
  );
});

onEachFamily(
  "a prefix is looked for in the index",
  async (t, url) => {
    const session = await filled(t, url);
    const plan = await session.selectFrom(Item).select("id").where("name", "like", "50\\%%").explain();
    assert.ok(
      plan.some(({ opcode }) => opcode === "SeekGE"),
      JSON.stringify(plan),
    );
  },
  ["sqlite"],
);
