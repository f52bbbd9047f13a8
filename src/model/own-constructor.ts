import { Entity, MAPPER } from "./entity.ts";
import type { EntityClass } from "./mapper.ts";

/** Text that a class's source contains if it has a constructor, or if the source is unknown. */
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
