import { type CompiledQuery, createQueryId, IdentifierNode, type QueryCompiler, RawNode } from "kysely";

/** Compiles a command on a savepoint, its name quoted as the database quotes names. */
export function savepointCommand(
  command: "savepoint" | "rollback to savepoint" | "release savepoint",
  name: string,
  compileQuery: QueryCompiler["compileQuery"],
): CompiledQuery {
  const node = RawNode.create([`${command} `, ""], [IdentifierNode.create(name)]);
  return compileQuery(node, createQueryId());
}
