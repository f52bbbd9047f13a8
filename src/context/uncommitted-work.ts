import { InvalidOptionError } from "../errors/configuration.ts";
import { UncommittedError } from "../errors/context.ts";
import type { UncommittedWork } from "../session/uncommitted-work.ts";

/** What happens when a context ends normally with work that was never committed. */
export type OnUncommitted = "warn" | "throw" | "ignore";

const REACTIONS: readonly unknown[] = ["warn", "throw", "ignore"] satisfies OnUncommitted[];

/** @throws {InvalidOptionError} if it is no reaction */
export function requireReaction(given: OnUncommitted): OnUncommitted {
  if (REACTIONS.includes(given)) return given;
  throw new InvalidOptionError(`onUncommitted is "warn", "throw" or "ignore", not ${JSON.stringify(given)}.`);
}

/**
 * Reports work that a context has rolled back at its end.
 *
 * @param location the line of the application that ended the context, where it is known
 * @throws {UncommittedError} if that is the reaction
 */
export function reportUncommittedWork(
  reaction: OnUncommitted,
  { entities, summary }: UncommittedWork,
  location: string | undefined,
): void {
  if (reaction === "ignore") return;
  const where = location === undefined ? "" : ` at ${location}`;
  const message =
    `A context ended${where} with work that was never committed, and rolled it back: ${summary}. ` +
    "Call `commit()` before the context ends, or use `app.transaction`; call `rollback()`, or close the context with " +
    "`{ failed: true }`, to give the work up.";
  if (reaction === "throw") throw new UncommittedError(message, entities);
  process.emitWarning(message, { type: "MultibindWarning", code: "MULTIBIND_UNCOMMITTED" });
}
