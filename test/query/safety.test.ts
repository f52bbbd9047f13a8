import assert from "node:assert/strict";
import { test } from "node:test";
import {
  enumeration,
  type FamilyName,
  InvalidValueError,
  integer,
  json,
  Multibind,
  MultibindError,
  type Session,
  sql,
  text,
  varchar,
} from "../../src/index.ts";
import { onEachFamily, type Sent, sessionOf, start } from "../fixtures/matrix.ts";

const db = new Multibind();

class Victim extends db.model("victim", {
  id: integer().primaryKey(),
  name: varchar(200),
  kind: enumeration(["a", "b"]).default("a"),
  data: json().nullable(),
}) {}

/** What somebody may type who wishes a database ill. Each would drop the table, or show all of it, if it were SQL. */
const ATTACKS: Readonly<Record<string, string>> = {
  "a double quote": 'x"; drop table victim; --',
  "two double quotes": 'x""; drop table victim; --',
  "a backtick": "x`; drop table victim; --",
  "a single quote": "x'; drop table victim; --",
  "a backslash before a quote": "x\\'; drop table victim; --",
  "a backslash before a double quote": 'x\\"; drop table victim; --',
  "a backslash before a backtick": "x\\`; drop table victim; --",
  "a backslash at the end": "x\\",
  "a semicolon": "id; drop table victim",
  "a comment to the end of the line": "id -- drop table victim",
  "a comment of MySQL": "id # drop table victim",
  "a comment": "id /* */ ; drop table victim /*",
  "a comment that MySQL runs": "id /*!50000 ; drop table victim */",
  "the end of a comment": "*/; drop table victim; /*",
  "a line break": "id\n; drop table victim",
  "a NUL": 'id\0"; drop table victim; --',
  "a dollar quote": "$$; drop table victim; $$",
  "a placeholder": "id = $1 or ? or :id; drop table victim",
  "a bracket": "x]; drop table victim; --",
  "a parenthesis": "id) from victim; drop table victim; --",
  "what is always true": "' or '1' = '1'; drop table victim; --",
  "another select": "id from victim union select 1; drop table victim; --",
  "a dot and a quote": 'victim.id"; drop table victim; --',
  "an alias": 'id as x"; drop table victim; --',
  "a direction": "id desc; drop table victim; --",
  "a quote of another alphabet": "xʼ; drop table victim; --",
  "a quote of full width": "x＂; drop table victim; --",
  "a lone half of a character": "x\ud800'; drop table victim; --",
};

