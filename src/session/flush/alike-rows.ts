import type { InsertUnit, UpdateUnit } from "./flush-unit.ts";

/** Rows of one model by what is written of them: those that are written in the same columns. */
export function alikeIn<U extends InsertUnit | UpdateUnit>(units: readonly U[]): Iterable<readonly U[]> {
  return areAlike(units) ? [units] : Map.groupBy(units, shapeOf).values();
}

/** Whether all rows are written in the same columns. */
export function areAlike(units: readonly (InsertUnit | UpdateUnit)[]): boolean {
  return units.every(isWrittenLikeFirst);
}

function isWrittenLikeFirst(
  { values: { properties } }: InsertUnit | UpdateUnit,
  _: number,
  units: readonly (InsertUnit | UpdateUnit)[],
): boolean {
  const { properties: first } = units[0]!.values;
  return (
    properties === first ||
    (properties.length === first.length && properties.every((property, place) => property === first[place]))
  );
}

function shapeOf({ values: { properties } }: InsertUnit | UpdateUnit): string {
  return properties.map(({ name }) => name).join();
}
