import type { QueryResult } from "kysely";
import { type BindKey, bindLabel } from "../bind-key.ts";
import { UnsupportedError } from "../errors/configuration.ts";
import { DatabaseConnectionError, DeadlockError, SerializationError } from "../errors/database.ts";
import { EndedTransactionError, SessionError } from "../errors/session.ts";
import type { EngineQuery } from "./driver.ts";
import type { Family } from "./family.ts";
import type { TransactionEffect } from "./transaction-text.ts";

const GUARD = "multibind_guard";

/** The database in which a transaction runs. */
interface TransactionEngine {
  readonly bindKey: BindKey;
  readonly family: Family;
}

/** A connection of an engine, as far as the text of statements within its transaction concerns it. */
export interface TransactionConnection {
  readonly engine: TransactionEngine;
  /** Whether the database has ended the transaction. */
  readonly hasEnded: boolean;
  /** Records that it has. */
  markEnded(): void;
  execute<R>(query: EngineQuery<R>, signal?: AbortSignal): Promise<QueryResult<R>>;
  savepoint(name: string): Promise<void>;
  releaseSavepoint(name: string): Promise<void>;
}

/**
 * Executes a statement of the application within a transaction, and checks that the transaction is still open after it.
 *
 * @param effect that of the statement on its transaction
 * @throws {SessionError | UnsupportedError} if the statement would end the transaction; then it is not sent
 * @throws {EndedTransactionError} if it did
 */
export async function executeWithin<R>(
  connection: TransactionConnection,
  query: EngineQuery<R>,
  effect: TransactionEffect,
  signal?: AbortSignal,
): Promise<QueryResult<R>> {
  const { engine } = connection;
  refuseCommand(engine, effect);
  if (effect === "commits") throw implicitCommit(engine);
  let result: QueryResult<R>;
  try {
    const run = () => connection.execute(query, signal);
    result = await (effect === "unseen" ? guarded(connection, query.sql, run) : run());
  } catch (error) {
    if (connection.hasEnded && engine.family.onlyRollsBack !== true)
      throw endedTransaction(connection, query.sql, error);
    throw error;
  }
  if (connection.hasEnded) throw endedTransaction(connection, query.sql);
  return result;
}

/** @throws {SessionError} if a statement begins, ends or nests transactions */
export function refuseCommand({ bindKey }: TransactionEngine, effect: TransactionEffect): void {
  if (effect !== "command") return;
  throw new SessionError(
    `Cannot run a transaction command as SQL text on ${bindLabel(bindKey)}: entities and savepoints would not follow it. ` +
      "Nothing was sent. Use `begin`, `commit`, `rollback`, `beginNested` or `transaction` of the session, or the methods " +
      "of Kysely's own transaction.",
    { bindKey },
  );
}

/** Returns the error that refuses a statement before which the database commits. */
export function implicitCommit({ bindKey, family }: TransactionEngine): UnsupportedError {
  return new UnsupportedError(
    `Cannot run this statement in the transaction on ${bindLabel(bindKey)}: ${family.label} and its relatives commit before ` +
      "it, and a rollback would undo nothing. Nothing was sent. Commit or roll back first, or run it outside of the " +
      "transaction, with `createAll`, `dropAll` or `engine.kysely`.",
    { bindKey },
  );
}

/** Returns the error that says that SQL has ended the transaction of a connection. */
export function endedTransaction(
  connection: TransactionConnection,
  sql?: string,
  cause?: unknown,
): EndedTransactionError {
  const { bindKey } = connection.engine;
  connection.markEnded();
  return new EndedTransactionError(
    `A statement ended the transaction on ${bindLabel(bindKey)}. Only the database knows whether the work before it is ` +
      "committed or rolled back; `rollback()` cannot undo it. Call `rollback()` and read the rows again. Run statements " +
      "that end transactions outside of the session, with `engine.kysely`.",
    { bindKey, sql, cause },
  );
}

/** Runs a statement between a savepoint and its release, which fails if the transaction is another one by then. */
async function guarded<T>(connection: TransactionConnection, sql: string, run: () => Promise<T>): Promise<T> {
  await connection.savepoint(GUARD);
  let result: T;
  try {
    result = await run();
  } catch (error) {
    // After these errors the server has rolled back the whole transaction.
    const isOver = [DatabaseConnectionError, DeadlockError, SerializationError].some((kind) => error instanceof kind);
    if (!isOver) await requireGuard(connection, sql, error);
    throw error;
  }
  await requireGuard(connection, sql);
  return result;
}

async function requireGuard(connection: TransactionConnection, sql: string, cause?: unknown): Promise<void> {
  try {
    await connection.releaseSavepoint(GUARD);
  } catch (error) {
    throw error instanceof DatabaseConnectionError ? (cause ?? error) : endedTransaction(connection, sql, cause);
  }
}
