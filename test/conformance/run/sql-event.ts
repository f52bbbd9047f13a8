/** One piece of SQL text: a word, a quoted name, or a mark. */
interface Token {
  readonly text: string;
  readonly isName: boolean;
}

const TOKEN = /'(?:[^']|'')*'|"((?:[^"]|"")*)"|`([^`]*)`|([a-z_][\w$]*)|[^\s]/gi;
const TRANSACTION_VERBS: readonly (readonly [RegExp, string])[] = [
  [/^begin\b/i, "BEGIN"],
  [/^commit prepared\b/i, "COMMIT PREPARED"],
  [/^rollback prepared\b/i, "ROLLBACK PREPARED"],
  [/^prepare transaction\b/i, "PREPARE"],
  [/^commit\b/i, "COMMIT"],
  [/^rollback to\b/i, "ROLLBACK TO SAVEPOINT"],
  [/^rollback\b/i, "ROLLBACK"],
  [/^savepoint\b/i, "SAVEPOINT"],
  [/^release\b/i, "RELEASE SAVEPOINT"],
];
/** Queries of the database's own tables, and of those where a two-phase commit is decided. */
const CATALOGUE =
  /\bmultibind_decision\b|\bcurrent_setting\b|^\s*pragma\b|\bsqlite_(?:master|schema|sequence)\b|\bpg_catalog\b|\bpg_\w+\b|\binformation_schema\b|\bpragma_\w+\s*\(/i;
const ENDS_OF_SOURCES = new Set([
  "where",
  "group",
  "order",
  "limit",
  "having",
  "union",
  "except",
  "intersect",
  "returning",
  "on",
  "set",
  "for",
]);

/**
 * A statement as the recorded traces write it: its verb and the tables that it names. Nothing for a query of the
 * catalogue, which the traces leave out.
 */
export function eventOf(sql: string): string | undefined {
  for (const [pattern, event] of TRANSACTION_VERBS) if (pattern.test(sql)) return event;
  if (CATALOGUE.test(sql)) return undefined;
  const tokens = tokensOf(sql);
  const words = tokens.map(({ text }) => text.toLowerCase());
  const verb = mainVerb(words);
  const name = (after: number) => nameAt(tokens, after).name;
  switch (words[verb]) {
    case "select":
    case "values":
      return ["SELECT", ...selectedTables(tokens)].join(" ");
    case "insert":
      return `INSERT ${name(words.indexOf("into", verb) + 1)}`;
    case "update":
      return `UPDATE ${name(verb + 1)}`;
    case "delete":
      return `DELETE ${name(words.indexOf("from", verb) + 1)}`;
    case "create":
    case "drop":
    case "alter": {
      const kind = words.findIndex((word, index) => index > verb && (word === "table" || word === "index"));
      return `${words[verb]!.toUpperCase()} ${words[kind]!.toUpperCase()} ${name(afterIfExists(words, kind + 1))}`;
    }
    default:
      return sql.trim();
  }
}

function tokensOf(sql: string): Token[] {
  return [...sql.matchAll(TOKEN)].map(([text, double, back, word]) => {
    const quoted = double ?? back;
    return quoted === undefined ? { text, isName: word !== undefined } : { text: quoted, isName: true };
  });
}

/** The verb behind a `with`. */
function mainVerb(words: readonly string[]): number {
  if (words[0] !== "with") return 0;
  let depth = 0;
  return words.findIndex((word) => {
    if (word === "(") depth++;
    if (word === ")") depth--;
    return depth === 0 && ["select", "insert", "update", "delete"].includes(word);
  });
}

function afterIfExists(words: readonly string[], from: number): number {
  const exists = words.indexOf("exists", from);
  return words[from] === "if" && exists >= 0 ? exists + 1 : from;
}

function nameAt(tokens: readonly Token[], position: number): { readonly name: string; readonly next: number } {
  let at = position;
  // A schema stands in front of the name, with a point between.
  while (tokens[at + 1]?.text === "." && tokens[at + 2]?.isName === true) at += 2;
  return { name: tokens[at]?.text ?? "", next: at + 1 };
}

/** The tables behind every `from` and `join`, in order, each once; names of common table expressions are no tables. */
function selectedTables(tokens: readonly Token[]): string[] {
  const expressions = new Set<string>();
  const found: string[] = [];
  // Whether a comma parts sources, for each level of parentheses.
  const inSources = [false];
  for (let at = 0; at < tokens.length; ) {
    const { text } = tokens[at]!;
    const word = text.toLowerCase();
    if (tokens[at + 1]?.text.toLowerCase() === "as" && tokens[at + 2]?.text === "(") expressions.add(text);
    if (text === "(") inSources.push(false);
    if (text === ")") inSources.pop();
    if (ENDS_OF_SOURCES.has(word)) inSources[inSources.length - 1] = false;
    const opens = word === "from" || word === "join" || (inSources.at(-1) === true && text === ",");
    if (opens) inSources[inSources.length - 1] = true;
    const next = tokens[at + 1];
    if (opens && next?.isName === true) {
      const { name, next: after } = nameAt(tokens, at + 1);
      found.push(name);
      at = after;
    } else {
      at++;
    }
  }
  return [...new Set(found)].filter((name) => !expressions.has(name));
}
