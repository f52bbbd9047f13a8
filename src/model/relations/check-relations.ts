import { resolveMapper } from "../resolve-mapper.ts";
import type { Relations } from "./relation.ts";

/**
 * Resolves all relations that a class says, and tries the class.
 *
 * @throws {SchemaError} if one does not fit the models
 * @throws {ModelClassError} if a class field hides one
 */
export function checkRelations(relations: Relations): void {
  for (const name of relations.ownNames) relations.get(name);
  for (const mapper of relations.owner.family()) if (mapper.isRegistered) resolveMapper(mapper.entityClass);
}

/**
 * Resolves those whose classes are defined by now; the others are resolved at their first use.
 *
 * @throws {SchemaError} if one does not fit the models
 */
export function checkWhatIsDefined(relations: Relations): void {
  for (const name of relations.ownNames) {
    try {
      relations.get(name);
    } catch (error) {
      // A class is asked for before the module that defines it has run.
      if (!(error instanceof ReferenceError)) throw error;
    }
  }
}
