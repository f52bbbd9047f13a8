import { type BindKey, bindLabel } from "../../bind-key.ts";
import { DatabaseTimeoutError, DeadlockError, SelfDeadlockError } from "../../errors/database.ts";
import type { Owner, Wait } from "./owner.ts";

/** What there are a limited number of. */
export interface SlotsDescription {
  readonly bindKey: BindKey;
  /** What one slot is, for messages: `connection`, `writer`. */
  readonly noun: string;
  readonly size: number;
}

/** How long to wait, and what may end the wait early. */
export interface WaitOptions {
  /** In milliseconds. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
  /** The bind that the place is wanted for, where several have the same. */
  readonly bindKey?: BindKey;
}

interface Waiter extends Wait {
  readonly owner: Owner;
  readonly bindKey: BindKey;
  /** Ends the wait with a place. */
  take(): void;
}

/**
 * A limited number of places, given out first come, first served: the connections of a pool, or a file's one writer.
 *
 * A wait that can never end is refused at once: if every place is held by the waiter's own surroundings, or by owners
 * that wait, themselves or through others, for what the waiter holds.
 */
export class FairSemaphore {
  readonly description: SlotsDescription;
  readonly #holders: Owner[] = [];
  readonly #waiters: Waiter[] = [];

  constructor(description: SlotsDescription) {
    this.description = description;
  }

  /** How many places are taken. */
  get held(): number {
    return this.#holders.length;
  }

  /** How many wait for one. */
  get waiting(): number {
    return this.#waiters.length;
  }

