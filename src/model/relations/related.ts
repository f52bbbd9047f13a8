import {
  type Entity,
  type LoadedRelations,
  mapperOf,
  ownerOf,
  relationsLoadedOf,
  rowOf,
  setRelationsLoaded,
} from "../entity.ts";
import { isUnchanged, takeSnapshot } from "../snapshot.ts";
import { Collection } from "./collection.ts";
import { HeldReading, type ReadTime } from "./held-reading.ts";
import { dangling, notLoaded } from "./not-loaded.ts";
import { type Relation, relationOf } from "./relation.ts";

type Values = Readonly<Record<string, unknown>>;

/** The entity that was read for a to-one relation; null where no row was found. */
interface One {
  readonly target: Entity | null;
  /** The values of the relation's own columns then. */
  readonly key: readonly unknown[];
}

interface HeldMany {
  readonly reading: HeldReading<readonly Entity[]>;
  readonly collection: Collection;
}

interface HeldOne {
  readonly reading: HeldReading<One>;
}

/** Values of an entity's columns. */
function valuesIn(entity: Entity): Values {
  // The columns are the entity's own properties.
  return entity as unknown as Values;
}

/** What stands for a key that is not known yet says whose it is. */
function isReference(value: unknown): value is { readonly entity: Entity } {
  return typeof value === "object" && value !== null && "entity" in value && "property" in value;
}

/**
 * The value of a relation as the application reads it. The database is never asked.
 *
 * @throws {NotLoadedError} for a to-one relation that is not loaded
 * @throws {DanglingReferenceError} for one whose key no row has
 */
export function readRelation(entity: Entity, name: string): unknown {
  const relation = relationOf(mapperOf(entity), name);
  if (!relation.isToOne) return collectionOf(entity, relation);
  return relation.kind === "belongsTo" ? readParent(entity, relation) : readOnly(entity, relation);
}

/** A parent follows its column: the column may have been written since the parent was loaded. */
function readParent(entity: Entity, relation: Relation): Entity | null {
  const values = valuesIn(entity);
  const own = relation.pairs.map((pair) => values[pair.own.name]);
  if (own.some((value) => value === null || value === undefined)) return null;
  const reference = own.find(isReference);
  if (reference !== undefined) return reference.entity;
  const held = heldOne(entity, relation)?.value;
  const isHeld = held !== undefined && isSameKey(relation, values, held.key);
  if (isHeld && held.target !== null && isWith(held.target, entity)) return held.target;
  const known = knownParent(entity, relation);
  if (known !== undefined) return known;
  if (!isHeld) throw notLoaded(entity, relation);
  if (held.target === null && !relation.missingIsNull) throw dangling(entity, relation);
  return held.target;
}

function readOnly(entity: Entity, relation: Relation): Entity | null {
  const held = heldOne(entity, relation)?.value;
  if (held !== undefined) return held.target;
  if (rowOf(entity) === null) return null;
  throw notLoaded(entity, relation);
}

/** Whether two entities belong to the same session, or both to none. */
function isWith(one: Entity, other: Entity): boolean {
  return ownerOf(one) === ownerOf(other);
}

/** The parent that the session of an entity has, where it is found by its primary key. */
export function knownParent(entity: Entity, relation: Relation): Entity | undefined {
  if (!relation.isByKey) return undefined;
  const { target, pairs } = relation;
  const values = valuesIn(entity);
  const key = target.key.map((property) => values[pairs.find(({ other }) => other === property)!.own.name]);
  const known = ownerOf(entity)?.findByKey(target, key);
  return known !== undefined && mapperOf(known).isA(target) ? known : undefined;
}

function isSameKey({ pairs }: Relation, values: Values, key: readonly unknown[]): boolean {
  return pairs.every(({ own }, index) => isUnchanged(own.column.definition.type.kind, values[own.name], key[index]));
}

function heldOne(entity: Entity, { name }: Relation): HeldReading<One> | undefined {
  // Under the name of a to-one relation nothing else is kept.
  return (relationsLoadedOf(entity)?.get(name) as HeldOne | undefined)?.reading;
}

function heldMany(entity: Entity, relation: Relation): HeldMany {
  const relations = loadedOf(entity);
  // Under the name of a to-many relation nothing else is kept.
  let held = relations.get(relation.name) as HeldMany | undefined;
  if (held === undefined) {
    const reading = new HeldReading<readonly Entity[]>();
    held = { reading, collection: new Collection(entity, relation, reading) };
    relations.set(relation.name, held);
  }
  return held;
}

function collectionOf(entity: Entity, relation: Relation): Collection {
  return heldMany(entity, relation).collection;
}

function loadedOf(entity: Entity): LoadedRelations {
  let relations = relationsLoadedOf(entity);
  if (relations === null) {
    relations = new Map();
    setRelationsLoaded(entity, relations);
  }
  return relations;
}

/**
 * Whether a relation can be read, and since when: see {@link ReadTime}; 0 where it should be read again because an entity
 * has left the session, and without end where only the entity's own column tells.
 */
export function loadedSince(entity: Entity, relation: Relation): number | undefined {
  if (!relation.isToOne) {
    const { collection, reading } = heldMany(entity, relation);
    if (!collection.isLoaded) return undefined;
    return collection.items.every((item) => isWith(item, entity)) ? (reading.since ?? 0) : 0;
  }
  const reading = heldOne(entity, relation);
  const held = reading?.value;
  const hasLeft = held != null && held.target !== null && !isWith(held.target, entity);
  if (relation.kind === "hasOne") {
    if (held === undefined) return rowOf(entity) === null ? 0 : undefined;
    return hasLeft ? 0 : reading!.since;
  }
  const values = valuesIn(entity);
  const own = relation.pairs.map((pair) => values[pair.own.name]);
  if (own.some((value) => value === null || value === undefined || isReference(value))) return Number.POSITIVE_INFINITY;
  if (held !== undefined && isSameKey(relation, values, held.key)) return hasLeft ? 0 : reading!.since;
  return knownParent(entity, relation) === undefined ? undefined : 0;
}

/** Keeps what was read for a to-one relation. */
export function fillOne(entity: Entity, relation: Relation, target: Entity | null, time: ReadTime): void {
  const values = valuesIn(entity);
  const key = relation.pairs.map(({ own }) => {
    const value = values[own.name];
    return value === null || value === undefined ? value : takeSnapshot(own.column.definition.type.kind, value);
  });
  const relations = loadedOf(entity);
  const reading = heldOne(entity, relation) ?? new HeldReading<One>();
  reading.keep({ target, key }, time);
  relations.set(relation.name, { reading } satisfies HeldOne);
}

/** Keeps what was read for a to-many relation. */
export function fillMany(entity: Entity, relation: Relation, items: readonly Entity[], time: ReadTime): void {
  heldMany(entity, relation).reading.keep(Object.freeze(items), time);
}

/** Gives an entity's relations back what they held before a transaction began. */
export function rollBackLoaded(entity: Entity, began: number): void {
  for (const held of relationsLoadedOf(entity)?.values() ?? []) (held as HeldOne | HeldMany).reading.rollBack(began);
}
