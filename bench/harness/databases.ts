import { randomBytes } from "node:crypto";
import type { Binds, Contender, Database, Family, SqliteInstants } from "../contenders/contender.ts";
import { newPost, newUser, POST_COLUMNS, ROWS, USER_COLUMNS } from "../data.ts";
import { mysql } from "./servers/mysql.ts";
import { postgres } from "./servers/postgres.ts";
import type { Access, Server } from "./servers/server.ts";
import { removeSqliteFolder, sqlite } from "./servers/sqlite.ts";

/** Two databases of one kind, or of two. */
export const BACKENDS = {
  S: { title: "S: two SQLite databases", main: sqlite, auth: sqlite },
  P: { title: "P: two PostgreSQL databases", main: postgres, auth: postgres },
  X: { title: "X: MariaDB (`main`) and PostgreSQL (`auth`)", main: mysql, auth: postgres },
} as const;

export type BackendName = keyof typeof BACKENDS;

export const servers: Readonly<Record<Family, Server>> = { sqlite, postgres, mysql };

const TABLES = {
  post: { columns: POST_COLUMNS, make: newPost },
  user: { columns: USER_COLUMNS, make: newUser },
} as const;

type TableName = keyof typeof TABLES;

const ROWS_AT_ONCE = 500;

/** The databases of a run, each contender's its own. All are dropped at the end. */
export class Databases {
  readonly #run = randomBytes(4).toString("hex");
  readonly #made: Database[] = [];
  readonly #open = new Map<Database, Access>();
  #count = 0;

  /** Makes and fills the databases of a contender. */
  async make(
    backend: BackendName,
    { name, sqliteInstants }: Pick<Contender, "name" | "sqliteInstants">,
  ): Promise<Binds> {
    const { main, auth } = BACKENDS[backend];
    const label = name.replace(/\W/g, "_");
    const binds = { main: await this.empty(main, `${label}_main`), auth: await this.empty(auth, `${label}_auth`) };
    await this.#fill(binds.main, "post", sqliteInstants);
    await this.#fill(binds.auth, "user", sqliteInstants);
    return binds;
  }

  /** Makes a database without tables. */
  async empty(server: Server, label: string): Promise<Database> {
    const database = server.place(`multibind_bench_${this.#run}_${++this.#count}_${label}`);
    this.#made.push(database);
    await server.create(database);
    return database;
  }

  /** Deletes what a scenario has stored, and what its changes have left behind. */
  async reset({ main, auth }: Binds): Promise<void> {
    await this.#reset(main, "post");
    await this.#reset(auth, "user");
  }

  /** The rows of a table with a key above `after`, as the database keeps them. */
  async rows(database: Database, table: TableName, after: number): Promise<Record<string, unknown>[]> {
    return (await this.#access(database)).run(
      `select * from ${quoted(database, table)} where id > ${after} order by id`,
    );
  }

  /** What the servers call themselves. */
  async versions({ main, auth }: Binds): Promise<string[]> {
    const versions = await Promise.all(
      [main, auth].map(async (one) => servers[one.family].version(await this.#access(one))),
    );
    return [...new Set(versions)];
  }

  async dropAll(): Promise<void> {
    for (const access of this.#open.values()) await access.close();
    this.#open.clear();
    for (const database of this.#made.splice(0)) await servers[database.family].drop(database);
    removeSqliteFolder();
  }

  async #fill(database: Database, name: TableName, instants: SqliteInstants): Promise<void> {
    const server = servers[database.family];
    const { columns, make } = TABLES[name];
    const access = await this.#access(database);
    for (const statement of server.tables[name]) await access.run(statement);
    const row = (first: number) => `(${columns.map((_, place) => server.placeholder(first + place)).join(", ")})`;
    const names = columns.map((column) => quoted(database, column)).join(", ");
    const tuples = Array.from({ length: ROWS_AT_ONCE }, (_, place) => row(place * columns.length + 1)).join(", ");
    const sql = `insert into ${quoted(database, name)} (${names}) values ${tuples}`;
    await access.run("begin");
    for (let start = 1; start <= ROWS; start += ROWS_AT_ONCE) {
      const rows = Array.from(
        { length: ROWS_AT_ONCE },
        (_, place): Record<string, unknown> => ({ id: start + place, ...make(start + place) }),
      );
      await access.run(
        sql,
        rows.flatMap((one) => columns.map((column) => server.encode(one[column], instants))),
      );
    }
    await access.run("commit");
    for (const statement of server.settle(name, ROWS)) await access.run(statement);
  }

  async #reset(database: Database, table: TableName): Promise<void> {
    const access = await this.#access(database);
    await access.run(`delete from ${quoted(database, table)} where id > ${ROWS}`);
    for (const statement of servers[database.family].tidy(table)) await access.run(statement);
  }

  async #access(database: Database): Promise<Access> {
    let access = this.#open.get(database);
    if (access === undefined) {
      access = await servers[database.family].open(database);
      this.#open.set(database, access);
    }
    return access;
  }
}

function quoted({ family }: Database, name: string): string {
  return family === "mysql" ? `\`${name}\`` : `"${name}"`;
}
