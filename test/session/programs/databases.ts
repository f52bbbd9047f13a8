import type { TestContext } from "node:test";
import Database from "better-sqlite3";
import { type Application, enumeration, integer, Multibind, varchar } from "../../../src/index.ts";
import { mysqlConnection, postgresClient } from "../../fixtures/databases.ts";
import { sharedDatabase } from "../../fixtures/matrix.ts";
import type { Row } from "./model-entity.ts";

export const db = new Multibind<"auth" | "meta">();

const COLUMNS = {
  id: integer().primaryKey(),
  value: integer(),
  note: varchar(20).nullable(),
  stamp: integer().default(() => 7),
  ref: integer().nullable(),
  /** The discriminator of each model. */
  kind: enumeration(["base", "own", "other"]),
};
const CODED = { ...COLUMNS, code: integer().nullable().unique() };

const DISCRIMINATED = { discriminator: "kind", identity: "base" } as const;

class AnyPost extends db.model("program_post", CODED, DISCRIMINATED) {}
class Post extends AnyPost.extend({}, { identity: "own" }) {
  static {
    db.register(Post);
  }
}
class AnyUser extends db.model(
  "program_user",
  { ...COLUMNS, version: integer().version() },
  { ...DISCRIMINATED, bindKey: "auth" },
) {}
class User extends AnyUser.extend({}, { identity: "own" }) {
  static {
    db.register(User);
  }
}
class AnyNote extends db.model("program_note", CODED, { ...DISCRIMINATED, bindKey: "meta" }) {}
class Note extends AnyNote.extend({}, { identity: "own" }) {
  static {
    db.register(Note);
  }
}

/** The other class of each model: its identity is refused in entities of the first. */
export const OTHERS = [AnyPost, AnyUser, AnyNote].map((Model) =>
  (Model as typeof AnyPost).extend({}, { identity: "other" }),
);

/** A model of another `Multibind` object, with the name of one of the tables. */
export class Foreign extends new Multibind({ name: "another" }).model("program_post", CODED) {}

/** A model for each bind: on PostgreSQL, on MariaDB with a version, and on SQLite. */
export const MODELS = [Post, User, Note] as const;
export const BIND_KEYS = [null, "auth", "meta"] as const;

/** Generated keys are greater, so that they never meet those that programs give. */
export const LEAST_GENERATED = 999;

/** Someone beside the application on one of its databases: sees what is stored, writes, and ends connections. */
export interface Witness {
  /** The rows that are stored. */
  rows(): Promise<Row[]>;
  write(sql: string): Promise<unknown>;
  /** Ends all other connections to the database, and waits until they are gone. */
  disconnectOthers(): Promise<void>;
  close(): Promise<unknown>;
}

const read = (table: string) => `select * from ${table} where id <> ${LEAST_GENERATED} order by id`;

async function postgresWitness(url: string): Promise<Witness> {
  const client = await postgresClient(url);
  await client.query("set lock_timeout = '5s'");
  const others = "from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()";
  return {
    rows: async () => (await client.query(read("program_post"))).rows,
    write: (sql) => client.query(sql),
    disconnectOthers: async () => {
      const { rows } = await client.query(`select pid, pg_terminate_backend(pid) ${others}`);
      const pids = rows.map(({ pid }) => pid);
      // New ones may have come meanwhile.
      await until(async () => (await client.query(`select 1 ${others} and pid = any($1)`, [pids])).rows.length === 0);
    },
    close: () => client.end(),
  };
}

async function mysqlWitness(url: string): Promise<Witness> {
  const client = await mysqlConnection(url);
  await client.query("set innodb_lock_wait_timeout = 5");
  const others = "from information_schema.processlist where db = database() and id <> connection_id()";
  return {
    rows: () => client.query(read("program_user")),
    write: (sql) => client.query(sql),
    disconnectOthers: async () => {
      const found: { id: bigint }[] = await client.query(`select id ${others}`);
      // One may have gone by itself meanwhile.
      for (const { id } of found) await client.query(`kill ${id}`).catch(() => {});
      const ids = found.map(({ id }) => id).join() || "null";
      await until(async () => (await client.query(`select 1 ${others} and id in (${ids})`)).length === 0);
    },
    close: () => client.end(),
  };
}

async function sqliteWitness(url: string): Promise<Witness> {
  const file = new Database(new URL(url).pathname.slice(1), { timeout: 0 });
  return {
    rows: async () => file.prepare(read("program_note")).all() as Row[],
    write: async (sql) => file.exec(sql),
    // There is no server to end connections.
    disconnectOthers: async () => {},
    close: async () => file.close(),
  };
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo()));
}

/** An application over a database of each family with the tables of the models, and a witness for each. */
export async function openDatabases(
  t: TestContext,
): Promise<{ readonly app: Application<"auth" | "meta">; readonly witnesses: readonly Witness[] }> {
  const [post, user, note] = [
    await sharedDatabase("postgres"),
    await sharedDatabase("mysql"),
    await sharedDatabase("sqlite"),
  ];
  const app = db.init({
    databaseUri: post,
    engineOptions: { poolSize: 2 },
    binds: { auth: { url: user, poolSize: 2 }, meta: { url: note, poolSize: 2 } },
  });
  await app.createAll();
  const witnesses = [await postgresWitness(post), await mysqlWitness(user), await sqliteWitness(note)];
  const session = app.session();
  for (const Model of MODELS) session.add(new (Model as typeof Post)({ id: LEAST_GENERATED, value: 0 }));
  await session.commit();
  await session.close();
  await witnesses[0]!.write(`alter table program_post alter column id restart with ${LEAST_GENERATED + 1}`);
  t.after(async () => {
    for (const witness of witnesses) await witness.close();
    await app.dropAll();
    await app.dispose();
  });
  return { app, witnesses };
}

/** Takes away what a program has left. */
export async function clear(witnesses: readonly Witness[]): Promise<void> {
  for (const [bind, { table }] of MODELS.entries()) {
    await witnesses[bind]!.write(`delete from ${table.fullName} where id <> ${LEAST_GENERATED}`);
  }
}
