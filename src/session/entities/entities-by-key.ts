import { pinHiddenClass } from "../../hidden-class.ts";
import type { Entity } from "../../model/entity.ts";
import type { IdentityKey } from "./identity-key.ts";

const NO_KEYS: number[] = [];
const NO_ENTITIES: Entity[] = [];

/**
 * Entities by the keys of their rows. Rows mostly come in the order of their keys: for as long as each key is a number
 * above the one before, two lists are enough, which take less time and memory than a map.
 */
export class EntitiesByKey {
  #keys: number[] = NO_KEYS;
  #entities: Entity[] = NO_ENTITIES;
  #map: Map<IdentityKey, Entity> | undefined;

  /** How many entities there are. */
  get size(): number {
    return this.#map?.size ?? this.#entities.length;
  }

  /** The entities, in the order in which they came. */
  get list(): readonly Entity[] {
    return this.#map === undefined ? this.#entities : [...this.#map.values()];
  }

  get(key: IdentityKey): Entity | undefined {
    if (this.#map !== undefined) return this.#map.get(key);
    if (typeof key !== "number" || this.#isAboveAll(key)) return undefined;
    const place = this.#placeOf(key);
    return this.#keys[place] === key ? this.#entities[place] : undefined;
  }

  set(key: IdentityKey, entity: Entity): void {
    if (this.#map !== undefined || typeof key !== "number" || !this.#isAboveAll(key)) {
      this.#asMap().set(key, entity);
    } else if (this.#keys.length === 0) {
      // Pushed onto an empty list, the first would make room for many.
      this.#keys = [key];
      this.#entities = [entity];
    } else {
      this.#keys.push(key);
      this.#entities.push(entity);
    }
  }

  delete(key: IdentityKey): void {
    this.#asMap().delete(key);
  }

  #isAboveAll(key: number): boolean {
    const last = this.#keys.length - 1;
    return last < 0 || key > this.#keys[last]!;
  }

  /** The first place whose key is not below this one. */
  #placeOf(key: number): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#keys[middle]! < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #asMap(): Map<IdentityKey, Entity> {
    if (this.#map === undefined) {
      this.#map = new Map(this.#keys.map((key, place) => [key, this.#entities[place]!]));
      this.#keys = NO_KEYS;
      this.#entities = NO_ENTITIES;
    }
    return this.#map;
  }
}

pinHiddenClass(new EntitiesByKey());
