import type { CompiledQuery } from "kysely";

/**
 * The effect of SQL text on the transaction in which it runs. `"command"`: it begins, ends or nests transactions;
 * `"commits"`: the database commits before it; `"unseen"`: it may do either without showing it, as a procedure does.
 */
export type TransactionEffect = "none" | "command" | "commits" | "unseen";

/** The lexemes of a family's SQL, and the effect of a statement that begins with certain words. */
export interface TransactionText {
  /** Matches one lexeme at `lastIndex` (sticky); its last group is a word. */
  readonly lexeme: RegExp;
  /** Returns the effect of a statement by its first words in lower case, as many as there are up to {@link LEADING}. */
  effect(words: readonly string[], sql: string): TransactionEffect;
}

/** The number of words that tell one kind of statement from another. */
const LEADING = 4;
/** Statements with a body in which semicolons separate other statements. */
const ROUTINES = new Set(["function", "procedure", "trigger"]);

/** Statements that only read or write rows. */
const ON_ROWS = new Set(["SelectQueryNode", "InsertQueryNode", "UpdateQueryNode", "DeleteQueryNode", "MergeQueryNode"]);

/** Returns the effect of a compiled statement on the transaction in which it runs. */
export function effectOf(
  { query, sql }: CompiledQuery,
  family: { readonly transactionText: TransactionText },
): TransactionEffect {
  return ON_ROWS.has(query.kind) ? "none" : transactionEffect(sql, family.transactionText);
}

/** Returns the effect of SQL text on the transaction in which it runs: of several statements, the first that has one. */
export function transactionEffect(sql: string, { lexeme, effect }: TransactionText): TransactionEffect {
  for (const words of statements(sql, lexeme)) {
    const found = effect(words, sql);
    if (found !== "none") return found;
  }
  return "none";
}

/** Returns the first words of SQL text in lower case, comments left out. */
export function leadingWords(sql: string, lexeme: RegExp): readonly string[] {
  for (const words of statements(sql, lexeme)) if (words.length > 0) return words;
  return [];
}

/** Yields the first words of each statement. Semicolons in comments, literals and bodies of routines separate nothing. */
function* statements(sql: string, lexeme: RegExp): IterableIterator<readonly string[]> {
  let words: string[] = [];
  let isRoutine = false;
  let depth = 0;
  const last = sql.lastIndexOf(";");
  for (let at = 0; at < sql.length && (words.length < LEADING || at <= last); at = lexeme.lastIndex) {
    lexeme.lastIndex = at;
    const match = lexeme.exec(sql)!;
    const word = match.at(-1);
    if (word !== undefined) {
      const lower = word.toLowerCase();
      if (words.length < LEADING) words.push(lower);
      if (words[0] === "create") {
        isRoutine ||= ROUTINES.has(lower);
        if (isRoutine && (lower === "begin" || lower === "case")) depth++;
        if (isRoutine && lower === "end") depth--;
      }
    } else if (match[0] === ";" && depth <= 0) {
      yield words;
      words = [];
      isRoutine = false;
      depth = 0;
    }
  }
  yield words;
}
