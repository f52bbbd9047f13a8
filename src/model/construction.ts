import { bindLabel } from "../bind-key.ts";
import { ModelClassError } from "../errors/schema.ts";
import { InvalidValueError } from "../errors/value.ts";
import { findHiddenColumn, sampleRow, takePart } from "./class-trial.ts";
import type { Entity } from "./entity.ts";
import { generated } from "./generated-code.ts";
import type { EntityClass, Mapper } from "./mapper.ts";
import { mayHaveConstructor } from "./own-constructor.ts";
import { unknownProperty } from "./unknown-property.ts";

type Values = Readonly<Record<string, unknown>>;

/** Set while entities are made from rows, whose values need no check. */
let loading = false;
/** The row that an entity is being made of right now, and what sets its columns; gone as soon as it is used. */
let fillingFrom: unknown;
let filling: RowFiller | undefined;
/** Classes that were tried. */
const tried = new WeakSet<EntityClass>();

/** The part of a generated constructor that sets the columns. */
export type ColumnSetter = (entity: Entity, values: Values) => void;

/** Sets the columns of an entity from a row as the driver gave it, which may become what is remembered of it. */
export type RowFiller = (entity: Entity, row: Record<string, unknown>) => void;

/** How the discriminator of a class's entities gets its value. */
export interface FixedProperty {
  readonly name: string;
  readonly value: unknown;
  /** Whether another value may be given: the root's own class may make rows of any identity. */
  readonly overridable: boolean;
}

/** Makes the function that sets an entity's columns, in their order, so that all entities of a class have one shape. */
export function columnSetter(names: readonly string[], fixed: FixedProperty | undefined): ColumnSetter {
  const body = names.map((name) => {
    const key = JSON.stringify(name);
    if (name !== fixed?.name) return `entity[${key}] = values[${key}];`;
    return `entity[${key}] = ${fixed.overridable ? `values[${key}] === undefined ? identity : values[${key}]` : "identity"};`;
  });
  const code = `(entity, values) => { ${body.join(" ")} }`;
  return generated<ColumnSetter>(code, { identity: fixed?.value }) ?? loopingSetter(names, fixed);
}

function loopingSetter(names: readonly string[], fixed: FixedProperty | undefined): ColumnSetter {
  return (entity, values) => {
    const target = entity as unknown as Record<string, unknown>;
    for (const name of names) {
      const given = values[name];
      target[name] = name === fixed?.name && (given === undefined || !fixed.overridable) ? fixed.value : given;
    }
  };
}

/**
 * Sets the columns of an entity that is being made: the part of every entity's constructor that all classes share.
 *
 * @throws {InvalidValueError} on a name that is no column
 */
export function setColumns(entity: Entity, mapper: Mapper, given: unknown): void {
  // A class below the model may make other entities before.
  if (filling !== undefined && given === fillingFrom) {
    const fill = filling;
    filling = undefined;
    fill(entity, given as Record<string, unknown>);
    return;
  }
  const values = loading ? ((given ?? {}) as Values) : checkNewValues(mapper, given);
  mapper.setColumns(entity, values);
  if (loading) takePart(entity);
}

function checkNewValues(mapper: Mapper, values: unknown): Values {
  if (values === undefined) return {};
  if (typeof values !== "object" || values === null) {
    throw new InvalidValueError(
      `Cannot make a new ${mapper.name}: expected an object with the values of its columns.`,
      {
        bindKey: mapper.table.bindKey,
        status: 400,
      },
    );
  }
  for (const name in values) {
    if (!mapper.propertyNames.has(name)) throw unknownProperty(mapper, name);
  }
  const { discriminator, identity, parent } = mapper;
  if (parent !== undefined && discriminator !== undefined) {
    const given = (values as Values)[discriminator];
    if (given !== undefined && given !== identity) {
      throw refused(mapper, discriminator, `always has ${JSON.stringify(identity)} in "${discriminator}"`);
    }
  }
  return values as Values;
}

function refused(mapper: Mapper, column: string, reason: string): InvalidValueError {
  const { bindKey, fullName } = mapper.table;
  return new InvalidValueError(`${mapper.name} (${bindLabel(bindKey)}) ${reason}.`, {
    bindKey,
    table: fullName,
    column,
    status: 400,
  });
}

/**
 * Makes an entity from a row's values, by `new` of the application's class.
 *
 * @throws {ModelClassError} if the class does not let its entities hold the values
 */
export function construct(entityClass: EntityClass, values: Values, mapper: Mapper): Entity {
  if (mapper.soundClass === entityClass) return constructAsLoaded(entityClass, values);
  requireSoundClass(entityClass, mapper);
  const entity = constructAsLoaded(entityClass, values);
  if (mapper.soundClass !== entityClass) compare(entityClass, entity, values, mapper);
  return entity;
}

/** Makes an entity right from a row, of a class of which it is known that it has no constructor. */
export function constructFromRow(entityClass: EntityClass, row: Record<string, unknown>, fill: RowFiller): Entity {
  filling = fill;
  fillingFrom = row;
  try {
    return new entityClass(row);
  } finally {
    filling = undefined;
    fillingFrom = undefined;
  }
}

/**
 * Finds out, once for a class, whether its entities hold what rows give them: a class field may hide a column, and a
 * constructor may keep its argument to itself.
 *
 * @throws {ModelClassError} if they do not
 */
export function requireSoundClass(entityClass: EntityClass, mapper: Mapper): void {
  if (mapper.soundClass === entityClass || tried.has(entityClass)) return;
  const problem = findHiddenColumn(entityClass, mapper, (values) => constructAsLoaded(entityClass, values));
  if (typeof problem === "string") throw unsound(entityClass, mapper, problem);
  tried.add(entityClass);
  if (problem !== undefined) return;
  mapper.soundClass = entityClass;
  mapper.takesRows = !mayHaveConstructor(entityClass);
  // The one that was tried was watched, so it is not like the others.
  mapper.exemplar = constructAsLoaded(entityClass, sampleRow(mapper));
}

function constructAsLoaded(entityClass: EntityClass, values: Values): Entity {
  const before = loading;
  loading = true;
  try {
    return new entityClass(values);
  } finally {
    loading = before;
  }
}

/** Where a class could not be tried, its first row decides. */
function compare(entityClass: EntityClass, entity: Entity, values: Values, mapper: Mapper): void {
  const held = entity as unknown as Values;
  const lost = mapper.properties.find(
    ({ name }) => !Object.is(held[name], values[name]) && name !== mapper.discriminator,
  );
  if (lost !== undefined) throw unsound(entityClass, mapper, lost.name);
  mapper.soundClass = entityClass;
}

function unsound({ name }: EntityClass, mapper: Mapper, column: string): ModelClassError {
  return new ModelClassError(
    `An entity of class ${name} does not hold what its row has in "${column}". Either the class has a field of that name, ` +
      "which hides the column (TypeScript: `declare` it, or leave it out), or its constructor does not pass its argument on to `super`, " +
      "or sets the column itself, also when a row is read.",
    { bindKey: mapper.table.bindKey },
  );
}
