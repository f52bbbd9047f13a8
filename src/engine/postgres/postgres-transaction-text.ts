import type { TransactionText } from "../transaction-text.ts";

const COMMANDS = new Set(["begin", "commit", "end", "rollback", "abort", "savepoint", "release"]);

/** PostgreSQL's commands on transactions. Procedures and `do` cannot end a transaction that was begun outside of them. */
export const postgresTransactionText: TransactionText = {
  // Comments nest, up to three deep here; a text after `e` has backslashes; `$tag$` quotes.
  lexeme:
    /\s+|--[^\n]*|\/\*(?:(?!\/\*|\*\/)[\s\S]|\/\*(?:(?!\/\*|\*\/)[\s\S]|\/\*(?:(?!\*\/)[\s\S])*\*\/)*\*\/)*\*\/|e'(?:[^'\\]+|\\[\s\S])*'|'[^']*'|"[^"]*"|\$([a-z_\x80-\uffff][\w\x80-\uffff]*)?\$[\s\S]*?\$\1\$|([a-z_\x80-\uffff][\w$\x80-\uffff]*)|[\s\S]/iy,

  effect([first, second]) {
    if (first === undefined) return "none";
    if (COMMANDS.has(first)) return "command";
    return (first === "start" || first === "prepare") && second === "transaction" ? "command" : "none";
  },
};
