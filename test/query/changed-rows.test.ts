import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { CompiledQuery } from "kysely";
import { type EngineOptions, integer, Multibind, type Params, sql, text } from "../../src/index.ts";
import { certificate } from "../fixtures/certificate.ts";
import { freshDatabase } from "../fixtures/databases.ts";
import { mariadbServer } from "../fixtures/mariadb-server.ts";
import { onEachFamily, sessionOf, sharedDatabase, start } from "../fixtures/matrix.ts";

const db = new Multibind();
class Seat extends db.model("seat", { id: integer().primaryKey(), taken: integer(), note: text().default("") }) {}
class Row extends db.model("seat_row", { id: integer().primaryKey(), seatId: integer(), free: integer() }) {}

/** An application with four seats, of which the first two are taken once. */
async function theatre(t: TestContext, engineOptions: EngineOptions) {
  const app = await start(t, db, { engineOptions });
  const { kysely } = app.engine;
  await kysely.deleteFrom(Seat).execute();
  await kysely
    .insertInto(Seat)
    .values([1, 2, 3, 4].map((id) => ({ id, taken: id < 3 ? 1 : 0 })))
    .execute();
  return { app, kysely };
}

/** The numbers of an update that takes all four seats, two of which are taken. */
async function takenSeats(t: TestContext, engineOptions: EngineOptions) {
  const { kysely } = await theatre(t, engineOptions);
  const plain = await kysely.updateTable(Seat).set({ taken: 1 }).executeTakeFirst();
  const { numUpdatedRows, numChangedRows } = plain;
  return { numUpdatedRows, numChangedRows };
}

const FOUR_AND_TWO = { numUpdatedRows: 4n, numChangedRows: 2n };

onEachFamily(
  "an update in Kysely's form says how many rows it changed, where the server does",
  async (t, url, family) => {
    const { app, kysely } = await theatre(t, { url });
    const session = sessionOf(app);
    const take = db.prepare((p: Params<{ taken: number }>, qb) => qb.updateTable(Seat).set({ taken: p("taken") }));
    const said = (number: bigint) => (family === "mysql" ? number : undefined);
    const forms = [
      () => kysely.updateTable(Seat).set({ taken: 1 }).executeTakeFirstOrThrow(),
      () => session.updateTable(Seat).set({ taken: 1 }).executeTakeFirstOrThrow(),
      () => session.kysely(null).updateTable(Seat).set({ taken: 1 }).executeTakeFirstOrThrow(),
      () => kysely.transaction().execute((trx) => trx.updateTable(Seat).set({ taken: 1 }).executeTakeFirstOrThrow()),
      () => kysely.connection().execute((one) => one.updateTable(Seat).set({ taken: 1 }).executeTakeFirstOrThrow()),
      () => take.on(session).executeTakeFirstOrThrow({ taken: 1 }),
    ];
    for (const form of forms) {
      await kysely.updateTable(Seat).set({ taken: 0 }).where("id", ">", 2).execute();
      const { numUpdatedRows, numChangedRows } = await form();
      assert.deepEqual([numUpdatedRows, numChangedRows], [4n, said(2n)], String(form));
      await session.commit();
      assert.equal((await form()).numChangedRows, said(0n), String(form));
      await session.commit();
    }
    const update = sql`update seat set taken = ${2} where id < ${4}`;
    const raw = [
      () => update.execute(kysely),
      () => update.execute(session.kysely(null)),
      () => session.execute(update),
      () => kysely.executeQuery(CompiledQuery.raw("/* all */ update seat set taken = 2 where id < 4")),
      () => session.execute(CompiledQuery.raw("update seat set taken = 2 where id < 4")),
    ];
    await raw[0]!();
    for (const form of raw) {
      await kysely.updateTable(Seat).set({ taken: 0 }).where("id", "=", 1).execute();
      const { numAffectedRows, numChangedRows } = await form();
      assert.deepEqual([numAffectedRows, numChangedRows], [3n, said(1n)], String(form));
      await session.commit();
    }
  },
);

onEachFamily(
  "only updates have a number of changed rows",
  async (t, url) => {
    const { kysely } = await theatre(t, { url });
    const results = [
      await kysely.executeQuery(kysely.insertInto(Seat).values({ id: 9, taken: 1 })),
      await kysely.executeQuery(
        kysely
          .insertInto(Seat)
          .values([1, 2].map((id) => ({ id, taken: 5 })))
          .onDuplicateKeyUpdate({ taken: 5 }),
      ),
      await kysely.executeQuery(kysely.replaceInto(Seat).values([1, 2].map((id) => ({ id, taken: 6 })))),
      await kysely.executeQuery(kysely.deleteFrom(Seat).where("id", "=", 9)),
      await kysely.executeQuery(kysely.selectFrom(Seat).select("id")),
    ];
    assert.deepEqual(
      results.map(({ numAffectedRows, numChangedRows }) => [numAffectedRows, numChangedRows]),
      [
        [1n, undefined],
        [4n, undefined],
        [4n, undefined],
        [1n, undefined],
        [undefined, undefined],
      ],
    );
  },
  ["mysql"],
);

