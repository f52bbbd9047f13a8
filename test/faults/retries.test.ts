import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { bigint, DeadlockError, integer, Multibind, SerializationError, varchar } from "../../src/index.ts";
import { onEachFamily, start } from "../fixtures/matrix.ts";

const db = new Multibind();
class Account extends db.model("account", { id: integer().primaryKey(), balance: bigint() }) {}
class Entry extends db.model("entry", { id: integer().primaryKey(), what: varchar(40).unique() }) {}

const ACCOUNTS = 4;
const CLIENTS = 6;
const TRANSFERS = 15;

for (const isolationLevel of ["read committed", "serializable"] as const) {
  onEachFamily(
    `transfers that lock each other out are all done once, with retries (${isolationLevel})`,
    async (t, url, family) => {
      // PostgreSQL looks for deadlocks only after a while.
      const driverOptions = family === "postgres" ? { options: "-c deadlock_timeout=20ms" } : {};
      const engineOptions = family === "sqlite" ? {} : { isolationLevel, driverOptions };
      const app = await start(t, db, { databaseUri: url, engineOptions });
      await app.transaction(() => {
        for (let id = 1; id <= ACCOUNTS; id++) db.session.add(new Account({ id, balance: 1000n }));
      });
      let runs = 0;
      const conflicts = new Set<string>();
      await Promise.all(
        Array.from({ length: CLIENTS }, async (_, client) => {
          await using session = app.session();
          for (let transfer = 0; transfer < TRANSFERS; transfer++) {
            const [from, to] = [1 + (transfer % ACCOUNTS), 1 + ((transfer + 1 + (client % 3)) % ACCOUNTS)];
            await session.transaction(
              async (tx) => {
                runs++;
                try {
                  const payer = await tx.getOne(Account, from, { lock: true });
                  await delay(1);
                  const payee = await tx.getOne(Account, to, { lock: true });
                  payer.balance -= 1n;
                  payee.balance += 1n;
                  tx.add(new Entry({ what: `${client} ${transfer}` }));
                  await tx.flush();
                } catch (error) {
                  if (error instanceof DeadlockError || error instanceof SerializationError) conflicts.add(error.name);
                  throw error;
                }
              },
              { retries: 50 },
            );
          }
        }),
      );
      await app.run(async () => {
        const balances = (await db.select(Account).all()).map(({ balance }) => balance);
        assert.equal(
          balances.reduce((sum, balance) => sum + balance),
          BigInt(ACCOUNTS) * 1000n,
        );
        assert.equal(await db.select(Entry).count(), CLIENTS * TRANSFERS);
      });
      assert.equal(app.engine.status().inUse, 0);
      if (family === "sqlite") return;
      assert.ok(runs > CLIENTS * TRANSFERS, "nothing was ever tried again");
      assert.ok(conflicts.size > 0);
      t.diagnostic(`${CLIENTS * TRANSFERS} transfers in ${runs} runs; ${[...conflicts].join(", ")}`);
    },
  );
}
