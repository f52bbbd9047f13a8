import { SessionError } from "../../../errors/session.ts";
import type { MappedProperty, Mapper } from "../../../model/mapper.ts";
import { addEdge, addEdges, type Edge, type FlushUnit, type UpdateUnit, type WrittenUnit } from "../flush-unit.ts";
import { isFill, letGoBefore, nullableOf } from "./null-in-between.ts";
import type { ConstraintDirectory, Reference } from "./row-constraints.ts";
import { RowValues } from "./row-values.ts";
import { SetIndexes } from "./set-indexes.ts";

/**
 * Finds which rows of a flush have to come after others, and notes that in them:
 *
 * - a row after those that its foreign keys and `keyOf` lead to,
 * - a row that takes away a value after those that refer to it until now,
 * - a row that takes a value of a unique set after the one that gives it up.
 *
 * @returns updates that are needed beside them: rows that refer to themselves let go before they are deleted
 */
export function addDependencies(units: readonly FlushUnit[], constraintsOf: ConstraintDirectory): UpdateUnit[] {
  const { losers, areWaiting, haveReferences } = surveyed(units, constraintsOf);
  if (losers.length === 0 && !areWaiting && !haveReferences) return NO_UPDATES;
  const written = units.filter(isWritten);
  const values = new RowValues(written);
  if (areWaiting) afterAwaitedKeys(written, values);
  if (haveReferences) afterParents(written, values, constraintsOf);
  if (losers.length === 0) return NO_UPDATES;
  const cuts = haveReferences ? afterChildren(units, losers, values, constraintsOf) : NO_UPDATES;
  afterHolders(written, losers, values, constraintsOf);
  return cuts;
}

const NO_UPDATES: UpdateUnit[] = [];

/** What there is to look for. Most flushes have nothing of it, and their rows are looked at once. */
interface Survey {
  /** The units that may take away values that others refer to, or that no two rows may have. */
  readonly losers: readonly FlushUnit[];
  /** Whether rows wait for the keys of others. */
  readonly areWaiting: boolean;
  /** Whether rows have foreign keys. */
  readonly haveReferences: boolean;
}

function surveyed(units: readonly FlushUnit[], constraintsOf: ConstraintDirectory): Survey {
  const losers: FlushUnit[] = [];
  let [areWaiting, haveReferences] = [false, false];
  let mapper: Mapper | undefined;
  let list: readonly MappedProperty[] | undefined;
  let isWatched = false;
  for (let place = 0; place < units.length; place++) {
    const unit = units[place]!;
    // Most rows are of the model of the one before, and many are written in the same columns.
    if (unit.mapper !== mapper) {
      mapper = unit.mapper;
      list = undefined;
      haveReferences ||= constraintsOf(mapper).references.length > 0;
    }
    if (unit.kind === "delete") {
      losers.push(unit);
      continue;
    }
    areWaiting ||= unit.values.waiting.length > 0;
    // What fills a row was null before.
    if (unit.kind === "insert" || unit.isFill) continue;
    if (unit.values.properties !== list) {
      list = unit.values.properties;
      const { watched } = constraintsOf(mapper);
      isWatched = list.some((property) => watched.has(property));
    }
    if (isWatched || unit.replaced !== undefined) losers.push(unit);
  }
  return { losers, areWaiting, haveReferences };
}

function isWritten(unit: FlushUnit): unit is WrittenUnit {
  return unit.kind !== "delete";
}

/** Rows come after those whose keys they wait for. */
function afterAwaitedKeys(written: readonly WrittenUnit[], values: RowValues): void {
  // Most rows wait for the same property of others in the same property of theirs.
  let edges: readonly [Edge, ...Edge[]] | undefined;
  for (const unit of written) {
    const { waiting } = unit.values;
    for (let place = 0; place < waiting.length; place++) {
      const { property, reference } = waiting[place]!;
      if (reference.entity === unit.entity) continue;
      const other = values.unitOf(reference.entity);
      if (other !== undefined && isGivenBy(other, reference.property)) {
        if (edges?.[0].properties[0] !== property || edges[0].targets[0] !== reference.property)
          edges = [{ kind: "reference", properties: [property], targets: [reference.property], isSoft: false }];
        addEdges(unit, other, edges);
      } else if (!reference.isKnown) throw notAdded(unit, property);
    }
  }
}

/** Whether a unit makes an entity's value known: it makes the entity persistent, or changes the value. */
function isGivenBy(unit: WrittenUnit, property: MappedProperty): boolean {
  return unit.kind === "insert" || unit.replaced !== undefined || unit.values.has(property.name);
}

function notAdded({ engine }: FlushUnit, { name, table }: MappedProperty): SessionError {
  return new SessionError(
    `"${table.fullName}.${name}" is the key of an entity that is not stored and was not added to the session. Add it too.`,
    { bindKey: engine.bindKey },
  );
}

