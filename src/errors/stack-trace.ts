import { join, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { ownFolder } from "../own-folder.ts";

/** How far a stack is followed to the application's own code: through this package, Kysely and frameworks. */
const DEEPEST = 60;

/** How many frames of this package and of Kysely a stack shows before those of the application. */
const OWN_FRAMES = 3;

const KYSELY = `${sep}node_modules${sep}kysely${sep}`;

/**
 * Gives an error the stack of where it is made: the innermost frames of this package, and then the application's, as many
 * together as `Error.stackTraceLimit` allows. The way through the package alone can be longer than that.
 *
 * @param maker the class above whose constructor the stack begins
 */
export function captureStack(error: Error, maker: abstract new (...given: never) => unknown): void {
  const { stackTraceLimit } = Error;
  if (!(stackTraceLimit > 0)) return;
  Error.stackTraceLimit = Math.max(stackTraceLimit, DEEPEST);
  try {
    Error.captureStackTrace(error, maker);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
  const { stack } = error;
  if (stack !== undefined) error.stack = shortened(stack, stackTraceLimit);
}

function shortened(stack: string, limit: number): string {
  const lines = stack.split("\n");
  const first = lines.findIndex((line) => /^ {4}at /.test(line));
  if (first === -1 || lines.length - first <= limit) return stack;
  let own = 0;
  const frames = lines.slice(first).filter((line) => !isOwn(line) || ++own <= OWN_FRAMES);
  return [...lines.slice(0, first), ...frames.slice(0, limit)].join("\n");
}

/** Whether a frame is one of this package, of Kysely or of Node.js. */
function isOwn(line: string): boolean {
  if (line.includes("node:internal") || line.includes(KYSELY)) return true;
  return ownFolder !== undefined && line.includes(pathToFileURL(join(ownFolder, sep)).href);
}