/** Where text of a user's may stand that is taken for the name of something. */
const NAMES: Readonly<Record<string, (session: Session, attack: string) => Promise<unknown>>> = {
  "a selected column": (s, x) =>
    s
      .selectFrom(Victim)
      .select(x as never)
      .execute(),
  "a selected column of a table": (s, x) =>
    s
      .selectFrom(Victim)
      .select(`victim.${x}` as never)
      .execute(),
  "an alias of a column": (s, x) =>
    s
      .selectFrom(Victim)
      .select(`id as ${x}` as never)
      .execute(),
  "an alias of an expression": (s, x) =>
    s
      .selectFrom(Victim)
      .select((eb) => eb.lit(1).as(x))
      .execute(),
  "an alias of a subquery": (s, x) =>
    s
      .selectFrom(s.selectFrom(Victim).selectAll().as(x))
      .selectAll(x as never)
      .execute(),
  "a column that is compared": (s, x) =>
    s
      .selectFrom(Victim)
      .select("id")
      .where(x as never, "=", 1 as never)
      .execute(),
  "a column on the right side": (s, x) =>
    s
      .selectFrom(Victim)
      .select("id")
      .whereRef("id", "=", x as never)
      .execute(),
  "a column to order by": (s, x) =>
    s
      .selectFrom(Victim)
      .select("id")
      .orderBy(x as never)
      .execute(),
  "a direction to order in": (s, x) =>
    s
      .selectFrom(Victim)
      .select("id")
      .orderBy("id", x as never)
      .execute(),
  "a column to group by": (s, x) =>
    s
      .selectFrom(Victim)
      .select("id")
      .groupBy(x as never)
      .execute(),
  "a reference": (s, x) =>
    s
      .selectFrom(Victim)
      .select((eb) => eb.ref(x as never).as("x"))
      .execute(),
  "a reference in a template": (s, x) => s.selectFrom(Victim).select(sql.ref(x).as("x")).execute(),
  "an identifier in a template": (s, x) => s.selectFrom(Victim).select(sql.id(x).as("x")).execute(),
  "a table in a template": (s, x) => s.execute(sql`select * from ${sql.table(x)}`, { bindKey: null, readOnly: true }),
  "a table of Kysely's": (s, x) => s.kysely<Record<string, never>>(null).selectFrom(x).selectAll().execute(),
  "a common table expression": (s, x) =>
    s
      .with(x, (qb) => qb.selectFrom(Victim).select("id"))
      .selectFrom(x)
      .selectAll()
      .execute(),
  "an operator": (s, x) =>
    s
      .selectFrom(Victim)
      .select("id")
      .where("id", x as never, 1)
      .execute(),
  "a function": (s, x) =>
    s
      .selectFrom(Victim)
      .select((eb) => eb.fn(x, []).as("x"))
      .execute(),
  "an aggregate function": (s, x) =>
    s
      .selectFrom(Victim)
      .select((eb) => eb.fn.agg(x, ["id"]).as("x"))
      .execute(),
  "a type to cast to": (s, x) =>
    s
      .selectFrom(Victim)
      .select((eb) => eb.cast("id", x as never).as("x"))
      .execute(),
  "a JSON key": (s, x) =>
    s
      .selectFrom(Victim)
      .select((eb) =>
        eb
          .ref("data", "->")
          .key(x as never)
          .as("x"),
      )
      .execute(),
  "a JSON key in a path": (s, x) =>
    s
      .selectFrom(Victim)
      .select((eb) =>
        eb
          .ref("data", "->$")
          .key(x as never)
          .as("x"),
      )
      .execute(),
  "a JSON position": (s, x) =>
    s
      .selectFrom(Victim)
      .select((eb) =>
        eb
          .ref("data", "->$")
          .at(x as never)
          .as("x"),
      )
      .execute(),
  "a column that is inserted": (s, x) =>
    s
      .insertInto(Victim)
      .values({ name: "new", [x]: 1 })
      .execute(),
  "a column that is set": (s, x) =>
    s
      .updateTable(Victim)
      .set({ [x]: 1 })
      .execute(),
  "a column of a conflict": (s, x) =>
    s
      .insertInto(Victim)
      .values({ name: "new" })
      .onConflict((oc) => oc.column(x as never).doNothing())
      .execute(),
  "a column that is returned": (s, x) =>
    s
      .deleteFrom(Victim)
      .returning(x as never)
      .execute(),
  "a column of entities": (s, x) =>
    s
      .select(Victim)
      .where(x as never, "=", 1 as never)
      .all(),
  "a property of entities": (s, x) =>
    s
      .select(Victim)
      .where({ [x]: 1 } as never)
      .all(),
  "an order of entities": (s, x) =>
    s
      .select(Victim)
      .orderBy(x as never)
      .all(),
  "rows of entities": (s, x) =>
    s
      .select(Victim)
      .select([x as never])
      .all(),
  "a parameter's name": (s, x) =>
    db
      .prepare((p, qb) => qb.selectFrom(Victim).select("id").where("name", "=", p(x)))
      .on(s)
      .execute({ [x]: "?" }),
};

/** Where text of a user's may stand that is a value. What comes of it has to be so. */
const VALUES: Readonly<Record<string, readonly [(session: Session, attack: string) => Promise<unknown>, unknown]>> = {
  "a value that is compared": [(s, x) => s.select(Victim).where("name", "=", x).count(), 0],
  "a list of values": [(s, x) => s.select(Victim).where("name", "in", [x, x]).count(), 0],
  "a pattern": [(s, x) => s.select(Victim).where("name", "like", x).count(), 0],
  "a value in a template": [(s, x) => s.selectFrom(Victim).select("id").where(sql<boolean>`name = ${x}`).execute(), []],
  "an enumeration's value": [
    (s, x) =>
      s
        .select(Victim)
        .where("kind", "=", x as never)
        .count(),
    0,
  ],
  "a value of a case": [
    (s, x) =>
      s
        .selectFrom(Victim)
        .select((eb) => eb.case().when("name", "=", x).then(1).else(0).end().as("n"))
        .where("id", "=", 1)
        .execute(),
    [{ n: 0 }],
  ],
};

async function victims(t: Parameters<typeof start>[0], url: string) {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  session.addAll([new Victim({ name: "first", data: { a: 1 } }), new Victim({ name: "second" })]);
  await session.commit();
  const sent: Sent[] = [];
  app.engine.onStatement(({ bindKey, sql: statement }) => sent.push({ bindKey, sql: statement }));
  return { app, session, sent };
}

