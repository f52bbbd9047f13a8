import { setTimeout as delay } from "node:timers/promises";
import { type BankUrls, openBank, transfer } from "./bank.ts";

/** A process that does transfers until it is killed, and tells of each that was committed. */
const SESSIONS = 4;

process.on("message", async (urls: BankUrls) => {
  const app = openBank(urls);
  for (let number = 0; number < SESSIONS; number++) void work();

  async function work(): Promise<never> {
    for (;;) {
      try {
        process.send!(await transfer(app));
      } catch {
        // A server was killed; what became of the transfer is seen in the databases.
        await delay(20);
      }
    }
  }
});
process.on("disconnect", () => process.exit());
process.send!("ready");
