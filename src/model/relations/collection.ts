import { inspect } from "node:util";
import { type Entity, rowOf } from "../entity.ts";
import type { HeldReading } from "./held-reading.ts";
import { notLoaded } from "./not-loaded.ts";
import type { Relation } from "./relation.ts";

const NONE: readonly Entity[] = Object.freeze([]);

/** The entities that a to-many relation leads to: a list that can be read once it is loaded. */
export class Collection implements Iterable<Entity> {
  readonly #entity: Entity;
  readonly #relation: Relation;
  readonly #held: HeldReading<readonly Entity[]>;

  constructor(entity: Entity, relation: Relation, held: HeldReading<readonly Entity[]>) {
    this.#entity = entity;
    this.#relation = relation;
    this.#held = held;
  }

  get isLoaded(): boolean {
    return this.#known !== undefined;
  }

  /** @throws {NotLoadedError} before it is loaded, as all that follow */
  get items(): readonly Entity[] {
    const items = this.#known;
    if (items === undefined) throw notLoaded(this.#entity, this.#relation);
    return items;
  }

  get length(): number {
    return this.items.length;
  }

  at(index: number): Entity | undefined {
    return this.items.at(index);
  }

  has(entity: unknown): boolean {
    return (this.items as readonly unknown[]).includes(entity);
  }

  map<U>(change: (item: Entity, index: number) => U): U[] {
    return this.items.map(change);
  }

  filter(keep: (item: Entity, index: number) => boolean): Entity[] {
    return this.items.filter(keep);
  }

  find(test: (item: Entity, index: number) => boolean): Entity | undefined {
    return this.items.find(test);
  }

  [Symbol.iterator](): Iterator<Entity> {
    return this.items[Symbol.iterator]();
  }

  toJSON(): readonly Entity[] {
    return this.items;
  }

  [inspect.custom](): string {
    return `ToMany(${this.isLoaded ? this.length : "not loaded"})`;
  }

  /** Nothing refers to an entity that has no row. */
  get #known(): readonly Entity[] | undefined {
    return this.#held.value ?? (rowOf(this.#entity) === null ? NONE : undefined);
  }
}
