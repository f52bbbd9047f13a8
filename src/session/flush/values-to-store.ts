import type { Engine } from "../../engine/engine.ts";
import { NotNullViolationError } from "../../errors/database.ts";
import { UndefinedValueError } from "../../errors/value.ts";
import { type Entity, rowOf, type StoredRow } from "../../model/entity.ts";
import type { MappedProperty, Mapper } from "../../model/mapper.ts";
import { changedProperties, isWritable } from "../entities/changes.ts";
import { valuesOf } from "../entities/entity-values.ts";
import { refuseChangedIdentity, requireOwnIdentity } from "./discriminator.ts";
import { type NewValues, ValuesDraft } from "./new-values.ts";
import { usualChanges, usualValues } from "./usual-values.ts";

/**
 * The values of a new row.
 *
 * @throws {InvalidValueError | NotNullViolationError} for a value that cannot be stored
 */
export function valuesToInsert(entity: Entity, mapper: Mapper, engine: Engine): NewValues {
  const usual = usualValues(entity, mapper, engine);
  if (usual !== undefined) return usual;
  const draft = new ValuesDraft(engine);
  addNewValues(draft, entity, mapper, mapper.properties);
  return draft.values;
}

/**
 * The values of a row that takes the place of a deleted one with the same key.
 *
 * @throws {InvalidValueError | NotNullViolationError} for a value that cannot be stored
 */
export function valuesToTakeOver(entity: Entity, replaced: Entity, mapper: Mapper, engine: Engine): NewValues {
  const draft = new ValuesDraft(engine);
  // The row may differ from what the session knows of it.
  const given = mapper.properties.filter(
    ({ table, column }) => column !== mapper.version?.column && !table.primaryKey.includes(column),
  );
  addNewValues(draft, entity, mapper, given);
  addNextVersion(draft, entity, mapper, rowOf(replaced)!);
  return draft.values;
}

/**
 * The values in which an entity differs from its row, and those that change with them.
 *
 * @param touched the names of properties that are stored though they do not differ
 * @throws {InvalidValueError | NotNullViolationError | UndefinedValueError} for a value that cannot be stored
 */
export function valuesToUpdate(
  entity: Entity,
  mapper: Mapper,
  engine: Engine,
  touched: ReadonlySet<string> | undefined,
): NewValues {
  const usual = touched === undefined ? usualChanges(entity, mapper, engine) : undefined;
  if (usual !== undefined) return usual;
  const values = valuesOf(entity);
  const changed = propertiesToUpdate(entity, mapper, touched);
  const draft = new ValuesDraft(engine);
  for (const property of changed) {
    const value = values[property.name];
    if (property.name === mapper.discriminator && mapper.isPolymorphic) refuseChangedIdentity(mapper, property);
    if (value === undefined) {
      throw property.column.refusal("it was set to undefined; set null, or the value that it had", {
        ErrorClass: UndefinedValueError,
      });
    }
    draft.add(property, value, value);
  }
  if (mapper.touched.length > 0) {
    const tables = new Set(changed.map(({ table }) => table));
    for (const property of mapper.touched) {
      if (changed.includes(property) || !tables.has(property.table)) continue;
      draft.add(property, property.column.definition.onUpdate!(), values[property.name]);
    }
  }
  addNextVersion(draft, entity, mapper, rowOf(entity)!);
  return draft.values;
}

/** The properties in which an entity differs from its row and those that were touched, in their order. */
function propertiesToUpdate(
  entity: Entity,
  mapper: Mapper,
  touched: ReadonlySet<string> | undefined,
): readonly MappedProperty[] {
  const changed = changedProperties(entity, mapper);
  if (touched === undefined) return changed;
  return mapper.properties.filter((property) => changed.includes(property) || touched.has(property.name));
}

function addNewValues(draft: ValuesDraft, entity: Entity, mapper: Mapper, properties: readonly MappedProperty[]): void {
  const values = valuesOf(entity);
  for (const property of properties) {
    if (!isWritable(property)) continue;
    const given = values[property.name];
    if (property.name === mapper.discriminator) requireOwnIdentity(mapper, property, given);
    const value = given === undefined ? missing(property, mapper) : given;
    if (value !== undefined) draft.add(property, value, given);
  }
}

/** Whether the database fills in a property of a new row, beside its key. */
export function isFilledByDatabase(entity: Entity, property: MappedProperty): boolean {
  const { name, column, table } = property;
  if (valuesOf(entity)[name] !== undefined || table.primaryKey.includes(column)) return false;
  if (!isWritable(property)) return true;
  const { default: made, serverDefault, automatic, version } = column.definition;
  return version !== true && made === undefined && (serverDefault !== undefined || automatic === true);
}

/** The value of a new row's column that was given none; `undefined` where the database fills it. */
function missing({ name, column, required, table }: MappedProperty, mapper: Mapper): unknown {
  const { default: made, serverDefault, version, type, automatic } = column.definition;
  if (version === true) return type.kind === "bigint" ? 1n : 1;
  if (made !== undefined) return made();
  if (serverDefault !== undefined || automatic === true || column === table.generatedKey) return undefined;
  // A joined child's key is its parent's.
  if (table !== mapper.root.table && table.primaryKey.includes(column)) return undefined;
  if (!required) return null;
  throw new NotNullViolationError(
    `"${table.fullName}.${name}" of a new ${mapper.label} has no value, and the column is not nullable.`,
    { bindKey: table.bindKey, table: table.fullName, columns: [name] },
  );
}

/** The version that an updated row gets; rows without one were stored by others, and begin to count. */
function addNextVersion(draft: ValuesDraft, entity: Entity, { version }: Mapper, row: StoredRow): void {
  if (version === undefined) return;
  const before = row[version.name];
  const next = typeof before === "bigint" ? before + 1n : Number(before ?? 0) + 1;
  draft.add(version, next, valuesOf(entity)[version.name]);
}
