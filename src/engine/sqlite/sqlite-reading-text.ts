import { leadingWords } from "../transaction-text.ts";
import { sqliteTransactionText } from "./sqlite-transaction-text.ts";

const READS = new Set(["select", "values", "with", "explain"]);
/** Pragmas that only read the file. Others show or change settings of one connection, though SQLite calls them read-only. */
const READING_PRAGMAS = new Set([
  ...["table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo", "foreign_key_list"],
  ...["foreign_key_check", "integrity_check", "quick_check", "user_version", "application_id", "schema_version"],
  ...["page_count", "page_size", "freelist_count", "encoding", "compile_options", "function_list", "collation_list"],
]);
/** Functions that tell of the connection on which they run, or change it. */
const OF_CONNECTION = /\b(last_insert_rowid|changes|total_changes|load_extension)\s*\(/i;
const PRAGMA_TABLES = /\bpragma_(\w+)/gi;

/** Whether SQL text may mean the same on any connection, if SQLite says that it only reads. */
export function readsAnywhere(sql: string): boolean {
  const [first, ...names] = leadingWords(sql, sqliteTransactionText.lexeme);
  if (first === "pragma") return names.slice(0, 2).some((name) => READING_PRAGMAS.has(name));
  if (first === undefined || !READS.has(first) || OF_CONNECTION.test(sql)) return false;
  return [...sql.matchAll(PRAGMA_TABLES)].every(([, name]) => READING_PRAGMAS.has(name!.toLowerCase()));
}
