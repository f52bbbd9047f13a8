import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Expression, ExpressionBuilder } from "kysely";
import {
  type AnyColumn,
  bigint,
  float,
  integer,
  jsonArrayFrom,
  Multibind,
  numeric,
  OperationalError,
  type Session,
  sql,
  typed,
} from "../../src/index.ts";
import { sessionOf, start, threeUrls } from "../fixtures/matrix.ts";
import { decimals } from "./value-cases.ts";

const RUNS = Number(process.env["MULTIBIND_PROPERTY_RUNS"] ?? 8) * 2;

const db = new Multibind<"auth" | "meta">();
const columns = {
  id: integer().primaryKey(),
  a: numeric(8, 2),
  b: numeric(12, 4),
  c: numeric(20, 0),
  d: numeric(20, 6).nullable(),
  n: integer(),
  g: bigint(),
  f: float(),
};
const tables = ([null, "auth", "meta"] as const).map((bindKey) => ({
  offer: db.table("offer", columns, { bindKey }),
  copy: db.table("offer_copy", columns, { bindKey }),
}));
type Tables = (typeof tables)[number];
// biome-ignore lint/suspicious/noExplicitAny: expressions are made at random, which no type follows
type Builder = ExpressionBuilder<any, any>;
type Make = (eb: Builder, offer: Tables["offer"]) => Expression<unknown>;

interface Expr {
  readonly text: string;
  readonly make: Make;
  /** Whether it calculates with floating-point numbers. */
  readonly isFloat: boolean;
}

const DECIMALS = ["a", "b", "c", "d"] as const;
const small = fc.integer({ min: -60, max: 60 });
const amount = small.map(
  (value) =>
    `${value < 0 ? "-" : ""}${Math.floor(Math.abs(value) / 4)}.${["00", "25", "50", "75"][Math.abs(value) % 4]}`,
);
const row = fc.record({
  a: fc.oneof(amount, decimals(8, 2)),
  b: fc.oneof(amount, decimals(12, 4)),
  c: fc.oneof(small.map(String), decimals(20, 0)),
  d: fc.oneof(amount, decimals(20, 6), fc.constant(null)),
  n: small,
  g: fc.oneof(small.map(BigInt), fc.bigInt({ min: -(10n ** 9n), max: 10n ** 9n })),
  f: small.map((value) => value / 4),
});

const column = (name: string): Expr => ({ text: name, make: (eb) => eb.ref(`offer.${name}`), isFloat: name === "f" });
const decimalColumn = fc.constantFrom(...DECIMALS).map(column);
const anyColumn = fc.constantFrom(...DECIMALS, "n", "g").map(column);
const operator = fc.constantFrom("+", "-", "*");
const literal = fc.constantFrom(0, 2, -1.5, 0.25, 100);

const calculated: fc.Arbitrary<Expr> = fc.oneof(
  fc.tuple(decimalColumn, operator, anyColumn).map(
    ([one, sign, other]): Expr => ({
      text: `(${one.text} ${sign} ${other.text})`,
      make: (eb, offer) => eb(one.make(eb, offer), sign as "+", other.make(eb, offer)),
      isFloat: false,
    }),
  ),
  fc.tuple(decimalColumn, operator, literal).map(
    ([one, sign, value]): Expr => ({
      text: `(${one.text} ${sign} ${value})`,
      make: (eb, offer) => eb.parens(eb(one.make(eb, offer), sign as "+", eb.lit(value))),
      isFloat: false,
    }),
  ),
  decimalColumn.map(
    (one): Expr => ({ text: `-${one.text}`, make: (eb, offer) => eb.neg(one.make(eb, offer)), isFloat: false }),
  ),
  decimalColumn.map(
    (one): Expr => ({
      text: `abs(${one.text})`,
      make: (eb, offer) => eb.fn("abs", [one.make(eb, offer)]),
      isFloat: false,
    }),
  ),
  anyColumn.map(
    (one): Expr => ({
      text: `coalesce(d, ${one.text})`,
      make: (eb, offer) => eb.fn.coalesce(eb.ref("offer.d"), one.make(eb, offer)),
      isFloat: false,
    }),
  ),
  fc.tuple(anyColumn, anyColumn).map(
    ([one, other]): Expr => ({
      text: `case(${one.text}, ${other.text})`,
      make: (eb, offer) =>
        eb.case().when("offer.n", ">", 0).then(one.make(eb, offer)).else(other.make(eb, offer)).end(),
      isFloat: false,
    }),
  ),
  fc.tuple(fc.constantFrom("sum", "min", "max"), decimalColumn).map(
    ([func, one]): Expr => ({
      text: `(select ${func}(${one.text}))`,
      make: (eb, offer) =>
        eb
          .selectFrom(offer.as("others") as never)
          .select((inner: Builder) => inner.fn(func, [`others.${one.text}`]).as("x")) as never,
      isFloat: false,
    }),
  ),
);
const exact = fc.oneof(anyColumn, calculated);
const any = fc.oneof({ arbitrary: exact, weight: 5 }, { arbitrary: fc.constant(column("f")), weight: 1 });

