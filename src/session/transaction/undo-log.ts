import { keepShape, UNUSED } from "../../kept-shapes.ts";
import type { Entity, StoredRow } from "../../model/entity.ts";

/** A property that the session set: what it was, and what it was set to. */
export interface Filled {
  readonly name: string;
  readonly before: unknown;
  readonly now: unknown;
}

/** `read`: not changed, but read again, perhaps with what will be rolled back. */
type Done = "inserted" | "updated" | "deleted" | "read";

/** What an entity was before a transaction touched its row, and which properties the session has filled in since. */
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

/** What a transaction, or the part of it since a savepoint, has done to entities on one bind. */
export class UndoLog {
  readonly #undos: Undo[] = [];
  /** The place of each entity; most transactions end before anybody asks for one. */
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

  /** Notes what an entity was. What is noted first stays; of what was filled in, the first before and the last now. */
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

  /** What was noted, the last first: the order in which it is undone. */
  reversed(): readonly Undo[] {
    return this.#undos.toReversed();
  }

  [Symbol.iterator](): IterableIterator<Undo> {
    return this.#undos.values();
  }
}

keepShape([new UndoLog(), new Undo(UNUSED, "read", null, [])]);

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
