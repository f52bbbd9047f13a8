import type { RootOperationNode } from "kysely";

/** SQL text that updates, with what may stand in front. */
const UPDATES = /^(?:\s|--[^\n]*\n|#[^\n]*\n|\/\*[\s\S]*?\*\/)*(?:update|with)\b/i;

/** Whether a statement is an update, of which Kysely says how many rows it changed. */
export function countsChanges(node: RootOperationNode, sql: string): boolean {
  return node.kind === "UpdateQueryNode" || (node.kind === "RawNode" && UPDATES.test(sql));
}
