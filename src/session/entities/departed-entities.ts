import type { Entity } from "../../model/entity.ts";

/** How many entities are remembered before those that are gone are looked for. */
const FIRST_LIMIT = 256;

/**
 * Entities that have left a session without changes, as long as the application holds them: a change of one is stored only
 * if it is added again. Holds none of them alive.
 */
export class DepartedEntities {
  #entities: WeakRef<Entity>[] = [];
  #limit = FIRST_LIMIT;

  /** Remembers an entity that leaves. */
  add(entity: Entity): void {
    if (this.#entities.length >= this.#limit) {
      this.#entities = this.#entities.filter((reference) => reference.deref() !== undefined);
      this.#limit = Math.max(FIRST_LIMIT, this.#entities.length * 2);
    }
    this.#entities.push(new WeakRef(entity));
  }

  /** The entities that the application still holds. */
  *held(): IterableIterator<Entity> {
    for (const reference of this.#entities) {
      const entity = reference.deref();
      if (entity !== undefined) yield entity;
    }
  }
}
