import { type PostgresServer, postgresServer } from "../../fixtures/postgres-server.ts";

const cleanups: (() => unknown)[] = [];
let server: Promise<PostgresServer> | undefined;

/** The URL of a PostgreSQL server of the runner's own: those that are there seldom allow transactions to be prepared. */
export async function preparingPostgres(): Promise<string> {
  server ??= postgresServer(
    { after: (cleanup) => cleanups.push(cleanup as () => unknown) },
    { max_prepared_transactions: 20 },
  );
  return (await server).url;
}

/** Stops the server, if it was started. */
export async function stopPreparingPostgres(): Promise<void> {
  server = undefined;
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
}
