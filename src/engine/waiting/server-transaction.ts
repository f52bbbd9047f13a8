import type { BindKey } from "../../bind-key.ts";
import type { LockWatch } from "./lock-watch.ts";

/** An engine whose server can be asked for waits. */
export interface ServerEngine {
  readonly bindKey: BindKey;
  /** Engines of one family may share a server. */
  readonly family: object;
}

/** A connection with a transaction on a server, whose locks other connections may wait for. */
export interface ServerTransaction {
  readonly engine: ServerEngine;
  /** Whether the transaction is open. */
  readonly inTransaction: boolean;
  /** Whether a statement runs on it. */
  readonly isBusy: boolean;
  /** The server's number of the connection. */
  readonly serverProcess: number | undefined;
  /** Opens a connection that asks the server for waits. */
  watchLocks(): Promise<LockWatch>;
}
