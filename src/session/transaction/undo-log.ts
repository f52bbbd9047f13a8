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

interface Entry {
  readonly entity: Entity;
  undo: Undo;
}

/** What a transaction, or the part of it since a savepoint, has done to entities on one bind. */
export class UndoLog {
  readonly #entries: Entry[] = [];
  /** The entries by their entities; most transactions end before anybody asks for one. */
  #byEntity: Map<Entity, Entry> | undefined;

  /** Whether nothing was noted. */
  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  /** Notes what an entity was, of which nothing was noted before, as of one that is inserted. */
  noteFirst(entity: Entity, undo: Undo): void {
    const entry: Entry = { entity, undo };
    this.#entries.push(entry);
    this.#byEntity?.set(entity, entry);
  }

  /** Notes what an entity was. What is noted first stays; of what was filled in, the first before and the last now. */
  note(entity: Entity, undo: Undo): void {
    this.#byEntity ??= new Map(this.#entries.map((entry) => [entry.entity, entry]));
    const known = this.#byEntity.get(entity);
    if (known === undefined) {
      this.noteFirst(entity, undo);
      return;
    }
    const { kind, row, filled } = known.undo;
    known.undo = { kind: kind === "read" ? undo.kind : kind, row, filled: continued(filled, undo.filled) };
  }

  /** Takes over what a released savepoint has noted. */
  absorb(inner: UndoLog): void {
    for (const { entity, undo } of inner.#entries) this.note(entity, undo);
  }

  /** The entries, the last first: the order in which they are undone. */
  reversed(): readonly Entry[] {
    return this.#entries.toReversed();
  }

  [Symbol.iterator](): IterableIterator<Entry> {
    return this.#entries.values();
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