/** Rows come after those that give the values to which their foreign keys lead. */
function afterParents(written: readonly WrittenUnit[], values: RowValues, constraintsOf: ConstraintDirectory): void {
  const given = new SetIndexes<WrittenUnit>(
    written,
    ({ mapper }) => constraintsOf(mapper).referredSets,
    (unit, { properties }) =>
      values.changes(unit, properties) ? properties.map((property) => values.after(unit, property)) : undefined,
  );
  for (const unit of written) {
    for (const reference of constraintsOf(unit.mapper).references) {
      const index = given.at(reference.target, reference.targetId);
      if (index === undefined) continue;
      const value = reference.properties.map((property) => values.after(unit, property));
      if (value.some(isMissing)) continue;
      const { exact, alike } = index.find(value);
      for (const other of exact) connect(unit, other, reference, false);
      for (const other of alike) connect(unit, other, reference, true);
    }
  }
  function connect(
    unit: WrittenUnit,
    other: FlushUnit,
    { properties, target, targetId }: Reference,
    isSoft: boolean,
  ): void {
    if (other.entity === unit.entity) return;
    const set = constraintsOf(other.mapper).referredSets.find(({ table, id }) => table === target && id === targetId)!;
    addEdge(unit, other, { kind: "reference", properties, targets: set.properties, isSoft });
  }
}

/** Rows that take a value away come after those that refer to it until now, also if they refer to another row with it afterwards. */
function afterChildren(
  units: readonly FlushUnit[],
  losers: readonly FlushUnit[],
  values: RowValues,
  constraintsOf: ConstraintDirectory,
): UpdateUnit[] {
  const cuts: UpdateUnit[] = [];
  const lost = new SetIndexes<FlushUnit>(
    losers,
    ({ mapper }) => constraintsOf(mapper).referredSets,
    (unit, { properties }) =>
      values.changes(unit, properties) ? properties.map((property) => values.before(unit, property)) : undefined,
  );
  for (const child of units) {
    if (child.kind === "insert" || isFill(child)) continue;
    for (const reference of constraintsOf(child.mapper).references) {
      const { properties } = reference;
      const index = lost.at(reference.target, reference.targetId);
      if (index === undefined) continue;
      const value = properties.map((property) => values.before(child, property));
      if (value.some(isMissing)) continue;
      const { exact, alike } = index.find(value);
      for (const parent of exact) {
        if (parent !== child) {
          addEdge(parent, child, releaseOf(reference, parent, false));
          continue;
        }
        // MariaDB refuses to delete a row that refers to itself, and to change its key.
        const nullable = nullableOf(properties);
        if (nullable.length > 0) cuts.push(letGoBefore(child, child, nullable));
      }
      for (const parent of alike) if (parent !== child) addEdge(parent, child, releaseOf(reference, parent, true));
    }
  }
  return cuts;
}

/** A database that sets the child's columns itself copes without the order, too. */
function releaseOf({ properties, onDelete, onUpdate }: Reference, parent: FlushUnit, isAlike: boolean): Edge {
  const action = parent.kind === "delete" ? onDelete : onUpdate;
  const isFollowed = parent.kind !== "delete" && action === "cascade";
  const isSoft = isAlike || isFollowed || action === "set null" || action === "set default";
  return { kind: "release", properties, targets: [], isSoft, isFollowed };
}

/** Rows that take a value of a unique set come after those that give it up. */
function afterHolders(
  written: readonly WrittenUnit[],
  losers: readonly FlushUnit[],
  values: RowValues,
  constraintsOf: ConstraintDirectory,
): void {
  const freed = new SetIndexes<FlushUnit>(
    losers,
    ({ mapper }) => constraintsOf(mapper).uniqueSets,
    (unit, { properties }) =>
      values.changes(unit, properties) ? properties.map((property) => values.before(unit, property)) : undefined,
  );
  for (const unit of written) {
    for (const { table, id, properties } of constraintsOf(unit.mapper).uniqueSets) {
      const index = freed.at(table, id);
      if (index === undefined || !values.changes(unit, properties)) continue;
      const value = properties.map((property) => values.after(unit, property));
      if (value.includes(undefined)) continue;
      const { exact, alike } = index.find(value);
      for (const other of exact) if (other !== unit) addEdge(unit, other, uniqueEdge(properties, false));
      for (const other of alike) if (other !== unit) addEdge(unit, other, uniqueEdge(properties, true));
    }
  }
}

function uniqueEdge(properties: readonly MappedProperty[], isSoft: boolean): Edge {
  return { kind: "unique", properties, targets: [], isSoft };
}

function isMissing(value: unknown): boolean {
  return value === null || value === undefined;
}
