import type { NewPost, NewUser, Page, Post, User } from "../data.ts";

export type Family = "sqlite" | "postgres" | "mysql";

/** Where a database is. */
export interface Database {
  readonly family: Family;
  /** The path of a SQLite file; the name of a database on a server. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

/** The two databases of a contender. */
export interface Binds {
  /** Has the table `post`. */
  readonly main: Database;
  /** Has the table `user`. */
  readonly auth: Database;
}

/**
 * How a contender keeps points in time in SQLite: text (`2026-01-31 12:00:00.000`, with an offset behind it, or in ISO
 * form), or milliseconds since 1970.
 */
export type SqliteInstants = "text" | "text with offset" | "iso" | "milliseconds";

/** What entities or rows were stored, with their keys. */
export interface Stored {
  readonly users: readonly User[];
  readonly posts: readonly Post[];
}

/** Posts that were stored, with their keys, and those that carry these keys. */
export interface StoredFamily {
  readonly parents: readonly Post[];
  readonly children: readonly Post[];
}

/**
 * The scenarios' work, done by one contender.
 *
 * @typeParam U what it makes for a piece of work: a session, an entity manager, or nothing
 */
export interface Store<U = unknown> {
  /** Makes a fresh session or identity map, where there is such a thing. This is not timed. */
  enter(): U;
  /** Ends it. This is not timed. */
  leave(unit: U): unknown;
  /** One post by its key. */
  get(unit: U, id: number): Promise<Post | null | undefined>;
  /** The first 100 published posts with a larger key. */
  list(unit: U, after: number): Promise<readonly Post[]>;
  /** A user and his posts. */
  page(unit: U, userId: number): Promise<Page>;
  /** Stores a post, and gives it back with its key. */
  insert(unit: U, post: NewPost): Promise<Post>;
  /** Stores users and posts in one piece of work, a transaction on each database. */
  flush(unit: U, users: readonly NewUser[], posts: readonly NewPost[]): Promise<Stored>;
  /** Reads the next 200 posts after a key, gives each its own new title, and stores them in a transaction. */
  update(unit: U, after: number, title: string): Promise<void>;
  /** One post by its key, in a context that is entered and left for it. */
  getInContext?(id: number): Promise<Post | null | undefined>;
  /** Stores a post within an explicit transaction, and gives it back with its key. A session is made and ended inside. */
  insertInTransaction?(post: NewPost): Promise<Post>;
  /** Does what `flush` does. A session is made and ended inside. */
  flushInside?(users: readonly NewUser[], posts: readonly NewPost[]): Promise<Stored>;
  /**
   * The same for posts whose authors are the users in turn, whose keys the database generates. A session is made and
   * ended inside.
   */
  flushWithKeys?(users: readonly NewUser[], posts: readonly NewPost[]): Promise<Stored>;
  /**
   * Stores posts, and more posts whose `authorId` is the key of one of the first in turn, in one transaction of one
   * database. A session is made and ended inside.
   */
  flushWithinBind?(parents: readonly NewPost[], children: readonly NewPost[]): Promise<StoredFamily>;
  /** The most rows of a table that it stores at once, where that is limited: by the parameters of one statement. */
  readonly mostRows?: number;
  close(): Promise<void>;
}

/** A library that can run the scenarios. */
export interface Contender {
  readonly name: string;
  readonly label: string;
  readonly sqliteInstants: SqliteInstants;
  /** The package that it reaches each kind of database with. */
  readonly drivers: Readonly<Record<Family, string>>;
  /** Its own packages, whose versions are reported. */
  readonly packages: readonly string[];
  open(binds: Binds): Promise<Store>;
}

/** Rows that one scenario reads, changes or stores at a time. */
export const LIST_ROWS = 100;
export const UPDATED_ROWS = 200;
export const FLUSHED_ROWS = 500;
/** The most connections that a contender may open to a database: all of them together must fit into what a server allows. */
export const POOL_SIZE = 4;

/** The title that the update scenario gives a post. */
export function newTitle(title: string, { id }: { readonly id: number }): string {
  return `${title} ${id}`;
}
