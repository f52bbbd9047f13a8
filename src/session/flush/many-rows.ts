import type { Engine } from "../../engine/engine.ts";
import type { TableColumn } from "../../schema/table-column.ts";

/** Rows as lists of values, in the order of columns that are named beside them. */
export type Rows = readonly (readonly unknown[])[];

/** How many statements for a certain number of rows are kept of each kind; they are long. */
export const MOST_LONG = 16;

/** The most rows that a statement with one list for each column takes; more bring nothing. */
export const MOST_IN_COLUMNS = 1000;

/** How many rows a statement may take, so that it has no more parameters than the database allows. */
export function mostRows(engine: Engine, most: number, parametersPerRow: number): number {
  return Math.max(1, Math.min(most, Math.floor(engine.family.mostParameters / parametersPerRow)));
}

/** Rows in portions that one statement takes each. */
export function portions(rows: Rows, size: number): readonly Rows[] {
  if (rows.length <= size) return [rows];
  const result: Rows[] = [];
  for (let start = 0; start < rows.length; start += size) result.push(rows.slice(start, start + size));
  return result;
}

/** One list for each column instead of one for each row. */
export function transposed(rows: Rows): unknown[][] {
  const columns: unknown[][] = [];
  for (let column = 0; column < rows[0]!.length; column++) {
    const values = new Array<unknown>(rows.length);
    for (let place = 0; place < rows.length; place++) values[place] = rows[place]![column];
    columns.push(values);
  }
  return columns;
}

/** Whether numbers of these columns may be larger than a JavaScript number holds. */
export function needsExactNumbers(columns: readonly TableColumn[]): boolean {
  return columns.some(({ definition: { type } }) => type.kind === "bigint" || type.kind === "native");
}
