import { InvalidOptionError } from "../../errors/configuration.ts";
import { quotedName } from "../../errors/name-list.ts";
import type { Mapper } from "../../model/mapper.ts";
import { knownRelations, type Relation, relationsOf } from "../../model/relations/relation.ts";

/** The relations that are asked for, by name, and within each those of its entities. */
export type IncludeTree = ReadonlyMap<string, IncludeTree>;

/** A relation to load, and what to load of the entities that it leads to. */
export interface IncludeStep {
  readonly relation: Relation;
  readonly below: IncludePlan;
}

/** The relations to load. */
export type IncludePlan = readonly IncludeStep[];

/** Deeper than any include that is written out; an object that holds itself has no end. */
const DEEPEST = 20;

/**
 * The names in an include, copied: later changes to the object do not matter.
 *
 * @throws {InvalidOptionError} if it is not an object of names with `true` or such objects
 */
export function includeTree(given: unknown, depth = 1): IncludeTree {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new InvalidOptionError(
      "Expected what to include as an object of relations, such as { posts: true } or { posts: { comments: true } }.",
    );
  }
  if (depth > DEEPEST) throw new InvalidOptionError(`An include goes no deeper than ${DEEPEST} levels.`);
  return new Map(
    Object.entries(given).map(([name, below]) => {
      if (below === true) return [name, new Map()];
      if (typeof below === "object" && below !== null) return [name, includeTree(below, depth + 1)];
      throw new InvalidOptionError(
        `Expected true, or an object of further relations, for ${quotedName(name)} in an include. Leave out what is not to be loaded.`,
      );
    }),
  );
}

/**
 * The relations that a tree names, of a class and those that they lead to.
 *
 * @throws {InvalidOptionError} on a name that is no relation
 */
export function includePlan(mapper: Mapper, tree: IncludeTree): IncludePlan {
  return [...tree].map(([name, below]) => {
    const relation = relationsOf(mapper).get(name);
    if (relation === undefined) {
      const { bindKey } = mapper.table;
      throw new InvalidOptionError(
        `Cannot include ${quotedName(name)}: it is no relation of ${mapper.label}. ${knownRelations(mapper)}`,
        { bindKey },
      );
    }
    return { relation, below: includePlan(relation.target, below) };
  });
}

/** Both trees in one. */
export function mergedTrees(one: IncludeTree, other: IncludeTree): IncludeTree {
  const merged = new Map(one);
  for (const [name, below] of other) merged.set(name, mergedTrees(merged.get(name) ?? new Map(), below));
  return merged;
}
