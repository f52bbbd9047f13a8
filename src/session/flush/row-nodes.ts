import {
  AndNode,
  BinaryOperationNode,
  ColumnNode,
  ColumnUpdateNode,
  DefaultInsertValueNode,
  type DeleteQueryNode,
  FromNode,
  InsertQueryNode,
  type OperationNode,
  OperatorNode,
  OrNode,
  ParensNode,
  PrimitiveValueListNode,
  ReferenceNode,
  ReturningNode,
  SelectionNode,
  SelectModifierNode,
  type SelectQueryNode,
  UpdateQueryNode,
  ValueListNode,
  ValueNode,
  ValuesNode,
  WhereNode,
} from "kysely";
import type { AnyTable } from "../../schema/table.ts";
import type { TableColumn } from "../../schema/table-column.ts";

/** Inserts so many rows; the values are parameters, row by row in the order of `columns`. */
export function insertNode(
  table: AnyTable,
  columns: readonly TableColumn[],
  rows: number,
  returned: readonly TableColumn[],
): InsertQueryNode {
  const { generatedKey, node } = table;
  // Not every database knows `default values`, and none for several rows; a key to be generated can be named instead.
  const named = columns.length === 0 && generatedKey !== undefined ? [generatedKey] : columns;
  const row =
    columns.length === 0
      ? ValueListNode.create([DefaultInsertValueNode.create()])
      : PrimitiveValueListNode.create(columns.map(() => null));
  return InsertQueryNode.cloneWith(InsertQueryNode.create(node), {
    ...(named.length === 0
      ? { defaultValues: true }
      : {
          columns: named.map(({ name }) => ColumnNode.create(name)),
          values: ValuesNode.create(Array.from({ length: rows }, () => row)),
        }),
    ...(returned.length === 0 ? {} : { returning: returning(returned) }),
  });
}

/** Updates the row that `where` tells; the values are parameters, those of `columns` first. */
export function updateNode(
  table: AnyTable,
  columns: readonly TableColumn[],
  where: readonly TableColumn[],
): UpdateQueryNode {
  const updates = columns.map(({ name }) => ColumnUpdateNode.create(ColumnNode.create(name), ValueNode.create(null)));
  return Object.freeze({
    ...UpdateQueryNode.create([table.node]),
    updates: Object.freeze(updates),
    where: WhereNode.create(allEqual(where)),
  });
}

/** Deletes so many rows that `where` tells; of several, the keys of those that were there come back. */
export function deleteNode(table: AnyTable, where: readonly TableColumn[], rows: number): DeleteQueryNode {
  const [first, ...others] = where;
  const condition =
    rows > 1 && others.length === 0
      ? BinaryOperationNode.create(
          reference(first!),
          OperatorNode.create("in"),
          PrimitiveValueListNode.create(Array.from({ length: rows }, () => null)),
        )
      : anyOf(Array.from({ length: rows }, () => allEqual(where)));
  return Object.freeze({
    kind: "DeleteQueryNode",
    from: FromNode.create([table.node]),
    where: WhereNode.create(condition),
    ...(rows === 1 ? {} : { returning: returning(table.primaryKey) }),
  } satisfies DeleteQueryNode);
}

/** Reads columns of the row that `where` tells. */
export function selectNode(
  table: AnyTable,
  columns: readonly TableColumn[],
  where: readonly TableColumn[],
): SelectQueryNode {
  return Object.freeze({
    kind: "SelectQueryNode",
    from: FromNode.create([table.node]),
    selections: columns.map((column) => SelectionNode.create(reference(column))),
    where: WhereNode.create(allEqual(where)),
  } satisfies SelectQueryNode);
}

/** Locks the row of a table that has a key. */
export function lockNode(table: AnyTable, changesKeys: boolean): SelectQueryNode {
  const { primaryKey } = table;
  const modifier = SelectModifierNode.create(changesKeys ? "ForUpdate" : "ForNoKeyUpdate");
  return Object.freeze({ ...selectNode(table, primaryKey, primaryKey), endModifiers: Object.freeze([modifier]) });
}

function returning(columns: readonly TableColumn[]): ReturningNode {
  return ReturningNode.create(columns.map((column) => SelectionNode.create(reference(column))));
}

function reference(column: TableColumn): ReferenceNode {
  return ReferenceNode.create(ColumnNode.create(column.name));
}

function allEqual(columns: readonly TableColumn[]): OperationNode {
  const parts = columns.map((column) =>
    BinaryOperationNode.create(reference(column), OperatorNode.create("="), ValueNode.create(null)),
  );
  return parts.reduce<OperationNode>((all, part) => (all === part ? part : AndNode.create(all, part)), parts[0]!);
}

/** Halves within halves: no database takes a thousand alternatives that nest into each other one by one. */
function anyOf(conditions: readonly OperationNode[]): OperationNode {
  if (conditions.length === 1) return conditions[0]!;
  const middle = conditions.length >> 1;
  const [left, right] = [conditions.slice(0, middle), conditions.slice(middle)];
  return OrNode.create(ParensNode.create(anyOf(left)), ParensNode.create(anyOf(right)));
}
