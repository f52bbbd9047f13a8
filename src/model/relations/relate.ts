import { SchemaError } from "../../errors/schema.ts";
import { Entity } from "../entity.ts";
import { type Mapper, mapperOfClass } from "../mapper.ts";
import { readRelation } from "./related.ts";
import { type Relations, relationsOf } from "./relation.ts";
import { type RelationFact, relater } from "./relation-fact.ts";

/**
 * Says the relations of a class, and gives its entities a property for each.
 *
 * @throws {SchemaError} if a relation has the name of another member, or was said before
 */
export function relate(model: unknown, say: unknown): Relations {
  const mapper = mapperOfClass(model);
  // A class with a mapper is one of entities.
  const { prototype } = model as { readonly prototype: object };
  if (typeof say !== "function") {
    throw new SchemaError(
      `Expected the relations of ${mapper.label} from a function: db.relate(Model, (r) => ({ … })).`,
      {
        bindKey: mapper.table.bindKey,
      },
    );
  }
  const facts: unknown = say(relater);
  if (typeof facts !== "object" || facts === null) {
    throw new SchemaError(`Expected the function of db.relate for ${mapper.label} to return an object.`, {
      bindKey: mapper.table.bindKey,
    });
  }
  const relations = relationsOf(mapper);
  for (const [name, fact] of Object.entries(facts)) {
    requireFree(mapper, prototype, name);
    relations.add(name, fact as RelationFact);
    Object.defineProperty(prototype, name, {
      configurable: true,
      enumerable: false,
      get(this: unknown) {
        return this instanceof Entity && this !== prototype ? readRelation(this, name) : undefined;
      },
    });
  }
  return relations;
}

function requireFree(mapper: Mapper, prototype: object, name: string): void {
  if (!(name in prototype)) return;
  throw new SchemaError(
    `Cannot relate ${mapper.label}: "${name}" is a member of its class already, and a relation needs a name of its own.`,
    { bindKey: mapper.table.bindKey },
  );
}
