import { SessionError } from "../../errors/session.ts";
import { type Entity, rowOf } from "../../model/entity.ts";
import type { MappedProperty, Mapper } from "../../model/mapper.ts";
import type { Metadatas } from "../../schema/metadatas.ts";
import type { AnyTable } from "../../schema/table.ts";
import { type IdentityKey, identityKey } from "../entities/identity-key.ts";
import { cutBefore, type DeleteUnit, type FlushUnit, type InsertUnit, type UpdateUnit, waitFor } from "./flush-unit.ts";

type WrittenUnit = InsertUnit | UpdateUnit;

/** Rows of a table by the values of some of its columns. */
type RowIndex<U> = Map<AnyTable, Map<string, Map<IdentityKey, U>>>;

/** The value that a unit's row will have, or has, in a property; `undefined` where it is not known yet. */
type ValueOf<U> = (unit: U, property: MappedProperty) => unknown;

/**
 * Finds which rows of a flush need others to be stored, or removed, first: those whose key they wait for, those that
 * their foreign keys lead to, and those that still hold a value that must be unique.
 *
 * @returns updates that are needed beside them: rows that refer to themselves let go before they are deleted
 */
export function rowDependencies(units: readonly FlushUnit[], metadatas: Metadatas): UpdateUnit[] {
  const deletes = units.filter(isDelete);
  // Without deletes, all are written.
  const written = deletes.length === 0 ? (units as WrittenUnit[]) : units.filter(isWrite);
  if (written.some(isWaiting)) afterReferencedKeys(written);
  if (written.some(haveForeignKeys)) afterParents(written, metadatas);
  if (deletes.length === 0) return [];
  const cuts = afterChildren(deletes, metadatas);
  afterHoldersOfUniqueValues(written, deletes);
  return cuts;
}

function afterReferencedKeys(written: readonly WrittenUnit[]): void {
  let byEntity: Map<Entity, WrittenUnit> | undefined;
  for (const unit of written) {
    for (const { property, reference } of unit.values.waiting) {
      if (reference.entity === unit.entity) continue;
      byEntity ??= new Map(written.filter(isNew).map((other) => [other.entity, other]));
      const target = byEntity.get(reference.entity);
      if (target !== undefined) waitFor(unit, target, [property]);
      else if (!reference.isKnown) throw notAdded(unit, property);
    }
  }
}

/** Whether a unit makes an entity persistent. */
function isNew(unit: WrittenUnit): boolean {
  return unit.kind === "insert" || unit.replaced !== undefined;
}

function notAdded({ engine }: FlushUnit, { name, table }: MappedProperty): SessionError {
  return new SessionError(
    `"${table.fullName}.${name}" is to be the key of an entity that is not stored and was not added to the session. Add it too.`,
    { bindKey: engine.bindKey },
  );
}

function isDelete(unit: FlushUnit): unit is DeleteUnit {
  return unit.kind === "delete";
}

function isWrite(unit: FlushUnit): unit is WrittenUnit {
  return unit.kind !== "delete";
}

function isWaiting({ values }: WrittenUnit): boolean {
  return values.waiting.length > 0;
}

function haveForeignKeys({ mapper }: FlushUnit): boolean {
  return mapper.tables.some(({ foreignKeys }) => foreignKeys.length > 0);
}

/** Rows come after those that their foreign keys lead to. */
function afterParents(written: readonly WrittenUnit[], metadatas: Metadatas): void {
  const index: RowIndex<InsertUnit> = new Map();
  const tables = new Map<AnyTable, InsertUnit[]>();
  for (const unit of written) {
    if (unit.kind === "insert") for (const table of unit.mapper.tables) push(tables, table, unit);
  }
  const keys = foreignKeysByMapper(metadatas);
  for (const unit of written) {
    for (const { foreign, target, targetProperties } of keys(unit.mapper)) {
      const candidates = tables.get(target);
      if (candidates === undefined) continue;
      const values = foreign.map((property) => newValue(unit, property));
      const parent = lookUp(index, target, targetProperties, candidates, newValue, values);
      if (parent !== undefined && parent.entity !== unit.entity) waitFor(unit, parent, foreign);
    }
  }
}

