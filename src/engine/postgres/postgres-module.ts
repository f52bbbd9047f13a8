import type { PgTypes } from "./postgres-wire-types.ts";

/** Options of a `pg` client. */
export type PgClientConfig = Readonly<Record<string, unknown>>;

/** The part of the module `pg` that is used. */
export interface PgModule {
  readonly Client: new (config: PgClientConfig) => PgClient;
  readonly Query?: PgQueryClass;
  readonly types: PgTypes;
}

/** The part of a `pg` client that is used. */
export interface PgClient {
  connect(): Promise<unknown>;
  query(query: PgQuery): Promise<PgResult>;
  query(query: PgOwnQuery): unknown;
  end(): Promise<void>;
  /** The server's number of the connection; null until it is connected, and with drivers that do not report it. */
  readonly processID?: number | null;
  readonly secretKey?: number | null;
  readonly host: string;
  readonly port: number;
  /** Whether the driver sends queries without waiting for the answers to those before. */
  readonly pipeline?: boolean;
  /** Whether the server has ended its last answer. */
  readonly readyForQuery?: boolean;
  readonly connection?: Partial<PgProtocol> & {
    readonly stream?: { readonly bytesRead?: number; destroy(reason?: Error): void };
    /** The texts of the statements that the server has prepared, by their names. */
    readonly parsedStatements?: Readonly<Record<string, string>>;
    once?(event: string, listener: (message: object) => void): unknown;
  };
  /** `I` outside of a transaction, `T` in one, `E` in one that has failed. Absent in older versions. */
  getTransactionStatus?(): string | null;
  /** `drain`: nothing runs or waits any more. */
  on(event: "error" | "end" | "drain", listener: () => void): unknown;
}

interface PgQuery {
  readonly name?: string;
  readonly text: string;
  readonly values?: unknown[];
}

/** The messages that a client sends. */
export interface PgProtocol {
  parse(statement: { readonly text: string; readonly name: string; readonly types: readonly number[] }): void;
  bind(values: object): void;
  execute(portal: object): void;
  close(target: { readonly type: "S"; readonly name: string }): void;
  sync(): void;
}

/** A query that sends its messages itself. */
export interface PgOwnQuery {
  /** The server's name of the statement, once it is prepared. */
  name?: string | undefined;
  queryMode?: "extended";
  submit(connection: PgProtocol): unknown;
  handleReadyForQuery?(): void;
  handleError?(): void;
}

/** What makes queries that call back. */
export type PgQueryClass = new (
  text: string,
  values: unknown[],
  callback: (error: Error | null | undefined, result: PgResult) => void,
) => PgOwnQuery;

/** What comes of a statement. */
export interface PgResult {
  readonly command: string;
  readonly rowCount: number | null;
  readonly rows: unknown[];
}
