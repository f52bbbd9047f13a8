import { join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { ownFolder } from "../../own-folder.ts";

/** How far a stack is followed: through multibind, Kysely, and what the application has in between. */
const DEEPEST = 60;

/** One line of a stack: a function and its place in parentheses, or the place alone. */
const FRAME = /^\s+at (?:.*? \()?(?:async )?(.+?:\d+:\d+)\)?$/;

const FOREIGN = `${sep}node_modules${sep}`;

/**
 * Where the application's own code has asked for what runs just now, as `file:line:column`: the innermost place that is
 * neither in multibind nor in a package nor in Node. Undefined where the stack does not lead that far.
 */
export function callSite(): string | undefined {
  for (const frame of stackHere()) {
    const place = FRAME.exec(frame)?.[1];
    if (place === undefined || place.startsWith("node:")) continue;
    const path = place.startsWith("file:") ? fileURLToPath(place) : place;
    if (!path.includes(FOREIGN) && !isOwn(path)) return path;
  }
  return undefined;
}

function stackHere(): readonly string[] {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = DEEPEST;
  const here: { stack?: string } = {};
  Error.captureStackTrace(here, callSite);
  Error.stackTraceLimit = stackTraceLimit;
  return here.stack?.split("\n") ?? [];
}

function isOwn(path: string): boolean {
  return ownFolder !== undefined && path.startsWith(join(ownFolder, sep));
}
