import { SessionError } from "../../../errors/session.ts";
import { rowOf } from "../../../model/entity.ts";
import type { MappedProperty } from "../../../model/mapper.ts";
import { valuesOf } from "../../entities/entity-values.ts";
import { type Edge, type FlushUnit, storedEntityOf } from "../flush-unit.ts";
import { KeyReference } from "../key-reference.ts";

/** One unit that waits for another. */
interface Wait {
  readonly unit: FlushUnit;
  readonly other: FlushUnit;
  readonly edges: readonly Edge[];
}

/** Not more of a circle is written than can be read. */
const MOST_TOLD = 6;

/** The error for rows that wait for each other, none of which can be first. */
export function unorderable(circle: readonly Wait[]): SessionError {
  const waits = circle.filter(({ edges }) => edges.some(({ kind }) => kind !== "sequence"));
  const told = waits.slice(0, MOST_TOLD).map(sentenceOf);
  if (waits.length > MOST_TOLD) told.push(`and ${waits.length - MOST_TOLD} more`);
  return new SessionError(
    `Cannot order the changes of a flush: each of these rows waits for the next, the last for the first, and no column between them may be null: ${told.join("; ")}. ` +
      `${wayOut(waits)} store the rows in two steps: give one of them another value first, call flush(), then give it its own.`,
    { bindKey: circle[0]!.unit.engine.bindKey },
  );
}

function wayOut(waits: readonly Wait[]): string {
  const properties = waits.flatMap(({ edges }) => edges.flatMap(({ properties: own }) => own));
  const columns = [
    ...new Set(properties.filter(({ table, column }) => !table.primaryKey.includes(column)).map(columnOf)),
  ];
  if (columns.length === 0) return "You can";
  return `Make ${columns.length === 1 ? columns[0] : `one of ${columns.join(", ")}`} nullable, or`;
}

function sentenceOf({ unit, other, edges }: Wait): string {
  const [own, that] = [nameOf(unit), nameOf(other)];
  const said = edges.flatMap(({ kind, properties }) => {
    const columns = properties.map(columnOf).join(", ");
    if (kind === "reference") return [`${own} refers to ${that} by ${columns}`];
    if (kind === "unique") return [`${own} takes the value of ${columns} that ${that} has`];
    if (kind === "release") return [`${own} is referred to by ${that} in ${columns}`];
    return [];
  });
  return [...new Set(said)].join(" and ");
}

/** A row by its model and key. */
function nameOf(unit: FlushUnit): string {
  const stored = rowOf(storedEntityOf(unit));
  const values = stored ?? valuesOf(unit.entity);
  const key = unit.mapper.key.map(({ name }) => values[name]);
  const { name } = unit.entity.constructor;
  if (key.some((value) => value === undefined || value === null || value instanceof KeyReference))
    return `a new ${name}`;
  const shown = key.map((value) => (typeof value === "object" ? "…" : String(value))).join(", ");
  return `${name}(${shown})`;
}

function columnOf({ table, name }: MappedProperty): string {
  return `"${table.fullName}.${name}"`;
}
