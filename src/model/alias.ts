import { AliasedModel } from "./aliased-model.ts";
import type { AliasOf, AnyModel } from "./model-types.ts";
import { resolveMapper } from "./resolve-mapper.ts";

/**
 * Gives a model another name, so that a statement can read it twice. `Model.as(name)` is the same.
 *
 * @throws {UnmappedClassError} if it is not a model
 *
 * @example
 * const boss = alias(Employee, "boss");
 * const pairs = await db.select(Employee).joinAndSelect(boss, "boss.id", "employee.bossId").all();
 *
 * @see SQLAlchemy: `aliased`
 */
export function alias<M extends AnyModel, A extends string>(model: M, name: A): AliasOf<M, A> {
  return new AliasedModel(resolveMapper(model), name) as unknown as AliasOf<M, A>;
}
