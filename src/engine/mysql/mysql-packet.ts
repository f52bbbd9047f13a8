import { ColumnNode, InsertQueryNode, type OperationNode, TableNode, UpdateQueryNode, ValueNode } from "kysely";
import { type BindKey, bindLabel } from "../../bind-key.ts";
import { InvalidValueError } from "../../errors/value.ts";
import type { EngineQuery } from "../driver.ts";
import { byteLength, byteLengths } from "../values/byte-length.ts";

/** Statements up to so many bytes fit every server whose setting anything can be done with. */
const FITS_EVERYWHERE = 65_536;

/** Whether a statement may be too large for the packets of some servers. */
export function isLarge(sql: string, parameters: readonly unknown[]): boolean {
  return sql.length > FITS_EVERYWHERE / 3 || byteLengths(parameters) > FITS_EVERYWHERE;
}

/**
 * Refuses a statement that is too large for a packet: the server would close the connection, and no one could
 * tell whether a commit happened.
 *
 * @param most the server's `max_allowed_packet`
 * @throws {InvalidValueError} naming the column or parameter
 */
export function requireFits({ query, sql, parameters }: EngineQuery, most: number, bindKey: BindKey): void {
  const bytes = Math.max(byteLengths(parameters), Buffer.byteLength(sql));
  if (bytes < most) return;
  const sizes = parameters.map(byteLength);
  const largest = sizes.indexOf(Math.max(...sizes));
  const column = columnOf(query, largest);
  const what =
    column === undefined
      ? bytes > sizes.reduce((sum, size) => sum + size, 0)
        ? "The text of the statement"
        : `Parameter ${largest + 1} of the statement`
      : `The value for column "${column.table}.${column.name}"`;
  throw new InvalidValueError(
    `Cannot send the statement to ${bindLabel(bindKey)}: it takes ${bytes} bytes, and the server's max_allowed_packet is ${most}. ` +
      `${what} is the largest part. Raise max_allowed_packet, or send less at once.`,
    { bindKey, table: column?.table, column: column?.name, status: 400 },
  );
}

/** The column that a parameter is written to, where the statement is plain enough to tell. */
function columnOf(
  node: OperationNode,
  parameter: number,
): { readonly table: string; readonly name: string } | undefined {
  if (InsertQueryNode.is(node) && node.into !== undefined && node.columns !== undefined) {
    const { columns, into } = node;
    const name = columns[parameter % columns.length]?.column.name;
    return name === undefined ? undefined : { table: into.table.identifier.name, name };
  }
  if (!UpdateQueryNode.is(node) || node.updates === undefined) return undefined;
  const update = node.updates[parameter];
  const isPlain = node.updates.slice(0, parameter + 1).every(({ value }) => ValueNode.is(value));
  if (update === undefined || !isPlain || !ColumnNode.is(update.column)) return undefined;
  const table = node.table !== undefined && TableNode.is(node.table) ? node.table.table.identifier.name : "";
  return { table, name: update.column.column.name };
}
