import { Entity } from "../entity.ts";
import { readRelation } from "./related.ts";

const getters = new WeakSet<() => unknown>();

/** Gives the entities of a class a property for a relation. */
export function defineAccessor(prototype: object, name: string): void {
  const get = function (this: unknown): unknown {
    // A prototype is no entity, though its class is one of entities.
    return this instanceof Entity && !Object.hasOwn(this, "constructor") ? readRelation(this, name) : undefined;
  };
  getters.add(get);
  Object.defineProperty(prototype, name, { configurable: true, enumerable: false, get });
}

/** The names of the relations that a class and those above it have properties for. */
export function accessorNames(prototype: object): ReadonlySet<string> {
  const names = new Set<string>();
  for (let one: object | null = prototype; one !== null; one = Object.getPrototypeOf(one))
    for (const [name, { get }] of Object.entries(Object.getOwnPropertyDescriptors(one)))
      if (get !== undefined && getters.has(get)) names.add(name);
  return names;
}
