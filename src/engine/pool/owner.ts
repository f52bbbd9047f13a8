import { AsyncLocalStorage } from "node:async_hooks";
import type { RecordedQuery } from "../recording/recorded-query.ts";
import type { ServerTransaction } from "../waiting/server-transaction.ts";
import type { FairSemaphore } from "./fair-semaphore.ts";

/** A wait that an owner is in; ending it with an error is how a circle of waits is broken. */
export interface Wait {
  readonly slots: FairSemaphore;
  fail(error: Error): void;
}

let created = 0;
/** Those inside an owner that has none. */
const NO_OWNERS = new Set<Owner>();

/**
 * An owner of connections and locks, or of waits for them: a session, or a single statement outside of one.
 *
 * Owners know their surroundings, the owner whose work cannot go on before theirs is done. That makes it possible to
 * tell a wait that can end from one that waits for itself.
 */
export class Owner {
  /** What messages call it, for example `session 3`. */
  readonly label: string;
  /** The owner in whose context this one works. */
  readonly surrounding: Owner | undefined;
  /** Younger owners have higher numbers. */
  readonly age = ++created;
  readonly waits = new Set<Wait>();
  /** Where the statements of this owner are noted: with those around it, unless it has a place of its own. */
  record: RecordedQuery[] | undefined;
  /** The connections on which it has a transaction on a server. */
  transactions: Set<ServerTransaction> | undefined;
  /** What ends the waits and statements of this owner. */
  signal: AbortSignal | undefined;
  #inner = NO_OWNERS;

  /** @param surrounding the surrounding owner; defaults to that of the code that runs now, null for none */
  constructor(label: string, surrounding: Owner | null = executionContext.getStore()?.owner ?? null) {
    this.label = label;
    this.surrounding = surrounding ?? undefined;
    this.record = surrounding?.record;
  }

  /** Says that the work goes on: those around wait for it. */
  begin(): void {
    if (this.surrounding === undefined) return;
    if (this.surrounding.#inner === NO_OWNERS) this.surrounding.#inner = new Set();
    this.surrounding.#inner.add(this);
  }

  /** Says that the work is over. */
  end(): void {
    if (this.surrounding !== undefined) this.surrounding.#inner.delete(this);
  }

  /** Whether this owner, or work inside its own, waits for anything. */
  get isWaiting(): boolean {
    if (this.waits.size > 0) return true;
    for (const inner of this.#inner) if (inner.isWaiting) return true;
    return false;
  }

  /** Whether another owner is this one, or surrounds it. */
  isWithin(other: Owner): boolean {
    for (let owner: Owner | undefined = this; owner !== undefined; owner = owner.surrounding) {
      if (owner === other) return true;
    }
    return false;
  }

  /** This owner and all that surround it, innermost first. */
  chain(): ReadonlySet<Owner> {
    const chain = new Set<Owner>();
    for (let owner: Owner | undefined = this; owner !== undefined; owner = owner.surrounding) chain.add(owner);
    return chain;
  }

  /** What this owner waits for, itself or by work inside its own. */
  *pendingWaits(): IterableIterator<readonly [Owner, Wait]> {
    for (const wait of this.waits) yield [this, wait];
    for (const inner of this.#inner) yield* inner.pendingWaits();
  }
}

/** Yields an owner, those that surround it, and those in whose work the caller runs: none of them goes on before it is done. */
export function* surroundingOwners(owner: Owner): IterableIterator<Owner> {
  for (let one: Owner | undefined = owner; one !== undefined; one = one.surrounding) yield one;
  for (let one = executionContext.getStore()?.owner; one !== undefined; one = one.surrounding) {
    if (!owner.isWithin(one)) yield one;
  }
  for (let work = enclosing.getStore(); work !== undefined; work = work.around) {
    if (!work.hasEnded && !owner.isWithin(work.owner)) yield work.owner;
  }
}

/** Whether {@link surroundingOwners} gives none but the owner itself. */
export function worksAlone(owner: Owner): boolean {
  if (owner.surrounding !== undefined || (executionContext.getStore()?.owner ?? owner) !== owner) return false;
  const work = enclosing.getStore();
  return work === undefined || (work.owner === owner && work.around === undefined);
}

/** Work of an owner that waits for the code within it, as the function of a transaction does. */
export interface EnclosingWork {
  readonly owner: Owner;
  /** The work in which this one was begun, perhaps of another owner. */
  readonly around: EnclosingWork | undefined;
  /** Whether it has ended, though code that it began may still run. */
  readonly hasEnded: boolean;
}

/** Carries the innermost enclosing work through asynchronous calls. */
export const enclosing = new AsyncLocalStorage<EnclosingWork>();

/** The execution context of the code that runs now. Upper layers store more in it. */
export interface ExecutionContext {
  /** Undefined where nothing is left to wait for. */
  readonly owner: Owner | undefined;
}

/** Carries the execution context through asynchronous calls. */
export const executionContext = new AsyncLocalStorage<ExecutionContext>();
