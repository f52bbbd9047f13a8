import assert from "node:assert/strict";
import { integer, Multibind, native, sql, timestamp } from "../../src/index.ts";
import { onEachFamily, start } from "../fixtures/matrix.ts";

const ZONES = ["America/New_York", "Asia/Kolkata", "UTC"];
const TYPES = { sqlite: "text", postgres: "timestamp(3)", mysql: "datetime(3)" } as const;

onEachFamily(
  "a Date that stands opposite no column is sent in UTC, wherever the process is",
  async (t, url, family) => {
    const zone = process.env["TZ"];
    t.after(() => {
      if (zone === undefined) delete process.env["TZ"];
      else process.env["TZ"] = zone;
    });
    const db = new Multibind();
    class Visit extends db.model("date_visit", {
      id: integer().primaryKey(),
      at: timestamp(),
      left: timestamp().nullable(),
      own: native<unknown>(TYPES[family]).nullable(),
    }) {}
    const app = await start(t, db, { databaseUri: url });
    // A gap and a doubled hour of New York, and an instant whose day is another one in Kolkata.
    for (const text of [
      "2026-07-01T12:00:00.123Z",
      "2026-03-08T07:30:00.000Z",
      "2026-11-01T05:30:00.000Z",
      "2026-01-31T23:59:59.999Z",
    ]) {
      const at = new Date(text);
      const [before, after] = [new Date(at.getTime() - 1), new Date(at.getTime() + 1)];
      for (const TZ of ZONES) {
        process.env["TZ"] = TZ;
        await app.run(async () => {
          const visit = new Visit({ at, own: at });
          db.session.add(visit);
          await db.session.flush();
          const { id } = visit;
          const count = async (condition: ReturnType<typeof sql<boolean>>) =>
            db.select(Visit).where("id", "=", id).where(condition).count();
          assert.equal(await count(sql<boolean>`at > ${before} and at < ${after}`), 1, `${TZ}: raw condition`);
          assert.equal(await count(sql<boolean>`own = ${at}`), 1, `${TZ}: native column`);
          assert.equal(await count(sql<boolean>`coalesce(${sql.ref("left")}, ${at}) = at`), 1, `${TZ}: function`);
          assert.equal(
            await db
              .selectFrom(Visit)
              .select((eb) => eb.case().when("at", "=", at).then(1).else(0).end().as("same"))
              .where("id", "=", id)
              .executeTakeFirst()
              .then((row) => Number(row?.same)),
            1,
            `${TZ}: case`,
          );
          const found = await db.session.execute(sql`select id from date_visit where at = ${at} and id = ${id}`);
          assert.equal(found.rows.length, 1, `${TZ}: raw statement`);
          const byOwn = await db.selectFrom(Visit).select("id").where("own", "=", at).where("id", "=", id).execute();
          assert.equal(byOwn.length, 1, `${TZ}: opposite a native column`);
          await db.session.execute(sql`update date_visit set ${sql.id("left")} = ${at} where id = ${id}`);
          await db.session.refresh(visit);
          assert.deepEqual(visit.left, at, `${TZ}: raw update`);
          await db.session.commit();
          const { own } = await db.session.refresh(visit).then(() => visit);
          assert.equal(
            String(own)
              .replace("T", " ")
              .replace(/\.000$/, ""),
            text
              .replace("T", " ")
              .slice(0, -1)
              .replace(/\.000$/, ""),
          );
        });
      }
    }
  },
);
