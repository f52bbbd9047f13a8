import { connect } from "node:net";
import type { Server } from "./servers/server.ts";

const PATIENCE = 3_000;

/** Whether a server answers where it should be. */
export function isReachable(server: Server): Promise<boolean> {
  const { host, port } = server.place("");
  if (server.family === "sqlite") return Promise.resolve(true);
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: PATIENCE });
    const end = (answer: boolean) => () => {
      socket.destroy();
      resolve(answer);
    };
    socket.on("connect", end(true));
    socket.on("error", end(false));
    socket.on("timeout", end(false));
  });
}
