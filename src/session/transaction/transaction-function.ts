import type { Awaitable } from "../../awaitable.ts";
import type { Owner } from "../../engine/pool/owner.ts";
import { ConcurrentTransactionError, SessionError } from "../../errors/session.ts";
import { requireKnownOptions } from "../../known-options.ts";
import { BEGIN_OPTIONS, type BeginOptions } from "./begin-options.ts";
import { type RetryOptions, requireRetries, withRetries } from "./retries.ts";
import { inScope, isLate, newScope, scopeHere, type TransactionScope } from "./transaction-scope.ts";

/** Options of `transaction(fn)`. */
export interface TransactionOptions extends BeginOptions, RetryOptions {}

export const TRANSACTION_OPTIONS: readonly (keyof TransactionOptions)[] = [...BEGIN_OPTIONS, "retries", "signal"];

/** A transaction function's view of its session. */
export interface TransactionFunctionHost {
  readonly label: string;
  readonly owner: Owner;
  begin(options: BeginOptions): void;
  commit(): Awaitable<void>;
  rollback(): Promise<void>;
  /** Copies the pending work. Returns a function that makes it pending again after a rollback. */
  copyPending(): () => void;
  beginNested(): Promise<{ readonly isActive: boolean; commit(): Promise<void>; rollback(): Promise<void> }>;
}

/** The functions that run in a session's transactions, one within the other. */
export class TransactionFunctions {
  readonly #session: object;
  readonly #host: TransactionFunctionHost;
  readonly #running: TransactionScope[] = [];

  constructor(session: object, host: TransactionFunctionHost) {
    this.#session = session;
    this.#host = host;
  }

  /**
   * Refuses what would end a transaction whose function is still running.
   *
   * @throws {SessionError} within that function
   * @throws {ConcurrentTransactionError} from beside it
   */
  requireNone(what: string): void {
    const innermost = this.#running.at(-1);
    if (innermost === undefined) return;
    if (scopeHere(this.#session) === undefined) {
      throw new ConcurrentTransactionError(
        `${what} on ${this.#host.label} while a function of \`transaction(fn)\` runs on it elsewhere. Wait for that, or use a session of its own.`,
      );
    }
    throw new SessionError(
      `${what} within \`transaction(fn)\`, which ends the transaction itself: return to commit, throw to roll back.`,
    );
  }

  /**
   * Refuses a use of the session by code of a function that has ended: it would join a later transaction.
   *
   * @throws {ConcurrentTransactionError}
   */
  requireLive(): void {
    if (!isLate(this.#session)) return;
    throw new ConcurrentTransactionError(
      `Cannot use ${this.#host.label} here: this code belongs to a \`transaction(fn)\` whose function has returned or thrown. ` +
        "Await all work within the function, or do it in a `transaction(fn)` or a session of its own.",
    );
  }

  /**
   * Refuses what would interfere with a function that runs in a transaction elsewhere.
   *
   * @throws {ConcurrentTransactionError} from beside such a function
   */
  requireOwn(what: string): void {
    if (this.#running.at(-1) === scopeHere(this.#session)) return;
    throw new ConcurrentTransactionError(
      `${what} on ${this.#host.label} while another transaction runs on it in other code. Do it within that one, or use a session of its own.`,
    );
  }

  /**
   * Runs a function in a transaction, or within one in a nested one: commits when it returns, rolls back when it throws.
   *
   * @throws {ConcurrentTransactionError} if another function runs in a transaction of the session, beside this one
   * @throws the signal's reason, when it is aborted
   */
  async run<T>(run: () => Promise<T>, options: TransactionOptions): Promise<T> {
    requireOptions(options);
    const { signal } = options;
    this.requireOwn("A transaction is begun");
    if (signal === undefined) return this.#run(run, options);
    signal.throwIfAborted();
    const { owner } = this.#host;
    const outer = owner.signal;
    owner.signal = outer === undefined ? signal : AbortSignal.any([outer, signal]);
    try {
      return await this.#run(run, options);
    } finally {
      owner.signal = outer;
    }
  }

  async #run<T>(run: () => Promise<T>, { retries = 0, signal, ...options }: TransactionOptions): Promise<T> {
    if (this.#running.length > 0) return this.#inScope((scope) => this.#nested(scope, run));
    const restorePending = retries > 0 ? this.#host.copyPending() : undefined;
    return await withRetries(
      () => this.#inScope((scope) => this.#outermost(scope, run, options)),
      { retries, signal },
      () => {
        this.requireOwn("A transaction is begun again");
        restorePending?.();
      },
    );
  }

  async #outermost<T>(scope: TransactionScope, run: () => Promise<T>, options: BeginOptions): Promise<T> {
    this.#host.begin(options);
    try {
      const result = await inScope(scope, run);
      await this.#host.commit();
      return result;
    } catch (error) {
      // The first error is the one that tells what went wrong.
      await this.#host.rollback().catch(() => {});
      throw error;
    }
  }

  async #nested<T>(scope: TransactionScope, run: () => Promise<T>): Promise<T> {
    const nested = await this.#host.beginNested();
    try {
      const result = await inScope(scope, run);
      this.#host.owner.signal?.throwIfAborted();
      await nested.commit();
      return result;
    } catch (error) {
      if (nested.isActive) await nested.rollback().catch(() => {});
      throw error;
    }
  }

  /** Registers the scope, so that no other code begins a transaction while this one is starting. */
  async #inScope<T>(run: (scope: TransactionScope) => Promise<T>): Promise<T> {
    const scope = newScope(this.#session, this.#host.owner);
    this.#running.push(scope);
    try {
      return await run(scope);
    } finally {
      this.#running.splice(this.#running.indexOf(scope), 1);
    }
  }
}

/** @throws {InvalidOptionError} */
function requireOptions(options: TransactionOptions): void {
  requireKnownOptions(options, TRANSACTION_OPTIONS, "transaction()");
  requireRetries(options.retries);
}
