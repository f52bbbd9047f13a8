import { SessionError, StaleDataError } from "../../errors/session.ts";
import { construct, constructFromRow } from "../../model/construction.ts";
import { type Entity, mapperOf, rowOf } from "../../model/entity.ts";
import type { Mapper } from "../../model/mapper.ts";
import { isUnchanged } from "../../model/snapshot.ts";
import type { EntitiesByKey } from "../entities/entities-by-key.ts";
import { NOTHING_FILLED, valuesOf } from "../entities/entity-values.ts";
import type { IdentityKey } from "../entities/identity-key.ts";
import type { UnitOfWork } from "../entities/unit-of-work.ts";
import { Undo, type UndoLog } from "../transaction/undo-log.ts";
import type { ClassReader, Hydrator } from "./hydration.ts";
import type { DriverRow } from "./row-functions.ts";

/** How rows become a session's entities. */
export interface LoadOptions {
  /** Whether rows go over what the application has changed. */
  readonly overwrite?: boolean;
  /** Whether rows refill entities without changes, also those that are not stale. */
  readonly refill?: boolean;
  /** The log of the transaction that the rows were read in: a rollback gives back what entities held before. */
  readonly undo?: UndoLog | undefined;
  /** Gets the entities that are made, which were not there before. */
  readonly made?: Entity[];
}

/**
 * The entities of rows: those that are there already, and new ones for the others.
 *
 * @throws {SessionError} if a row is there as an entity of a class that is not one of those asked for
 */
export function loadEntities(
  work: UnitOfWork,
  hydrator: Hydrator,
  rows: readonly DriverRow[],
  options: LoadOptions = {},
): Entity[] {
  const entities = work.identityMap.of(hydrator.selection.mapper);
  const loaded = new Array<Entity | null>(rows.length);
  for (let place = 0; place < rows.length; place++)
    loaded[place] = loadEntity(work, entities, hydrator, rows[place]!, options);
  return loaded.includes(null) ? loaded.filter((entity) => entity !== null) : (loaded as Entity[]);
}

/** The entity of a row that was not there before. */
export function loadOne(work: UnitOfWork, hydrator: Hydrator, row: DriverRow): Entity | null {
  return loadEntity(work, work.identityMap.of(hydrator.selection.mapper), hydrator, row, {});
}

/** How rows of many keys are told apart. */
export interface RowsByKey {
  /** The position of the key that found a row. */
  positionOf(row: DriverRow): number;
  /** Whether rows have other columns beside the entities'. An entity may have several of them then. */
  readonly hasOthers: boolean;
}

/**
 * Loads the entities of rows that were found by keys.
 *
 * @param take is given the entity of each row, with the position of the key that found it
 * @throws {SessionError} as {@link loadEntities}
 */
export function loadByKeys(
  work: UnitOfWork,
  hydrator: Hydrator,
  rows: readonly DriverRow[],
  { positionOf, hasOthers }: RowsByKey,
  options: LoadOptions,
  take: (entity: Entity, position: number) => void,
): void {
  const entities = work.identityMap.of(hydrator.selection.mapper);
  const loaded = new Map<IdentityKey | undefined, Entity | null>();
  for (const row of rows) {
    // Loading may replace the values of a row by the snapshot.
    const position = positionOf(row);
    const key = hasOthers ? hydrator.keyOf(row) : undefined;
    let entity = hasOthers ? loaded.get(key) : undefined;
    if (entity === undefined) {
      entity = loadEntity(work, entities, hydrator, hasOthers ? hydrator.ownColumns(row) : row, options);
      if (hasOthers) loaded.set(key, entity);
    }
    if (entity !== null) take(entity, position);
  }
}

/**
 * The entities that share rows: for each row one of each kind, or null where the row has none, in the empty half of an
 * outer join.
 *
 * @throws {SessionError} as {@link loadEntities}
 */
export function loadTogether(
  work: UnitOfWork,
  hydrators: readonly Hydrator[],
  rows: readonly DriverRow[],
  options: LoadOptions = {},
): (Entity | null)[][] {
  const kinds = hydrators.map((hydrator) => ({ hydrator, entities: work.identityMap.of(hydrator.selection.mapper) }));
  return rows.map((row) => kinds.map(({ hydrator, entities }) => loadEntity(work, entities, hydrator, row, options)));
}

