import type { Connection } from "../../engine/connection.ts";
import type { Engine } from "../../engine/engine.ts";
import { byteLengths } from "../../engine/values/byte-length.ts";
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

/** A statement's values are made and sent as a whole, so larger ones bring nothing. */
const MOST_BYTES = 16 * 1024 * 1024;
/** So many bytes are taken by every server. */
const FEW_BYTES = 65_536;

/** Rows that one statement takes, and the position of the first. */
export interface Portion {
  readonly start: number;
  readonly rows: Rows;
}

/**
 * Rows in portions that one statement takes each.
 *
 * @param size the most rows
 * @param repeated how often the statement says each value of a row, from `from` on
 */
export async function portions(
  connection: Connection,
  rows: Rows,
  size: number,
  { times, from }: { readonly times: number; readonly from: number } = SAID_ONCE,
): Promise<readonly Portion[]> {
  const sizes = rows.map((row) => byteLengths(row) + (times === 1 ? 0 : (times - 1) * byteLengths(row.slice(from))));
  const sum = sizes.reduce((all, one) => all + one, 0);
  // Half a packet, since the statement itself needs some of it too.
  const most = sum <= FEW_BYTES ? MOST_BYTES : Math.min(MOST_BYTES, (await connection.mostBytes()) / 2);
  const result: Portion[] = [];
  for (let start = 0; start < rows.length; ) {
    let [end, bytes] = [start + 1, sizes[start]!];
    while (end < rows.length && end - start < size && bytes + sizes[end]! <= most) bytes += sizes[end++]!;
    result.push({ start, rows: end - start === rows.length ? rows : rows.slice(start, end) });
    start = end;
  }
  return result;
}

const SAID_ONCE = { times: 1, from: 0 } as const;

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
