import type { BindKey } from "../../bind-key.ts";
import { SessionError } from "../../errors/session.ts";
import { InvalidValueError } from "../../errors/value.ts";
import {
  type Entity,
  type EntityOwner,
  type EntityState,
  epochOf,
  mapperOf,
  ownerOf,
  rowOf,
  type StoredRow,
  setEpoch,
  setOwner,
  setRow,
} from "../../model/entity.ts";
import type { Mapper } from "../../model/mapper.ts";
import type { ReadTime } from "../../model/relations/held-reading.ts";
import { rollBackLoaded } from "../../model/relations/related.ts";
import { resolveMapperOfEntity } from "../../model/resolve-mapper.ts";
import { isUnchanged, restoreSnapshot, takeSnapshot } from "../../model/snapshot.ts";
import { unknownProperty } from "../../model/unknown-property.ts";
import type { AnyTable } from "../../schema/table.ts";
import type { TableOwner } from "../../schema/table-column.ts";
import { requireOwner } from "../../schema/table-owner.ts";
import { KeyReference } from "../flush/key-reference.ts";
import type { PendingWork } from "../flush/plan/flush-plan.ts";
import type { Filled, Undo } from "../transaction/undo-log.ts";
import { isChanged, isWritable } from "./changes.ts";
import { DepartedEntities } from "./departed-entities.ts";
import { applyDefaults, NOTHING_FILLED, setValues, takeBack, valuesOf } from "./entity-values.ts";
import { identityKey, identityKeyOf } from "./identity-key.ts";
import { IdentityMap } from "./identity-map.ts";

/** The row of a detached entity whose row was deleted. */
const DELETED: StoredRow = Object.freeze({});

/** What most sessions never need is made when it is first needed; nothing is ever put into these. */
const NO_ENTITIES = new Set<Entity>();
const NONE_FILLED = new Map<Entity, readonly Filled[]>();
const NONE_TOUCHED = new Map<Entity, Set<string>>();
const NONE_WRITTEN = new Map<AnyTable, number>();

/** The entities of a session: which there are, what became of them, and which of them have to be stored. */
export class UnitOfWork implements EntityOwner {
  readonly label: string;
  readonly identityMap = new IdentityMap();
  readonly #added = new Set<Entity>();
  #deleted = NO_ENTITIES;
  /** Entities whose rows were deleted in the transaction that is open. */
  #gone = NO_ENTITIES;
  /** What `add` filled in, by defaults: a rollback takes it back. */
  #filled = NONE_FILLED;
  #departed: DepartedEntities | undefined;
  /** Properties that count as changed though their values are those of the rows. */
  #touched = NONE_TOUCHED;
  #epoch = 1;
  /** Counts writes, and transactions that begin or end. */
  #clock = 1;
  /** When the transactions began that are open, the outermost first. */
  #began = [1];
  /** When everything became stale for the last time. */
  #expired = 1;
  #hasRelations = false;
  /** When tables were last written to. */
  #written = NONE_WRITTEN;
  readonly #tables: TableOwner;

  /**
   * @param label the session's name in messages
   * @param tables the `Multibind` object whose entities it takes
   */
  constructor(label: string, tables: TableOwner) {
    this.label = label;
    this.#tables = tables;
  }

  /** Entities that will be inserted, in the order in which they were added. */
  get added(): ReadonlySet<Entity> {
    return this.#added;
  }

  /** Entities that will be deleted. */
  get deleted(): ReadonlySet<Entity> {
    return this.#deleted;
  }

