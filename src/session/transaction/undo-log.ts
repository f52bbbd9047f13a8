import { pinHiddenClass, UNUSED } from "../../hidden-class.ts";
import type { Entity, StoredRow } from "../../model/entity.ts";

/** A property that the session set: what it was, and what it was set to. */
export interface Filled {
  readonly name: string;
  readonly before: unknown;
  readonly now: unknown;
}

/** `read`: not changed, but read again, perhaps with what will be rolled back. */
type Done = "inserted" | "updated" | "deleted" | "read";

/** The state of an entity before a transaction touched its row, and the properties that the session has filled in since. */
export class Undo {
  readonly entity: Entity;
  readonly kind: Done;
  /** The row as it was; of an inserted one there was none. */
  readonly row: StoredRow | null;
  readonly filled: readonly Filled[];

  constructor(entity: Entity, kind: Done, row: StoredRow | null, filled: readonly Filled[]) {
    this.entity = entity;
    this.kind = kind;
    this.row = row;
    this.filled = filled;
  }
}

/** Changes to entities on one bind in a transaction, or in the part of it since a savepoint. */
export class UndoLog {
  readonly #undos: Undo[] = [];
  /** The position of each entity; most transactions end without a lookup. */
  #places: Map<Entity, number> | undefined;

  /** Whether nothing was noted. */
  get isEmpty(): boolean {
    return this.#undos.length === 0;
  }

  /** Notes what an entity was, of which nothing was noted before, as of one that is inserted. */
  noteFirst(undo: Undo): void {
    this.#places?.set(undo.entity, this.#undos.length);
    this.#undos.push(undo);
  }

  /** Records the state of an entity. The first record stays; of filled-in values, the first before and the last now. */
  note(undo: Undo): void {
    this.#places ??= new Map(this.#undos.map(({ entity }, place) => [entity, place]));
    const place = this.#places.get(undo.entity);
    if (place === undefined) {
      this.noteFirst(undo);
      return;
    }
    const { entity, kind, row, filled } = this.#undos[place]!;
    this.#undos[place] = new Undo(entity, kind === "read" ? undo.kind : kind, row, continued(filled, undo.filled));
  }

  /** Takes over what a released savepoint has noted. */
  absorb(inner: UndoLog): void {
    for (const undo of inner.#undos) this.note(undo);
  }

  /** The records, the last first: the order in which they are undone. */
  reversed(): readonly Undo[] {
    return this.#undos.toReversed();
  }

  [Symbol.iterator](): IterableIterator<Undo> {
    return this.#undos.values();
  }
}

pinHiddenClass([new UndoLog(), new Undo(UNUSED, "read", null, [])]);

/** Values that were filled in first, and then again. */
function continued(first: readonly Filled[], then: readonly Filled[]): readonly Filled[] {
  if (then.length === 0) return first;
  const all = new Map(first.map((filled) => [filled.name, filled]));
  for (const { name, before, now } of then) {
    const earlier = all.get(name);
    // A value that the application has set in between is kept as it was before.
    const isSame = earlier !== undefined && Object.is(earlier.now, before);
    all.set(name, { name, before: isSame ? earlier.before : before, now });
  }
  return [...all.values()];
}
