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
