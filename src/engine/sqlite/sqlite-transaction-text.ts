import type { TransactionText } from "../transaction-text.ts";

const COMMANDS = new Set(["begin", "commit", "end", "rollback", "savepoint", "release"]);

/** SQLite's commands on transactions. */
export const sqliteTransactionText: TransactionText = {
  lexeme:
    /\s+|--[^\n]*|\/\*[\s\S]*?\*\/|'[^']*'|"[^"]*"|`[^`]*`|\[[^\]]*\]|([a-z_\x80-\uffff][\w$\x80-\uffff]*)|[\s\S]/iy,
  effect: ([first]) => (first !== undefined && COMMANDS.has(first) ? "command" : "none"),
};
