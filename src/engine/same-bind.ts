import type { OperationNode, TableNode } from "kysely";
import type { BindKey } from "../bind-key.ts";
import { CrossBindError } from "../errors/routing.ts";
import { type AnyTable, tableOfNode } from "../schema/table.ts";
import type { TableOwner } from "../schema/table-column.ts";
import { requireOwner } from "../schema/table-owner.ts";
import { isNode } from "./statement/nodes.ts";

/** Nodes that hold the application's values, which may look like nodes. */
const VALUES = new Set(["ValueNode", "PrimitiveValueListNode"]);

/**
 * Refuses a statement with a table of another bind or another `Multibind` object, for statements that were given their engine.
 *
 * @param owner the `Multibind` object whose tables the engine holds, where it is known
 * @throws {CrossBindError | OtherMultibindError}
 */
export function requireSameBind(statement: OperationNode, bindKey: BindKey, owner: TableOwner | undefined): void {
  const tables = new Set<AnyTable>();
  collect(statement, tables);
  if (owner !== undefined) for (const table of tables) requireOwner(table, owner);
  const named = [...tables].map((table) => ({ table: table.fullName, bindKey: table.bindKey }));
  if (named.some((table) => table.bindKey !== bindKey)) throw new CrossBindError(named, bindKey);
}

function collect(statement: unknown, tables: Set<AnyTable>): void {
  visitNodes(statement, (node) => {
    const table = node.kind === "TableNode" ? tableOfNode(node as TableNode) : undefined;
    if (table !== undefined) tables.add(table);
  });
}

/** Calls a function for each node of a statement, and for none in the application's values. */
export function visitNodes(part: unknown, visit: (node: OperationNode) => void): void {
  if (Array.isArray(part)) {
    for (const member of part) visitNodes(member, visit);
  } else if (isNode(part) && !VALUES.has(part.kind)) {
    visit(part);
    for (const member of Object.values(part)) visitNodes(member, visit);
  }
}
