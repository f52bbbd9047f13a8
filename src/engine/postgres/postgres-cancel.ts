import { once } from "node:events";
import { connect } from "node:net";

const CANCEL_REQUEST = 80_877_102;

/** Where a PostgreSQL server listens; a host that begins with a slash is the directory of its socket. */
export interface PostgresAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * Asks a server to end the statement that one of its connections runs. Comes back when the server has passed that on. The
 * request needs no login: the two numbers, which the connection was given by the server, are its proof.
 *
 * @throws if the server cannot be reached
 */
export async function sendCancelRequest(
  { host, port }: PostgresAddress,
  processId: number,
  secretKey: number,
): Promise<void> {
  const request = Buffer.alloc(16);
  for (const [index, part] of [request.length, CANCEL_REQUEST, processId, secretKey].entries())
    request.writeInt32BE(part, 4 * index);
  const socket = connect(host.startsWith("/") ? { path: `${host}/.s.PGSQL.${port}` } : { host, port });
  try {
    socket.resume().end(request);
    await once(socket, "end", { signal: AbortSignal.timeout(2_000) });
  } finally {
    socket.on("error", () => {}).destroy();
  }
}
