import { withTimeout } from "../waiting/with-timeout.ts";
import type { MariadbConnection } from "./mysql-module.ts";
import type { OpenConnection } from "./mysql-open.ts";

/**
 * What tells a server from all others that may listen at the same address, behind a balancer: each counts its
 * connections by itself. Each kind of server passes over the comment that is the other's.
 */
const IDENTITY =
  "select concat_ws('|', @@hostname, @@port, @@server_id, @@datadir, @@pid_file" +
  " /*M!101000 , @@server_uid *//*!80000 , @@server_uuid */) as identity";

/** Asks a connection which server it leads to. */
export async function serverOf(connection: Pick<MariadbConnection, "query">): Promise<string> {
  // The query gives one row with this column.
  const [row] = (await connection.query(IDENTITY)) as [{ readonly identity: string }];
  return row.identity;
}

/**
 * Asks a server to end the statement that one of its connections runs.
 *
 * @param another makes another connection to the same address
 * @param server where the statement runs
 * @param limit how long it may take, in milliseconds
 * @throws if it cannot be asked, also since the other connection leads to another server
 */
export async function killQuery(
  another: () => Promise<OpenConnection>,
  threadId: number,
  server: string,
  limit: number,
): Promise<void> {
  const { connection, socket } = await another();
  const kill = async () => {
    const reached = await serverOf(connection);
    if (reached !== server) throw new Error("Another server listens at the same address.");
    await connection.query(`kill query ${threadId}`);
  };
  try {
    await withTimeout(kill(), limit);
  } finally {
    // The server's goodbye is not awaited.
    void withTimeout(connection.end(), limit).catch(() => socket?.destroy());
  }
}
