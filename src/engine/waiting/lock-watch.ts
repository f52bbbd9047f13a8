/** Another connection to a server, which sees for what one connection's statement waits. */
export interface LockWatch {
  /** Identifies the server. */
  readonly server: string;
  /**
   * Returns the connection among `held` for whose locks the watched one waits, directly or through others.
   *
   * @param held the numbers under which the server knows connections
   */
  waitsFor(held: ReadonlySet<number>): Promise<number | undefined>;
  close(): void;
}

/** Runs a query of the watch's own. */
export type WatchQuery = (sql: string, parameter?: number) => Promise<readonly unknown[]>;
