import type { Engine } from "../../../engine/engine.ts";
import { SessionError } from "../../../errors/session.ts";
import { type Entity, mapperOf, rowOf } from "../../../model/entity.ts";
import type { MappedProperty, Mapper } from "../../../model/mapper.ts";
import { isWritable } from "../../entities/changes.ts";
import { type IdentityKey, identityKeyOf } from "../../entities/identity-key.ts";
import type { Router } from "../../router.ts";
import { addEdge, DeleteUnit, type FlushUnit, InsertUnit, SEQUENCE, UpdateUnit } from "../flush-unit.ts";
import type { NewValues, Waiting } from "../new-values.ts";
import { isFilledByDatabase, valuesToInsert, valuesToTakeOver, valuesToUpdate } from "../values-to-store.ts";
import { addDependencies } from "./dependencies.ts";
import { keyOfNewRow } from "./key-of-new-row.ts";
import { fillLater, nullableOf } from "./null-in-between.ts";
import { type ConstraintDirectory, constraintsIn } from "./row-constraints.ts";
import { tableRanks } from "./table-ranks.ts";
import { orderUnits } from "./topological-order.ts";

/** The pending work of a session. */
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
 * @throws {SessionError} if rows wait for each other and no column between them may be null
 */
export function planFlush(work: PendingWork, router: Router): readonly FlushUnit[] {
  const { metadatas } = router;
  const constraintsOf = constraintsIn(metadatas);
  const deletions = deletionsOf(work.deleted, router);
  const units: FlushUnit[] = [];
  for (let place = 0; place < work.added.length; place++) {
    const entity = work.added[place]!;
    const mapper = mapperOf(entity);
    const deletion = deletions.size === 0 ? undefined : takenOver(deletions, entity, mapper, constraintsOf);
    if (deletion === undefined) addInsert(units, entity, mapper, router.forKey(mapper.table.bindKey));
    else addTakeOver(units, entity, deletion);
  }
  for (let place = 0; place < work.changed.length; place++) {
    const entity = work.changed[place]!;
    const mapper = mapperOf(entity);
    const engine = router.forKey(mapper.table.bindKey);
    addUpdate(units, entity, mapper, engine, valuesToUpdate(entity, mapper, engine, work.touched.get(entity)));
  }
  for (const keys of deletions.values()) units.push(...keys.values());
  units.push(...addDependencies(units, constraintsOf));
  return orderUnits(units, tableRanks(metadatas), ({ entity, mapper, engine }) => {
    if (constraintsOf(mapper).referredSets.length > 0) return undefined;
    return withoutOwnKey(entity, valuesToInsert(entity, mapper, engine));
  });
}

type Deletions = ReadonlyMap<Mapper, Map<IdentityKey, DeleteUnit>>;

function deletionsOf(entities: readonly Entity[], router: Router): Deletions {
  const deletions = new Map<Mapper, Map<IdentityKey, DeleteUnit>>();
  for (const entity of entities) {
    const mapper = mapperOf(entity);
    const unit = new DeleteUnit(entity, mapper, router.forKey(mapper.table.bindKey));
    const keys = deletions.get(mapper) ?? new Map<IdentityKey, DeleteUnit>();
    keys.set(identityKeyOf(mapper, rowOf(entity)!)!, unit);
    deletions.set(mapper, keys);
  }
  return deletions;
}

/**
 * The deletion of a row that a new one with its key takes over: it takes place no more. Where the database fills in what
 * the new row was not given, it has to be inserted.
 */
function takenOver(
  deletions: Deletions,
  entity: Entity,
  mapper: Mapper,
  constraintsOf: ConstraintDirectory,
): DeleteUnit | undefined {
  const keys = deletions.get(mapper);
  const key = keys && keyOfNewRow(entity, mapper);
  const deletion = key === undefined ? undefined : keys!.get(key);
  if (deletion === undefined) return undefined;
  const left = mapper.properties.filter((property) => isFilledByDatabase(entity, property));
  if (left.length > 0) {
    if (constraintsOf(mapper).referredSets.length === 0) return undefined;
    const lost = left.find(isWritable);
    if (lost !== undefined) throw defaultLost(lost, mapper);
  }
  keys!.delete(key!);
  return deletion;
}

function defaultLost({ name, table }: MappedProperty, mapper: Mapper): SessionError {
  return new SessionError(
    `Cannot update the deleted row of ${mapper.label} to the new one with its key: the new one leaves "${table.fullName}.${name}" to the database, ` +
      "which fills it in for new rows only, and other tables refer to this one, so that the row cannot be deleted first. " +
      `Give "${name}" a value, or change the old entity instead of replacing it.`,
    { bindKey: table.bindKey },
  );
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
  units.push(fillLater(insert, own));
}

/** The properties of a row that are its own key. */
function propertiesWaitingFor(entity: Entity, { waiting }: NewValues): ReadonlySet<MappedProperty> {
  let own: Set<MappedProperty> | undefined;
  for (let place = 0; place < waiting.length; place++) {
    const { property, reference } = waiting[place]!;
    if (reference.entity !== entity) continue;
    own ??= new Set();
    own.add(property);
  }
  return own ?? NO_PROPERTIES;
}

const NO_PROPERTIES: ReadonlySet<MappedProperty> = new Set();

function selfReference({ name, table }: MappedProperty): SessionError {
  return new SessionError(
    `"${table.fullName}.${name}" is the generated key of its own row, and may not be null before that is known.`,
    { bindKey: table.bindKey },
  );
}

/** The update of a row, and another one that fills in what is the row's own changed key. */
function addUpdate(units: FlushUnit[], entity: Entity, mapper: Mapper, engine: Engine, values: NewValues): void {
  const update = new UpdateUnit(entity, mapper, engine, values);
  units.push(update);
  if (values.waiting.length === 0) return;
  const isOwn = ({ property, reference }: Waiting) =>
    reference.entity === entity && values.properties.includes(reference.property) && nullableOf([property]).length > 0;
  const own = new Set(values.waiting.filter(isOwn).map(({ property }) => property));
  if (own.size > 0) units.push(fillLater(update, own));
}

/** A row that is deleted and inserted with the same key is updated; what refers to the new one itself comes after. */
function addTakeOver(units: FlushUnit[], entity: Entity, { entity: replaced, mapper, engine }: DeleteUnit): void {
  const values = valuesToTakeOver(entity, replaced, mapper, engine);
  const update = new UpdateUnit(entity, mapper, engine, values, replaced);
  units.push(update);
  const own = propertiesWaitingFor(entity, values);
  if (own.size === 0) return;
  update.values = values.without(own);
  const fill = new UpdateUnit(entity, mapper, engine, values.only(own), undefined, true);
  addEdge(fill, update, SEQUENCE);
  units.push(fill);
}

/** The values of a new row but for those that an update fills in; `undefined` where these may not be null before. */
function withoutOwnKey(entity: Entity, values: NewValues): NewValues | undefined {
  const own = propertiesWaitingFor(entity, values);
  if (own.size === 0) return values;
  return [...own].some(({ required }) => required) ? undefined : values.withNull(own);
}
