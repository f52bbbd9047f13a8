import { keepShape } from "../../kept-shapes.ts";
import type { Entity, StoredRow } from "../../model/entity.ts";

/** A property that the session set: what it was, and what it was set to. */
export interface Filled {
  readonly name: string;
  readonly before: unknown;
  readonly now: unknown;
}

/** What an entity was before a transaction touched its row, and which properties the session has filled in since. */
export interface Undo {
  /** `read`: not changed, but read again, perhaps with what will be rolled back. */
  readonly kind: "inserted" | "updated" | "deleted" | "read";
  /** The row as it was; of an inserted one there was none. */
  readonly row: StoredRow | null;
  readonly filled: readonly Filled[];
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
    const kind = known.kind === "read" ? undo.kind : known.kind;
    this.#entries.set(entity, { kind, row: known.row, filled: continued(known.filled, undo.filled) });
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

keepShape(new UndoLog());

/** What was filled in first, and after that once more. */
function continued(first: readonly Filled[], then: readonly Filled[]): readonly Filled[] {
  if (then.length === 0) return first;
  const all = new Map(first.map((filled) => [filled.name, filled]));
  for (const { name, before, now } of then) {
    const earlier = all.get(name);
    // What the application has set in between is what it was before.
    const isSame = earlier !== undefined && Object.is(earlier.now, before);
    all.set(name, { name, before: isSame ? earlier.before : before, now });
  }
  return [...all.values()];
}
