import type { QueryRunner } from "./family.ts";

/**
 * How a family takes part in a commit over several databases: a transaction is prepared, which the server then keeps
 * until it is told to commit or roll back, whatever happens to the connection.
 */
export interface TwoPhase {
  /** Why the server does not allow prepared transactions; `undefined` if it does. */
  refusal(run: QueryRunner): Promise<string | undefined>;
  /** Begins a transaction that can be prepared; absent where every one can. */
  readonly begin?: (gid: string) => string;
  /** Ends one that was begun so and is not to be prepared; absent where the ordinary statements do. */
  readonly commitUnprepared?: (gid: string) => readonly string[];
  readonly rollbackUnprepared?: (gid: string) => readonly string[];
  /** Prepares the transaction. Returns whether it was: a failed one is rolled back instead. */
  prepare(run: TaggedRunner, gid: string): Promise<boolean>;
  /** Whether a prepared transaction stays with its connection, which can do nothing else meanwhile. */
  readonly holdsConnection: boolean;
  commitPrepared(gid: string): string;
  rollbackPrepared(gid: string): string;
  /** Every transaction that is prepared in this database. */
  prepared(run: QueryRunner): Promise<readonly string[]>;
  /** Whether an error says that there is no such prepared transaction for this connection. */
  isUnknownGid(error: unknown): boolean;
}

/** Runs SQL text and tells what the server says that it did, where the driver passes that on. */
export type TaggedRunner = (sql: string) => Promise<{ readonly command?: string | undefined }>;

/** Gids are made here of letters, digits and underscores; nothing else may come into a statement. */
export function literalGid(gid: string): string {
  if (!/^[\w:]{1,60}$/.test(gid)) throw new RangeError("A transaction id has letters, digits, colons and underscores.");
  return `'${gid}'`;
}
