import type { LockWatch } from "../waiting/lock-watch.ts";
import type { PgClient } from "./postgres-module.ts";

/** The time at which a server was started tells it from all others. */
const SERVER = "select pg_postmaster_start_time()::text as server";
const BLOCKERS = `
  with recursive blocker (pid) as (
    select unnest(pg_blocking_pids($1)) union select unnest(pg_blocking_pids(pid)) from blocker
  )
  select pid from blocker`;

/**
 * Opens a watch over a connection to PostgreSQL.
 *
 * @param client is connected and closed with the watch
 * @param serverProcess the number of the connection that is watched
 */
export async function watchPostgresLocks(client: PgClient, serverProcess: number | undefined): Promise<LockWatch> {
  if (serverProcess === undefined) throw new Error("The driver does not give the number of a connection.");
  // A lost connection is told to the next query.
  client.on("error", () => {});
  try {
    await client.connect();
    const { rows } = await client.query({ text: SERVER });
    // The query gives one row with this column.
    const { server } = rows[0] as { readonly server: string };
    return {
      server,
      async waitsFor(held) {
        const blockers = await client.query({ text: BLOCKERS, values: [serverProcess] });
        // As above.
        return (blockers.rows as { readonly pid: number }[]).find(({ pid }) => held.has(pid))?.pid;
      },
      close: () => void client.end().catch(() => {}),
    };
  } catch (error) {
    void client.end().catch(() => {});
    throw error;
  }
}
