import { once } from "node:events";
import { connect } from "node:net";
import { PATIENCE } from "../waiting/interruption.ts";

const CANCEL_REQUEST = 80_877_102;

/** Where a PostgreSQL server listens; a host that begins with a slash is the directory of its socket. */
export interface PostgresAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * Asks a server to end the statement that one of its connections runs. The request needs no login: the two numbers, which
 * the connection was given by the server, are its proof.
 *
 * Comes back when the request cannot hit a later statement: the other side closes once it has passed the request on, and
 * a pooler forgets the request of a client that closes first.
 *
 * @param done says by itself that the statement was ended; a pooler may take seconds until it closes
 * @throws if the server cannot be reached, or does neither
 */
export async function sendCancelRequest(
  { host, port }: PostgresAddress,
  processId: number,
  secretKey: number,
  done: Promise<void>,
): Promise<void> {
  const request = Buffer.alloc(16);
  for (const [index, part] of [request.length, CANCEL_REQUEST, processId, secretKey].entries())
    request.writeInt32BE(part, 4 * index);
  const socket = connect(host.startsWith("/") ? { path: `${host}/.s.PGSQL.${port}` } : { host, port });
  try {
    socket.resume().write(request);
    const closed = once(socket, "end", { signal: AbortSignal.timeout(PATIENCE) });
    // It is not heard any more once the statement has ended.
    closed.catch(() => {});
    await Promise.race([closed, done]);
  } finally {
    socket.on("error", () => {}).destroy();
  }
}
