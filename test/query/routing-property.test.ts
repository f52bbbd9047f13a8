import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  type AnyTable,
  type BindKey,
  CrossBindError,
  integer,
  Multibind,
  type Session,
  type Statement,
  sql,
} from "../../src/index.ts";
import { record } from "../fixtures/matrix.ts";

const RUNS = Number(process.env["MULTIBIND_ROUTING_RUNS"] ?? 2000);

const BINDS = [null, "auth", "meta"] as const;
const db = new Multibind<"auth" | "meta">();
const COLUMNS = { id: integer().primaryKey(), a: integer(), b: integer() };
const models = BINDS.flatMap((bindKey) =>
  ["one", "two"].map((name) => class Model extends db.model(`${bindKey ?? "main"}_${name}`, COLUMNS, { bindKey }) {}),
);
// Tables of one name, one in each bind.
const namesakes = BINDS.map((bindKey) => db.table("same", COLUMNS, { bindKey }));
const app = db.init({ databaseUri: "sqlite://", binds: { auth: "sqlite://", meta: "sqlite://" } });
const session = app.session();
test.after(async () => {
  await session.close();
  await app.dispose();
});

/** A table as a statement may name it. */
interface Source {
  readonly table: AnyTable;
  readonly how: "model" | "table" | "alias" | "name";
}

/** A statement, and the binds of the tables put into it. */
interface Built {
  readonly statement: Statement;
  readonly binds: readonly BindKey[];
}

type Shape = "select" | "insert" | "update" | "delete" | "entities" | "raw";
type Place =
  | "join"
  | "whereIn"
  | "exists"
  | "selectList"
  | "from"
  | "union"
  | "with"
  | "orderBy"
  | "having"
  | "rawWhere"
  | "function";

interface Plan {
  readonly shape: Shape;
  readonly source: Source;
  readonly parts: readonly { readonly place: Place; readonly inner: Plan }[];
}

const tables = [...models.map((model) => model.table as unknown as AnyTable), ...(namesakes as unknown as AnyTable[])];
const source: fc.Arbitrary<Source> = fc.record({
  table: fc.constantFrom(...tables),
  how: fc.constantFrom("model", "table", "alias", "name"),
});

/** Most statements of one bind, so that many are allowed. */
function planOf(sources: fc.Arbitrary<Source>, depth: number): fc.Arbitrary<Plan> {
  const place = fc.constantFrom<Place[]>(
    "join",
    "whereIn",
    "exists",
    "selectList",
    "from",
    "union",
    "with",
    "orderBy",
    "having",
    "rawWhere",
    "function",
  );
  return fc.record({
    shape:
      depth === 0
        ? fc.constantFrom<Shape[]>("select", "insert", "update", "delete", "entities", "raw")
        : fc.constant<Shape>("select"),
    source: sources,
    parts:
      depth === 2
        ? fc.constant([])
        : fc.array(fc.record({ place, inner: planOf(sources, depth + 1) }), { maxLength: 3 }),
  });
}

const ofOneBind = fc.constantFrom(...BINDS).chain((bindKey) =>
  planOf(
    source.filter(({ table }) => table.bindKey === bindKey),
    0,
  ),
);
const plans = fc.oneof(ofOneBind, planOf(source, 0));

// The builders' types would follow every shape that is drawn, so they are left out here.
// biome-ignore lint/suspicious/noExplicitAny: statements are put together at random
type Builder = any;

let aliases = 0;

/** The table as it stands in a statement, and the name that its columns have there. */
function put({ table, how }: Source): { readonly expression: unknown; readonly name: string } {
  // A name that several binds have tells nothing; only its object does.
  const isUnique = table.tableName !== "same";
  if (how === "name" && isUnique)
    return { expression: sql.table(table.tableName).as(`t${++aliases}`), name: `t${aliases}` };
  if (how === "alias" || how === "name") return { expression: table.as(`t${++aliases}`), name: `t${aliases}` };
  const model = models.find((one) => (one.table as unknown) === table);
  return { expression: how === "model" && model !== undefined ? model : table, name: table.tableName };
}

function selectOf(
  from: { selectFrom: Builder },
  plan: Plan,
  binds: BindKey[],
): { readonly builder: Builder; readonly name: string } {
  const { expression, name } = put(plan.source);
  binds.push(plan.source.table.bindKey);
  let builder: Builder = from.selectFrom(expression).select(`${name}.id as id`);
  for (const part of plan.parts) builder = withPart(builder, name, part, binds);
  return { builder, name };
}