/** What is left of a statement without its quoted names and texts. */
function unquoted(family: FamilyName, statement: string): string {
  const names = family === "mysql" ? /`(?:[^`]|``)*`/g : /"(?:[^"]|"")*"/g;
  const texts = family === "mysql" ? /'(?:[^'\\]|''|\\.)*'/gs : /'(?:[^']|'')*'/g;
  // Whichever begins first hides the other.
  return statement.replace(new RegExp(`${names.source}|${texts.source}`, "gs"), "Q");
}

function assertHarmless(family: FamilyName, sent: readonly Sent[]): void {
  for (const { sql: statement } of sent)
    assert.doesNotMatch(unquoted(family, statement), /drop|union|;|--|#|\/\*/i, statement);
}

/** The session must go on, and the rows be what they were. */
async function assertUnharmed(session: Session): Promise<void> {
  await session.rollback();
  const rows = await session.selectFrom(Victim).select(["id", "name"]).orderBy("id").execute();
  assert.deepEqual(rows, [
    { id: 1, name: "first" },
    { id: 2, name: "second" },
  ]);
}

onEachFamily("names from a user are quoted or refused, and nothing else happens", async (t, url, family) => {
  const { session, sent } = await victims(t, url);
  for (const [place, run] of Object.entries(NAMES)) {
    for (const [what, attack] of Object.entries(ATTACKS)) {
      sent.length = 0;
      // Kysely refuses some at once, others are refused when they run.
      const outcome = await Promise.resolve()
        .then(() => run(session, attack))
        .then(
          () => undefined,
          (error: unknown) => error,
        );
      assert.ok(outcome === undefined || outcome instanceof Error, `${place}: ${what}`);
      assertHarmless(family, sent);
      await session.rollback();
    }
    await assertUnharmed(session);
  }
});

onEachFamily("values from a user are parameters", async (t, url, family) => {
  const { session, sent } = await victims(t, url);
  for (const [place, [run, expected]] of Object.entries(VALUES)) {
    for (const [what, attack] of Object.entries(ATTACKS)) {
      sent.length = 0;
      try {
        assert.deepEqual(await run(session, attack), expected, `${place}: ${what}`);
      } catch (error) {
        // PostgreSQL has no NUL in texts, and none has half a character.
        assert.ok(error instanceof MultibindError && /\0|\ud800/.test(attack), `${place}: ${what}: ${error}`);
      }
      for (const { sql: statement } of sent) assert.ok(!statement.includes(attack), statement);
      assertHarmless(family, sent);
      await session.rollback();
    }
    await assertUnharmed(session);
  }
});

onEachFamily("what a user types is stored as it is", async (t, url) => {
  const { session } = await victims(t, url);
  for (const [what, attack] of Object.entries(ATTACKS)) {
    if (/\0|\ud800/.test(attack)) {
      await assert.rejects(session.insertInto(Victim).values({ name: attack }).execute(), InvalidValueError, what);
      continue;
    }
    await session
      .insertInto(Victim)
      .values({ name: attack, data: { [attack]: [attack] } })
      .execute();
    const [row] = await session.selectFrom(Victim).select(["name", "data"]).where("name", "=", attack).execute();
    assert.deepEqual(row, { name: attack, data: { [attack]: [attack] } }, what);
    await session
      .updateTable(Victim)
      .set({ name: `${attack}!` })
      .where("name", "=", attack)
      .execute();
    assert.equal(await session.select(Victim).where("name", "=", `${attack}!`).count(), 1);
  }
  await session.rollback();
  await assertUnharmed(session);
});

onEachFamily("limits and offsets are numbers", async (t, url, family) => {
  const { session, sent } = await victims(t, url);
  for (const given of ["1; drop table victim", "1 or 1=1", Number.NaN, -1, 1.5, "abc", {}, [], null]) {
    for (const run of [
      () => session.select(Victim).limit(given as never),
      () =>
        session
          .select(Victim)
          .limit(1)
          .offset(given as never),
    ])
      assert.throws(run, InvalidValueError);
  }
  for (const given of ["1; drop table victim", "1 or 1=1", "abc"]) {
    const limited = session
      .selectFrom(Victim)
      .select("id")
      .limit(given as never);
    await assert.rejects(limited.execute(), MultibindError);
    await session.rollback();
    await assert.rejects(
      session
        .selectFrom(Victim)
        .select("id")
        .limit(1)
        .offset(given as never)
        .execute(),
      MultibindError,
    );
    await session.rollback();
  }
  assertHarmless(family, sent);
  await assertUnharmed(session);
});

onEachFamily("names of one's own may hold any sign but NUL", async (t, url) => {
  const odd = new Multibind();
  const name = `we"ird\`; -- '\\ /* name`;
  const column = `co"l\`u'm;n -- \\`;
  const thing = odd.table(name, {
    id: integer().primaryKey(),
    value: text().named(column),
    kind: enumeration(["it's", 'a "b"', "c\\d", "`"]).default("it's"),
    [`${column}2`]: text().default("x"),
  });
  const app = await start(t, odd, { databaseUri: url });
  const session = sessionOf(app);
  await session
    .insertInto(thing)
    .values({ value: "v" } as never)
    .execute();
  await session
    .updateTable(thing)
    .set({ kind: "c\\d" } as never)
    .where("kind", "=", "it's" as never)
    .execute();
  const rows = await session.selectFrom(thing).selectAll().execute();
  assert.deepEqual(rows, [{ id: 1, value: "v", kind: "c\\d", [`${column}2`]: "x" }]);
  await session.commit();
});

test("a name with NUL is refused before it is sent", async (t) => {
  const app = db.init({ databaseUri: "sqlite://" });
  t.after(() => app.dispose());
  const session = app.session();
  await app.createAll();
  await assert.rejects(session.selectFrom(Victim).select(sql.ref("i\0d").as("x")).execute(), MultibindError);
  await session.close();
});
