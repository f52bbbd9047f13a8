import {
  AndNode,
  BinaryOperationNode,
  type InsertQueryNode,
  type OperationNode,
  OperatorNode,
  ParensNode,
  ReferenceNode,
  SelectQueryNode,
  type UpdateQueryNode,
  ValueNode,
  type ValuesNode,
} from "kysely";
import { bindLabel } from "../../bind-key.ts";
import { UnsupportedError } from "../../errors/configuration.ts";
import type { ValueMaker } from "../../schema/column.ts";
import type { TypeKind } from "../../schema/logical-type.ts";
import type { TableColumn } from "../../schema/table-column.ts";
import type { CompileTarget } from "./compile-target.ts";
import type { Relation } from "./relation.ts";

/** One instant for all rows of a statement is what SQL's own `current_timestamp` gives them. */
const TEMPORAL: ReadonlySet<TypeKind> = new Set<TypeKind>(["date", "time", "timestamp"]);

/**
 * Refuses a function that makes the value of one row where a statement would give that value to several rows.
 *
 * @param rows the rows, for the message
 * @throws {UnsupportedError}
 */
export function requireSharable(
  { bindKey }: CompileTarget,
  column: TableColumn,
  make: ValueMaker<unknown>,
  rows: "inserts" | "updates",
): void {
  if (make.isConstant === true || TEMPORAL.has(column.definition.type.kind)) return;
  const { property, table } = column;
  const [option, way] =
    rows === "inserts"
      ? ["default", `List "${property}" in the insert and select its value, or insert the rows with values()`]
      : ["onUpdate", `Set "${property}" in the statement, or update one row by its key`];
  throw new UnsupportedError(
    `Cannot call the function in ${option} of column "${table.fullName}.${property}" (${bindLabel(bindKey)}) for each row: ` +
      `the statement ${rows} rows that only the database knows, and all would share one value. ${way}.`,
    { bindKey },
  );
}

/** Whether an insert adds at most one row. */
export function insertsOneRow({ values, defaultValues }: InsertQueryNode): boolean {
  if (defaultValues === true || values === undefined) return true;
  // The kind says so.
  if (values.kind === "ValuesNode") return (values as ValuesNode).values.length <= 1;
  return SelectQueryNode.is(values) && selectsOneRow(values);
}

/** Whether a query gives at most one row because it takes rows from nowhere. */
export function selectsOneRow({ from, setOperations }: SelectQueryNode): boolean {
  return from === undefined && setOperations === undefined;
}

/** Whether the conditions of an update give values to a key or a unique column of its table. */
export function updatesOneRow({ where }: UpdateQueryNode, target: Relation | undefined): boolean {
  const table = target?.table;
  if (table === undefined || where === undefined) return false;
  const given = new Set<TableColumn>();
  const collect = (condition: OperationNode): void => {
    if (ParensNode.is(condition)) collect(condition.node);
    else if (AndNode.is(condition)) for (const part of [condition.left, condition.right]) collect(part);
    else if (BinaryOperationNode.is(condition)) {
      const column = columnGiven(condition, target!);
      if (column !== undefined) given.add(column);
    }
  };
  collect(where.where);
  const { primaryKey } = table;
  return (
    (primaryKey.length > 0 && primaryKey.every((column) => given.has(column))) ||
    [...given].some(({ definition }) => definition.unique === true)
  );
}

/** The column of a table that a condition says the one value of. */
function columnGiven(
  { operator, leftOperand, rightOperand }: BinaryOperationNode,
  target: Relation,
): TableColumn | undefined {
  const isEquality = OperatorNode.is(operator) && operator.operator === "=";
  if (!isEquality || !ReferenceNode.is(leftOperand) || !ValueNode.is(rightOperand)) return undefined;
  const { column, table } = leftOperand;
  if (table !== undefined && table.table.identifier.name !== target.name) return undefined;
  return column.kind === "ColumnNode" ? target.converter(column.column.name)?.column : undefined;
}
