import { randomBytes } from "node:crypto";
import type pg from "pg";
import { databaseUrl, POSTGRES, postgresClient } from "../../fixtures/databases.ts";

/** A case needs a PostgreSQL server, and none answers. */
export class NoPostgresError extends Error {}

/** PostgreSQL databases made for one case, and dropped after it. */
export class PostgresDatabases implements AsyncDisposable {
  readonly #names: string[] = [];
  readonly #server: () => Promise<string>;

  /** @param server gives the server's URL; the one that all share unless given */
  constructor(server: () => Promise<string> = async () => POSTGRES.href) {
    this.#server = server;
  }

  /** Makes a database and returns its URL. @throws {NoPostgresError} if no server answers */
  async create(): Promise<string> {
    const name = `mb_conf_${randomBytes(6).toString("hex")}`;
    await this.#run(`create database ${name}`);
    this.#names.push(name);
    return databaseUrl(await this.#server(), name);
  }

  /** How many transactions stand prepared in the databases made here. */
  async preparedTransactions(): Promise<number> {
    const list = this.#names.map((name) => `'${name}'`).join(", ");
    if (list === "") return 0;
    const [row] = await this.#run(
      `select count(*)::int as prepared from pg_prepared_xacts where database in (${list})`,
    );
    return row?.["prepared"] as number;
  }

  /** Ends every connection to a database made here, and returns when they have ended. */
  async killConnections(name: string): Promise<void> {
    const wait = 10_000;
    await this.#run(`select pg_terminate_backend(pid, ${wait}) from pg_stat_activity where datname = '${name}'`);
  }

  /** Rolls back what stands prepared in a database made here. */
  async rollbackPrepared(name: string): Promise<void> {
    const prepared = await this.#run(`select gid from pg_prepared_xacts where database = '${name}'`, name);
    for (const { gid } of prepared) await this.#run(`rollback prepared '${gid}'`, name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of this.#names.splice(0)) await this.#run(`drop database ${name} with (force)`);
  }

  async #run(sql: string, database?: string): Promise<Record<string, unknown>[]> {
    const server = await this.#server();
    let client: pg.Client;
    try {
      client = await postgresClient(database === undefined ? server : databaseUrl(server, database));
    } catch (cause) {
      throw new NoPostgresError(`no PostgreSQL server answers at ${new URL(server).host}`, { cause });
    }
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows;
    } finally {
      await client.end();
    }
  }
}
