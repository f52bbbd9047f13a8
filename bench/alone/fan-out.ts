import { boolean, integer, Multibind, timestamp, varchar } from "../../src/index.ts";
import { urlOf } from "../contenders/multibind.ts";
import type { Databases } from "../harness/databases.ts";
import { atDistance, type FarServer } from "../harness/far-server.ts";
import type { Server } from "../harness/servers/server.ts";
import { median } from "../harness/statistics.ts";

/** What work on so many binds at once takes, in milliseconds. */
export interface FanOut {
  readonly binds: number;
  readonly createAll: number;
  readonly flush: number;
  readonly commit: number;
}

export const BIND_COUNTS = [1, 4, 16] as const;
export const ENTITIES_OF_BIND = 50;

interface Times {
  readonly createAll: number[];
  readonly flush: number[];
  readonly commit: number[];
}

/**
 * Creates tables and stores entities on 1, 4 and 16 databases at once.
 *
 * @param distance how far the server is, in milliseconds each way; 0 for where it is
 */
export async function measureFanOut(
  server: Server,
  databases: Databases,
  rounds: number,
  distance: number,
): Promise<FanOut[]> {
  const most = Math.max(...BIND_COUNTS);
  const made = await Promise.all(Array.from({ length: most }, (_, place) => databases.empty(server, `fan_${place}`)));
  const far: FarServer[] =
    distance === 0 ? [] : await Promise.all(made.map((database) => atDistance(database, distance)));
  const urls = made.map((database, place) => urlOf(far[place]?.database ?? database));
  const workers = BIND_COUNTS.map((binds) => worker(urls.slice(0, binds)));
  try {
    for (let round = -1; round < rounds; round++) {
      for (let place = 0; place < workers.length; place++) {
        const one = workers[(Math.max(round, 0) + place) % workers.length]!;
        await one.run();
        // The first round opens the connections.
        if (round < 0) one.forget();
      }
    }
    return workers.map(({ binds, times }) => ({
      binds,
      createAll: median(times.createAll),
      flush: median(times.flush),
      commit: median(times.commit),
    }));
  } finally {
    for (const { dispose } of workers) await dispose();
    for (const { close } of far) await close();
  }
}

function worker(urls: readonly string[]) {
  const times: Times = { createAll: [], flush: [], commit: [] };
  const db = new Multibind({ engineOptions: { poolSize: 2 } });
  const models = urls.map(
    (_, place) =>
      class extends db.model(
        "item",
        { id: integer().primaryKey(), name: varchar(80), active: boolean(), createdAt: timestamp() },
        { bindKey: `bind${place}` },
      ) {},
  );
  const app = db.init({ binds: Object.fromEntries(urls.map((url, place) => [`bind${place}`, url])) });
  return {
    binds: urls.length,
    times,
    async run() {
      await app.dropAll();
      times.createAll.push(await timed(() => app.createAll()));
      const session = app.session();
      for (const Model of models) {
        for (let entity = 0; entity < ENTITIES_OF_BIND; entity++)
          session.add(new Model({ name: `Item ${entity}`, active: true, createdAt: new Date() }));
      }
      times.flush.push(await timed(() => session.flush()));
      times.commit.push(await timed(() => session.commit()));
      await session.close();
    },
    forget() {
      for (const values of Object.values(times)) values.length = 0;
    },
    dispose: () => app.dispose(),
  };
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
