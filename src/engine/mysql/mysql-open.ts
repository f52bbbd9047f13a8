import { connect, type Socket } from "node:net";
import { unlessLate } from "../waiting/unless-late.ts";
import type { MariadbConfig, MariadbConnection, MariadbModule } from "./mysql-module.ts";

/** A connection of the driver, and what is below it. */
export interface OpenConnection {
  readonly connection: MariadbConnection;
  /** Absent where the driver makes it itself: on a socket in the file system. */
  readonly socket: Socket | undefined;
}

/** What makes a socket for the driver: it returns it, or gives it to the callback. */
type SocketMaker = (callback: (error: Error | null, socket?: Socket) => void) => Socket | undefined;

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
  const { host, port, stream } = config as {
    readonly host?: string;
    readonly port?: number;
    readonly stream?: SocketMaker;
  };
  const make: SocketMaker = stream ?? (() => connect({ host: host!, port: port! }).setNoDelay(true));
  const kept: SocketMaker = (callback) => {
    socket = make((error, late) => {
      socket = late;
      callback(error, late);
    });
    return socket;
  };
  const connecting = mariadb.createConnection(host === undefined ? config : { ...config, stream: kept });
  try {
    const connection = await unlessLate(connecting, limit);
    return { connection, socket };
  } catch (error) {
    // What comes too late is not wanted.
    connecting.then((late) => late.destroy()).catch(() => {});
    socket?.destroy();
    throw error;
  }
}
