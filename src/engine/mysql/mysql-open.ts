import { connect, type Socket } from "node:net";
import { withTimeout } from "../waiting/with-timeout.ts";
import type { MariadbSharedOptions } from "./mysql-changed-rows.ts";
import type { MariadbConfig, MariadbConnection, MariadbModule } from "./mysql-module.ts";

/** A connection of the driver, and what is below it. */
export interface OpenConnection {
  readonly connection: MariadbConnection;
  /** Absent where the driver makes it itself. */
  readonly socket: Socket | undefined;
  /** State that the parts of the connection share, where the driver provides it. */
  readonly shared: MariadbSharedOptions | undefined;
}

/** What makes a socket for the driver: it returns it, or gives it to the callback. */
type SocketMaker = (this: unknown, callback: (error: Error | null, socket?: Socket) => void) => Socket | undefined;

/**
 * Connects by a socket that is known. The driver's own way to end a connection at once asks the server for that, on yet
 * another connection: it waits for a server that does not answer, and reaches another one behind a balancer.
 *
 * @param limit how long it may take, in milliseconds; 0 for as long as it takes
 */
export async function openConnection(
  mariadb: MariadbModule,
  config: MariadbConfig,
  limit: number,
): Promise<OpenConnection> {
  let socket: Socket | undefined;
  let shared: MariadbSharedOptions | undefined;
  const { host, port, stream, socketPath, ...others } = config as {
    readonly host?: string;
    readonly port?: number;
    readonly socketPath?: string;
    readonly stream?: SocketMaker;
  };
  const make: SocketMaker =
    stream ??
    (() => (socketPath === undefined ? connect({ host: host!, port: port! }) : connect(socketPath)).setNoDelay(true));
  const kept: SocketMaker = function (callback) {
    if (isShared(this)) {
      shared = this;
      shared.socketPath = socketPath;
    }
    socket = make.call(this, (error, late) => {
      socket = late;
      callback(error, late);
    });
    return socket;
  };
  const connecting = mariadb.createConnection({
    ...others,
    ...(host === undefined ? {} : { host, port }),
    stream: kept,
  });
  try {
    const connection = await withTimeout(connecting, limit);
    return { connection, socket, shared };
  } catch (error) {
    // What comes too late is not wanted.
    connecting.then((late) => late.destroy()).catch(() => {});
    socket?.destroy();
    throw error;
  }
}

/** Whether it is the object that a connection's parts share, for which the driver calls the function that makes its socket. */
function isShared(caller: unknown): caller is MariadbSharedOptions {
  const { emit, logger } = (caller ?? {}) as Partial<MariadbSharedOptions>;
  return typeof emit === "function" && typeof logger === "object" && logger !== null;
}
