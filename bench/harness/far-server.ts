import { createServer, connect as dial, type Socket } from "node:net";
import type { Database } from "../contenders/contender.ts";

/** A server that looks as far away as a network would put it: what goes through is held back on its way. */
export interface FarServer {
  readonly database: Database;
  close(): Promise<void>;
}

/**
 * Puts a database at a distance.
 *
 * @param delay how long each direction takes, in milliseconds
 */
export async function atDistance(database: Database, delay: number): Promise<FarServer> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = dial({ host: database.host, port: database.port });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.setNoDelay(true);
      from.on("data", (chunk) => setTimeout(() => to.writable && to.write(chunk), delay));
      from.on("end", () => setTimeout(() => to.end(), delay));
      from.on("error", () => to.destroy());
      from.on("close", () => sockets.delete(from));
    }
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as { readonly port: number };
  return {
    database: { ...database, host: "127.0.0.1", port },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
