import { ModelClassError, SchemaError } from "../../errors/schema.ts";
import type { EntityClass, Mapper } from "../mapper.ts";
import { relationsOf } from "./relation.ts";
import { accessorNames } from "./relation-accessor.ts";
import { quotedNames } from "./relation-sides.ts";

/**
 * Checks that entities of a class show its relations.
 *
 * @throws {ModelClassError} if a class field hides one
 * @throws {SchemaError} if one is of a parent class whose rows are in another table
 */
export function requireRelationMembers({ name, prototype }: EntityClass, mapper: Mapper): void {
  const { bindKey, label } = mapper.table;
  const { names } = relationsOf(mapper);
  for (const relation of names) requireNoField(mapper, relation, name);
  const strangers = [...accessorNames(prototype)].filter((accessor) => !names.includes(accessor));
  if (strangers.length === 0) return;
  throw new SchemaError(
    `${name} has a table of its own, ${label}, so the relations of its parent class do not lead from its rows. ` +
      `Say them anew: \`db.relate(${name}, (r) => ({ … }))\` with ${quotedNames(strangers)}.`,
    { bindKey },
  );
}

/** @throws {ModelClassError} if a class field hides a relation */
export function requireNoField(mapper: Mapper, relation: string, className: string): void {
  if (mapper.exemplar === undefined || !Object.hasOwn(mapper.exemplar, relation)) return;
  throw new ModelClassError(
    `A field of class ${className} hides its relation "${relation}". Write it with \`declare\`, which leaves no field: ` +
      `\`declare readonly ${relation}: …\`.`,
    { bindKey: mapper.table.bindKey },
  );
}
