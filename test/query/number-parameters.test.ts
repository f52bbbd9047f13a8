import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { RawBuilder } from "kysely";
import {
  bigint,
  boolean,
  float,
  integer,
  Multibind,
  native,
  type Params,
  type Session,
  sql,
  typed,
  varchar,
} from "../../src/index.ts";
import { onEachFamily, sessionOf, start } from "../fixtures/matrix.ts";

const db = new Multibind();
class Account extends db.model("account", {
  id: integer().primaryKey(),
  balance: bigint(),
  seats: integer(),
  spare: integer().nullable(),
  active: boolean().nullable(),
  ratio: float().nullable(),
  name: varchar(20),
}) {}

async function opened(t: TestContext, url: string): Promise<Session<string>> {
  const session = sessionOf(await start(t, db, { databaseUri: url }));
  session.add(new Account({ balance: 9007199254740993n, seats: 5, ratio: 2.5, name: "x" }));
  await session.commit();
  session.expungeAll();
  return session;
}

const sole = async (session: Session<string>, query: RawBuilder<unknown>) =>
  Object.values((await session.execute(query)).rows[0] as Record<string, unknown>)[0];

onEachFamily("whole numbers within raw SQL are whole", async (t, url, family) => {
  const session = await opened(t, url);
  await session.execute(sql`update account set balance = balance + ${1}`);
  assert.equal((await session.getOne(Account, 1)).balance, 9007199254740994n);
  if (family === "sqlite") await session.execute(sql`update account set name = ${12}`);
  else await session.execute(sql`update account set name = cast(${12} as char(2))`);
  assert.equal((await session.getOne(Account, 1, { refresh: true })).name, "12");
  if (family !== "sqlite") return;
  assert.equal(await sole(session, sql`select 'n' || ${5} as x`), "n5");
  assert.equal(await sole(session, sql`select typeof(${-5}) as x`), "integer");
  assert.equal(await sole(session, sql`select typeof(${2.5}) as x`), "real");
  assert.equal(await sole(session, sql`select typeof(${2 ** 60}) as x`), "real");
  assert.equal(await sole(session, sql`select json_extract('[10,20]', '$[' || ${1} || ']') as x`), 20);
  assert.equal(await sole(session, sql`select json_array(${1}, ${true}, ${1.5}) as x`), "[1,1,1.5]");
});

onEachFamily("whole numbers within expressions are whole", async (t, url) => {
  const session = await opened(t, url);
  const shown = await session
    .selectFrom(Account)
    .select((eb) => [
      eb("balance", "+", 1n).as("one_more"),
      eb("balance", "-", 1 as never).as("one_less"),
      eb(eb.fn.coalesce("balance", eb.val(0n)), "+", eb.lit(2) as never).as("two_more"),
    ])
    .execute();
  assert.deepEqual(
    shown.map((row) => Object.values(row).map(BigInt)),
    [[9007199254740994n, 9007199254740992n, 9007199254740995n]],
  );
  const texts = await session
    .selectFrom(Account)
    .select((eb) => [
      sql`cast(${eb.fn.coalesce("spare", eb.val(7))} as char(4))`.as("coalesced"),
      sql`cast(${eb.case().when("seats", "=", 5).then(eb.val(8)).else(9).end()} as char(4))`.as("of_case"),
      sql`cast(${eb.case().when("seats", "=", 5).then(eb.ref("spare")).else(9).end()} as char(4))`.as("none"),
      sql`cast(${typed(sql`${6}`, integer())} as char(4))`.as("typed"),
    ])
    .execute();
  const trimmed = texts.map((row) => Object.values(row).map((text) => (text === null ? null : String(text).trim())));
  assert.deepEqual(trimmed, [["7", "8", null, "6"]]);
  // A float stays one where it stands opposite a float.
  const [halves] = await session
    .selectFrom(Account)
    .select((eb) => eb(eb.fn.coalesce(eb.ref("ratio"), eb.val(5)), "/", 2).as("half"))
    .execute();
  assert.equal(Number(halves!.half), 1.25);
});

onEachFamily("an integer column keeps integers", async (t, url, family) => {
  const session = await opened(t, url);
  // MySQL and MariaDB divide to a fraction, and round it where it is stored.
  const half = family === "mysql" ? 3 : 2;
  await session.select(Account).update((eb) => ({ seats: eb("seats", "/", 2) }));
  assert.equal((await session.getOne(Account, 1)).seats, half);
  await session.updateTable(Account).set({ seats: 5 }).execute();
  await session
    .updateTable(Account)
    .set((eb) => ({ seats: eb("seats", "/", 2) }))
    .execute();
  assert.equal((await session.getOne(Account, 1, { refresh: true })).seats, half);
  const rows = await session.selectFrom(Account).select("id").limit(1).offset(0).execute();
  assert.deepEqual(rows, [{ id: 1 }]);
});

onEachFamily("whole numbers that a prepared statement is given are whole", async (t, url) => {
  const session = await opened(t, url);
  const more = db.prepare((p: Params<{ more: bigint; id: number }>, qb) =>
    qb
      .selectFrom(Account)
      .select((eb) => eb("balance", "+", p("more")).as("sum"))
      .where((eb) => eb("seats", "+", p("id")), "=", 6),
  );
  const rows = await more.on(session).execute({ more: 1n, id: 1 });
  assert.deepEqual(
    rows.map(({ sum }) => BigInt(sum)),
    [9007199254740994n],
  );
});

onEachFamily(
  "a native column without affinity keeps whole numbers",
  async (t, url) => {
    const own = new Multibind();
    class Thing extends own.model("thing", { id: integer().primaryKey(), any: native<unknown>("blob") }) {}
    const session = sessionOf(await start(t, own, { databaseUri: url }));
    session.add(new Thing({ any: 5 }));
    await session.commit();
    await session.insertInto(Thing).values({ any: 6 }).execute();
    await session.insertInto(Thing).values({ any: true }).execute();
    const kinds = await session.selectFrom(Thing).select(sql<string>`typeof("any")`.as("kind")).execute();
    assert.deepEqual(
      kinds.map(({ kind }) => kind),
      ["integer", "integer", "integer"],
    );
  },
  ["sqlite"],
);
