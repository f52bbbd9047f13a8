import type { Application, BindKey, Engine, StatementEvent } from "../../../src/index.ts";
import { FormatError } from "../read/json.ts";
import { labelOf } from "../read/keys.ts";
import { eventOf } from "./sql-event.ts";

/** Something that reached an engine, during a step of a case. */
export interface TraceEvent {
  readonly step: number;
  readonly event: string;
  readonly bind: string;
}

/** A failure that a case asked for, in the place of a statement. */
export class InjectedFailure extends Error {}

interface Injection {
  readonly bind: string;
  readonly event: string;
}

const INJECTED: Readonly<Record<string, string>> = {
  commit: "COMMIT",
  prepare: "PREPARE",
  commit_prepared: "COMMIT PREPARED",
};
const ENDS: ReadonlySet<string> = new Set(["COMMIT", "ROLLBACK", "COMMIT PREPARED", "ROLLBACK PREPARED"]);

/** Notes what reaches the engines of an application, step by step, and fails where a case wants that. */
export class Recorder {
  readonly events: TraceEvent[] = [];
  step = -1;
  readonly #injections: Injection[] = [];
  readonly #open = new Map<string, number>();
  #paused = 0;
  /** The binds that work of the runner's own has reached. */
  readonly #reached = new Set<string>();

  constructor(engines: Application["engines"]) {
    for (const [, engine] of engines) this.#listen(engine);
  }

  /** The binds with a transaction that has begun and not ended. */
  get openBinds(): string[] {
    return [...this.#open].filter(([, count]) => count > 0).map(([bind]) => bind);
  }

  /** Whether nothing is noted just now. */
  get isPaused(): boolean {
    return this.#paused > 0;
  }

  /** Lets the next event of a kind on a bind fail, just before it is sent. */
  inject(bind: string, at: string): void {
    const event = INJECTED[at] ?? (at.startsWith("sql ") ? at.slice("sql ".length) : undefined);
    if (event === undefined) throw new FormatError(`a failure is injected at "${at}", which this runner does not know`);
    this.#injections.push({ bind, event });
  }

  /** Does work that is the runner's own, so that nothing of it is noted. */
  async unseen<T>(work: () => Promise<T>): Promise<T> {
    this.#paused++;
    try {
      return await work();
    } finally {
      this.#paused--;
    }
  }

  /** The binds that work of the runner's own reaches; nothing of it is noted. */
  async reachedBy(work: () => Promise<unknown>): Promise<string[]> {
    this.#reached.clear();
    await this.unseen(work);
    return [...this.#reached];
  }

  #listen(engine: Engine): void {
    engine.onStatement((statement) => this.#note(engine.bindKey, statement));
  }

  #note(bindKey: BindKey, { sql }: StatementEvent): void {
    if (this.isPaused) {
      this.#reached.add(labelOf(bindKey));
      return;
    }
    const event = eventOf(sql);
    if (event === undefined) return;
    const bind = labelOf(bindKey);
    const injected = this.#injections.findIndex((one) => one.bind === bind && one.event === event);
    if (injected >= 0) {
      this.#injections.splice(injected, 1);
      throw new InjectedFailure(`injected ${event} failure on ${bind}`);
    }
    if (event === "BEGIN") this.#open.set(bind, (this.#open.get(bind) ?? 0) + 1);
    // A commit that is refused is followed by a rollback, so the count never goes below zero.
    if (ENDS.has(event)) this.#open.set(bind, Math.max(0, (this.#open.get(bind) ?? 0) - 1));
    this.events.push({ step: this.step, event, bind });
  }
}
