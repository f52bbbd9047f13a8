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

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of this.#names.splice(0)) await this.#run(`drop database ${name} with (force)`);
  }

  async #run(sql: string): Promise<Record<string, unknown>[]> {
    const server = await this.#server();
    let client: pg.Client;
    try {
      client = await postgresClient(server);
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
