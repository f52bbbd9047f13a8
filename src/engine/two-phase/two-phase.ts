import type { TransactionSettings } from "kysely";
import type { RunQuery } from "../reflection/catalog-query.ts";

/** A transaction that a server keeps prepared. */
export interface PreparedTransaction {
  readonly gid: string;
  /** When it was prepared, where the server says so. */
  readonly preparedAt: Date | undefined;
}

/** The way in which a prepared transaction ends. */
export type Ending = "commit" | "rollback";

/**
 * How a family takes part in a commit over several databases: a transaction is prepared, which the server then keeps
 * until it is told to commit or roll back, whatever happens to the connection.
 */
export interface TwoPhase {
  /** Why the server does not allow prepared transactions, by the name of the setting; `undefined` if it does. */
  refusal(run: RunQuery): Promise<string | undefined>;
  /** How transactions that will be prepared must begin; absent if any transaction can be prepared. */
  readonly branch?: BranchStatements;
  /** The statements that prepare a transaction. */
  prepare(gid: string): readonly string[];
  /** Whether the server's answer to the last of them says that it did; absent where it would report an error. */
  isPrepared?(command: string | undefined): boolean;
  /** Whether a prepared transaction stays with its connection, which can do nothing else until it is ended. */
  readonly holdsConnection: boolean;
  /** The statement that ends a prepared transaction. */
  end(gid: string, ending: Ending): string;
  /** Every transaction that is prepared in this database, or at least on its server. */
  prepared(run: RunQuery): Promise<readonly PreparedTransaction[]>;
  /** Whether a driver's error means that the transaction does not exist, or that another process is ending it. */
  isElsewhere(error: unknown): boolean;
}

/** The statements around a transaction that can be prepared, where they differ from the ordinary ones. */
export interface BranchStatements {
  begin(gid: string, settings: TransactionSettings): readonly string[];
  /** Commits one that is not to be prepared. */
  commit(gid: string): readonly string[];
  /** Rolls one back that is not prepared; only the last statement has to succeed. */
  rollback(gid: string): readonly string[];
}

/**
 * A transaction id as a literal of SQL.
 *
 * @throws {RangeError} if it holds anything but what such ids are made of, so that none can carry SQL
 */
export function literalGid(gid: string): string {
  if (!/^[a-z0-9:]{1,60}$/.test(gid)) {
    throw new RangeError("A transaction id is made of lower-case letters, digits and colons, 60 at most.");
  }
  return `'${gid}'`;
}
