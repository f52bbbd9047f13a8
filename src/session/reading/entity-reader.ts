import type { Awaitable } from "../../awaitable.ts";
import { SessionError, StaleDataError } from "../../errors/session.ts";
import { construct } from "../../model/construction.ts";
import { type Entity, mapperOf, rowOf } from "../../model/entity.ts";
import type { Mapper } from "../../model/mapper.ts";
import { resolveMapperOfEntity } from "../../model/resolve-mapper.ts";
import { isUnchanged, restoreSnapshot } from "../../model/snapshot.ts";
import { READ_OPTIONS, type ReadOptions } from "../../query/select/select-runner.ts";
import { type Values, valuesOf } from "../entities/entity-values.ts";
import { identityKey, identityKeyOf, keyValues } from "../entities/identity-key.ts";
import type { UnitOfWork } from "../entities/unit-of-work.ts";
import { requireOwnIdentity } from "../flush/discriminator.ts";
import { KeyReference } from "../flush/key-reference.ts";
import type { Router } from "../router.ts";
import type { RoutedStatement, RunOptions, StatementRunner } from "../statement-runner.ts";
import type { Transactions } from "../transaction/transactions.ts";
import { type KeyReading, KeyReadings } from "./key-reading.ts";
import { loadEntities, loadOne, requireClass } from "./load-entities.ts";
import type { DriverRow } from "./row-functions.ts";

/** How an entity is read by its key. */
export interface GetOptions extends ReadOptions {
  /** Locks the row until the transaction ends, which this begins; the row is read, also where the entity is there. */
  readonly lock?: boolean | undefined;
  /** Reads the row, also if the entity is loaded. Its changes are stored before. */
  readonly refresh?: boolean | undefined;
}

export const GET_OPTIONS: readonly (keyof GetOptions)[] = [...READ_OPTIONS, "lock", "refresh"];

/** A reader's view of its session. */
export interface ReaderHost {
  readonly router: Router;
  readonly transactions: Transactions;
  readonly work: UnitOfWork;
}

/** Reads entities for a session by their keys. */
export class EntityReader {
  readonly #host: ReaderHost;
  readonly #runner: StatementRunner;
  readonly #readings: KeyReadings;

  constructor(host: ReaderHost, runner: StatementRunner) {
    this.#host = host;
    this.#runner = runner;
    this.#readings = KeyReadings.of(host.router);
  }

  /** The entity with a key: the loaded one if it is not stale, otherwise one from its row; null without a row. */
  get(mapper: Mapper, key: unknown, options: GetOptions): Awaitable<Entity | null> {
    const { work } = this.#host;
    const values = keyValues(mapper, key);
    const known = work.identityMap.get(mapper, identityKey(values));
    if (!readsAnew(options)) {
      if (known === undefined) {
        const found = this.#loadNow(this.#readings.for(mapper), values, options);
        if (found !== undefined) return found;
      } else if (!work.isStale(known)) {
        return ofModel(known, mapper);
      }
    }
    return this.#read(mapper, values, known, options);
  }

