import type { Engine } from "../../engine/engine.ts";
import { NotNullViolationError } from "../../errors/database.ts";
import { SessionError } from "../../errors/session.ts";
import { UndefinedValueError } from "../../errors/value.ts";
import { type Entity, mapperOf, rowOf, type StoredRow } from "../../model/entity.ts";
import type { MappedProperty, Mapper } from "../../model/mapper.ts";
import { isUnchanged, restoreSnapshot, takeSnapshot } from "../../model/snapshot.ts";
import type { Metadatas } from "../../schema/metadatas.ts";
import { type Values, valuesOf } from "../entities/entity-values.ts";
import { type IdentityKey, identityKeyOf } from "../entities/identity-key.ts";
import { changeFinder } from "../reading/row-functions.ts";
import { orderUnits } from "./flush-order.ts";
import {
  AFTER_NOTHING,
  type DeleteUnit,
  type FlushUnit,
  type PropertyChange,
  placeholder,
  type UpdateUnit,
} from "./flush-unit.ts";
import { KeyReference } from "./key-reference.ts";
import { rowDependencies } from "./row-dependencies.ts";
import { tableRanks } from "./table-ranks.ts";

/** What a session has to store. */
export interface PendingWork {
  readonly added: readonly Entity[];
  readonly changed: readonly Entity[];
  readonly deleted: readonly Entity[];
}

/** Whether there is nothing to be stored. */
export function isNothing({ added, changed, deleted }: PendingWork): boolean {
  return added.length + changed.length + deleted.length === 0;
}

/**
 * Reads what has to be stored, once and at once: what changes later belongs to the next flush. Nothing is sent, so a
 * value that a column cannot hold is refused before anything happened.
 *
 * @returns rows in the order in which they can be stored
 * @throws {InvalidValueError | NotNullViolationError | UndefinedValueError} for a value that cannot be stored
 */
export function planFlush(
  work: PendingWork,
  engineFor: (mapper: Mapper) => Engine,
  metadatas: Metadatas,
): readonly FlushUnit[] {
  const deletions = new Map<Mapper, Map<IdentityKey, DeleteUnit>>();
  for (const entity of work.deleted) {
    const mapper = mapperOf(entity);
    const unit: DeleteUnit = { kind: "delete", entity, mapper, engine: engineFor(mapper), after: AFTER_NOTHING };
    const keys = deletions.get(mapper) ?? new Map<IdentityKey, DeleteUnit>();
    keys.set(identityKeyOf(mapper, rowOf(entity)!)!, unit);
    deletions.set(mapper, keys);
  }
  const units: FlushUnit[] = [];
  for (const entity of work.added) {
    const mapper = mapperOf(entity);
    const engine = engineFor(mapper);
    const key = identityKeyOf(mapper, valuesOf(entity));
    const deletion = key === undefined ? undefined : deletions.get(mapper)?.get(key);
    if (deletion === undefined) {
      units.push(...insertUnits(entity, mapper, engine));
    } else {
      deletions.get(mapper)!.delete(key!);
      units.push(...takeOver(entity, deletion));
    }
  }
  for (const entity of work.changed) {
    const mapper = mapperOf(entity);
    const engine = engineFor(mapper);
    const changes = changedValues(entity, mapper, engine);
    units.push({ kind: "update", entity, mapper, engine, changes, after: AFTER_NOTHING });
  }
  for (const keys of deletions.values()) units.push(...keys.values());
  units.push(...rowDependencies(units, metadatas));
  return orderUnits(units, tableRanks(metadatas));
}

/** Whether an entity differs from its row. */
export function isChanged(entity: Entity, mapper: Mapper): boolean {
  let find = changeFinders.get(mapper);
  if (find === undefined) {
    find = changeFinder(mapper.properties.filter((property) => property !== mapper.version && isWritable(property)));
    changeFinders.set(mapper, find);
  }
  return find(entity, rowOf(entity)!);
}

const changeFinders = new WeakMap<Mapper, ReturnType<typeof changeFinder>>();

function isWritable({ column }: MappedProperty): boolean {
  return column.definition.generated === undefined;
}

function differs(property: MappedProperty, values: Values, row: StoredRow): boolean {
  const { name, column } = property;
  return isWritable(property) && !isUnchanged(column.definition.type.kind, values[name], row[name]);
}

/** The insert of a row, and the update that fills in what is the row's own generated key. */
function insertUnits(entity: Entity, mapper: Mapper, engine: Engine): FlushUnit[] {
  const changes = newValues(entity, mapper, engine);
  const own = changes.some(({ reference }) => reference !== undefined)
    ? changes.filter(({ reference }) => reference?.entity === entity)
    : [];
  if (own.length === 0) return [{ kind: "insert", entity, mapper, engine, changes, after: AFTER_NOTHING }];
  const required = own.find(({ property }) => property.required);
  if (required !== undefined) throw selfReference(required.property);
  const first = changes.map((change) => (own.includes(change) ? placeholder(change.property) : change));
  const insert: FlushUnit = { kind: "insert", entity, mapper, engine, changes: first, after: AFTER_NOTHING };
  return [insert, { kind: "update", entity, mapper, engine, changes: own, after: new Map([[insert, []]]) }];
}