/** No decimal stands opposite an integer, and none with decimal places opposite a column without. */
const isDecimal = ({ text }: Expr) => !/^c$|case\([ng], [ng]\)/.test(text);

type Condition = { readonly text: string; readonly make: Make };
const comparison = fc.constantFrom("=", "<>", "<", "<=", ">", ">=");
const condition: fc.Arbitrary<Condition> = fc.oneof(
  fc.tuple(any, comparison, any).map(([one, sign, other]) => ({
    text: `${one.text} ${sign} ${other.text}`,
    make: ((eb, offer) => eb(one.make(eb, offer), sign as "=", other.make(eb, offer) as never)) as Make,
  })),
  fc.tuple(fc.oneof(decimalColumn, calculated).filter(isDecimal), comparison, amount).map(([one, sign, value]) => ({
    text: `${one.text} ${sign} ${value}`,
    make: ((eb, offer) => eb(one.make(eb, offer), sign as "=", value as never)) as Make,
  })),
  fc.tuple(decimalColumn, exact, exact).map(([one, low, high]) => ({
    text: `${one.text} between ${low.text} and ${high.text}`,
    make: ((eb, offer) =>
      eb.between(one.make(eb, offer) as never, low.make(eb, offer) as never, high.make(eb, offer) as never)) as Make,
  })),
  fc.tuple(anyColumn, decimalColumn).map(([one, other]) => ({
    text: `${one.text} in (select ${other.text})`,
    make: ((eb, offer) =>
      eb(
        one.make(eb, offer),
        "in",
        eb.selectFrom(offer.as("others") as never).select(`others.${other.text}` as never) as never,
      )) as Make,
  })),
  fc.tuple(exact, exact, exact).map(([one, two, three]) => ({
    text: `${one.text} in (${two.text}, ${three.text})`,
    make: ((eb, offer) => eb(one.make(eb, offer), "in", [two.make(eb, offer), three.make(eb, offer)] as never)) as Make,
  })),
  fc.tuple(decimalColumn, anyColumn, decimalColumn, decimalColumn).map(([one, two, three, four]) => ({
    text: `(${one.text}, ${two.text}) = (${three.text}, ${four.text})`,
    make: ((eb, offer) =>
      eb(
        eb.refTuple(`offer.${one.text}` as never, `offer.${two.text}` as never),
        "=",
        eb.tuple(three.make(eb, offer), four.make(eb, offer)) as never,
      )) as Make,
  })),
);

/** The outcome of work on each database, where an error is one too. */
async function outcomes(
  sessions: readonly Session<string>[],
  work: (session: Session<string>, tables: Tables) => Promise<unknown>,
) {
  const results: unknown[] = [];
  for (const [index, session] of sessions.entries()) {
    try {
      results.push(await work(session, tables[index]!));
    } catch (error) {
      if (error instanceof OperationalError) throw error;
      results.push("refused");
      await session.rollback();
    }
  }
  return results;
}

function same(results: readonly unknown[], what: string): void {
  for (const result of results.slice(1)) assert.deepEqual(result, results[0], what);
}

/** A decimal without zeros at its end. */
const plain = (value: unknown) =>
  typeof value === "string" && value.includes(".") ? value.replace(/\.?0+$/, "") : value;

