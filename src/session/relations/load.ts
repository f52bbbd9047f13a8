import { UnmappedClassError } from "../../errors/schema.ts";
import { Entity } from "../../model/entity.ts";
import { resolveMapperOfEntity } from "../../model/resolve-mapper.ts";
import { includePlan, includeTree } from "../../query/select/include.ts";
import { READ_OPTIONS, type ReadOptions } from "../../query/select/select-runner.ts";
import type { UnitOfWork } from "../entities/unit-of-work.ts";
import { type Root, requireOwn } from "./relation-loader.ts";

/** How relations of entities are loaded. */
export interface LoadOptions extends ReadOptions {
  /** Whether relations that are loaded are read again. */
  readonly refresh?: boolean | undefined;
}

export const LOAD_OPTIONS: readonly (keyof LoadOptions)[] = [...READ_OPTIONS, "refresh"];

/**
 * The relations to load of one entity, or of a list.
 *
 * @throws {UnmappedClassError} if there is anything else in it
 * @throws {InvalidOptionError} if a name is no relation
 * @throws {SessionError} if an entity does not belong to the session
 */
export function rootsOf(work: UnitOfWork, given: unknown, include: unknown): Root[] {
  const tree = includeTree(include);
  const entities: readonly unknown[] = Array.isArray(given) ? given : [given];
  for (const entity of entities) {
    if (!(entity instanceof Entity))
      throw new UnmappedClassError("Expected an entity to load relations of, or a list of entities.");
    requireOwn(work, entity);
  }
  const byClass = Map.groupBy(entities as readonly Entity[], (entity) => resolveMapperOfEntity(entity));
  return [...byClass].map(([mapper, own]) => ({ entities: new Set(own), plan: includePlan(mapper, tree) }));
}
