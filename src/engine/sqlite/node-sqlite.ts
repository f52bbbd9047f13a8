import { existsSync } from "node:fs";
import type { SqliteDatabase, SqliteModule, SqliteStatement } from "./sqlite-connection.ts";

/** The module, for messages. */
export const NODE_SQLITE = "node:sqlite (Node.js 22.16 or later)";

/** The part of `node:sqlite` that is used. */
interface NodeSqlite {
  readonly DatabaseSync: new (path: string, options: Readonly<Record<string, unknown>>) => NodeDatabase;
}

interface NodeDatabase {
  readonly isOpen: boolean;
  readonly isTransaction: boolean;
  prepare(sql: string): NodeStatement;
  close(): void;
  function(name: string, options: object, run: (...values: unknown[]) => unknown): void;
  aggregate(name: string, options: object): void;
}

interface NodeStatement {
  /** The text up to the end of the first statement. */
  readonly sourceSQL: string;
  columns(): readonly unknown[];
  all(...parameters: readonly unknown[]): object[];
  get(...parameters: readonly unknown[]): object | undefined;
  run(...parameters: readonly unknown[]): { readonly changes: number | bigint; readonly lastInsertRowid: bigint };
  iterate(...parameters: readonly unknown[]): IterableIterator<object>;
  setReadBigInts(on: boolean): void;
}

/** A line of a statement's program. */
interface Instruction {
  readonly opcode: string;
  readonly p2: number;
}

/** Instructions of programs that change the database, or how it is kept. */
const WRITING = new Set(["Vacuum", "Checkpoint", "JournalMode"]);
/** Text that is no statement. */
const NO_STATEMENT = /^(?:[\s;]|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$))*$/;

/** The words before a statement of which only the program or the plan is wanted. */
const EXPLAIN = /^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)*explain(?:\s+query\s+plan)?\b/i;

/** Whether a module is Node's own SQLite, with all that is used of it. */
export function isNodeSqlite(module: unknown): module is NodeSqlite {
  const { DatabaseSync } = (module ?? {}) as Partial<NodeSqlite>;
  return typeof DatabaseSync === "function" && "aggregate" in DatabaseSync.prototype;
}

/** Node's own SQLite in the form of the module `better-sqlite3`. */
export function nodeSqliteModule({ DatabaseSync }: NodeSqlite): SqliteModule {
  return class extends NodeSqliteDatabase {
    constructor(path: string, { fileMustExist, readonly, ...options }: Readonly<Record<string, unknown>>) {
      if (fileMustExist === true && path !== ":memory:" && !existsSync(path)) throw new MissingFile();
      super(new DatabaseSync(path, { ...options, readOnly: readonly === true }));
    }
  };
}

/** The error of a file that does not exist, with the code that SQLite has for it. */
class MissingFile extends Error {
  readonly code = "SQLITE_CANTOPEN";

  constructor() {
    super("unable to open database file");
  }
}

class NodeSqliteDatabase implements SqliteDatabase {
  readonly #database: NodeDatabase;

  constructor(database: NodeDatabase) {
    this.#database = database;
  }

  get open(): boolean {
    return this.#database.isOpen;
  }

  get inTransaction(): boolean {
    return this.#database.isTransaction;
  }

  prepare(sql: string): SqliteStatement {
    const statement = this.#database.prepare(sql);
    // Node would leave out what comes after the first statement.
    if (!NO_STATEMENT.test(sql.slice(statement.sourceSQL.length)))
      throw new RangeError("The SQL text contains more than one statement");
    return new NodeSqliteStatement(statement, () => this.#onlyReads(sql));
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  function(name: string, options: object, run: (...values: unknown[]) => unknown): void {
    this.#database.function(name, options, run);
  }

  aggregate(name: string, options: object): void {
    this.#database.aggregate(name, options);
  }

  /** What SQLite says of a statement without being asked for its program, which Node does not pass on. */
  #onlyReads(sql: string): boolean {
    const program = this.#database.prepare(`explain ${sql.replace(EXPLAIN, "")}`).all() as Instruction[];
    return !program.some(({ opcode, p2 }) => WRITING.has(opcode) || (opcode === "Transaction" && p2 !== 0));
  }
}

class NodeSqliteStatement implements SqliteStatement {
  readonly reader: boolean;
  readonly #statement: NodeStatement;
  readonly #onlyReads: () => boolean;
  #exact = false;

  constructor(statement: NodeStatement, onlyReads: () => boolean) {
    this.#statement = statement;
    this.#onlyReads = onlyReads;
    this.reader = statement.columns().length > 0;
    // Node throws for an integer that a number does not hold, after a statement that writes has written.
    statement.setReadBigInts(true);
  }

  get readonly(): boolean {
    return this.#onlyReads();
  }

  all(...parameters: readonly unknown[]): unknown[] {
    return this.#statement.all(...bindable(parameters)).map((row) => this.#plain(row));
  }

  get(...parameters: readonly unknown[]): unknown {
    const row = this.#statement.get(...bindable(parameters));
    return row === undefined ? undefined : this.#plain(row);
  }

  run(...parameters: readonly unknown[]): { readonly changes: number; readonly lastInsertRowid: bigint } {
    const { changes, lastInsertRowid } = this.#statement.run(...bindable(parameters));
    return { changes: Number(changes), lastInsertRowid };
  }

  *iterate(...parameters: readonly unknown[]): IterableIterator<unknown> {
    for (const row of this.#statement.iterate(...bindable(parameters))) yield this.#plain(row);
  }

  safeIntegers(on: boolean): void {
    this.#exact = on;
  }

  /** A row of Node's has no prototype. Integers that a number does not hold stay bigints, also where numbers are wanted. */
  #plain(row: object): object {
    const values: Record<string, unknown> = { ...row };
    if (this.#exact) return values;
    for (const name in values) {
      const value = values[name];
      if (typeof value === "bigint" && Number.isSafeInteger(Number(value))) values[name] = Number(value);
    }
    return values;
  }
}

/** Parameters as Node binds them, one by one: it would take an object for named parameters, and leave the others null. */
function bindable(parameters: readonly unknown[]): readonly unknown[] {
  const [first] = parameters;
  const values: readonly unknown[] = Array.isArray(first) ? first : parameters;
  for (const value of values) {
    const isBound =
      value === null || (typeof value === "object" ? ArrayBuffer.isView(value) : typeof value !== "boolean");
    if (!isBound) throw new TypeError("SQLite can only bind numbers, strings, bigints, bytes and null");
  }
  return values;
}
