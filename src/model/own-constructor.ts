import { Entity, MAPPER } from "./entity.ts";
import type { EntityClass } from "./mapper.ts";

/** What a class's text has in it if it has a constructor, or if it is not known. */
const PERHAPS_A_CONSTRUCTOR = /constructor|\\u|\[native code\]/;

/**
 * Whether a class of the application may have a constructor, which would see what its entities are made of. One that has
 * none sets the columns before it runs anything of its own.
 */
export function mayHaveConstructor(entityClass: EntityClass): boolean {
  for (let one: object = entityClass; one !== Entity; one = Object.getPrototypeOf(one)) {
    const isModel = Object.hasOwn(one, MAPPER);
    if (!isModel && PERHAPS_A_CONSTRUCTOR.test(Function.prototype.toString.call(one))) return true;
  }
  return false;
}
