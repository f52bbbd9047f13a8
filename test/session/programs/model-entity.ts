import type { EntityState } from "../../../src/index.ts";
import type { Bind } from "./operations.ts";

/** A key that is not known yet. */
export class Reference {
  readonly to: ModelEntity;

  constructor(to: ModelEntity) {
    this.to = to;
  }
}

/** What an entity holds in its properties. */
export type Values = Record<string, unknown>;

/** A row in a database. */
export interface Row {
  readonly id: number;
  readonly value: number;
  readonly note: string | null;
  readonly stamp: number;
  readonly ref: number | null;
  readonly kind: string;
  /** On the binds that have such a column. */
  readonly code?: number | null;
  /** Counted on one of the binds. */
  readonly version?: number;
}

/** What the session has set, to be taken back where it still stands. */
export interface Filled {
  readonly before: unknown;
  readonly now: unknown;
}

/** What an entity was when a transaction, or one nested in it, began. */
interface Saved {
  readonly row: Row | null;
  readonly filled: ReadonlyMap<string, Filled>;
}

/** What has to be true of one entity. */
export class ModelEntity {
  readonly bind: Bind;
  /** The entity itself. */
  readonly real: object;
  held: Values;
  /** The row as the session knows it. */
  row: Row | null = null;
  isInSession = false;
  isPending = false;
  isToBeDeleted = false;
  isStale = false;
  /** Its row was deleted, and the session has let go of it. */
  isDeleted = false;
  /** The levels of transactions in which its row was inserted, updated, deleted. */
  born: number | undefined;
  updated: number | undefined;
  gone: number | undefined;
  filled = new Map<string, Filled>();
  saved: Saved[] = [];
  /** The key that it was last stored with. */
  lastKey: number | undefined;

  constructor(bind: Bind, real: object, held: Values) {
    this.bind = bind;
    this.real = real;
    this.held = held;
  }

  get state(): EntityState {
    if (!this.isInSession) return this.row === null && !this.isDeleted ? "transient" : "detached";
    if (this.isPending) return "pending";
    return this.gone === undefined ? "persistent" : "deleted";
  }

  get isPersistent(): boolean {
    return this.state === "persistent";
  }

  /** Whether it stands for a row and differs from it. */
  get isChanged(): boolean {
    const { row, held } = this;
    if (row === null) return false;
    return Object.entries(row).some(([name, stored]) => name !== "version" && held[name] !== stored);
  }

  /** Remembers what it is, as what it was when each of these levels began. */
  saveFor(levels: number): void {
    this.saved = Array.from({ length: levels }, () => this.#now());
  }

  /** Remembers what it is, as what it was when one more level began. */
  saveForOneMore(): void {
    this.saved.push(this.#now());
  }

  /** The session sets a property. */
  fill(name: string, now: unknown): void {
    const before = this.held[name];
    if (before === now) return;
    this.held[name] = now;
    const first = this.filled.get(name);
    this.filled.set(name, { before: first !== undefined && first.now === before ? first.before : before, now });
  }

  /** What the session has set is taken back, except where it was changed since. */
  takeBack(): void {
    for (const [name, { before, now }] of this.filled) if (this.held[name] === now) this.held[name] = before;
    this.filled.clear();
  }

  /** It holds what its row says. */
  revert(): void {
    if (this.row !== null) this.held = { ...this.row };
  }

  /** It leaves the session. */
  leave(): void {
    this.isInSession = this.isPending = this.isToBeDeleted = false;
  }

  #now(): Saved {
    return { row: this.row, filled: new Map(this.filled) };
  }
}
