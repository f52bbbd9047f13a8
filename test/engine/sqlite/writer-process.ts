// Another process that writes into a SQLite file: `node writer-process.ts FILE TIMES`, or `hold` for a lock until stdin ends.
import { once } from "node:events";
import { Multibind, sql } from "../../../src/index.ts";

const [file, times] = process.argv.slice(2);
const app = new Multibind().init({ databaseUri: `sqlite:///${file}` });
const { kysely } = app.engine;
if (times === "hold") {
  await kysely.transaction().execute(async (transaction) => {
    await sql`update counter set n = n`.execute(transaction);
    console.log("holding");
    await once(process.stdin.resume(), "end");
  });
} else {
  console.log("ready");
  await once(process.stdin, "data");
  for (let time = 0; time < Number(times); time++) {
    await kysely.transaction().execute(async (transaction) => {
      const { rows } = await sql<{ n: number }>`select n from counter`.execute(transaction);
      await sql`update counter set n = ${rows[0]!.n + 1}`.execute(transaction);
    });
  }
  console.log("done");
}
await app.dispose();
process.exit();
