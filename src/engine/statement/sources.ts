import type { AliasNode, ListNode, OperationNode, ParensNode, QueryNode, RawNode } from "kysely";
import { soleChild } from "./nodes.ts";

/** A table or subquery that a query names to take rows from or to change. */
export interface Source {
  readonly node: OperationNode;
  /** How it is joined to those before it, if it is. */
  readonly joinType?: string;
}

/** The tables that a query reads or changes, in order; a table that it changes comes first. */
export function sourcesOf(query: QueryNode): readonly Source[] {
  switch (query.kind) {
    case "SelectQueryNode":
      return [...listed(query.from?.froms), ...joined(query.joins)];
    case "InsertQueryNode":
      return query.into === undefined ? [] : [{ node: query.into }];
    case "UpdateQueryNode":
      return [...targets(query.table), ...listed(query.from?.froms), ...joined(query.joins)];
    case "DeleteQueryNode":
      return [...listed(query.from.froms), ...listed(query.using?.tables), ...joined(query.joins)];
    case "MergeQueryNode":
      return [{ node: query.into }, ...(query.using === undefined ? [] : joined([query.using]))];
  }
}

/** Whether a source may refer to those before it in its query. */
export function isLateral({ joinType = "" }: Source): boolean {
  return joinType.startsWith("Lateral") || joinType.endsWith("Apply");
}

/** Whether a source is a query of its own, with an alias or without. */
export function isSubquery(node: OperationNode): boolean {
  // The kind decides which of them it is.
  const source = node as AliasNode | ParensNode | RawNode | QueryNode;
  switch (source.kind) {
    case "AliasNode":
    case "ParensNode":
      return isSubquery(source.node);
    case "RawNode": {
      const child = soleChild(source);
      return child !== undefined && isSubquery(child);
    }
    default:
      return source.kind.endsWith("QueryNode");
  }
}

/** MySQL updates several tables at once; they come as a list. */
function targets(node: OperationNode | undefined): readonly Source[] {
  if (node === undefined) return [];
  // The kind says so.
  return node.kind === "ListNode" ? listed((node as ListNode).items) : [{ node }];
}

function listed(nodes: readonly OperationNode[] = []): readonly Source[] {
  return nodes.map((node) => ({ node }));
}

function joined(
  joins: readonly { readonly joinType: string; readonly table: OperationNode }[] = [],
): readonly Source[] {
  return joins.map(({ table, joinType }) => ({ node: table, joinType }));
}
