// Another process that writes into a SQLite file with many sessions at once: `node sqlite-writer.ts FILE NAME SESSIONS TIMES`.
import { once } from "node:events";
import { integer, Multibind, varchar } from "../../src/index.ts";

const [file, name, sessions, times] = process.argv.slice(2);
const db = new Multibind();
class Counter extends db.model("counter", { id: integer().primaryKey(), n: integer() }) {}
class Line extends db.model("line", { id: integer().primaryKey(), what: varchar(40).unique() }) {}

const app = db.init({ databaseUri: `sqlite:///${file}`, engineOptions: { poolTimeout: 60 } });
console.log("ready");
await once(process.stdin, "data");
await Promise.all(
  Array.from({ length: Number(sessions) }, async (_, session) => {
    for (let time = 0; time < Number(times); time++) {
      await app.run(async () => {
        await db.session.transaction(async (tx) => {
          (await tx.getOne(Counter, 1)).n += 1;
          tx.add(new Line({ what: `${name} ${session} ${time}` }));
        });
      });
    }
  }),
);
console.log("done");
await app.dispose();
process.exit();
