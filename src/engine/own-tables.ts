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
export function requireOwnTables(statement: OperationNode, bindKey: BindKey, owner: TableOwner | undefined): void {
  const tables = new Set<AnyTable>();
  collect(statement, tables);
  if (owner !== undefined) for (const table of tables) requireOwner(table, owner);
  const named = [...tables].map((table) => ({ table: table.fullName, bindKey: table.bindKey }));
  if (named.some((table) => table.bindKey !== bindKey)) throw new CrossBindError(named, bindKey);
}

function collect(part: unknown, tables: Set<AnyTable>): void {
  if (Array.isArray(part)) {
    for (const member of part) collect(member, tables);
  } else if (isNode(part) && !VALUES.has(part.kind)) {
    const table = part.kind === "TableNode" ? tableOfNode(part as TableNode) : undefined;
    if (table !== undefined) tables.add(table);
    else for (const member of Object.values(part)) collect(member, tables);
  }
}
