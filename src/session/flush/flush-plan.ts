import type { Engine } from "../../engine/engine.ts";
import { SessionError } from "../../errors/session.ts";
import { type Entity, mapperOf, rowOf } from "../../model/entity.ts";
import type { MappedProperty, Mapper } from "../../model/mapper.ts";
import type { Metadatas } from "../../schema/metadatas.ts";
import { valuesOf } from "../entities/entity-values.ts";
import { type IdentityKey, identityKeyOf } from "../entities/identity-key.ts";
import { type EngineDirectory, engineOf } from "../routing.ts";
import { orderUnits } from "./flush-order.ts";
import { DeleteUnit, type FlushUnit, InsertUnit, UpdateUnit, updateAfter } from "./flush-unit.ts";
import type { NewValues } from "./new-values.ts";
import { rowDependencies } from "./row-dependencies.ts";
import { tableRanks } from "./table-ranks.ts";
import { valuesToInsert, valuesToTakeOver, valuesToUpdate } from "./values-to-store.ts";

/** What a session has to store. */
export interface PendingWork {
  readonly added: readonly Entity[];
  readonly changed: readonly Entity[];
  readonly deleted: readonly Entity[];
  /** Properties that are stored though their values are those of the rows. */
  readonly touched: ReadonlyMap<Entity, ReadonlySet<string>>;
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
export function planFlush(work: PendingWork, engines: EngineDirectory, metadatas: Metadatas): readonly FlushUnit[] {
  const deletions = new Map<Mapper, Map<IdentityKey, DeleteUnit>>();
  for (const entity of work.deleted) {
    const mapper = mapperOf(entity);
    const unit = new DeleteUnit(entity, mapper, engineFor(mapper, engines));
    const keys = deletions.get(mapper) ?? new Map<IdentityKey, DeleteUnit>();
    keys.set(identityKeyOf(mapper, rowOf(entity)!)!, unit);
    deletions.set(mapper, keys);
  }
  const units: FlushUnit[] = [];
  for (let place = 0; place < work.added.length; place++) {
    const entity = work.added[place]!;
    const mapper = mapperOf(entity);
    const deletion = deletions.size === 0 ? undefined : takenOut(deletions, entity, mapper);
    if (deletion === undefined) addInsert(units, entity, mapper, engineFor(mapper, engines));
    else addTakeOver(units, entity, deletion);
  }
  for (let place = 0; place < work.changed.length; place++) {
    const entity = work.changed[place]!;
    const mapper = mapperOf(entity);
    const engine = engineFor(mapper, engines);
    units.push(
      new UpdateUnit(entity, mapper, engine, valuesToUpdate(entity, mapper, engine, work.touched.get(entity))),
    );
  }
  for (const keys of deletions.values()) units.push(...keys.values());
  units.push(...rowDependencies(units, metadatas));
  return orderUnits(units, tableRanks(metadatas));
}

function engineFor({ table: { bindKey } }: Mapper, engines: EngineDirectory): Engine {
  return engineOf(engines, bindKey);
}

/** The deletion of a row that has the key of a new one: it takes place no more. */
function takenOut(
  deletions: ReadonlyMap<Mapper, Map<IdentityKey, DeleteUnit>>,
  entity: Entity,
  mapper: Mapper,
): DeleteUnit | undefined {
  const key = identityKeyOf(mapper, valuesOf(entity));
  const keys = deletions.get(mapper);
  if (key === undefined || keys === undefined) return undefined;
  const deletion = keys.get(key);
  keys.delete(key);
  return deletion;
}

/** The insert of a row, and the update that fills in what is the row's own generated key. */
function addInsert(units: FlushUnit[], entity: Entity, mapper: Mapper, engine: Engine): void {
  const values = valuesToInsert(entity, mapper, engine);
  const insert = new InsertUnit(entity, mapper, engine, values);
  units.push(insert);
  const own = propertiesWaitingFor(entity, values);
  if (own.size === 0) return;
  const required = [...own].find((property) => property.required);
  if (required !== undefined) throw selfReference(required);
  insert.values = values.withNull(own);
  units.push(updateAfter([insert], insert, values.only(own)));
}

/** The properties of a row that are to be its own key. */
function propertiesWaitingFor(entity: Entity, { waiting }: NewValues): ReadonlySet<MappedProperty> {
  if (waiting.length === 0) return NO_PROPERTIES;
  return new Set(waiting.filter(({ reference }) => reference.entity === entity).map(({ property }) => property));
}

const NO_PROPERTIES: ReadonlySet<MappedProperty> = new Set();

function selfReference({ name, table }: MappedProperty): SessionError {
  return new SessionError(
    `"${table.fullName}.${name}" is to be the generated key of its own row, and may not be null before that is known.`,
    { bindKey: table.bindKey },
  );
}

/** A row that is deleted and inserted with the same key is updated; what refers to the new one itself comes after. */
function addTakeOver(units: FlushUnit[], entity: Entity, { entity: replaced, mapper, engine }: DeleteUnit): void {
  const values = valuesToTakeOver(entity, replaced, mapper, engine);
  const update = new UpdateUnit(entity, mapper, engine, values, replaced);
  units.push(update);
  const own = propertiesWaitingFor(entity, values);
  if (own.size === 0) return;
  update.values = values.without(own);
  units.push(updateAfter([update], update, values.only(own)));
}
