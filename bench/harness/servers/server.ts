import type { Database, Family, SqliteInstants } from "../../contenders/contender.ts";

/** A connection of the benchmark's own, to prepare a database and to look into it. */
export interface Access {
  run(sql: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

/** What is particular to one kind of database: how to make one, and the tables in it. */
export interface Server {
  readonly family: Family;
  /** Where databases are made. */
  place(name: string): Database;
  create(database: Database): Promise<void>;
  drop(database: Database): Promise<void>;
  open(database: Database): Promise<Access>;
  /** What the server calls its version. */
  version(access: Access): Promise<string>;
  /** The statements that make a table. */
  readonly tables: Readonly<Record<"post" | "user", readonly string[]>>;
  /** The placeholder of the n-th value of a statement, from 1 up. */
  placeholder(position: number): string;
  /** What is sent for a value. */
  encode(value: unknown, instants: SqliteInstants): unknown;
  /** Statements that make a filled table good to read. */
  settle(table: string, rows: number): readonly string[];
  /** Statements that clear away what changed rows have left behind, which would slow down those who changed the most. */
  tidy(table: string): readonly string[];
}
