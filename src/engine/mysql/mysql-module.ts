/** Options of a `mariadb` connection. */
export type MariadbConfig = Readonly<Record<string, unknown>>;

/** The part of the module `mariadb` that is used. */
export interface MariadbModule {
  createConnection(config: MariadbConfig): Promise<MariadbConnection>;
}

/** The part of a `mariadb` connection that is used. */
export interface MariadbConnection {
  readonly threadId: number | null;
  readonly info: {
    readonly status: number | null;
    isMariaDB(): boolean;
    hasMinVersion(major: number, minor?: number, patch?: number): boolean;
  } | null;
  query(sql: string, values?: readonly unknown[]): Promise<unknown>;
  execute(sql: string, values?: readonly unknown[]): Promise<unknown>;
  queryStream(sql: string, values?: readonly unknown[]): MariadbStream;
  ping(timeout?: number): Promise<void>;
  end(): Promise<void>;
  destroy(): void;
  isValid(): boolean;
  on(event: "error" | "end", listener: () => void): unknown;
}

/** The rows of a statement, as they come. */
export interface MariadbStream extends AsyncIterable<unknown> {
  /** Forgets the rows that are still to come. */
  close(): void;
  on(event: "error", listener: () => void): unknown;
}

/** What comes of a statement that gives no rows. */
export interface MariadbOutcome {
  readonly affectedRows: number;
  readonly insertId: bigint | number;
}