  async #read(
    mapper: Mapper,
    values: readonly unknown[],
    known: Entity | undefined,
    options: GetOptions,
  ): Promise<Entity | null> {
    const { work } = this.#host;
    const lock = options.lock === true;
    // Of an entity that is there, all columns are read again.
    const own = known !== undefined && mapperOf(known).isA(mapper) ? mapperOf(known) : mapper;
    const reading = this.#readings.for(own);
    const isSeparate = lock && reading.isSpread;
    if (isSeparate) await this.#runner.run(locking(reading, values), options);
    const routed = lock && !isSeparate ? locking(reading, values) : byKey(reading, values);
    let entity: Entity | undefined;
    await this.#runner.run(routed, options, ({ rows }) => {
      if (readsAnew(options)) work.expireOne(known);
      entity = this.#entitiesOf(reading, rows)[0];
    });
    if (entity !== undefined) return ofModel(entity, mapper);
    // The row may have become one of another class.
    if (own !== mapper && mapper.discriminator !== undefined) return this.#read(mapper, values, undefined, options);
    // A stale entity whose row is gone is removed, unless it was deleted in this transaction.
    const left = work.identityMap.get(mapper, identityKey(values));
    if (left !== undefined && work.isStale(left)) work.expunge(left);
    return null;
  }

  /**
   * Reads an entity's row again, over what was changed.
   *
   * @throws {SessionError} if the entity is not persistent, or its row is gone
   */
  async refresh(entity: Entity, options: ReadOptions): Promise<void> {
    const { work } = this.#host;
    const mapper = resolveMapperOfEntity(entity);
    const { bindKey } = mapper.table;
    const row = rowOf(entity);
    if (!work.owns(entity) || row === null || work.stateOf(entity) !== "persistent") {
      throw new SessionError(
        `The ${entity.constructor.name} is not persistent in this session, so it cannot be refreshed.`,
        { bindKey },
      );
    }
    // Changes are discarded, so that they are not stored before the row is read.
    work.revert(entity);
    const values = mapper.key.map(({ name, column }) => restoreSnapshot(column.definition.type.kind, row[name]));
    const reading = this.#readings.for(mapper);
    let found: Entity | undefined;
    await this.#runner.run(byKey(reading, values), options, ({ rows }) => {
      found = this.#entitiesOf(reading, rows, true)[0];
    });
    if (found === entity) return;
    work.expireOne(entity);
    const other = await this.#inFamily(mapper, values);
    if (other === null)
      throw new SessionError(`Cannot refresh the ${entity.constructor.name}: its row no longer exists.`, { bindKey });
    throw new SessionError(
      `The row of the ${entity.constructor.name} has become a ${other.constructor.name}, which the session has as another entity ` +
        `now. Read it with \`get()\` of their common parent.`,
      { bindKey },
    );
  }

  /**
   * Copies an entity's values onto the session's own one with the same key, or onto a new one.
   *
   * @throws {StaleDataError} if the entity is of an older version than the row
   */
  async merge(entity: Entity, options: ReadOptions): Promise<Entity> {
    const { work } = this.#host;
    const mapper = resolveMapperOfEntity(entity);
    if (work.owns(entity)) return entity;
    const given = valuesOf(entity);
    requireUnchangedClass(mapper, given);
    const values = Object.fromEntries(
      mapper.properties.flatMap(({ name }) => (given[name] === undefined ? [] : [[name, given[name]]])),
    );
    const key = mapper.key.map(({ name }) => values[name]);
    const isKeyed = !key.some((part) => part === undefined || part === null || part instanceof KeyReference);
    const target = isKeyed ? await this.#own(mapper, key, options) : null;
    if (target !== null) {
      requireSameVersion(mapper, target, values, entity);
      return Object.assign(target, values);
    }
    const other = isKeyed ? await this.#inFamily(mapper, key) : null;
    if (other !== null) {
      throw new SessionError(
        `Cannot merge the ${entity.constructor.name}: the row with its key is a ${other.constructor.name}, and a row keeps its class.`,
        { bindKey: mapper.table.bindKey },
      );
    }
    const made = construct(mapper.entityClass, values, mapper);
    work.add(made);
    return made;
  }

  /** The entity with a key, of whatever class in the family of a model that tells its rows' classes apart. */
  async #inFamily(mapper: Mapper, key: readonly unknown[]): Promise<Entity | null> {
    const { root, discriminator } = mapper;
    if (discriminator === undefined || root === mapper) return null;
    const reading = this.#readings.for(root);
    let entity: Entity | undefined;
    await this.#runner.run(byKey(reading, key), {}, ({ rows }) => {
      entity = this.#entitiesOf(reading, rows)[0];
    });
    return entity ?? null;
  }

  /** The session's entity with a key, pending ones included. */
  async #own(mapper: Mapper, key: readonly unknown[], options: ReadOptions): Promise<Entity | null> {
    const named =
      mapper.key.length === 1 ? key[0] : Object.fromEntries(mapper.key.map(({ name }, part) => [name, key[part]]));
    const identity = identityKey(keyValues(mapper, named));
    for (const pending of this.#host.work.added) {
      const other = mapperOf(pending);
      if (other.root === mapper.root && identityKeyOf(other, valuesOf(pending)) === identity) return pending;
    }
    return this.get(mapper, named, options);
  }

  /** The entity with a key, or null, where nothing has to be waited for. */
  /** The entity with a key, or null; `undefined` where anything has to be waited for. */
  #loadNow(reading: KeyReading, key: readonly unknown[], options: RunOptions): Entity | null | undefined {
    const { engine, hydrator } = reading;
    if (!this.#runner.canReadNow(engine, options)) return undefined;
    const result = this.#runner.readNow(engine, reading.reading(key), options);
    if (result === undefined) return undefined;
    const row = result.rows[0];
    const entity = row === undefined ? null : loadOne(this.#host.work, hydrator, row);
    return entity === null ? null : ofModel(entity, hydrator.selection.mapper);
  }

  /** The entities of rows, while nothing else runs on the bind. */
  #entitiesOf({ engine, hydrator }: KeyReading, rows: readonly DriverRow[], overwrite = false): Entity[] {
    const { work, transactions } = this.#host;
    return loadEntities(work, hydrator, rows, { overwrite, undo: transactions.undoOn(engine) });
  }
}

/** Whether the row is read though the entity is there. */
function readsAnew({ lock, refresh }: GetOptions): boolean {
  return lock === true || refresh === true;
}

const NO_TABLES: ReadonlySet<never> = new Set();

function byKey(reading: KeyReading, key: readonly unknown[]): RoutedStatement<DriverRow> {
  const compiled = { query: reading.reading(key) };
  return { engine: reading.engine, compiled, writes: false, isRaw: false, effect: "none", tables: NO_TABLES };
}

function locking(reading: KeyReading, key: readonly unknown[]): RoutedStatement<DriverRow> {
  reading.engine.requireWritable(true);
  const compiled = { query: reading.locking(key) };
  return { engine: reading.engine, compiled, writes: true, isRaw: false, effect: "none", tables: NO_TABLES };
}

/**
 * A row of a parent's table can be of a class that is not the one asked for.
 *
 * @throws {SessionError} if it may be of that class too, and cannot be both
 */
function ofModel(entity: Entity, mapper: Mapper): Entity | null {
  if (mapperOf(entity).isA(mapper)) return entity;
  if (mapper.discriminator === undefined) requireClass(entity, mapper);
  return null;
}

/** @throws {InvalidValueError} if an entity's discriminator was set to that of another class */
function requireUnchangedClass(mapper: Mapper, given: Values): void {
  const property = mapper.properties.find(({ name }) => name === mapper.discriminator);
  if (property !== undefined && given[property.name] !== undefined)
    requireOwnIdentity(mapper, property, given[property.name]);
}

function requireSameVersion({ version, table, label }: Mapper, target: Entity, values: Values, entity: Entity): void {
  const row = rowOf(target);
  if (version === undefined || row === null || values[version.name] === undefined) return;
  const { name, column } = version;
  if (isUnchanged(column.definition.type.kind, values[name], row[name])) return;
  throw new StaleDataError(
    `The entity to merge has version ${values[name]} but its row of ${label} has version ${row[name]}: another transaction has changed it since.`,
    { entities: [entity], bindKey: table.bindKey },
  );
}
