import {
  AggregateFunctionNode,
  AliasNode,
  FromNode,
  IdentifierNode,
  LimitNode,
  OffsetNode,
  type OperationNode,
  SelectAllNode,
  SelectionNode,
  type SelectQueryNode,
  ValueNode,
} from "kysely";

/** The same statement with a limit, unless its own is lower, or not known yet. */
export function limited(node: SelectQueryNode, rows: number): SelectQueryNode {
  if (node.limit !== undefined) {
    const { value: own } = node.limit.limit as { readonly value?: unknown };
    if (typeof own !== "number" || own <= rows) return node;
  }
  // As text: SQLite plans a statement anew each time a parameter of its limit is bound.
  return { ...node, limit: LimitNode.create(ValueNode.createImmediate(rows)) };
}

/** The same statement, with a limit that none reaches where it has an offset alone: not every database takes that. */
export function bounded(node: SelectQueryNode): SelectQueryNode {
  return node.offset === undefined ? node : limited(node, Number.MAX_SAFE_INTEGER);
}

/** The rows of a statement from an offset on, whatever its own limits. */
export function pageNode(node: SelectQueryNode, rows: number, offset: number): SelectQueryNode {
  const { offset: _, ...rest } = node;
  const limit = LimitNode.create(ValueNode.createImmediate(rows));
  return offset === 0 ? { ...rest, limit } : { ...rest, limit, offset: OffsetNode.create(ValueNode.create(offset)) };
}

/** A statement that counts the rows of another. */
export function countNode(node: SelectQueryNode): SelectQueryNode {
  return overRowsOf(node, AggregateFunctionNode.create("count", [SelectAllNode.create()]), "count");
}

/** A statement that gives a row for each of another, of which one is enough to know that there are any. */
export function existsNode(node: SelectQueryNode): SelectQueryNode {
  return overRowsOf(node, ValueNode.createImmediate(1), "found");
}

/** Selects something over the rows of a statement; their order and locks do not matter. */
function overRowsOf(node: SelectQueryNode, expression: OperationNode, name: string): SelectQueryNode {
  const selections = [SelectionNode.create(AliasNode.create(expression, IdentifierNode.create(name)))];
  const { orderBy, endModifiers: _, ...rest } = node;
  const { limit, offset, frontModifiers, groupBy, having } = rest;
  const changesRows = [limit, offset, frontModifiers, groupBy, having].some((part) => part !== undefined);
  if (!changesRows) return { ...rest, selections };
  const rows = limit === undefined ? rest : { ...rest, ...(orderBy === undefined ? {} : { orderBy }) };
  const from = FromNode.create([AliasNode.create(rows as OperationNode, IdentifierNode.create("counted"))]);
  return { kind: "SelectQueryNode", from, selections };
}
