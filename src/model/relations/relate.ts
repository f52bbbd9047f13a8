import { SchemaError } from "../../errors/schema.ts";
import { registerClass } from "../define-model.ts";
import { type Mapper, mapperOfClass } from "../mapper.ts";
import { type Relations, relationsOf } from "./relation.ts";
import { accessorNames, defineAccessor } from "./relation-accessor.ts";
import { type RelationFact, relater } from "./relation-fact.ts";
import { requireNoField } from "./relation-members.ts";

/**
 * Says the relations of a class, and gives its entities a property for each.
 *
 * @param given the function that makes the facts; before it the parent class whose relations it leaves out
 * @throws {SchemaError} if a relation has the name of another member, or was said before
 * @throws {ModelClassError} if a class field hides one
 */
export function relate(model: unknown, given: readonly unknown[]): Relations {
  const mapper = mapperOfClass(model);
  const { bindKey } = mapper.table;
  const say = given.at(-1);
  if (typeof say !== "function" || given.length > 2) {
    throw new SchemaError(
      `Expected the relations of ${mapper.label} from a function: db.relate(Model, (r) => ({ … })).`,
      { bindKey },
    );
  }
  if (given.length === 2) requireParent(mapper, given[0]);
  const facts: unknown = say(relater);
  if (typeof facts !== "object" || facts === null) {
    throw new SchemaError(`Expected the function of db.relate for ${mapper.label} to return an object.`, { bindKey });
  }
  registerClass(model);
  // A class with a mapper is one of entities.
  const { name: className, prototype } = model as { readonly name: string; readonly prototype: object };
  const relations = relationsOf(mapper);
  for (const [name, fact] of Object.entries(facts)) {
    requireFree(mapper, prototype, name);
    requireNoField(mapper, name, className);
    relations.add(name, fact as RelationFact);
    defineAccessor(prototype, name);
  }
  return relations;
}

function requireParent(mapper: Mapper, parent: unknown): void {
  const other = mapperOfClass(parent);
  if (mapper !== other && mapper.isA(other)) return;
  throw new SchemaError(
    `Cannot leave the relations of ${mapper.label} to ${other.label}: its rows are not rows of that class. ` +
      "Say all of them: db.relate(Model, (r) => ({ … })).",
    { bindKey: mapper.table.bindKey },
  );
}

/** A relation may take the place of one of a parent class whose rows are in another table. */
function requireFree(mapper: Mapper, prototype: object, name: string): void {
  if (!(name in prototype) || accessorNames(prototype).has(name)) return;
  throw new SchemaError(
    `Cannot relate ${mapper.label}: "${name}" is a member of its class already, and a relation needs a name of its own.`,
    { bindKey: mapper.table.bindKey },
  );
}
