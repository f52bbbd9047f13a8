import type { BackendName } from "./harness/databases.ts";

const SERVERS = { get: 1.1, list100: 1.1, page: 1.1, insert1: 1.1, flush1000: 1.3, update200: 1.5, concurrent: 1.1 };

/** The most that multibind may take, as a ratio to the raw driver. */
export const TARGETS: Readonly<Record<BackendName, Readonly<Record<string, number>>>> = {
  S: { get: 1.35, list100: 1.5, page: 1.3, insert1: 1.13, flush1000: 1.5, update200: 1.6, concurrent: 1.4 },
  P: SERVERS,
  X: SERVERS,
};

/** The most that multibind's own doings may cost. */
export const ALONE_TARGETS = {
  /** Microseconds. */
  getBind: 0.2,
  contextAndSession: 2,
  /** Of 1,000 binds that are configured and not used: megabytes and milliseconds. */
  unusedBindsMemory: 5,
  unusedBindsTime: 20,
} as const;
