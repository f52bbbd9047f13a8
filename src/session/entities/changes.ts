import { type Entity, rowOf } from "../../model/entity.ts";
import { generated } from "../../model/generated-code.ts";
import type { MappedProperty, Mapper } from "../../model/mapper.ts";
import { differenceFinder, isRememberedAsItself, isUnchanged } from "../../model/snapshot.ts";
import { valuesOf } from "./entity-values.ts";

type Values = Readonly<Record<string, unknown>>;

/** How changes of entities of one class are found. Made once for a class. */
interface ChangeFinder {
  /** Whether an entity differs from its row. */
  isChanged(entity: Entity, row: Values): boolean;
  /** The properties in which it does, in their order. */
  changed(entity: Entity, row: Values): MappedProperty[];
}

const finders = new WeakMap<Mapper, ChangeFinder>();

/** Whether an entity differs from its row. */
export function isChanged(entity: Entity, mapper: Mapper): boolean {
  return finderOf(mapper).isChanged(entity, rowOf(entity)!);
}

/** The properties in which an entity differs from its row, in order, without its version. */
export function changedProperties(entity: Entity, mapper: Mapper): MappedProperty[] {
  return finderOf(mapper).changed(entity, rowOf(entity)!);
}

/** Whether the application can give a property a value: the database calculates the others. */
export function isWritable({ column }: MappedProperty): boolean {
  return column.definition.generated === undefined;
}

function finderOf(mapper: Mapper): ChangeFinder {
  let finder = finders.get(mapper);
  if (finder === undefined) {
    finder = changeFinder(mapper.properties.filter((property) => property !== mapper.version && isWritable(property)));
    finders.set(mapper, finder);
  }
  return finder;
}

function changeFinder(properties: readonly MappedProperty[]): ChangeFinder {
  const constants: Record<string, unknown> = {};
  const conditions = properties.map((property, index) => {
    constants[`property${index}`] = property;
    return differenceCode(property, index, constants);
  });
  const any = conditions.map((condition) => `(${condition})`).join(" || ") || "false";
  const all = conditions.map((condition, index) => `if (${condition}) changed.push(property${index});`).join(" ");
  const code = `({
    isChanged: (entity, row) => ${any},
    changed: (entity, row) => { const changed = []; ${all} return changed; },
  })`;
  return generated<ChangeFinder>(code, constants) ?? loopingFinder(properties);
}

/** Writes the code that tells whether an `entity` differs from its `row` in a property; what it names is put among the constants. */
export function differenceCode(
  { name, column }: MappedProperty,
  index: number,
  constants: Record<string, unknown>,
): string {
  constants[`differs${index}`] = differenceFinder(column.definition.type.kind);
  const [held, before] = [`entity[${JSON.stringify(name)}]`, `row[${JSON.stringify(name)}]`];
  // Null and undefined differ from each other and from everything else.
  if (!isRememberedAsItself(column.definition.type.kind))
    return `(${held} == null || ${before} == null ? ${held} !== ${before} : differs${index}(${held}, ${before}))`;
  return `${held} !== ${before} && (${held} == null || ${before} == null || differs${index}(${held}, ${before}))`;
}

function loopingFinder(properties: readonly MappedProperty[]): ChangeFinder {
  const differs = (entity: Entity, row: Values) => {
    const held = valuesOf(entity);
    return ({ name, column }: MappedProperty) => !isUnchanged(column.definition.type.kind, held[name], row[name]);
  };
  return {
    isChanged: (entity, row) => properties.some(differs(entity, row)),
    changed: (entity, row) => properties.filter(differs(entity, row)),
  };
}
