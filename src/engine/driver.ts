import type { CompiledQuery, DatabaseConnection, Driver, QueryResult, TransactionSettings } from "kysely";
import type { Owner } from "./pool/owner.ts";
import type { Feature } from "./statement/feature.ts";
import type { LockWatch } from "./waiting/lock-watch.ts";

/** The purpose of a connection. A database with one writer and many readers uses different connections for them. */
export type Use = "read" | "write";

/** What multibind says when it asks a driver for a connection. Kysely's own callers say none of it. */
export interface AcquireOptions {
  readonly signal?: AbortSignal | undefined;
  readonly use?: Use;
  readonly owner?: Owner;
}

/** State of a connection that is returned. Kysely's own callers give at most the signal. */
export interface ReleaseOptions {
  readonly signal?: AbortSignal;
  /** The state of its transaction is unknown, so it must not be used again. */
  readonly discard?: boolean;
}

/** How many connections an engine has. */
export interface PoolStatus {
  /** The most that there may be. */
  readonly size: number;
  /** Lent out just now. */
  readonly inUse: number;
  /** Open and free. */
  readonly idle: number;
  /** Callers that wait for one. */
  readonly waiting: number;
}

/** A Kysely driver that knows what a connection is wanted for and by whom, and tells about its pool. */
export interface EngineDriver extends Driver {
  acquireConnection(options?: AcquireOptions): Promise<DatabaseConnection>;
  releaseConnection(connection: DatabaseConnection, options?: ReleaseOptions): Promise<void>;
  /** Lends a connection at once; `undefined` where anything has to be waited for. */
  acquireNow?(options: AcquireOptions): DatabaseConnection | undefined;
  /** Takes a connection back at once. Returns whether that is done; if not, `releaseConnection` does it. */
  releaseNow?(connection: DatabaseConnection): boolean;
  /** Runs a statement that only reads, at once; `undefined` where anything has to be waited for. Absent behind a network. */
  readNow?<R>(query: EngineQuery<R>): QueryResult<R> | undefined;
  /** The same for a statement that is a whole transaction. */
  writeNow?<R>(query: EngineQuery<R>): QueryResult<R> | undefined;
  /** Begins a transaction at once. Returns whether that is done; if not, `beginTransaction` does it. Absent behind a network. */
  beginNow?(connection: DatabaseConnection, settings: TransactionSettings): boolean;
  /** Commits at once. Returns whether that is done; if not, `commitTransaction` does it. */
  commitNow?(connection: DatabaseConnection): boolean;
  /** Whether the database says that SQL text only reads, and that any connection will do; absent where it does not tell. */
  onlyReads?(sql: string): Promise<boolean>;
  status(): PoolStatus;
  /**
   * Asks the database whether it answers, on a connection that waits for no other.
   *
   * @param timeout how long that may take, in milliseconds; what is on its way then closes by itself
   */
  ping(timeout: number): Promise<void>;
  /** Whether an owner has connections. */
  hasLentTo?(owner: Owner): boolean;
  /** Destroys the connections that an owner has. */
  giveUp?(owner: Owner, reason: Error): void;
  /** Whether the server was found to give back no rows of what it writes, although its family can. */
  readonly lacksReturning?: boolean;
  /** Features that the server lacks, although others of its family have them. */
  readonly lacks?: ServerLacks | undefined;
}

/** A feature that a server lacks, with its usual name. */
export interface ServerLacks {
  readonly server: string;
  readonly features: ReadonlySet<Feature>;
}

/** A compiled statement, with what a driver may do better for knowing more of it. */
export interface EngineQuery<R = unknown> extends CompiledQuery<R> {
  /** Worth preparing: the same text comes again, and its columns are listed by name. */
  readonly prepare?: boolean | undefined;
  /** Every integer in the result belongs to a column that checks it, so plain numbers will do. */
  readonly plainNumbers?: boolean | undefined;
  /** It gives one row at most. */
  readonly single?: boolean | undefined;
  /** When its rows are streamed and the stream is left early: others need the connection, and what they did on it. */
  readonly keepConnection?: boolean | undefined;
  /** It is an update whose caller is to know how many rows it changed, where the server says that beside those it found. */
  readonly countsChanges?: boolean | undefined;
  /** What it uses that only some servers of the family have. */
  readonly needs?: readonly Feature[] | undefined;
}

/** The same statement with other parameters. All are written in one order, so that they have one hidden class. */
export function withParameters<R>(
  { query, queryId, sql, prepare, plainNumbers, single, keepConnection, countsChanges, needs }: EngineQuery<R>,
  parameters: readonly unknown[],
): EngineQuery<R> {
  return { query, queryId, sql, parameters, prepare, plainNumbers, single, keepConnection, countsChanges, needs };
}

/** What came of a statement, with what the server says that it did, where the driver passes that on. */
export interface AnsweredResult<R = unknown> extends QueryResult<R> {
  readonly command?: string;
}

/** A connection of one of multibind's own drivers. */
export interface PhysicalConnection extends DatabaseConnection {
  /** Runs a statement once for each set of parameters, in their order, without waiting for one to send the next. */
  executeMany<R>(query: EngineQuery<R>, parameterSets: readonly (readonly unknown[])[]): Promise<QueryResult<R>[]>;
  /** Asks how many bytes a statement and its values may take; absent where there is no such limit. */
  mostBytes?(): Promise<number>;
  /** Runs a statement at once; `undefined` where anything has to be waited for. Absent behind a network. */
  executeNow?<R>(query: EngineQuery<R>): QueryResult<R> | undefined;
  /** Whether it can be used no more. */
  readonly isBroken: boolean;
  /** Whether a transaction is open, as the server last said: SQL text may have begun or ended one. Undefined if it does not say. */
  readonly inTransaction: boolean | undefined;
  /**
   * Asks the server whether it is still there.
   *
   * @param timeout how long to wait for the answer, in milliseconds
   */
  ping(timeout: number): Promise<void>;
  /** Whether a statement runs on it just now, and its server is waited for. */
  readonly isBusy: boolean;
  /** How many bytes have come from the server; undefined where that cannot be known. */
  readonly received?: number | undefined;
  /** Where its server listens. */
  readonly address?: string;
  /**
   * Connects anew to the server's address, and closes that again.
   *
   * @param limit how long that may take, in milliseconds
   * @throws if no server answers there; one that refuses the connection answers too
   */
  reach?(limit: number): Promise<void>;
  /**
   * Ends the statement that runs on it just now, on the server too, which then fails; without one nothing happens. Comes
   * back when the request can no longer hit a later statement.
   */
  cancel(): Promise<void>;
  /** The number under which its server knows it. */
  readonly serverProcess?: number | undefined;
  /** Opens a watch over what this connection's statements wait for; absent where they wait for no locks on a server. */
  watchLocks?(): Promise<LockWatch>;
  /** Closes it for good, in good order if the server answers; never throws, and never waits for long. */
  close(): Promise<void>;
  /** Closes it for good and at once; what runs on it fails, with the reason if there is one. */
  destroy(reason?: Error): void;
}
