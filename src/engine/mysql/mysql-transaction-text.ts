import type { TransactionText } from "../transaction-text.ts";

const COMMANDS = new Set(["commit", "rollback", "savepoint", "release", "xa", "lock", "unlock"]);
/** Statements that commit the transaction before they run. */
const COMMITS = new Set([
  ...["alter", "rename", "truncate", "grant", "revoke", "install", "uninstall", "import"],
  ...["optimize", "repair", "check", "cache", "flush", "reset", "change", "stop", "backup", "shutdown"],
]);
/** Statements that leave the transaction as it is, or fail. */
const HARMLESS = new Set([
  ...["select", "insert", "update", "delete", "replace", "with", "values", "table", "do", "handler"],
  ...["show", "explain", "describe", "desc", "checksum", "help", "use", "kill", "prepare", "deallocate"],
]);

/**
 * The commands of MySQL and MariaDB on transactions, and the statements before which they commit. All other statements,
 * `call` first of all, may run any of these.
 */
export const mysqlTransactionText: TransactionText = {
  // `/*!` and `/*M!` begin no comment but SQL for some versions.
  lexeme:
    /\s+|--(?=\s|$)[^\n]*|#[^\n]*|\/\*M?!\d*|\*\/|\/\*[\s\S]*?\*\/|'(?:[^'\\]+|\\[\s\S])*'|"(?:[^"\\]+|\\[\s\S])*"|`[^`]*`|([a-z_\x80-\uffff][\w$\x80-\uffff]*)|[\s\S]/iy,

  effect(words, sql) {
    const [first, second] = words;
    switch (first) {
      case undefined:
        return "none";
      case "begin":
        return second === "not" ? "unseen" : "command";
      case "start":
        return second === "transaction" ? "command" : "commits";
      case "create":
      case "drop":
        return words.includes("temporary") || second === "prepare" ? "none" : "commits";
      case "analyze":
        return second === "select" || second === "format" ? "none" : "commits";
      case "load":
        return second === "index" ? "commits" : "none";
      case "set":
        if (second === "statement") return "unseen";
        if (second === "password") return "commits";
        return /\bautocommit\b/i.test(sql) ? "command" : "none";
    }
    if (COMMANDS.has(first)) return "command";
    if (COMMITS.has(first)) return "commits";
    return HARMLESS.has(first) ? "none" : "unseen";
  },
};