function loadEntity(
  work: UnitOfWork,
  entities: EntitiesByKey,
  hydrator: Hydrator,
  row: DriverRow,
  options: LoadOptions,
): Entity | null {
  const key = hydrator.keyOf(row);
  if (key === undefined) return null;
  const known = entities.get(key);
  if (known === undefined) {
    const entity = makeEntity(work, hydrator.readerOf(row), row);
    entities.set(key, entity);
    options.made?.push(entity);
    return entity;
  }
  const isReadAgain =
    options.overwrite === true || work.isStale(known) || (options.refill === true && !work.isModified(known));
  if (isReadAgain && hydrator.isPolymorphic) {
    const reader = hydrator.readerOf(row);
    if (reader.mapper !== mapperOf(known)) return replaceEntity(work, entities, key, known, reader, row, options);
  }
  requireClass(known, hydrator.selection.mapper);
  if (isReadAgain) refill(work, hydrator, row, known, options);
  return known;
}

/**
 * The entity of a row that has become one of another class since it was read: an object cannot follow, so the session
 * gives up the one that it has.
 *
 * @throws {StaleDataError} if that one has changes, which belong to no row any more
 */
function replaceEntity(
  work: UnitOfWork,
  entities: EntitiesByKey,
  key: IdentityKey,
  known: Entity,
  reader: ClassReader,
  row: DriverRow,
  { overwrite, made }: LoadOptions,
): Entity {
  const { label, table } = mapperOf(known);
  if (overwrite !== true && work.isModified(known)) {
    throw new StaleDataError(
      `The row of a ${label} has become one of ${reader.mapper.label}, and the ${known.constructor.name} in the session has changes that were not ` +
        "stored. Call rollback() to give them up.",
      { entities: [known], bindKey: table.bindKey },
    );
  }
  work.expunge(known);
  const entity = makeEntity(work, reader, row);
  entities.set(key, entity);
  made?.push(entity);
  return entity;
}

/** A new entity of a row, which the row is remembered of. */
function makeEntity(work: UnitOfWork, { mapper, fill, valuesOf, snapshotOf }: ClassReader, row: DriverRow): Entity {
  const { entityClass } = mapper;
  if (fill !== undefined && mapper.takesRows && mapper.soundClass === entityClass) {
    const entity = constructFromRow(entityClass, row, fill);
    work.loaded(entity, row);
    return entity;
  }
  const values = valuesOf(row);
  const snapshot = snapshotOf(row, values);
  const entity = construct(entityClass, values, mapper);
  work.loaded(entity, snapshot);
  return entity;
}

/**
 * Refuses to give an entity for one of another class, which it cannot become.
 *
 * @throws {SessionError}
 */
export function requireClass(known: Entity, asked: Mapper): void {
  const mapper = mapperOf(known);
  if (mapper.isA(asked)) return;
  throw new SessionError(
    `A row of ${asked.label} is in the session as a ${mapper.name}, and a row is one entity. ` +
      "Give the parent a discriminator, so that its rows are read as what they are, or `expunge` the entity first.",
    { bindKey: asked.table.bindKey },
  );
}

/** Gives an entity the values of its row, except changed ones, unless those are overwritten. */
function refill(
  work: UnitOfWork,
  hydrator: Hydrator,
  row: DriverRow,
  entity: Entity,
  { overwrite = false, undo }: LoadOptions,
): void {
  const { mapper: asked, columns } = hydrator.selection;
  const own = mapperOf(entity);
  // A child without discriminator that is read as its parent gets what the parent's columns say.
  const isWhole = columns.has(own);
  const mapper = isWhole ? own : asked;
  const reader = hydrator.readerFor(mapper);
  const values = reader.valuesOf(row);
  const snapshot = reader.snapshotOf(row, values);
  const held = valuesOf(entity);
  const before = rowOf(entity)!;
  undo?.note(new Undo(entity, "read", before, NOTHING_FILLED));
  for (const { name, column } of mapper.properties) {
    if (overwrite || isUnchanged(column.definition.type.kind, held[name], before[name])) held[name] = values[name];
  }
  work.reloaded(entity, isWhole ? snapshot : { ...before, ...snapshot }, isWhole);
}
