import type { BackendName } from "./databases.ts";
import type { LoopDelay } from "./event-loop.ts";
import type { Estimate } from "./statistics.ts";

/** One contender at one scenario. Times are microseconds for one operation. */
export interface Result {
  readonly contender: string;
  readonly wall: number;
  readonly cpu: number;
  /** Wall time to the raw driver's of the same round. */
  readonly toRaw: Estimate | null;
  /** CPU time to the raw driver's of the same round. */
  readonly cpuToRaw: Estimate | null;
  /** multibind's wall time to this one's of the same round. */
  readonly multibindToIt: Estimate | null;
  readonly allocated: number;
  /** Operations in a batch. */
  readonly operations: number;
  readonly delay: LoopDelay | null;
}

export interface ScenarioResults {
  readonly name: string;
  readonly title: string;
  readonly results: readonly Result[];
}

export interface Participant {
  readonly name: string;
  readonly label: string;
  readonly drivers: readonly string[];
}

/** A contender that could not take part, and the reason. */
export interface Absentee {
  readonly label: string;
  readonly reason: string;
}

export interface BackendResults {
  readonly backend: BackendName;
  readonly date: string;
  readonly rounds: number;
  readonly batch: number;
  readonly servers: readonly string[];
  readonly participants: readonly Participant[];
  readonly absentees: readonly Absentee[];
  readonly scenarios: readonly ScenarioResults[];
}

/** A figure of multibind alone. */
export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** The most that it may be. */
  readonly target?: number;
}

export interface FigureTable {
  readonly title: string;
  readonly note: string;
  readonly columns: readonly string[];
  readonly rows: readonly { readonly what: string; readonly values: readonly number[] }[];
}

/** What concerns multibind alone. */
export interface AloneResults {
  readonly date: string;
  readonly rounds: number;
  readonly figures: readonly Figure[];
  readonly tables: readonly FigureTable[];
}

export interface Environment {
  readonly node: string;
  readonly processor: string;
  readonly cores: number;
  readonly system: string;
  readonly packages: Readonly<Record<string, string>>;
}

/** All that RESULTS.md is made of. */
export interface Results {
  environment: Environment;
  backends: Partial<Record<BackendName, BackendResults>>;
  alone: AloneResults | null;
}
