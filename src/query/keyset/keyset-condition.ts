import { AndNode, BinaryOperationNode, type OperationNode, OperatorNode, OrNode, ParensNode, ValueNode } from "kysely";
import type { KeysetColumn } from "./keyset-order.ts";

/** A place among ordered rows, and which way from it. */
export interface KeysetPlace {
  /** The values of the columns that rows are ordered by. */
  readonly values: readonly unknown[];
  readonly backwards: boolean;
  /** Whether null comes before all values, where the order does not say. */
  readonly nullsComeFirst: boolean;
}

/** The condition that a row comes after a position, or before it if rows are read backwards. */
export function beyond(columns: readonly KeysetColumn[], place: KeysetPlace): OperationNode {
  const condition = beyondFrom(0, columns, place);
  const [{ reference, nullable, descending }] = columns as [KeysetColumn];
  if (columns.length === 1 || nullable) return condition;
  // Says nothing new, and lets the database begin at the right place of an index.
  const bound = compare(reference, isUpwards(descending, place) ? ">=" : "<=", place.values[0]);
  return AndNode.create(bound, ParensNode.create(condition));
}

/** Rows that are equal in the columns before `index` are compared by those from there on. */
function beyondFrom(index: number, columns: readonly KeysetColumn[], place: KeysetPlace): OperationNode {
  const column = columns[index]!;
  const value = place.values[index];
  const strictly = strictlyBeyond(column, value, place);
  if (index === columns.length - 1) return strictly ?? never(column);
  const equal = value === null ? isNull(column, "is") : compare(column.reference, "=", value);
  const tied = AndNode.create(equal, ParensNode.create(beyondFrom(index + 1, columns, place)));
  return strictly === undefined ? tied : OrNode.create(strictly, ParensNode.create(tied));
}

/** Nothing where no value comes behind. */
function strictlyBeyond(column: KeysetColumn, value: unknown, place: KeysetPlace): OperationNode | undefined {
  const upwards = isUpwards(column.descending, place);
  const nullsFirst = areNullsFirst(column, place) !== place.backwards;
  if (value === null) return nullsFirst ? isNull(column, "is not") : undefined;
  const further = compare(column.reference, upwards ? ">" : "<", value);
  return column.nullable && !nullsFirst ? ParensNode.create(OrNode.create(further, isNull(column, "is"))) : further;
}

function areNullsFirst({ nulls, descending }: KeysetColumn, { nullsComeFirst }: KeysetPlace): boolean {
  return nulls === undefined ? nullsComeFirst !== descending : nulls === "first";
}

function isUpwards(descending: boolean, { backwards }: KeysetPlace): boolean {
  return descending === backwards;
}

function never({ reference }: KeysetColumn): OperationNode {
  return AndNode.create(
    BinaryOperationNode.create(reference, OperatorNode.create("is"), ValueNode.createImmediate(null)),
    BinaryOperationNode.create(reference, OperatorNode.create("is not"), ValueNode.createImmediate(null)),
  );
}

function isNull({ reference }: KeysetColumn, operator: "is" | "is not"): OperationNode {
  return BinaryOperationNode.create(reference, OperatorNode.create(operator), ValueNode.createImmediate(null));
}

function compare(left: OperationNode, operator: "=" | ">" | "<" | ">=" | "<=", value: unknown): OperationNode {
  return BinaryOperationNode.create(left, OperatorNode.create(operator), ValueNode.create(value));
}