  stateOf(entity: Entity): EntityState {
    if (this.#added.has(entity)) return "pending";
    return this.#gone.has(entity) ? "deleted" : "persistent";
  }

  findByKey(mapper: Mapper, values: readonly unknown[]): Entity | undefined {
    return this.identityMap.get(mapper, identityKey(values));
  }

  /** Relations are about to be read: the writes that make them stale are noted from now on. Returns when that was. */
  startReadingRelations(): ReadTime {
    this.#hasRelations = true;
    return { now: this.#clock, innermost: this.#began.at(-1)!, outermost: this.#began[0]! };
  }

  /** Since when what was read of tables is fresh. */
  freshSince(tables: Iterable<AnyTable>): number {
    let since = this.#expired;
    for (const table of tables) since = Math.max(since, this.#written.get(table) ?? 0);
    return since;
  }

  /** A nested transaction begins. */
  nest(): void {
    this.#began.push(++this.#clock);
  }

  /** A nested transaction of a depth ends, with those within it. */
  unnest(depth: number): void {
    this.#began.splice(depth - 1);
  }

  /** Whether an entity belongs to this session. */
  owns(entity: Entity): boolean {
    return ownerOf(entity) === this;
  }

  /** Whether an entity differs from its row, or has none. */
  isModified(entity: Entity): boolean {
    const row = rowOf(entity);
    return row === null || row === DELETED || this.#isChanged(entity);
  }

  /**
   * Makes properties count as changed until they are stored or discarded.
   *
   * @throws {SessionError} if the entity is not persistent here
   * @throws {InvalidValueError} if a name is not that of a column which can be updated
   */
  touch(entity: Entity, names: readonly string[]): void {
    const mapper = resolveMapperOfEntity(entity);
    const { key, version, discriminator, table, properties, label } = mapper;
    const { bindKey, fullName } = table;
    if (ownerOf(entity) !== this || this.stateOf(entity) !== "persistent" || this.#deleted.has(entity))
      throw error(entity, "is not persistent in this session, so no column of it can be touched");
    for (const name of names) {
      const property = properties.find((one) => one.name === name);
      const where = { bindKey, table: fullName, column: name };
      if (property === undefined) throw unknownProperty(mapper, name);
      if (key.includes(property) || property === version || name === discriminator || !isWritable(property))
        throw new InvalidValueError(
          `Cannot touch "${name}" of ${label}: the column is never updated by itself.`,
          where,
        );
    }
    if (this.#touched === NONE_TOUCHED) this.#touched = new Map();
    const touched = this.#touched.get(entity);
    this.#touched.set(entity, new Set([...(touched ?? []), ...names]));
  }

  #isChanged(entity: Entity): boolean {
    return isChanged(entity, mapperOf(entity)) || (this.#touched.size > 0 && this.#touched.has(entity));
  }

  /**
   * A statement has given an entity's row new values. Properties that the application has not changed show them.
   *
   * @returns the row as it was
   */
  overwritten(entity: Entity, values: StoredRow): StoredRow {
    const before = rowOf(entity)!;
    const held = valuesOf(entity);
    const row: Record<string, unknown> = { ...before };
    for (const { name, column } of mapperOf(entity).properties) {
      if (!Object.hasOwn(values, name)) continue;
      const { kind } = column.definition.type;
      row[name] = takeSnapshot(kind, values[name]);
      if (isUnchanged(kind, held[name], before[name])) held[name] = restoreSnapshot(kind, row[name]);
    }
    setRow(entity, row);
    return before;
  }

  /** Whether an entity's values may be older than the transaction: the next row read brings new ones. */
  isStale(entity: Entity): boolean {
    return epochOf(entity) !== this.#epoch;
  }

  /** Relations hold what they held before the transaction of a depth: the rows that were read since may be gone. */
  rollBackRelations(depth: number): void {
    const began = this.#began[depth - 1]!;
    for (const entity of this.all()) rollBackLoaded(entity, began);
  }

  /** From now on all that was read before is stale. */
  expire(): void {
    this.#epoch++;
    this.#expired = ++this.#clock;
    if (this.#written.size > 0) this.#written.clear();
  }

  /** The same, as the outermost transaction has ended. */
  expireWithTransaction(): void {
    this.expire();
    this.#began = [this.#clock];
  }

  /** The same for one entity. */
  expireOne(entity: Entity | undefined): void {
    if (entity !== undefined && this.owns(entity)) setEpoch(entity, 0);
  }

  /** The same for the entities whose rows are in these tables. */
  expireTables(tables: ReadonlySet<AnyTable>): void {
    this.#noteWrite(tables);
    for (const [, entities] of this.identityMap) {
      for (const entity of entities.list) {
        if (mapperOf(entity).tables.some((table) => tables.has(table))) setEpoch(entity, 0);
      }
    }
  }

  #noteWrite(tables: Iterable<AnyTable>): void {
    if (!this.#hasRelations) return;
    if (this.#written === NONE_WRITTEN) this.#written = new Map();
    this.#clock++;
    for (const table of tables) this.#written.set(table, this.#clock);
  }

  /** The tables to which the next flush writes. */
  pendingTables(): ReadonlySet<AnyTable> {
    const { added, changed, deleted } = this.pending();
    return new Set([...added, ...changed, ...deleted].flatMap((entity) => mapperOf(entity).tables));
  }

  /** Takes an entity in: a new one to be stored, or a detached one to be watched again. */
  add(entity: Entity): void {
    const mapper = this.#admit(entity);
    if (mapper !== undefined) this.#noteFilled(entity, applyDefaults(entity, mapper));
  }

  /** Takes an entity in again that a rollback has put out, with what `add` had filled in. */
  addAgain(entity: Entity, filled: readonly Filled[]): void {
    if (this.#admit(entity) !== undefined) this.#noteFilled(entity, filled);
  }

  /** What `add` has filled in of a new entity. */
  filledIn(entity: Entity): readonly Filled[] {
    return this.#filled.get(entity) ?? NOTHING_FILLED;
  }

  /** Takes an entity in. Returns its mapper if it was not known and is new, else nothing. */
  #admit(entity: Entity): Mapper | undefined {
    const mapper = this.#mapperOf(entity);
    const owner = ownerOf(entity);
    if (owner === this) {
      if (this.#gone.has(entity)) {
        throw error(entity, "was deleted in this transaction; it can be added again after the commit, as a new entity");
      }
      this.#deleted.delete(entity);
      return undefined;
    }
    requireFree(entity, owner);
    const row = rowOf(entity);
    if (row === DELETED) throw error(entity, "was deleted; make a new entity to store its values again");
    if (row !== null) {
      this.#attach(entity, mapper, row);
      return undefined;
    }
    setOwner(entity, this);
    this.#added.add(entity);
    return mapper;
  }

  #noteFilled(entity: Entity, filled: readonly Filled[]): void {
    if (filled.length === 0) return;
    if (this.#filled === NONE_FILLED) this.#filled = new Map();
    this.#filled.set(entity, filled);
  }

  #mapperOf(entity: Entity): Mapper {
    const mapper = resolveMapperOfEntity(entity);
    requireOwner(mapper.table, this.#tables);
    return mapper;
  }

  /** Marks an entity's row for deletion. */
  delete(entity: Entity): void {
    const mapper = this.#mapperOf(entity);
    const owner = ownerOf(entity);
    if (owner !== this) requireFree(entity, owner);
    if (this.#added.has(entity)) {
      throw error(entity, "is not stored yet; use `expunge` to take it out of the session");
    }
    const row = rowOf(entity);
    if (row === null || row === DELETED) throw error(entity, "is not stored, so there is nothing to delete");
    if (owner === null) this.#attach(entity, mapper, row);
    if (this.#gone.has(entity)) return;
    if (this.#deleted === NO_ENTITIES) this.#deleted = new Set();
    this.#deleted.add(entity);
  }

  /** Removes an entity; changes that were not stored are lost. */
  expunge(entity: Entity): void {
    resolveMapperOfEntity(entity);
    if (ownerOf(entity) !== this) throw error(entity, "is not in this session");
    if (this.#gone.has(entity)) setRow(entity, DELETED);
    this.#depart(entity);
    this.#forget(entity);
    this.leaveKey(entity);
    setOwner(entity, null);
  }

  /** Whether entities have left the session that the application may still change. */
  get hasDeparted(): boolean {
    return this.#departed !== undefined;
  }

  /** Entities that have left the session, and have changes since that no session knows of. */
  *changedOutside(): IterableIterator<Entity> {
    if (this.#departed === undefined) return;
    for (const entity of this.#departed.held()) {
      const row = rowOf(entity);
      if (ownerOf(entity) !== null || row === null || row === DELETED) continue;
      if (isChanged(entity, mapperOf(entity))) yield entity;
    }
  }

  /** Remembers an entity that leaves; changes that it has by now are given up by that. */
  #depart(entity: Entity): void {
    const row = rowOf(entity);
    if (row === null || row === DELETED || isChanged(entity, mapperOf(entity))) return;
    this.#departed ??= new DepartedEntities();
    this.#departed.add(entity);
  }

  /** Removes an entity that was only passed through, unless it has pending work. */
  release(entity: Entity): void {
    if (this.owns(entity) && !this.#deleted.has(entity) && !this.#isChanged(entity)) this.expunge(entity);
  }

  /** Whether there are no entities. */
  get isEmpty(): boolean {
    return this.#added.size === 0 && this.#gone.size === 0 && this.identityMap.size === 0;
  }

  /** Whether entities of a model may be here, new ones that are stored before the next statement included. */
  mayHold({ root }: Mapper): boolean {
    if (this.identityMap.of(root).size > 0) return true;
    for (const entity of this.#added) if (mapperOf(entity).root === root) return true;
    return false;
  }

  /**
   * Removes every entity from the session.
   *
   * @param isLast whether the session ends: changes that come later are not its own to report
   */
  clear(isLast = false): void {
    if (this.isEmpty) return;
    if (!isLast) for (const [, entities] of this.identityMap) for (const entity of entities.list) this.#depart(entity);
    for (const entity of this.#gone) setRow(entity, DELETED);
    for (const entity of this.all()) setOwner(entity, null);
    this.#added.clear();
    this.#deleted.clear();
    this.#gone.clear();
    this.#filled.clear();
    this.#touched.clear();
    this.identityMap.clear();
  }

  /** Every entity of the session. */
  *all(): IterableIterator<Entity> {
    yield* this.#added;
    for (const [, entities] of this.identityMap) yield* entities.list;
    yield* this.#gone;
  }

  /** Whether nothing on a bind can differ from what is stored: no entity of it is there, and none anywhere is new. */
  isEmptyOn(bindKey: BindKey): boolean {
    if (this.#added.size > 0 || this.#deleted.size > 0) return false;
    for (const [root, entities] of this.identityMap) {
      if (entities.size > 0 && root.table.bindKey === bindKey) return false;
    }
    return true;
  }

  /** The pending work, of one bind or of all. */
  pending(bindKey?: BindKey): PendingWork {
    const isHere = ({ table }: Mapper) => bindKey === undefined || table.bindKey === bindKey;
    const changed: Entity[] = [];
    const hasDeleted = this.#deleted.size > 0;
    for (const [root, entities] of this.identityMap) {
      if (!isHere(root)) continue;
      for (const entity of entities.list) {
        if (this.#isChanged(entity) && !(hasDeleted && this.#deleted.has(entity))) changed.push(entity);
      }
    }
    const ofBind = (entities: Iterable<Entity>) =>
      bindKey === undefined ? [...entities] : [...entities].filter((entity) => isHere(mapperOf(entity)));
    return { added: ofBind(this.#added), changed, deleted: ofBind(this.#deleted), touched: this.#touched };
  }

  /** The one entity that is new, if it is the only pending work. */
  get soleAddition(): Entity | undefined {
    if (this.#added.size !== 1 || this.#deleted.size > 0 || this.#hasChanged) return undefined;
    const [entity] = this.#added;
    return entity;
  }

  /** Whether nothing is pending. */
  get isClean(): boolean {
    return this.#added.size === 0 && this.#deleted.size === 0 && !this.#hasChanged;
  }

  get #hasChanged(): boolean {
    for (const [, entities] of this.identityMap) {
      for (const entity of entities.list) if (this.#isChanged(entity)) return true;
    }
    return false;
  }

  /** The same, with the entities of other binds whose keys these wait for. */
  pendingWithKeys(bindKey?: BindKey): PendingWork {
    const pending = this.pending(bindKey);
    if (bindKey === undefined) return pending;
    const added = new Set(pending.added);
    for (const entity of pending.changed) for (const target of this.#awaited(entity)) added.add(target);
    // The set grows while it is walked: those that are waited for may wait for others.
    for (const entity of added) for (const target of this.#awaited(entity)) added.add(target);
    // A new row may take the place of one that will be deleted.
    const binds = new Set([...added].map((entity) => mapperOf(entity).table.bindKey)).add(bindKey);
    return {
      added: [...this.#added].filter((entity) => added.has(entity)),
      changed: pending.changed,
      deleted: [...this.#deleted].filter((entity) => binds.has(mapperOf(entity).table.bindKey)),
      touched: this.#touched,
    };
  }

  #awaited(entity: Entity): Entity[] {
    return Object.values(entity).flatMap((value) =>
      value instanceof KeyReference && this.#added.has(value.entity) ? [value.entity] : [],
    );
  }

  /** A row was read that no entity here stands for, and this entity made of it; the caller puts it into the identity map. */
  loaded(entity: Entity, row: StoredRow): void {
    setRow(entity, row);
    setOwner(entity, this);
    setEpoch(entity, this.#epoch);
  }

  /** An entity's row was read again. */
  reloaded(entity: Entity, row: StoredRow, isWhole: boolean): void {
    setRow(entity, row);
    if (isWhole) setEpoch(entity, this.#epoch);
  }

  /** An entity's row was inserted. Returns what `add` had filled in. */
  inserted(entity: Entity, row: StoredRow): readonly Filled[] {
    const filled = this.#filled.get(entity) ?? NOTHING_FILLED;
    setRow(entity, row);
    this.#noteWrite(mapperOf(entity).tables);
    // An entity that was removed while its row was being written stays out.
    if (!this.owns(entity)) return filled;
    setEpoch(entity, this.#epoch);
    this.#added.delete(entity);
    if (filled !== NOTHING_FILLED) this.#filled.delete(entity);
    this.#enter(entity, mapperOf(entity), row);
    return filled;
  }

  /**
   * An entity's row was updated, which tells nothing of the columns that were not set: what was stale is.
   *
   * @param hasLeft whether the entity has left its key, to come in by another one
   */
  updated(entity: Entity, row: StoredRow, hasLeft: boolean): void {
    setRow(entity, row);
    this.#noteWrite(mapperOf(entity).tables);
    this.#untouch(entity);
    if (hasLeft && this.owns(entity)) this.#enter(entity, mapperOf(entity), row);
  }

  /** An entity's row was deleted, in the transaction that is open. */
  removed(entity: Entity): void {
    this.leaveKey(entity);
    this.#noteWrite(mapperOf(entity).tables);
    if (!this.owns(entity)) return;
    this.#deleted.delete(entity);
    if (this.#gone === NO_ENTITIES) this.#gone = new Set();
    this.#gone.add(entity);
  }

  /** Whether an entity's row was deleted, in the transaction that is open or for good. */
  isGone(entity: Entity): boolean {
    return this.#gone.has(entity) || rowOf(entity) === DELETED;
  }

  /** Whether rows were deleted in the transaction that is open. */
  get hasGone(): boolean {
    return this.#gone.size > 0;
  }

  /** The deletion of an entity's row is for good. */
  settleRemoved(entity: Entity): void {
    if (!this.#gone.delete(entity)) return;
    setRow(entity, DELETED);
    setOwner(entity, null);
  }

  /** Entities do not stand for their rows' keys any more: the rows are getting others. */
  leaveKey(entity: Entity): void {
    const row = rowOf(entity);
    const mapper = mapperOf(entity);
    const key = row === null ? undefined : identityKeyOf(mapper, row);
    if (key !== undefined) this.identityMap.delete(mapper, key, entity);
  }

  /** Undoes the session's changes to an entity together with those of a transaction to its row. */
  undo({ entity, kind, row, filled }: Undo): void {
    const owner = ownerOf(entity);
    // A removed entity keeps its values, and one that another session has taken in belongs to that session.
    if (owner !== null && owner !== this) return;
    if (kind === "inserted" || row === null) {
      this.#takeOut(entity, filled);
    } else if (owner === null) {
      setRow(entity, row);
    } else {
      this.leaveKey(entity);
      this.#gone.delete(entity);
      this.#deleted.delete(entity);
      setValues(entity, row);
      setRow(entity, row);
      this.#enter(entity, mapperOf(entity), row);
    }
  }

  /** Discards pending work: added entities leave, changed ones get the values of their rows, none will be deleted. */
  discardPending(here: (mapper: Mapper) => boolean): void {
    if (this.isEmpty) return;
    for (const entity of [...this.#added]) {
      if (here(mapperOf(entity))) this.#takeOut(entity, this.#filled.get(entity) ?? NOTHING_FILLED);
    }
    for (const [root, entities] of this.identityMap) {
      if (!here(root)) continue;
      for (const entity of entities.list) {
        if (isChanged(entity, mapperOf(entity))) setValues(entity, rowOf(entity)!);
        this.#untouch(entity);
      }
    }
    for (const entity of [...this.#deleted]) if (here(mapperOf(entity))) this.#deleted.delete(entity);
  }

  /** Gives an entity back what its row says. */
  revert(entity: Entity): void {
    setValues(entity, rowOf(entity)!);
    this.#untouch(entity);
  }

  #untouch(entity: Entity): void {
    if (this.#touched.size > 0) this.#touched.delete(entity);
  }

  /** An entity represents a row from now on; a former entity of that row is removed. */
  #enter(entity: Entity, mapper: Mapper, row: StoredRow): void {
    const key = identityKeyOf(mapper, row)!;
    const entities = this.identityMap.of(mapper);
    const other = entities.get(key);
    if (other !== undefined && other !== entity) this.expunge(other);
    entities.set(key, entity);
  }

  /** An entity is as if never added. */
  #takeOut(entity: Entity, filled: readonly Filled[]): void {
    this.leaveKey(entity);
    this.#forget(entity);
    setRow(entity, null);
    setOwner(entity, null);
    takeBack(entity, filled);
  }

  #forget(entity: Entity): void {
    this.#added.delete(entity);
    this.#deleted.delete(entity);
    this.#gone.delete(entity);
    this.#filled.delete(entity);
    this.#untouch(entity);
  }

  #attach(entity: Entity, mapper: Mapper, row: StoredRow): void {
    const key = identityKeyOf(mapper, row)!;
    if (this.identityMap.get(mapper, key) !== undefined) {
      throw error(
        entity,
        "cannot be added: the session has another entity with the same key; `merge` copies values onto that one",
      );
    }
    setOwner(entity, this);
    setEpoch(entity, 0);
    this.identityMap.set(mapper, key, entity);
  }
}

function requireFree(entity: Entity, owner: EntityOwner | null): void {
  if (owner !== null) throw error(entity, `belongs to ${owner.label}; an entity belongs to one session at a time`);
}

function error(entity: Entity, what: string): SessionError {
  return new SessionError(`The ${entity.constructor.name} ${what}.`, { bindKey: mapperOf(entity).table.bindKey });
}