function selfReference({ name, table }: MappedProperty): SessionError {
  return new SessionError(
    `"${table.fullName}.${name}" is to be the generated key of its own row, and may not be null before that is known.`,
    { bindKey: table.bindKey },
  );
}

/** A row that is deleted and inserted with the same key is updated; what refers to the new one itself comes after. */
function takeOver(entity: Entity, { entity: replaced, mapper, engine }: DeleteUnit): UpdateUnit[] {
  const row = rowOf(replaced)!;
  const changes = newValues(entity, mapper, engine).filter(
    // What the row holds by now may be something else than the session knows of it.
    ({ property: { table, column } }) => column !== mapper.version?.column && !table.primaryKey.includes(column),
  );
  changes.push(...nextVersion(entity, mapper, row, engine));
  const own = changes.filter(({ reference }) => reference?.entity === entity);
  const known = changes.filter((change) => !own.includes(change));
  const unit: UpdateUnit = { kind: "update", entity, mapper, engine, changes: known, after: AFTER_NOTHING, replaced };
  if (own.length === 0) return [unit];
  return [unit, { kind: "update", entity, mapper, engine, changes: own, after: new Map([[unit, []]]) }];
}

function newValues(entity: Entity, mapper: Mapper, engine: Engine): PropertyChange[] {
  const values = valuesOf(entity);
  const changes: PropertyChange[] = [];
  for (const property of mapper.properties) {
    if (!isWritable(property)) continue;
    const given = values[property.name];
    const value = given === undefined ? missing(property, mapper) : given;
    if (value !== undefined) changes.push(change(property, value, given, engine));
  }
  return changes;
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
    { bindKey: table.bindKey },
  );
}

function changedValues(entity: Entity, mapper: Mapper, engine: Engine): PropertyChange[] {
  const values = valuesOf(entity);
  const row = rowOf(entity)!;
  const changes: PropertyChange[] = [];
  for (const property of mapper.properties) {
    if (property === mapper.version || !differs(property, values, row)) continue;
    const value = values[property.name];
    if (value === undefined) {
      throw property.column.refusal("it was set to undefined; set null, or the value that it had", UndefinedValueError);
    }
    changes.push(change(property, value, value, engine));
  }
  if (mapper.touched.length > 0) {
    const changed = new Set(changes.map(({ property }) => property));
    const tables = new Set(changes.map(({ property }) => property.table));
    for (const property of mapper.touched) {
      if (changed.has(property) || !tables.has(property.table)) continue;
      changes.push(change(property, property.column.definition.onUpdate!(), values[property.name], engine));
    }
  }
  changes.push(...nextVersion(entity, mapper, row, engine));
  return changes;
}

/** The version that an updated row gets; rows without one were stored by others, and begin to count. */
function nextVersion(entity: Entity, { version }: Mapper, row: StoredRow, engine: Engine): PropertyChange[] {
  if (version === undefined) return [];
  const before = row[version.name];
  const next = typeof before === "bigint" ? before + 1n : Number(before ?? 0) + 1;
  return [change(version, next, valuesOf(entity)[version.name], engine)];
}

function change(property: MappedProperty, value: unknown, given: unknown, engine: Engine): PropertyChange {
  if (value instanceof KeyReference) {
    return { property, given, value, snapshot: undefined, written: undefined, reference: value };
  }
  return knownChange(property, value, given, engine);
}

/**
 * A change to a value that is known.
 *
 * @throws {InvalidValueError | NotNullViolationError} if the column cannot hold it
 */
export function knownChange(property: MappedProperty, value: unknown, given: unknown, engine: Engine): PropertyChange {
  const { column, table, name, required } = property;
  if (value === null) {
    if (!required) return { property, given, value, snapshot: null, written: null, reference: undefined };
    throw new NotNullViolationError(`"${table.fullName}.${name}" is null, and the column is not nullable.`, {
      bindKey: table.bindKey,
    });
  }
  const { kind } = column.definition.type;
  const accepted = column.accept(value);
  const written = engine.converter(column).encode(accepted);
  const kept = HAVE_CANONICAL_FORM.has(kind) ? accepted : value;
  return { property, given, value: kept, snapshot: takeSnapshot(kind, kept), written, reference: undefined };
}

/** Kinds of column of which one value can be written in several ways. */
const HAVE_CANONICAL_FORM: ReadonlySet<string> = new Set(["numeric", "uuid", "time", "timestamp"]);

/** The values of some of a row's properties, as the driver takes them. */
export function writtenValues(properties: readonly MappedProperty[], row: StoredRow, engine: Engine): unknown[] {
  return properties.map(({ name, column }) =>
    engine.converter(column).write(restoreSnapshot(column.definition.type.kind, row[name]) ?? null),
  );
}
