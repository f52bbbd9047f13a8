import { requireSoundClass } from "./construction.ts";
import { type EntityClass, type Mapper, mapperOfClass } from "./mapper.ts";
import { requireRelationMembers } from "./relations/relation-members.ts";

/**
 * The mapper of a class that is used to read or store entities: from now on its rows become entities of that class.
 *
 * @throws {UnmappedClassError} if it is no model
 * @throws {ModelClassError} if the model has another class, or this one hides its columns or relations
 * @throws {SchemaError} if relations of a parent class do not lead from its rows
 */
export function resolveMapper(model: unknown): Mapper {
  const mapper = mapperOfClass(model);
  // A class with a mapper is one that constructs entities.
  const entityClass = model as unknown as EntityClass;
  if (mapper.soundClass === entityClass) return mapper;
  mapper.register(entityClass);
  requireSoundClass(entityClass, mapper);
  requireRelationMembers(entityClass, mapper);
  return mapper;
}

/**
 * The mapper of an entity, by its class.
 *
 * @throws {UnmappedClassError} if it is no entity
 * @throws {ModelClassError} as {@link resolveMapper}
 */
export function resolveMapperOfEntity(entity: unknown): Mapper {
  return resolveMapper(typeof entity === "object" && entity !== null ? entity.constructor : undefined);
}