function withPart(builder: Builder, name: string, { place, inner }: Plan["parts"][number], binds: BindKey[]): Builder {
  const sub = (eb: Builder) => selectOf(eb, inner, binds).builder;
  const alias = `s${++aliases}`;
  switch (place) {
    case "join": {
      binds.push(inner.source.table.bindKey);
      const joined = put({ ...inner.source, how: "alias" });
      return builder.leftJoin(joined.expression, (join: Builder) => join.onRef(`${joined.name}.id`, "=", `${name}.id`));
    }
    case "whereIn":
      return builder.where(`${name}.a`, "in", sub);
    case "exists":
      return builder.where((eb: Builder) => eb.or([eb.exists(sub(eb)), eb(`${name}.a`, "=", 1)]));
    case "selectList":
      return builder.select((eb: Builder) => sub(eb).limit(1).as(alias));
    case "from":
      return builder.innerJoin(
        (eb: Builder) => sub(eb).as(alias),
        (join: Builder) => join.onRef(`${alias}.id`, "=", `${name}.id`),
      );
    case "union":
      return builder.union(selectOf(session, { ...inner, parts: [] }, binds).builder);
    case "with":
      // The expression bears the name of a table of some bind, which it hides.
      return session
        .with("same", (qc: Builder) => selectOf(qc, inner, binds).builder)
        .selectFrom("same" as never)
        .select("same.id" as never)
        .where("same.id" as never, "in", builder as never);
    case "orderBy":
      return builder.orderBy((eb: Builder) => sub(eb).limit(1));
    case "having":
      return builder.groupBy(`${name}.id`).having((eb: Builder) => eb.exists(sub(eb)));
    case "rawWhere":
      return builder.where(sql`exists (${selectOf(session, inner, binds).builder})`);
    case "function":
      return builder.select((eb: Builder) => eb.fn.coalesce(sub(eb).limit(1), eb.val(0)).as(alias));
  }
}

function build(plan: Plan): Built {
  const binds: BindKey[] = [];
  const { table } = plan.source;
  const conditions = plan.parts.filter(
    ({ place }) => place === "whereIn" || place === "exists" || place === "rawWhere",
  );
  const inner = (parts: typeof plan.parts, builder: Builder) =>
    parts.reduce((all, part) => withPart(all, table.tableName, part, binds), builder);
  const target = table as never;
  switch (plan.shape) {
    case "select":
      return { statement: selectOf(session, plan, binds).builder, binds };
    case "raw":
      return { statement: sql`explain ${selectOf(session, plan, binds).builder}`, binds };
    case "update":
      binds.push(table.bindKey);
      return { statement: inner(conditions, (session as Builder).updateTable(target).set({ a: 1 })), binds };
    case "delete":
      binds.push(table.bindKey);
      return { statement: inner(conditions, (session as Builder).deleteFrom(target)), binds };
    case "insert": {
      binds.push(table.bindKey);
      const insert = (session as Builder).insertInto(target).columns(["a"]);
      const [part] = plan.parts;
      const rows =
        part === undefined
          ? insert.values({ a: 1 })
          : insert.expression((eb: Builder) => selectOf(eb, part.inner, binds).builder);
      return { statement: rows, binds };
    }
    case "entities": {
      const model = models.find((one) => (one.table as unknown) === table) ?? models[0]!;
      binds.push(model.bindKey);
      const statement: Builder = (session as Session).select(model as never);
      return {
        statement: conditions.reduce((all, part) => withPart(all, model.tableName, part, binds), statement),
        binds,
      };
    }
  }
}

test("a statement over tables of one bind goes there, and one over two is refused before anything is sent", () => {
  const sent = record(app);
  const counts = { routed: 0, refused: 0, tables: 0 };
  fc.assert(
    fc.property(plans, fc.option(fc.constantFrom(...BINDS), { nil: undefined, freq: 5 }), (plan, explicit) => {
      aliases = 0;
      const { statement, binds } = build(plan);
      const named = new Set(explicit === undefined ? binds : [...binds, explicit]);
      const getBind = () => session.getBind({ statement, ...(explicit === undefined ? {} : { bindKey: explicit }) });
      counts.tables += binds.length;
      if (named.size > 1) {
        counts.refused++;
        assert.throws(getBind, CrossBindError);
      } else {
        counts.routed++;
        assert.equal(getBind().bindKey, [...named][0]);
      }
    }),
    { numRuns: RUNS },
  );
  assert.deepEqual(sent, []);
  console.log(
    `routing: ${RUNS} statements, ${counts.routed} routed, ${counts.refused} refused, ${counts.tables} tables in them`,
  );
});
