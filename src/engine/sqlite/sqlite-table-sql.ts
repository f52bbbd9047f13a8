import { nameOf, sqliteTokens, type Token } from "./sqlite-tokens.ts";

/** A constraint over columns, with its name if it has one. */
export interface NamedColumns {
  readonly name: string | undefined;
  readonly columns: readonly string[];
}

/** What only the text of `create table` tells, and no pragma. */
export interface TableSql {
  readonly checks: readonly { readonly name: string | undefined; readonly expression: string }[];
  readonly uniques: readonly NamedColumns[];
  readonly foreignKeys: readonly NamedColumns[];
  /** The expressions of generated columns. */
  readonly generated: ReadonlyMap<string, string>;
  /** The comments that stand in the columns' definitions. */
  readonly comments: ReadonlyMap<string, readonly string[]>;
}

const TABLE_CONSTRAINTS = new Set(["constraint", "primary", "unique", "check", "foreign"]);

/** Reads the text that SQLite keeps of a table. */
export function readTableSql(sql: string): TableSql {
  return new TableReader(sql).read();
}

class TableReader {
  readonly #sql: string;
  readonly #tokens: readonly Token[];
  readonly #checks: { name: string | undefined; expression: string }[] = [];
  readonly #uniques: NamedColumns[] = [];
  readonly #foreignKeys: NamedColumns[] = [];
  readonly #generated = new Map<string, string>();
  readonly #comments = new Map<string, string[]>();

  constructor(sql: string) {
    this.#sql = sql;
    this.#tokens = sqliteTokens(sql);
  }

  read(): TableSql {
    const open = this.#tokens.findIndex(({ kind, text }) => kind === "sign" && text === "(");
    if (open >= 0) this.#readDefinitions(open + 1, this.#closing(open));
    return {
      checks: this.#checks,
      uniques: this.#uniques,
      foreignKeys: this.#foreignKeys,
      generated: this.#generated,
      comments: this.#comments,
    };
  }

  #readDefinitions(from: number, to: number): void {
    let start = from;
    for (let position = from; position <= to; position = this.#after(position)) {
      if (position < to && !this.#isSign(position, ",")) continue;
      this.#readDefinition(start, position);
      start = position + 1;
    }
  }

  #readDefinition(from: number, to: number): void {
    let start = from;
    while (start < to && this.#tokens[start]!.kind === "comment") start++;
    const first = this.#tokens[start];
    if (first === undefined || start >= to) return;
    const isConstraint = first.kind === "word" && TABLE_CONSTRAINTS.has(first.text.toLowerCase());
    const column = isConstraint ? undefined : nameOf(first);
    if (column !== undefined) {
      const comments = this.#tokens.slice(start, to).filter(({ kind }) => kind === "comment");
      this.#comments.set(
        column,
        comments.map(({ text }) => text),
      );
    }
    let name: string | undefined;
    for (let position = column === undefined ? start : start + 1; position < to; position = this.#after(position)) {
      if (this.#tokens[position]!.kind === "comment") continue;
      if (this.#isWord(position, "constraint")) {
        position = this.#next(position);
        name = nameOf(this.#tokens[position]!);
        continue;
      }
      this.#readConstraint(position, to, name, column);
      name = undefined;
    }
  }

  #readConstraint(position: number, to: number, name: string | undefined, column: string | undefined): void {
    const word = this.#tokens[position]!;
    if (word.kind !== "word") return;
    switch (word.text.toLowerCase()) {
      case "check":
        this.#checks.push({ name, expression: this.#inside(position, to) });
        break;
      case "unique":
        this.#uniques.push({ name, columns: column === undefined ? this.#names(position, to) : [column] });
        break;
      case "foreign":
        this.#foreignKeys.push({ name, columns: this.#names(position, to) });
        break;
      case "references":
        if (column !== undefined) this.#foreignKeys.push({ name, columns: [column] });
        break;
      case "as":
        if (column !== undefined) this.#generated.set(column, this.#inside(position, to));
    }
  }

  /** The text within the next parentheses. */
  #inside(position: number, to: number): string {
    const open = this.#opening(position, to);
    const [first, last] = [this.#tokens[open], this.#tokens[this.#closing(open)]];
    return first === undefined || last === undefined ? "" : this.#sql.slice(first.end, last.start).trim();
  }

  /** The names that are listed within the next parentheses. */
  #names(position: number, to: number): string[] {
    const open = this.#opening(position, to);
    const names: string[] = [];
    for (let at = open + 1, last = this.#closing(open), expected = true; at < last; at = this.#after(at)) {
      const token = this.#tokens[at]!;
      if (token.kind === "comment") continue;
      if (expected) names.push(nameOf(token));
      expected = this.#isSign(at, ",");
    }
    return names;
  }

  #opening(position: number, to: number): number {
    let open = position;
    while (open < to && !this.#isSign(open, "(")) open++;
    return open;
  }

  /** The parenthesis that closes the one at `open`. */
  #closing(open: number): number {
    let depth = 0;
    for (let position = open; position < this.#tokens.length; position++) {
      if (this.#isSign(position, "(")) depth++;
      else if (this.#isSign(position, ")") && --depth === 0) return position;
    }
    return this.#tokens.length;
  }

  /** The next token on the same level. */
  #after(position: number): number {
    return this.#isSign(position, "(") ? this.#closing(position) + 1 : position + 1;
  }

  /** The next token that is no comment. */
  #next(position: number): number {
    let next = position + 1;
    while (this.#tokens[next]?.kind === "comment") next++;
    return next;
  }

  #isSign(position: number, sign: string): boolean {
    const token = this.#tokens[position];
    return token?.kind === "sign" && token.text === sign;
  }

  #isWord(position: number, word: string): boolean {
    const token = this.#tokens[position];
    return token?.kind === "word" && token.text.toLowerCase() === word;
  }
}