/** Rows are deleted after those whose foreign keys lead to them. */
function afterChildren(deletes: readonly DeleteUnit[], metadatas: Metadatas): UpdateUnit[] {
  const cuts: UpdateUnit[] = [];
  const index: RowIndex<DeleteUnit> = new Map();
  const tables = new Map<AnyTable, DeleteUnit[]>();
  for (const unit of deletes) for (const table of unit.mapper.tables) push(tables, table, unit);
  const keys = foreignKeysByMapper(metadatas);
  for (const unit of deletes) {
    for (const { foreign, target, targetProperties } of keys(unit.mapper)) {
      const candidates = tables.get(target);
      if (candidates === undefined) continue;
      const values = foreign.map((property) => oldValue(unit, property));
      const parent = lookUp(index, target, targetProperties, candidates, oldValue, values);
      if (parent === undefined) continue;
      if (parent !== unit) waitFor(parent, unit, foreign);
      // MariaDB refuses to delete a row that refers to itself.
      else if (!foreign.some(({ required }) => required)) cuts.push(cutBefore(unit, unit, foreign));
    }
  }
  return cuts;
}

/** Where a new value must be unique and a row that goes away still has it, that row goes first. */
function afterHoldersOfUniqueValues(written: readonly WrittenUnit[], deletes: readonly DeleteUnit[]): void {
  const index: RowIndex<DeleteUnit> = new Map();
  const tables = new Map<AnyTable, DeleteUnit[]>();
  for (const unit of deletes) for (const table of unit.mapper.tables) push(tables, table, unit);
  for (const unit of written) {
    for (const table of unit.mapper.tables) {
      const candidates = tables.get(table);
      if (candidates === undefined) continue;
      for (const properties of uniquesOf(table, unit.mapper)) {
        const values = properties.map((property) => newValue(unit, property));
        const holder = lookUp(index, table, properties, candidates, oldValue, values);
        if (holder !== undefined) waitFor(unit, holder, []);
      }
    }
  }
}

interface MappedForeignKey {
  readonly foreign: readonly MappedProperty[];
  readonly target: AnyTable;
  /** The names of the properties there. */
  readonly targetProperties: readonly MappedProperty[];
}

/** Finds the foreign keys of mappers, once for each. */
function foreignKeysByMapper(metadatas: Metadatas): (mapper: Mapper) => readonly MappedForeignKey[] {
  const known = new Map<Mapper, readonly MappedForeignKey[]>();
  return (mapper) => {
    const keys = known.get(mapper) ?? foreignKeysOf(mapper, metadatas);
    known.set(mapper, keys);
    return keys;
  };
}

function foreignKeysOf(mapper: Mapper, metadatas: Metadatas): MappedForeignKey[] {
  return mapper.tables.flatMap((table) =>
    table.foreignKeys.flatMap((key) => {
      const foreign = key.columns.map((column) => mapper.properties.find((property) => property.column === column));
      // A joined child's key leads to its own parent row, which is written with it.
      if (foreign.some((property) => property === undefined)) return [];
      const { table: target, columns } = key.resolve(metadatas);
      const targetProperties = columns.map((column) => ({
        name: column.property,
        column,
        table: target,
        required: true,
      }));
      return [{ foreign: foreign as MappedProperty[], target, targetProperties }];
    }),
  );
}

function uniquesOf(table: AnyTable, mapper: Mapper): MappedProperty[][] {
  const named = [table.primaryKey.map(({ property }) => property), ...table.uniques.map(({ columns }) => columns)];
  return named.flatMap((names) => {
    const properties = names.map((name) =>
      mapper.properties.find((property) => property.column === table.findColumn(name)),
    );
    return properties.includes(undefined) ? [] : [properties as MappedProperty[]];
  });
}

function lookUp<U extends FlushUnit>(
  index: RowIndex<U>,
  table: AnyTable,
  properties: readonly MappedProperty[],
  candidates: readonly U[],
  read: ValueOf<U>,
  values: readonly unknown[],
): U | undefined {
  if (values.some((value) => value === null || value === undefined)) return undefined;
  const shape = properties.map(({ name }) => name).join(",");
  const byShape = index.get(table) ?? new Map<string, Map<IdentityKey, U>>();
  index.set(table, byShape);
  let rows = byShape.get(shape);
  if (rows === undefined) {
    rows = new Map();
    for (const unit of candidates) {
      const own = properties.map((property) => read(unit, property));
      if (!own.some((value) => value === null || value === undefined)) rows.set(identityKey(own), unit);
    }
    byShape.set(shape, rows);
  }
  return rows.get(identityKey(values));
}

/** The value that a row will have: what changes, else what it has. */
function newValue(unit: WrittenUnit, { name }: MappedProperty): unknown {
  if (unit.values.has(name)) return unit.values.row[name];
  return rowOf(unit.kind === "update" ? (unit.replaced ?? unit.entity) : unit.entity)?.[name];
}

function oldValue(unit: DeleteUnit, { name }: MappedProperty): unknown {
  return rowOf(unit.entity)?.[name];
}

function push<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
