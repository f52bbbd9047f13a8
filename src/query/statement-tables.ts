import type { OperationNode, SelectModifierNode, TableNode, WithNode } from "kysely";
import { isLock } from "../engine/statement/lock-modifiers.ts";
import { type AnyTable, tableOfNode } from "../schema/table.ts";

/** A table as a statement names it. */
export interface NamedTable {
  /** The table, where the node carries it; absent where only a string names it. */
  readonly table: AnyTable | undefined;
  /** The name, with the schema in front where there is one. */
  readonly name: string;
}

/** The facts in a statement's tree about where and how it must run. */
export interface StatementTables {
  /** Every table that the statement reads or writes, in order of appearance. */
  readonly tables: readonly NamedTable[];
  /** Whether it writes or locks rows, anywhere in it. */
  readonly writes: boolean;
  /** Whether it is SQL text, of which only the tables put into it as values are known. */
  readonly isRaw: boolean;
}

/** Nodes without tables below them; values may be objects of the application that look like nodes. */
const LEAVES = new Set([
  "ValueNode",
  "PrimitiveValueListNode",
  "IdentifierNode",
  "OperatorNode",
  "DataTypeNode",
  "ColumnNode",
  "DefaultInsertValueNode",
]);

/** Nodes in which a table's name means its rows in the statement, not the table itself. */
const NAMES_ROWS = new Set([
  "ReferenceNode",
  "SelectAllNode",
  "SelectModifierNode",
  "FunctionNode",
  "AggregateFunctionNode",
]);

const WRITES = new Set(["InsertQueryNode", "UpdateQueryNode", "DeleteQueryNode", "MergeQueryNode"]);

/**
 * Finds the tables of a statement: in joins, subqueries, common table expressions, set operations, insert-select,
 * `using` and wherever else they stand.
 */
export function tablesOfStatement(root: OperationNode): StatementTables {
  const walk = new Walk();
  walk.visit(root, "");
  const isRaw = root.kind === "RawNode";
  // Whatever is neither a select nor text, such as `create table`, changes the database.
  return { tables: walk.tables, writes: walk.writes || (root.kind !== "SelectQueryNode" && !isRaw), isRaw };
}

class Walk {
  readonly tables: NamedTable[] = [];
  writes = false;
  /** The names of common table expressions, innermost scope last. */
  readonly #scopes: Set<string>[] = [];

  visit(node: OperationNode, parentKind: string): void {
    const { kind } = node;
    if (LEAVES.has(kind)) return;
    if (kind === "TableNode") {
      if (!NAMES_ROWS.has(parentKind)) this.#table(node as TableNode);
      return;
    }
    const standsFor = kind === "AliasNode" ? tableOfNode(node) : undefined;
    if (standsFor !== undefined) this.tables.push({ table: standsFor, name: standsFor.fullName });
    if (WRITES.has(kind) || (kind === "SelectModifierNode" && isLock((node as SelectModifierNode).modifier))) {
      this.writes = true;
    }
    const { with: expressions } = node as { readonly with?: WithNode };
    if (expressions === undefined) this.#visitMembers(node);
    else this.#visitWithin(expressions, node);
  }

  #table(node: TableNode): void {
    const table = tableOfNode(node);
    const { schema, identifier } = node.table;
    const isExpression =
      table === undefined && schema === undefined && this.#scopes.some((names) => names.has(identifier.name));
    if (isExpression) return;
    const name = schema === undefined ? identifier.name : `${schema.name}.${identifier.name}`;
    this.tables.push({ table, name: table?.fullName ?? name });
  }

  /** Names of a plain `with` are known behind their own expression, those of `with recursive` everywhere in it. */
  #visitWithin({ expressions, recursive }: WithNode, node: OperationNode): void {
    const names = new Set<string>();
    this.#scopes.push(names);
    if (recursive === true) for (const { name } of expressions) names.add(name.table.table.identifier.name);
    for (const { name, expression } of expressions) {
      this.visit(expression, "CommonTableExpressionNode");
      names.add(name.table.table.identifier.name);
    }
    this.#visitMembers(node);
    this.#scopes.pop();
  }

  #visitMembers(node: OperationNode): void {
    for (const name in node) {
      if (name === "kind" || name === "with") continue;
      const member = (node as unknown as Record<string, unknown>)[name];
      if (Array.isArray(member)) for (const one of member) this.#visitIfNode(one, node.kind);
      else this.#visitIfNode(member, node.kind);
    }
  }

  #visitIfNode(member: unknown, parentKind: string): void {
    if (typeof member !== "object" || member === null) return;
    if (typeof (member as { kind?: unknown }).kind === "string") this.visit(member as OperationNode, parentKind);
  }
}
