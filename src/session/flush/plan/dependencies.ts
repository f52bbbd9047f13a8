import { SessionError } from "../../../errors/session.ts";
import type { MappedProperty } from "../../../model/mapper.ts";
import type { ReferentialAction } from "../../../schema/reference-options.ts";
import { addEdge, type Edge, type FlushUnit, type UpdateUnit, type WrittenUnit } from "../flush-unit.ts";
import { letGoBefore, nullableOf } from "./null-in-between.ts";
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
  const written = units.every(isWritten) ? units : units.filter(isWritten);
  const losers = units.filter(mayLose(constraintsOf));
  const values = new RowValues(written);
  if (written.some(isWaiting)) afterAwaitedKeys(written, values);
  if (!units.some(hasReferences(constraintsOf))) {
    if (losers.length > 0) afterHolders(written, losers, values, constraintsOf);
    return [];
  }
  afterParents(written, values, constraintsOf);
  if (losers.length === 0) return [];
  const cuts = afterChildren(units, losers, values, constraintsOf);
  afterHolders(written, losers, values, constraintsOf);
  return cuts;
}

function isWritten(unit: FlushUnit): unit is WrittenUnit {
  return unit.kind !== "delete";
}

function isWaiting({ values }: WrittenUnit): boolean {
  return values.waiting.length > 0;
}

function hasReferences(constraintsOf: ConstraintDirectory): (unit: FlushUnit) => boolean {
  return ofMapper(({ mapper }) => constraintsOf(mapper).references.length > 0);
}

/** Asks once for units of one model that follow each other. */
function ofMapper(ask: (unit: FlushUnit) => boolean): (unit: FlushUnit) => boolean {
  let last: FlushUnit | undefined;
  let answer = false;
  return (unit) => {
    if (unit.mapper !== last?.mapper) answer = ask(unit);
    last = unit;
    return answer;
  };
}

/** Whether a unit may take away values that others refer to, or that no two rows may have. */
function mayLose(constraintsOf: ConstraintDirectory): (unit: FlushUnit) => boolean {
  let last: readonly MappedProperty[] | undefined;
  let answer = false;
  return (unit) => {
    if (unit.kind === "insert") return false;
    if (unit.kind === "delete" || unit.replaced !== undefined) return true;
    const { properties } = unit.values;
    if (properties !== last) {
      const { watched } = constraintsOf(unit.mapper);
      answer = properties.some((property) => watched.has(property));
      last = properties;
    }
    return answer;
  };
}

/** Rows come after those whose keys they wait for. */
function afterAwaitedKeys(written: readonly WrittenUnit[], values: RowValues): void {
  for (const unit of written) {
    for (const { property, reference } of unit.values.waiting) {
      if (reference.entity === unit.entity) continue;
      const other = values.unitOf(reference.entity);
      if (other !== undefined && isGivenBy(other, reference.property)) {
        addEdge(unit, other, {
          kind: "reference",
          properties: [property],
          targets: [reference.property],
          isSoft: false,
        });
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
    if (child.kind === "insert") continue;
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
  const isSoft =
    isAlike || (parent.kind === "delete" ? SETS : SETS_OR_FOLLOWS).has(parent.kind === "delete" ? onDelete : onUpdate);
  return { kind: "release", properties, targets: [], isSoft };
}

const SETS: ReadonlySet<ReferentialAction | undefined> = new Set(["set null", "set default"]);
const SETS_OR_FOLLOWS: ReadonlySet<ReferentialAction | undefined> = new Set(["set null", "set default", "cascade"]);

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
