/** The kinds of token that matter in `create table`. */
export type TokenKind = "comment" | "text" | "name" | "word" | "sign";

/** A piece of SQL and where it stands. */
export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const TOKEN =
  /(?<comment>--[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|(?<text>'(?:[^']|'')*')|(?<name>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])|(?<word>[\p{L}\p{N}_$]+)|(?<sign>\S)/gu;

/** Splits SQL of SQLite into its tokens, without the space between them. */
export function sqliteTokens(sql: string): Token[] {
  return [...sql.matchAll(TOKEN)].map(({ groups, index, 0: text }) => {
    // Exactly one of the expression's groups has matched.
    const kind = Object.keys(groups!).find((group) => groups![group] !== undefined) as TokenKind;
    return { kind, text, start: index, end: index + text.length };
  });
}

/** The name that a token stands for, its quotes taken off. */
export function nameOf({ kind, text }: Token): string {
  if (kind !== "name" && kind !== "text") return text;
  const quote = text[0]!;
  return quote === "[" ? text.slice(1, -1) : text.slice(1, -1).replaceAll(quote + quote, quote);
}
