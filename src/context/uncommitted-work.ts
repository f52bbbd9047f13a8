import { InvalidOptionError } from "../errors/configuration.ts";
import { UncommittedError } from "../errors/context.ts";

/** What happens when a context ends normally with work that was never committed. */
export type OnUncommitted = "warn" | "throw" | "ignore";

const REACTIONS: readonly unknown[] = ["warn", "throw", "ignore"] satisfies OnUncommitted[];

/** @throws {InvalidOptionError} if it is no reaction */
export function requireReaction(given: OnUncommitted): OnUncommitted {
  if (REACTIONS.includes(given)) return given;
  throw new InvalidOptionError(`onUncommitted is "warn", "throw" or "ignore", not ${JSON.stringify(given)}.`);
}

/** @throws {UncommittedError} if that is the reaction */
export function complainOfUncommittedWork(reaction: OnUncommitted): void {
  if (reaction === "ignore") return;
  const message =
    "A context ended with work that was never committed, and rolled it back. Call `commit()` before the context ends, or use `app.transaction`.";
  if (reaction === "throw") throw new UncommittedError(message);
  process.emitWarning(message, { type: "MultibindWarning", code: "MULTIBIND_UNCOMMITTED" });
}