test("decimals against columns and values of any kind give the same rows on every database", async (t) => {
  const { databaseUri, binds } = await threeUrls();
  const app = await start(t, db, { databaseUri, binds });
  const sessions = tables.map(() => sessionOf(app));
  const wide: AnyColumn = numeric(60, 12).nullable();
  let tried = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { minLength: 2, maxLength: 6 }),
      fc.array(condition, { minLength: 6, maxLength: 6 }),
      fc.array(exact, { minLength: 6, maxLength: 6 }),
      fc.constantFrom("a", "b", "c", "d", "n", "f"),
      async (rows, conditions, expressions, target) => {
        const filled = await outcomes(sessions, async (session, { offer, copy }) => {
          await session.deleteFrom(offer).execute();
          await session.deleteFrom(copy).execute();
          await session
            .insertInto(offer)
            .values(rows.map((values, index) => ({ ...values, id: index + 1 })))
            .execute();
          await session.commit();
          return "filled";
        });
        assert.deepEqual(filled, ["filled", "filled", "filled"]);
        for (const { text, make } of conditions) {
          tried++;
          same(
            await outcomes(sessions, async (session, { offer }) =>
              (
                await session
                  .selectFrom(offer)
                  .select("offer.id")
                  .where((eb) => make(eb as never, offer) as never)
                  .orderBy("offer.id")
                  .execute()
              ).map(({ id }) => id),
            ),
            text,
          );
        }
        for (const { text, make } of expressions) {
          tried += 2;
          same(
            await outcomes(sessions, async (session, { offer }) => {
              const shown = await session
                .selectFrom(offer)
                .select((eb) => ["offer.id", typed(make(eb as never, offer), wide).as("x")])
                .where((eb) => eb(make(eb as never, offer) as never, "is not", null))
                .orderBy((eb) => make(eb as never, offer) as never)
                .orderBy("offer.id")
                .execute();
              return shown.map(({ id, x }) => [id, plain(x)]);
            }),
            `select ${text} order by it`,
          );
        }
        const [one, two] = expressions;
        tried += 3;
        same(
          await outcomes(sessions, async (session, { offer }) => {
            const united = session
              .selectFrom(offer)
              .select((eb) => typed(one!.make(eb as never, offer), wide).as("x"))
              .union(session.selectFrom(offer).select((eb) => typed(two!.make(eb as never, offer), wide).as("x")));
            const values = (await united.execute()).map(({ x }) => String(plain(x)));
            return values.sort();
          }),
          `${one!.text} union ${two!.text}`,
        );
        same(
          await outcomes(sessions, async (session, { offer, copy }) => {
            const nested = await session
              .selectFrom(offer)
              .select((eb) => [
                jsonArrayFrom(
                  eb.selectFrom(copy.as("own") as never).select(["own.a", "own.b", "own.d"] as never) as never,
                ).as("own"),
                jsonArrayFrom(
                  eb
                    .selectFrom(offer.as("others") as never)
                    .select(["others.id", "others.a", "others.d"] as never)
                    .whereRef("others.a" as never, "=", "offer.b" as never)
                    .orderBy("others.id" as never) as never,
                ).as("others"),
              ])
              .orderBy("offer.id")
              .execute();
            return nested;
          }),
          "nested",
        );
        const work = `set ${target} = ${one!.text}`;
        same(
          await outcomes(sessions, async (session, { offer, copy }) => {
            const isNullable = target === "d";
            const known = (eb: Builder, expression: Expr) =>
              isNullable ? expression.make(eb, offer) : eb.fn.coalesce(expression.make(eb, offer), eb.ref("offer.n"));
            await session
              .updateTable(offer)
              .set((eb) => ({ [target]: known(eb as never, one!) }) as never)
              .execute();
            const rest = ["id", "a", "b", "c", "d", "n", "g", "f"].filter((name) => name !== target);
            await session
              .insertInto(copy)
              .columns([...rest, target] as never)
              .expression(
                (eb) =>
                  eb
                    .selectFrom(offer as never)
                    .select(
                      (inner: Builder) =>
                        [
                          ...(rest.map((name) => `offer.${name}`) as never[]),
                          (isNullable
                            ? two!.make(inner, offer)
                            : inner.fn.coalesce(two!.make(inner, offer), inner.ref("offer.n"))) as never,
                        ].map((part, index) =>
                          index < rest.length ? part : sql`${part as never}`.as(target),
                        ) as never,
                    ) as never,
              )
              .execute();
            const updated = await session.selectFrom(offer).select(["id", target]).orderBy("id").execute();
            const copied = await session.selectFrom(copy).select(["id", target]).orderBy("id").execute();
            // What was written is found by its value.
            const value = updated[0]![target];
            const found = await session
              .selectFrom(offer)
              .select("id")
              .where(target, value === null ? "is" : "=", value as never)
              .orderBy("id")
              .execute();
            await session.rollback();
            return { updated, copied, found };
          }),
          work,
        );
      },
    ),
    { numRuns: RUNS },
  );
  t.diagnostic(`statements compared on three databases: ${tried}`);
});
