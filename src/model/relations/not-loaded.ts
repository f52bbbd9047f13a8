import { bindLabel } from "../../bind-key.ts";
import { DanglingReferenceError, NotLoadedError } from "../../errors/relation.ts";
import type { Entity } from "../entity.ts";
import type { Relation } from "./relation.ts";

/** The error of a relation that is read before it is loaded. */
export function notLoaded(entity: Entity, relation: Relation): NotLoadedError {
  const { kind, label, name, pairs, place } = relation;
  const variable = relation.owner.name.replace(/\W/g, "") || "entity";
  const test = kind === "belongsTo" ? ` To know whether there is one, read \`${pairs[0]!.own.name}\`.` : "";
  return new NotLoadedError(
    `Cannot read ${label} (${bindLabel(place.bindKey)}): it is not loaded. Include it in the statement, ` +
      `\`.include({ ${name}: true })\`, or load it, \`await session.load(${variable}, { ${name}: true })\`.${test}`,
    { ...place, entity: entity.constructor.name },
  );
}

/** The error of a relation whose key no row has. */
export function dangling(entity: Entity, relation: Relation): DanglingReferenceError {
  const { label, pairs, place, target } = relation;
  const columns = pairs.map(({ own }) => `"${own.name}"`).join(", ");
  return new DanglingReferenceError(
    `Cannot read ${label} (${bindLabel(place.bindKey)}): no row of ${target.label} has the key in ${columns}, or it is of a class ` +
      'that was not asked for. Declare it as `ToOne<… | null>` with `{ missing: "null" }` where that may be.',
    { ...place, entity: entity.constructor.name },
  );
}
