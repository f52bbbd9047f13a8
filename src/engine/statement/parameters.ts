import { bindLabel } from "../../bind-key.ts";
import { InvalidValueError, UndefinedValueError } from "../../errors/value.ts";
import { Refusal, type TypeKind } from "../../schema/logical-type.ts";
import type { TableColumn } from "../../schema/table-column.ts";
import type { ColumnConverter } from "../values/column-converter.ts";
import type { CompileTarget } from "./compile-target.ts";

/** The column that a value is written to or compared with. */
export interface ValueWriter {
  readonly column: TableColumn;
  /**
   * Makes what the driver sends.
   *
   * @throws {InvalidValueError} naming bind, table and column
   */
  write(value: unknown): unknown;
}

/** What stands opposite a part of a statement: a column, for a tuple one thing for each of its members, or nothing known. */
export type Opposite = ValueWriter | readonly Opposite[] | undefined;

const TEXT_KINDS: ReadonlySet<TypeKind> = new Set<TypeKind>(["varchar", "char", "text", "enumeration"]);

/** How a value is made that is compared with a column. Text that the column could not hold is no error: it matches nothing. */
export function compared(converter: ColumnConverter | undefined): ValueWriter | undefined {
  if (converter === undefined || !TEXT_KINDS.has(converter.column.definition.type.kind)) return converter;
  return { column: converter.column, write: (value) => (typeof value === "string" ? value : converter.write(value)) };
}

/**
 * How a value is made within an expression, such as `coalesce(seats, 0)`. There no column turns a number into one of its
 * own kind, so it is sent as a value that stands opposite no column.
 */
export function withinExpression({ family }: CompileTarget, opposite: Opposite): Opposite {
  if (family.parameter === undefined || opposite === undefined || isTuple(opposite)) return opposite;
  const { column } = opposite;
  if (column.definition.type.kind === "float") return opposite;
  return {
    column,
    write: (value) => {
      const written = opposite.write(value);
      return typeof written === "number" ? family.parameter!(written) : written;
    },
  };
}

/** The member of what stands opposite a tuple. */
export function memberOf(opposite: Opposite, index: number): Opposite {
  return Array.isArray(opposite) ? opposite[index] : undefined;
}

/**
 * Makes what the driver sends for a value of the statement.
 *
 * @throws {UndefinedValueError} for `undefined`, which drivers would send as null or not at all
 * @throws {InvalidValueError} if the column, or without one the driver, cannot take the value
 */
export function parameter(engine: CompileTarget, value: unknown, opposite: Opposite): unknown {
  if (opposite === undefined || isTuple(opposite)) return unconverted(engine, value);
  if (value === undefined)
    throw opposite.column.refusal("its value is undefined. Pass null for SQL NULL", {
      ErrorClass: UndefinedValueError,
    });
  return opposite.write(value);
}

function unconverted(engine: CompileTarget, value: unknown): unknown {
  const { bindKey, family } = engine;
  if (value === undefined) {
    throw new UndefinedValueError(
      `A value of the statement for ${bindLabel(bindKey)} is undefined. Pass null for SQL NULL.`,
      { bindKey },
    );
  }
  if (family.parameter === undefined) return value;
  try {
    return family.parameter(value);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new InvalidValueError(
      `A value of the statement for ${bindLabel(bindKey)} cannot be sent: ${error.message}.`,
      { bindKey, status: 400 },
    );
  }
}

function isTuple(opposite: ValueWriter | readonly Opposite[]): opposite is readonly Opposite[] {
  return Array.isArray(opposite);
}
