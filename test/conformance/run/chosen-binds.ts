import { type Application, type BindKey, type Engine, UnboundExecutionError } from "../../../src/index.ts";
import { errorResult } from "../compare/errors.ts";
import { type Json, memberOf } from "../read/json.ts";
import { labelOf } from "../read/keys.ts";

/**
 * Notes which binds were chosen for what is routed. Every choice ends in the application's own directory of engines,
 * whatever asked for it: a statement, a flush, `getBind`.
 */
export class ChosenBinds {
  #chosen: Json[] = [];
  #paused = 0;

  constructor({ engines }: Application) {
    const find = engines.find.bind(engines);
    Object.defineProperty(engines, "find", { value: (bindKey: BindKey) => this.#note(bindKey, find(bindKey)) });
  }

  /** What was chosen since the last look, each once, in order. */
  take(): Json[] {
    const chosen = this.#chosen;
    this.#chosen = [];
    return chosen;
  }

  /** Notes that something could not be routed. */
  noteError(error: unknown): void {
    this.#add(errorResult(error));
  }

  /** Does something of the runner's own, so that nothing of it is noted. */
  unseen<T>(work: () => T): T {
    this.#paused++;
    try {
      return work();
    } finally {
      this.#paused--;
    }
  }

  /** The same for work that takes time. */
  async unseenWork<T>(work: () => Promise<T>): Promise<T> {
    this.#paused++;
    try {
      return await work();
    } finally {
      this.#paused--;
    }
  }

  #note(bindKey: BindKey, engine: Engine | undefined): Engine | undefined {
    if (engine !== undefined) this.#add(labelOf(bindKey));
    else this.#add(errorResult(new UnboundExecutionError(`there is no engine for ${labelOf(bindKey)}`)));
    return engine;
  }

  #add(choice: Json): void {
    if (this.#paused > 0) return;
    if (!this.#chosen.some((one) => sameChoice(one) === sameChoice(choice))) this.#chosen.push(choice);
  }
}

/** What two choices have in common that are the same: the key, or the class of the error. */
function sameChoice(choice: Json): string {
  return typeof choice === "string" ? choice : `error ${memberOf(memberOf(choice, "error"), "class")}`;
}