  /** Takes a slot if one is free and no other caller waits for it. */
  tryTake(owner: Owner): boolean {
    if (this.#holders.length >= this.description.size || this.#waiters.length > 0) return false;
    this.#holders.push(owner);
    return true;
  }

  /**
   * Takes a place, waiting for it if need be.
   *
   * @throws {SelfDeadlockError} at once, if the place could only come free when the waiter is done
   * @throws {DeadlockError} if others wait in a circle with this owner and it is the youngest
   * @throws {DatabaseTimeoutError} when the time is over
   */
  async take(owner: Owner, { timeout, signal, bindKey = this.description.bindKey }: WaitOptions): Promise<void> {
    signal?.throwIfAborted();
    if (this.tryTake(owner)) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    // An owner's waits are what they are at once: others ask before the owner itself runs again.
    const fail = (error: unknown) => {
      const position = this.#waiters.indexOf(waiter);
      if (position < 0) return;
      this.#waiters.splice(position, 1);
      owner.waits.delete(waiter);
      reject(error);
    };
    const take = () => {
      owner.waits.delete(waiter);
      resolve();
    };
    const waiter: Waiter = { slots: this, owner, bindKey, take, fail };
    this.#waiters.push(waiter);
    owner.waits.add(waiter);
    const timer = setTimeout(() => fail(this.#timedOut(bindKey, timeout)), timeout);
    const abort = () => fail(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    try {
      this.#refuseEndlessWait(waiter);
      await promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    }
  }

  /** Gives a place back, to the first who waits for it. */
  release(owner: Owner): void {
    const position = this.#holders.indexOf(owner);
    if (position < 0) return;
    const next = this.#waiters.shift();
    if (next === undefined) {
      this.#holders.splice(position, 1);
    } else {
      this.#holders[position] = next.owner;
      next.take();
      this.#refuseWaitsFor(next.owner);
    }
  }

  /** Later waiters wait for another owner now: in vain if that owner waits too, or waits for them. */
  #refuseWaitsFor(holder: Owner): void {
    const concerned =
      holder.isWaiting && mayWaitInVain(holder) ? [...this.#waiters] : waitersWithin(this.#waiters, holder);
    for (const waiter of concerned) this.#refuseEndlessWait(waiter);
  }

  /** Ends waits until this one can end, itself or another that is in its way. */
  #refuseEndlessWait(waiter: Waiter): void {
    if (this.willComeFreeFor(waiter.owner)) return;
    while (this.#waiters.includes(waiter)) {
      const chain = waiter.owner.chain();
      const endless = endlessWaits(this, chain);
      if (endless === undefined) return;
      if (this.#holders.every((holder) => chain.has(holder))) {
        waiter.fail(this.#selfDeadlock(waiter));
        return;
      }
      // Every wait in this file is made by a `FairSemaphore`.
      const circle = [waiter, ...(endless as readonly Waiter[])];
      const youngest = circle.reduce((young, other) => (other.owner.age > young.owner.age ? other : young));
      youngest.fail(youngest.slots.#deadlock(youngest));
    }
  }

  /** Whether an owner of a slot waits for nothing, as nearly always. If none does, the circle must be searched. */
  willComeFreeFor(owner: Owner): boolean {
    return this.#holders.some((holder) => !holder.isWaiting && !owner.isWithin(holder));
  }

  /** The owners that have the places. */
  get holders(): readonly Owner[] {
    return this.#holders;
  }

  #what(bindKey: BindKey): string {
    const { noun, size } = this.description;
    return size === 1 ? `the one ${noun} of ${bindLabel(bindKey)}` : `all ${size} ${noun}s of ${bindLabel(bindKey)}`;
  }

  #selfDeadlock({ owner, bindKey }: Waiter): SelfDeadlockError {
    const holders = [...new Set(this.#holders.map(({ label }) => label))].join(", ");
    return new SelfDeadlockError(
      `${owner.label} waits for itself: ${this.#what(bindKey)} ${this.description.size === 1 ? "is" : "are"} held by ${holders}, ` +
        `in whose context ${owner.label} runs. Commit or close the outer session first, or do the work in it.`,
      { bindKey },
    );
  }

  #deadlock({ owner, bindKey }: Waiter): DeadlockError {
    return new DeadlockError(
      `${owner.label} waits for ${this.#what(bindKey)} while others wait for what it holds. As the youngest it gives way: ` +
        "roll back and begin anew. Taking databases in the same order everywhere avoids this.",
      { bindKey, retryable: true },
    );
  }

  #timedOut(bindKey: BindKey, timeout: number): DatabaseTimeoutError {
    const { noun, size } = this.description;
    return new DatabaseTimeoutError(
      `No ${noun} of ${bindLabel(bindKey)} came free within ${timeout / 1000} seconds: ` +
        `${this.held} of ${size} in use, ${this.waiting} waiting. Raise poolSize or poolTimeout, or look for sessions that are not closed.`,
      { bindKey },
    );
  }
}

const NO_WAITERS: readonly Waiter[] = [];

/** Those who are an owner, or inside its work. There may be many who wait, and nearly always none of them is. */
function waitersWithin(waiters: readonly Waiter[], holder: Owner): readonly Waiter[] {
  let within = NO_WAITERS;
  for (let place = 0; place < waiters.length; place++) {
    const { owner } = waiters[place]!;
    if (owner === holder || (owner.surrounding !== undefined && owner.isWithin(holder)))
      within = [...within, waiters[place]!];
  }
  return within;
}

/** Whether an owner waits, itself or by work inside its own, for what will never come free. */
function mayWaitInVain(holder: Owner): boolean {
  for (const [owner, { slots }] of holder.pendingWaits()) {
    if (!slots.willComeFreeFor(owner) && endlessWaits(slots, owner.chain()) !== undefined) return true;
  }
  return false;
}

/**
 * The waits because of which none of the places will ever come free to those in `chain`: each is, directly or through
 * others, for a place of theirs. `undefined` if one will.
 */
function endlessWaits(wanted: FairSemaphore, chain: ReadonlySet<Owner>): readonly Wait[] | undefined {
  const waitsOf = new Map<Owner, readonly Wait[]>();
  const reached = new Set([wanted]);
  for (const slots of reached) {
    for (const holder of slots.holders) {
      if (chain.has(holder) || waitsOf.has(holder)) continue;
      const waits = [...holder.pendingWaits()].map(([, wait]) => wait);
      waitsOf.set(holder, waits);
      for (const wait of waits) reached.add(wait.slots);
    }
  }
  // A place comes free if an owner that has it can go on, and an owner can go on if all that it waits for comes free.
  const free = new Set<FairSemaphore>();
  const goesOn = (holder: Owner) => waitsOf.get(holder)?.every((wait) => free.has(wait.slots)) === true;
  for (let before = -1; free.size > before; ) {
    before = free.size;
    for (const slots of reached) if (slots.holders.some(goesOn)) free.add(slots);
  }
  if (free.has(wanted)) return undefined;
  return [...waitsOf.values()].flat().filter((wait) => !free.has(wait.slots));
}
