import type { Entity } from "../../model/entity.ts";
import type { Mapper } from "../../model/mapper.ts";
import { EntitiesByKey } from "./entities-by-key.ts";
import type { IdentityKey } from "./identity-key.ts";

/**
 * The entities of a session by their rows: one row is one entity, however often it is read.
 *
 * @see SQLAlchemy: `IdentityMap`
 */
export class IdentityMap {
  readonly #byRoot = new Map<Mapper, EntitiesByKey>();

  /** How many entities there are. */
  get size(): number {
    let size = 0;
    for (const entities of this.#byRoot.values()) size += entities.size;
    return size;
  }

  get(mapper: Mapper, key: IdentityKey): Entity | undefined {
    return this.#byRoot.get(mapper.root)?.get(key);
  }

  set(mapper: Mapper, key: IdentityKey, entity: Entity): void {
    this.of(mapper).set(key, entity);
  }

  /** Takes an entity out, if it is the one that the key stands for. */
  delete(mapper: Mapper, key: IdentityKey, entity: Entity): void {
    const entities = this.#byRoot.get(mapper.root);
    if (entities?.get(key) === entity) entities.delete(key);
  }

  /** The entities of a model and its relatives by key, for many look-ups in a row. */
  of(mapper: Mapper): EntitiesByKey {
    let entities = this.#byRoot.get(mapper.root);
    if (entities === undefined) {
      entities = new EntitiesByKey();
      this.#byRoot.set(mapper.root, entities);
    }
    return entities;
  }

  /** The models that entities are of, each with its entities. */
  [Symbol.iterator](): IterableIterator<[Mapper, EntitiesByKey]> {
    return this.#byRoot.entries();
  }

  clear(): void {
    this.#byRoot.clear();
  }
}
