import { InvalidValueError } from "../../errors/value.ts";
import type { ColumnConverter } from "./column-converter.ts";

/** Keys are shown up to so many characters. */
const MOST_CHARACTERS = 60;

/** A column of rows that the driver gave, by its name there. */
export interface RowColumn {
  readonly rowKey: string;
  readonly converter: ColumnConverter;
}

/**
 * The error of a value that could not be read, with the row that it is in; any other error is given back as it is.
 *
 * @param columns the columns of the row, those of its key among them
 * @param position the row's position among those that came with it, from 1, where the key may not be there
 */
export function inRow(
  error: unknown,
  row: Readonly<Record<string, unknown>>,
  columns: readonly RowColumn[],
  position?: number,
): unknown {
  if (!(error instanceof InvalidValueError)) return error;
  const key = columns.filter(
    ({ converter: { column } }) => column.definition.primaryKey === true && column.table.fullName === error.table,
  );
  if (key.length > 0) {
    const parts = key.map(({ converter, rowKey }) => `${converter.column.property} = ${shown(row[rowKey])}`);
    return error.inRow(`with ${parts.join(", ")}`);
  }
  return position === undefined ? error : error.inRow(`number ${position} of the result`);
}

function shown(stored: unknown): string {
  if (stored instanceof Uint8Array) return `0x${Buffer.from(stored).toString("hex", 0, MOST_CHARACTERS / 2)}`;
  const text = typeof stored === "string" ? JSON.stringify(stored) : String(stored);
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;
}
