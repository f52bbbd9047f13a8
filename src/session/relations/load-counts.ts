import { callSite } from "../../engine/recording/call-site.ts";
import { NPlusOneError } from "../../errors/relation.ts";
import type { Relation } from "../../model/relations/relation.ts";
import type { NPlusOne } from "./relation-settings.ts";

/** Counts how often each line of the application has a relation loaded, to find loops that load one entity at a time. */
export class LoadCounts {
  readonly #threshold: number;
  readonly #action: "warn" | "throw";
  readonly #counts = new Map<string, number>();

  constructor({ threshold, action }: Required<NPlusOne>) {
    this.#threshold = threshold;
    this.#action = action;
  }

  /** The line of the application that asks for a load. */
  lineHere(): string {
    return callSite() ?? "an unknown line";
  }

  /**
   * Counts that lines have a relation read.
   *
   * @throws {NPlusOneError} if that was too often, and is refused
   */
  count(relation: Relation, lines: Iterable<string>): void {
    for (const line of lines) {
      const key = `${relation.label} ${line}`;
      const count = (this.#counts.get(key) ?? 0) + 1;
      this.#counts.set(key, count);
      if (count < this.#threshold || (count > this.#threshold && this.#action === "warn")) continue;
      const message =
        `${line} has loaded ${relation.label} ${count} times in one session, a statement each time. Load it for all entities ` +
        `at once: \`await session.load(entities, { ${relation.name}: true })\`, or \`.include({ ${relation.name}: true })\` in the statement that reads them.`;
      if (this.#action === "throw") throw new NPlusOneError(message, { ...relation.place, location: line });
      process.emitWarning(message, { type: "MultibindWarning", code: "MULTIBIND_N_PLUS_ONE" });
    }
  }
}
