import type { Entity } from "../model/entity.ts";
import { mapperOf } from "../model/entity.ts";
import { loadedSince, readRelation } from "../model/relations/related.ts";
import type { IncludeOf, Loaded, OnlyRelations, Plain } from "../model/relations/relation-types.ts";
import { type IncludePlan, includePlan, includeTree } from "./select/include.ts";

/**
 * Whether relations of an entity are loaded, so that they can be read.
 *
 * @param include relations by name, each `true` or an object of further ones
 * @throws {InvalidOptionError} if a name is no relation
 *
 * @example
 * if (isLoaded(post, { editor: true })) print(post.editor?.name);
 *
 * @see SQLAlchemy: `inspect(obj).unloaded`
 */
export function isLoaded<E extends Entity, const I extends IncludeOf<E>>(
  entity: E,
  include: I & OnlyRelations<I, E>,
): entity is E & Loaded<E, I> {
  return hasLoaded(entity, includePlan(mapperOf(entity), includeTree(include)));
}

function hasLoaded(entity: Entity, plan: IncludePlan): boolean {
  return plan.every(({ relation, below }) => {
    if (loadedSince(entity, relation) === undefined) return false;
    return below.length === 0 || relatedTo(entity, relation.name).every((one) => hasLoaded(one, below));
  });
}

/**
 * A plain object of an entity's columns, and of the loaded relations that are named: for an answer whose shape does not depend
 * on what else was loaded.
 *
 * @param include relations by name, each `true` or an object of further ones
 * @throws {NotLoadedError} if one is not loaded, which the compiler says too
 * @throws {InvalidOptionError} if a name is no relation
 *
 * @example
 * const user = await db.select(User).include({ posts: true }).one();
 * JSON.stringify(toPlain(user, { posts: true }));   // { id, name, …, posts: [{ id, authorId, … }, …] }
 */
export function toPlain<E extends Entity, const I extends IncludeOf<E>>(
  entity: E,
  include: I & OnlyRelations<I, E>,
): Plain<E, I> {
  // Columns and relations are those that the type names.
  return plainOf(entity, includePlan(mapperOf(entity), includeTree(include))) as Plain<E, I>;
}

function plainOf(entity: Entity, plan: IncludePlan): Record<string, unknown> {
  const plain: Record<string, unknown> = { ...entity };
  for (const { relation, below } of plan) {
    const related = relatedTo(entity, relation.name).map((one) => plainOf(one, below));
    plain[relation.name] = relation.isToOne ? (related[0] ?? null) : related;
  }
  return plain;
}

function relatedTo(entity: Entity, name: string): readonly Entity[] {
  const value = readRelation(entity, name) as Entity | null | Iterable<Entity>;
  if (value === null) return [];
  return Symbol.iterator in value ? [...value] : [value];
}
