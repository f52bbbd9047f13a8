import type { Entity, StoredRow } from "../../model/entity.ts";

/** A property that the session set: what it was, and what it was set to. */
export interface Filled {
  readonly before: unknown;
  readonly now: unknown;
}

/** What an entity was before a transaction touched its row, and which properties the session has filled in since. */
export interface Undo {
  /** `read`: not changed, but read again, perhaps with what will be rolled back. */
  readonly kind: "inserted" | "updated" | "deleted" | "read";
  /** The row as it was; of an inserted one there was none. */
  readonly row: StoredRow | null;
  readonly filled: Map<string, Filled>;
}

/** What a transaction, or the part of it since a savepoint, has done to entities on one bind. */
export class UndoLog {
  readonly #entries = new Map<Entity, Undo>();

  /** Notes what an entity was. What is noted first stays; of what was filled in, the first before and the last now. */
  note(entity: Entity, undo: Undo): void {
    const known = this.#entries.get(entity);
    if (known === undefined) {
      this.#entries.set(entity, undo);
      return;
    }
    if (known.kind === "read") this.#entries.set(entity, { ...known, kind: undo.kind });
    for (const [name, { before, now }] of undo.filled) {
      const first = known.filled.get(name);
      // What the application has set in between is what it was before.
      const isSame = first !== undefined && Object.is(first.now, before);
      known.filled.set(name, { before: isSame ? first.before : before, now });
    }
  }

  /** Takes over what a released savepoint has noted. */
  absorb(inner: UndoLog): void {
    for (const [entity, undo] of inner.#entries) this.note(entity, undo);
  }

  /** The entries, the last first: the order in which they are undone. */
  reversed(): [Entity, Undo][] {
    return [...this.#entries].reverse();
  }

  [Symbol.iterator](): IterableIterator<[Entity, Undo]> {
    return this.#entries.entries();
  }
}
