import { setTimeout as delay } from "node:timers/promises";
import { type Application, integer, keyOf, Multibind, sql, varchar } from "../../src/index.ts";
import type { OwnServer } from "./own-servers.ts";

const db = new Multibind<"auth" | "meta">();
class Post extends db.model("post", { id: integer().primaryKey(), title: varchar(40), userId: integer().nullable() }) {}
class User extends db.model("user", { id: integer().primaryKey(), name: varchar(40).unique() }, { bindKey: "auth" }) {}
class Note extends db.model("note", { id: integer().primaryKey(), text: varchar(40) }, { bindKey: "meta" }) {}

/** The databases of a run: a server of PostgreSQL, one of MariaDB, and a file. */
export interface FaultPlaces {
  readonly postgres: OwnServer;
  readonly mysql: OwnServer;
  readonly file: string;
}

/** What a run of contexts with faults has left behind. */
export interface FaultReport {
  readonly contexts: number;
  /** How often each kind of context ended in each way. */
  readonly ended: Readonly<Record<string, number>>;
  /** Connections in use when all were over, as the pools say. */
  readonly inUse: number;
  /** Transactions that the servers still had open then. */
  readonly openTransactions: number;
  /** Connections that the servers had after the application was disposed. */
  readonly left: number;
  /** How much the heap has grown from the first tenth of the run to its end, in bytes. */
  readonly grown: number;
}

class Boom extends Error {}

/** The kinds of contexts: what a request does, and how it goes wrong. */
const KINDS: Readonly<Record<string, (app: Application<"auth" | "meta">, places: FaultPlaces) => Promise<unknown>>> = {
  commits: (app) => app.transaction(writeEverywhere),
  "throws before its flush": (app) =>
    app.run(async () => {
      db.session.addAll([new Post({ title: "a" }), new User({ name: name() })]);
      throw new Boom();
    }),
  "throws in its transactions": (app) =>
    app.run(async () => {
      await writeEverywhere();
      await db.session.flush();
      throw new Boom();
    }),
  "forgets to commit": (app) => app.run(writeEverywhere, { onUncommitted: "throw" }),
  "is refused by the database": (app) =>
    app.transaction(async () => {
      const same = name();
      db.session.addAll([new User({ name: same }), new User({ name: same }), new Note({ text: "a" })]);
    }),
  "throws in a nested transaction": (app) =>
    app.run(() =>
      db.session.transaction(async (tx) => {
        await writeEverywhere();
        await tx.transaction(async () => {
          await writeEverywhere();
          throw new Boom();
        });
      }),
    ),
  "is aborted in a statement": (app) => {
    const signal = AbortSignal.timeout(5 + Math.floor(Math.random() * 20));
    return app.run(
      async () => {
        await writeEverywhere();
        await Promise.all([
          db.session.execute(sql`select pg_sleep(5)`),
          db.session.execute(sql`select sleep(5)`, { bindKey: "auth" }),
        ]);
      },
      { signal },
    );
  },
  "dies during its work": async (app) => {
    const context = app.context();
    const work = context.run(async () => {
      await writeEverywhere();
      await db.session.execute(sql`select pg_sleep(5)`, { readOnly: true });
    });
    await Promise.all([
      work.catch((error: unknown) => {
        throw error;
      }),
      delay(Math.random() * 20).then(() => context.close()),
    ]);
  },
  "leaves a stream": (app) =>
    app.run(async () => {
      for await (const _ of db.select(Post).stream({ chunkSize: 5 })) break;
      throw new Boom();
    }),
  "loses its connection": (app, { postgres, mysql }) =>
    app.run(async () => {
      await writeEverywhere();
      await db.session.flush();
      const [bind, server, own] =
        Math.random() < 0.5
          ? ([null, postgres, sql<{ id: unknown }>`select pg_backend_pid() as id`] as const)
          : (["auth", mysql, sql<{ id: unknown }>`select connection_id() as id`] as const);
      const { rows } = await db.session.execute<{ id: unknown }>(own, { bindKey: bind });
      await server.kill(Number(rows[0]!.id));
      await delay(5);
      await db.session.commit();
    }),
};

let names = 0;
const name = (): string => `user ${++names}`;

async function writeEverywhere(): Promise<void> {
  const user = new User({ name: name() });
  db.session.addAll([user, new Post({ title: "a", userId: keyOf(user) }), new Note({ text: "a" })]);
  await db.session.flush();
}

/** Runs contexts of all kinds, some at a time, and looks at what they leave. */
export async function runWithFaults(places: FaultPlaces, contexts: number, atOnce: number): Promise<FaultReport> {
  const app = db.init({
    databaseUri: places.postgres.url,
    binds: { auth: places.mysql.url, meta: places.file },
    engineOptions: { poolSize: 8, poolTimeout: 20 },
    onUncommitted: "ignore",
  });
  await app.createAll();
  const kinds = Object.entries(KINDS);
  const ended: Record<string, number> = {};
  let [next, early] = [0, 0];
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let number = next++; number < contexts; number = next++) {
        // The first tenth fills caches and makes the code hot.
        if (number === Math.floor(contexts / 10)) early = heap();
        const [kind, run] = kinds[number % kinds.length]!;
        const outcome = await run(app, places).then(
          () => "done",
          (error: unknown) => (error as Error).name,
        );
        const key = `${kind}: ${outcome}`;
        ended[key] = (ended[key] ?? 0) + 1;
      }
    }),
  );
  const grown = heap() - early;
  const statuses = [...app.engines].map(([, engine]) => engine.status());
  const open = await Promise.all([
    places.postgres.run(
      "select 1 from pg_stat_activity where state like 'idle in transaction%' or (state = 'active' and pid <> pg_backend_pid() and datname is not null)",
    ),
    places.mysql.run("select 1 from information_schema.innodb_trx"),
  ]);
  await app.dispose();
  await delay(200);
  const left = (await places.postgres.connections()) + (await places.mysql.connections());
  const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0);
  return {
    contexts,
    ended,
    inUse: sum(statuses.map(({ inUse, waiting }) => inUse + waiting)),
    openTransactions: sum(open.map((rows) => rows.length)),
    left,
    grown,
  };
}

function heap(): number {
  global.gc?.();
  return process.memoryUsage().heapUsed;
}
