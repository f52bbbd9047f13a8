import { setTimeout as delay } from "node:timers/promises";
import {
  type Application,
  DatabaseConnectionError,
  integer,
  Multibind,
  OperationalError,
  PartialCommitError,
  SessionError,
} from "../../src/index.ts";

const db = new Multibind();
class Sale extends db.model("sale", { id: integer().primaryKey(), n: integer() }) {}

/** What became of the requests of a load. */
export interface LoadReport {
  /** Requests that were answered with success. */
  readonly done: number;
  /** Attempts that failed. */
  readonly failed: number;
  /** Failed attempts that were made again. */
  readonly retried: number;
  /** Attempts whose outcome the server did not live to tell. */
  readonly unknown: number;
  /** Of the requests that were answered with success, those whose row is not there. */
  readonly lost: number;
  /** Rows that were not asked for, or twice. */
  readonly surplus: number;
  /** The longest time without any success, in milliseconds. */
  readonly longestPause: number;
}

/** The application that sells, on a URL of several hosts. */
export function shop(databaseUri: string): Application {
  return db.init({ databaseUri, engineOptions: { poolSize: 6, poolTimeout: 4, statementTimeout: 5 } });
}

/** Requests that each store one row, made again when they fail, as long as the fault goes on and a while longer. */
export async function underLoad(app: Application, fault: () => Promise<void>): Promise<LoadReport> {
  const stored: number[] = [];
  let [next, failed, retried, unknown, longestPause] = [0, 0, 0, 0, 0];
  let last = performance.now();
  let isOn = true;
  const request = async (id: number) => {
    for (;;) {
      try {
        await app.transaction(async () => {
          // After an attempt of unknown outcome the row may be there.
          if ((await db.session.get(Sale, id)) === null) db.session.add(new Sale({ id, n: 0 }));
        });
        return;
      } catch (error) {
        failed++;
        if (error instanceof PartialCommitError) unknown++;
        else if (!mayPass(error)) throw error;
        retried++;
        await delay(50);
      }
    }
  };
  const clients = Array.from({ length: 8 }, async () => {
    while (isOn) {
      const id = ++next;
      await request(id);
      stored.push(id);
      longestPause = Math.max(longestPause, performance.now() - last);
      last = performance.now();
      await delay(2);
    }
  });
  const loaded = Promise.all(clients);
  await Promise.race([loaded, delay(500)]);
  await Promise.race([loaded, fault()]);
  const [before, deadline] = [stored.length, Date.now() + 60_000];
  while (stored.length < before + 200 && Date.now() < deadline) await Promise.race([loaded, delay(50)]);
  isOn = false;
  await loaded;
  const rows = await app.run(() => db.selectFrom(Sale).select("id").execute());
  const there = new Set(rows.map(({ id }) => id));
  const lost = stored.filter((id) => !there.has(id)).length;
  const surplus = rows.length - stored.length;
  return { done: stored.length, failed, retried, unknown, lost, surplus, longestPause: Math.round(longestPause) };
}

/** A server that is lost, that does not write yet, or that has begun to stop: another attempt may succeed. */
function mayPass(error: unknown): boolean {
  if (error instanceof SessionError) return error.cause !== undefined && mayPass(error.cause);
  return error instanceof DatabaseConnectionError || error instanceof OperationalError;
}