onEachFamily(
  "an update of several tables counts the rows of all",
  async (t, url) => {
    const { kysely } = await theatre(t, { url });
    await kysely
      .insertInto(Row)
      .values([
        { id: 1, seatId: 1, free: 0 },
        { id: 2, seatId: 3, free: 0 },
      ])
      .execute();
    const { numUpdatedRows, numChangedRows } = await kysely
      .updateTable([Seat.as("s"), Row.as("r")])
      .set(sql.ref("s.taken"), 1)
      .set(sql.ref("r.free"), 1)
      .whereRef("s.id", "=", "r.seatId")
      .executeTakeFirstOrThrow();
    assert.deepEqual([numUpdatedRows, numChangedRows], [4n, 3n]);
  },
  ["mysql"],
);

onEachFamily(
  "the number of changed rows is the statement's own, whatever else runs on its connection",
  async (t, url) => {
    const { kysely } = await theatre(t, { url });
    await kysely.transaction().execute(async (trx) => {
      const taken = (value: number, ids: number[]) =>
        trx.updateTable(Seat).set({ taken: value }).where("id", "in", ids).executeTakeFirstOrThrow();
      const read = () => trx.selectFrom(Seat).select(["note", "id"]).execute();
      const results = await Promise.all([
        read(),
        taken(1, [1, 3]),
        read(),
        taken(1, [1, 2, 3]),
        taken(7, [1, 2]),
        read(),
      ]);
      assert.deepEqual(
        [1, 3, 4].map((index) => (results[index] as { numChangedRows?: bigint }).numChangedRows),
        [1n, 0n, 2n],
      );
      const failing = sql`update seat set nothing = 1`.execute(trx);
      const [one, two, three] = await Promise.allSettled([taken(8, [1]), failing, taken(8, [1, 2])]);
      assert.equal(one.status === "fulfilled" && one.value.numChangedRows, 1n);
      assert.equal(two.status, "rejected");
      assert.equal(three.status === "fulfilled" && three.value.numChangedRows, 1n);
      for await (const _ of trx.selectFrom(Seat).select(["note", "id"]).stream(1)) break;
      assert.equal((await taken(9, [1, 2, 3, 4])).numChangedRows, 4n);
    });
  },
  ["mysql"],
);

onEachFamily(
  "numbers of any length, and in the server's language",
  async (t, url) => {
    const { kysely } = await theatre(t, { url });
    await sql`insert into seat (id, taken, note) select seq, 0, '' from seq_10_to_70009`.execute(kysely);
    const all = (taken: number) =>
      kysely
        .updateTable(Seat)
        .set((eb) => ({ taken: eb.case().when("id", "<=", 60_309).then(taken).else(eb.ref("taken")).end() }))
        .where("id", ">=", 10)
        .executeTakeFirstOrThrow();
    assert.deepEqual({ ...(await all(1)) }, { numUpdatedRows: 70_000n, numChangedRows: 60_300n });
    await kysely.connection().execute(async (one) => {
      for (const [index, language] of ["de_DE", "fr_FR", "ru_RU", "ja_JP", "el_GR"].entries()) {
        await sql`set lc_messages = ${language}`.execute(one);
        const { numChangedRows } = await one
          .updateTable(Seat)
          .set({ taken: index + 10 })
          .where("id", "<", 5)
          .executeTakeFirstOrThrow();
        assert.equal(numChangedRows, 4n, language);
      }
      await sql`set lc_messages = 'en_US'`.execute(one);
    });
  },
  ["mysql"],
);

test("changed rows are counted on compressed connections, and by whatever the driver counts", async (t) => {
  const url = await sharedDatabase("mysql");
  assert.deepEqual(await takenSeats(t, { url, driverOptions: { compress: true } }), FOUR_AND_TWO);
  const changed = { numUpdatedRows: 2n, numChangedRows: 2n };
  assert.deepEqual(await takenSeats(t, { url, driverOptions: { foundRows: false } }), changed);
});

test("changed rows are counted without a prepared statement, and the application's own log goes on", async (t) => {
  const url = await sharedDatabase("mysql");
  const heard: string[] = [];
  const logger = { network: (message: string) => heard.push(message) };
  assert.deepEqual(await takenSeats(t, { url, driverOptions: { logger } }), FOUR_AND_TWO);
  const before = heard.length;
  assert.ok(before > 0);
  const { kysely } = await theatre(t, { url: await freshDatabase(t, "mysql"), driverOptions: { logger } });
  await sql`update seat set taken = 1`.execute(kysely);
  const during = heard.length;
  await sql`select 1`.execute(kysely);
  assert.ok(heard.length > during);
});

test("changed rows are counted on encrypted connections, and on a socket in the file system", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "multibind-changed-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const { certificate: crt, key } = await certificate(folder, "server", "mysql");
  const server = await mariadbServer(t, { "ssl-cert": crt, "ssl-key": key });
  const url = await server.createDatabase("theatre");
  const ways = [`${url}?ssl_ca=${crt}`, `mysql://root@/theatre?unix_socket=${server.socket}`];
  for (const way of ways)
    await t.test(way, async (inner) => assert.deepEqual(await takenSeats(inner, { url: way }), FOUR_AND_TWO));
});
