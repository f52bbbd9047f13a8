import {
  CompiledQuery,
  createQueryId,
  type DatabaseConnection,
  IdentifierNode,
  type QueryCompiler,
  RawNode,
} from "kysely";

type Compile = QueryCompiler["compileQuery"];

/** What ends a transaction and nests others in it, on databases that are told so in SQL. */
export abstract class TransactionCommands {
  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("commit"));
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("rollback"));
  }

  async savepoint(connection: DatabaseConnection, name: string, compile: Compile): Promise<void> {
    await connection.executeQuery(savepointCommand("savepoint", name, compile));
  }

  async rollbackToSavepoint(connection: DatabaseConnection, name: string, compile: Compile): Promise<void> {
    await connection.executeQuery(savepointCommand("rollback to savepoint", name, compile));
  }

  async releaseSavepoint(connection: DatabaseConnection, name: string, compile: Compile): Promise<void> {
    await connection.executeQuery(savepointCommand("release savepoint", name, compile));
  }
}

/** Compiles a command on a savepoint, its name quoted as the database quotes names. */
function savepointCommand(
  command: "savepoint" | "rollback to savepoint" | "release savepoint",
  name: string,
  compileQuery: Compile,
): CompiledQuery {
  const node = RawNode.create([`${command} `, ""], [IdentifierNode.create(name)]);
  return compileQuery(node, createQueryId());
}
