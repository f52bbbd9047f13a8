import { UnsupportedNodeError } from "./errors/configuration.ts";

const OLDEST_MAJOR = 22;
const OLDEST_MINOR = 12;

/**
 * Refuses to run on a Node.js that is too old, before a driver's native code would crash on it.
 *
 * @throws {UnsupportedNodeError}
 */
export function requireSupportedNode(version = process.versions.node): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > OLDEST_MAJOR || (major === OLDEST_MAJOR && minor >= OLDEST_MINOR)) return;
  throw new UnsupportedNodeError(
    `multibind needs Node.js ${OLDEST_MAJOR}.${OLDEST_MINOR} or newer, and this is ${version}.`,
  );
}

/** The Node-API of the native addon of `better-sqlite3` 13: Node.js 22.14 is the first release of 22 with it. */
const NODE_API = 10;

/**
 * Refuses to load `better-sqlite3` on a Node.js on which its native code would crash the process.
 *
 * @param where what needs it, for the message
 * @throws {UnsupportedNodeError}
 */
export function requireNodeApi(
  where: string,
  { napi, node }: { napi?: string; node: string } = process.versions,
): void {
  if (Number(napi) >= NODE_API) return;
  throw new UnsupportedNodeError(
    `better-sqlite3, which ${where} needs, crashes on Node.js ${node}. Use Node.js 22.14, 23.6 or newer.`,
  );
}
