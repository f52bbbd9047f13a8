import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { onMysql, onPostgres } from "../fixtures/databases.ts";
import { mariadbServer } from "../fixtures/mariadb-server.ts";
import { postgresServer } from "../fixtures/postgres-server.ts";
import type { ServerProcess } from "../fixtures/server-process.ts";
import { untilTheFileEnds } from "../fixtures/until-the-file-ends.ts";

/** The families that have servers. */
export type ServerFamily = "postgres" | "mysql";

export const SERVER_FAMILIES: readonly ServerFamily[] = ["postgres", "mysql"];

/** Whether a family's programs are not installed here, and tests may be skipped for that. */
export function isMissing(family: ServerFamily): boolean {
  if (process.env["MULTIBIND_REQUIRE_SERVERS"] === "1") return false;
  // Debian keeps PostgreSQL's programs out of the path.
  if (family === "postgres" && existsSync("/usr/lib/postgresql")) return false;
  return spawnSync(family === "postgres" ? "pg_config" : "mariadbd", ["--version"]).error !== undefined;
}

/** A server of the file's own, with a database that its tests share. */
export interface OwnServer {
  readonly process: ServerProcess;
  readonly url: string;
  /** Runs SQL in the database, outside of multibind. */
  run(sql: string): Promise<Record<string, unknown>[]>;
  /** How many connections others have to the database. */
  connections(): Promise<number>;
  /** Ends a connection, as an administrator does. */
  kill(id: number): Promise<unknown>;
  /** How many statements run whose text begins so. */
  running(text: string): Promise<number>;
}

/** Starts a server that ends with the file's tests. */
export async function ownServer(
  family: ServerFamily,
  settings: Readonly<Record<string, string | number>> = {},
): Promise<OwnServer> {
  const server = await (family === "postgres" ? postgresServer : mariadbServer)(untilTheFileEnds, settings);
  const url = await server.createDatabase("shop");
  const run = (sql: string) => (family === "postgres" ? onPostgres : onMysql)(sql, url);
  const count = async (sql: string) => Number((await run(sql))[0]!["n"]);
  if (family === "postgres") {
    const others =
      "select count(*) as n from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()";
    return {
      process: server,
      url,
      run,
      connections: () => count(others),
      kill: (id) => run(`select pg_terminate_backend(${id})`),
      running: (text) => count(`${others} and state = 'active' and query like '${text}%'`),
    };
  }
  const others =
    "select count(*) as n from information_schema.processlist where db = database() and id <> connection_id()";
  return {
    process: server,
    url,
    run,
    connections: () => count(others),
    kill: (id) => run(`kill ${id}`),
    running: (text) => count(`${others} and info like '${text}%'`),
  };
}
