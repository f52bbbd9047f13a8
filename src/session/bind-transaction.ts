import type { QueryResult, TransactionSettings } from "kysely";
import { bindLabel } from "../bind-key.ts";
import type { Connection } from "../engine/connection.ts";
import type { EngineQuery } from "../engine/driver.ts";
import type { Engine } from "../engine/engine.ts";
import type { Owner } from "../engine/owner.ts";
import { DatabaseError } from "../errors/database.ts";
import { FailedTransactionError } from "../errors/session.ts";
import { UndoLog } from "./undo-log.ts";

interface Level {
  readonly savepoint: string | undefined;
  readonly undo: UndoLog;
}

/**
 * A session's work on one bind: nothing until it writes, then one transaction on one connection, with a savepoint for
 * each nested transaction that the bind takes part in.
 */
export class BindTransaction {
  readonly engine: Engine;
  readonly #owner: Owner;
  readonly #levels: Level[] = [];
  #connection: Connection | undefined;
  #joining: Promise<void> = Promise.resolve();
  #failure: unknown;
  #wrote = false;

  constructor(engine: Engine, owner: Owner) {
    this.engine = engine;
    this.#owner = owner;
  }

  /** Whether a transaction is open here. */
  get isOpen(): boolean {
    return this.#connection !== undefined;
  }

  /** Whether anything in it may have changed the database. */
  get wrote(): boolean {
    return this.#wrote;
  }

  /**
   * The connection of the transaction.
   *
   * @throws {FailedTransactionError} if none is open: it was rolled back while somebody was about to use it
   */
  get connection(): Connection {
    if (this.#connection !== undefined) return this.#connection;
    throw new FailedTransactionError(
      `The transaction on ${bindLabel(this.engine.bindKey)} was rolled back meanwhile. Call ` +
        "`rollback()` and begin anew.",
      { bindKey: this.engine.bindKey },
    );
  }

  /** What was done to entities in the innermost level. */
  get undo(): UndoLog {
    return this.#levels.at(-1)!.undo;
  }

  /** What was done to entities in each level, outermost first. */
  get undoLogs(): readonly UndoLog[] {
    return this.#levels.map(({ undo }) => undo);
  }

  /**
   * Begins the transaction, and a savepoint for each nested transaction that the bind has not yet taken part in.
   *
   * @param depth how many levels there are to be
   * @throws {FailedTransactionError} if a statement failed here and nothing was rolled back since
   */
  join(depth: number, settings: TransactionSettings = {}): Promise<void> {
    // Two statements that a listener runs side by side must not both begin.
    const joined = this.#joining.then(() => this.#join(depth, settings));
    this.#joining = joined.catch(() => {});
    return joined;
  }

  async #join(depth: number, settings: TransactionSettings): Promise<void> {
    this.requireUsable();
    if (this.#connection === undefined) {
      const use = settings.accessMode === "read only" ? "read" : "write";
      const connection = await this.engine.connect({ use, owner: this.#owner });
      try {
        await connection.begin(settings);
      } catch (error) {
        await connection.release();
        throw error;
      }
      this.#connection = connection;
      this.#levels.push({ savepoint: undefined, undo: new UndoLog() });
    }
    while (this.#levels.length < depth) {
      const savepoint = `multibind_${this.#levels.length}`;
      await this.#connection.savepoint(savepoint);
      this.#levels.push({ savepoint, undo: new UndoLog() });
    }
  }

  /** Runs a statement in the transaction. After an error nothing more runs until it is rolled back. */
  async execute<R>(query: EngineQuery<R>): Promise<QueryResult<R>> {
    this.requireUsable();
    try {
      return await this.connection.execute(query);
    } catch (error) {
      this.fail(error);
      throw error;
    }
  }

  /** Notes that the transaction has written, or may have. */
  markWritten(): void {
    this.#wrote = true;
  }

  /** Notes an error of the database: what comes after it would not be what was meant. */
  fail(error: unknown): void {
    if (error instanceof DatabaseError) this.#failure ??= error;
  }

  /** Whether no statement failed here that was not rolled back since. */
  get isUsable(): boolean {
    return this.#failure === undefined;
  }

  /** @throws {FailedTransactionError} if a statement failed here and nothing was rolled back since */
  requireUsable(): void {
    if (this.#failure === undefined) return;
    const { message } = this.#failure as Error;
    throw new FailedTransactionError(
      `A statement on ${bindLabel(this.engine.bindKey)} failed before (${message}), and its transaction was not rolled back. ` +
        "Call `rollback()` first; to go on after an expected error, run it within `beginNested()`.",
      { bindKey: this.engine.bindKey, cause: this.#failure },
    );
  }

  async commit(): Promise<void> {
    const connection = this.#connection!;
    await connection.commit();
    this.#forget();
    // What is committed stays so, whatever becomes of the connection.
    await connection.release().catch(() => {});
  }

  /** Rolls everything back and gives the connection back, also where it is broken. */
  async rollback(): Promise<void> {
    const connection = this.#connection;
    this.#forget();
    if (connection === undefined) return;
    try {
      await connection.rollback();
    } finally {
      await connection.release();
    }
  }

  /** Ends the levels above `depth` and keeps what they did. */
  async release(depth: number): Promise<void> {
    while (this.#levels.length > depth) {
      const { savepoint, undo } = this.#levels.at(-1)!;
      try {
        await this.connection.releaseSavepoint(savepoint!);
      } catch (error) {
        this.fail(error);
        throw error;
      }
      this.#levels.pop();
      this.undo.absorb(undo);
    }
  }

  /**
   * Ends the levels above `depth` and undoes what they did. If the database cannot, because it has rolled back the whole
   * transaction by itself, the transaction stays failed.
   *
   * @param undone is given what was done in each level, innermost first, also where the database failed
   */
  async rollbackTo(depth: number, undone: (log: UndoLog) => void): Promise<void> {
    const levels = this.#levels.splice(depth);
    const savepoint = levels[0]?.savepoint;
    if (savepoint === undefined) return;
    try {
      await this.connection.rollbackToSavepoint(savepoint);
      await this.connection.releaseSavepoint(savepoint);
      // Nothing runs after a failure, so it happened in one of these levels.
      this.#failure = undefined;
    } catch (error) {
      this.#failure ??= error;
      throw error;
    } finally {
      for (const { undo } of levels.reverse()) undone(undo);
    }
  }

  #forget(): void {
    this.#connection = undefined;
    this.#levels.length = 0;
    this.#failure = undefined;
    this.#wrote = false;
  }
}
