import Sqlite from "better-sqlite3";
import type { NewPost, NewUser, Post, User } from "../../data.ts";
import { type Database, LIST_ROWS, newTitle, type StoredFamily, UPDATED_ROWS } from "../contender.ts";
import { readInstant, writeInstant } from "../instants.ts";
import { withAuthors } from "../sides.ts";

interface PostRow extends Omit<Post, "published" | "createdAt"> {
  published: number | boolean;
  createdAt: string | Date;
}

interface UserRow extends Omit<User, "admin" | "createdAt"> {
  admin: number | boolean;
  createdAt: string | Date;
}

/** How many rows one statement stores or changes: more make it slower. */
const AT_ONCE = 50;
const CHANGED_AT_ONCE = 50;

const POST = 'id, "authorId", title, body, published, "createdAt"';

/** The database `main` with better-sqlite3 alone: statements are prepared once. */
export class SqliteMain {
  readonly #database: Sqlite.Database;
  readonly #get: Sqlite.Statement<[number], PostRow>;
  readonly #list: Sqlite.Statement<[number], PostRow>;
  readonly #byAuthor: Sqlite.Statement<[number], PostRow>;
  readonly #next: Sqlite.Statement<[number], PostRow>;
  readonly #insert: Sqlite.Statement<unknown[]>;
  readonly #insertMany: Sqlite.Statement<unknown[]>;
  readonly #changeMany: Sqlite.Statement<unknown[]>;
  readonly #begin: Sqlite.Statement<[]>;
  readonly #commit: Sqlite.Statement<[]>;

  constructor({ name }: Database) {
    const database = new Sqlite(name);
    const insert = 'insert into post ("authorId", title, body, published, "createdAt") values';
    this.#database = database;
    this.#get = database.prepare(`select ${POST} from post where id = ?`);
    this.#list = database.prepare(
      `select ${POST} from post where published = 1 and id > ? order by id limit ${LIST_ROWS}`,
    );
    // As the operand of a sign, a parameter is none that SQLite would plan by, anew each time.
    this.#byAuthor = database.prepare(`select ${POST} from post where "authorId" = +? order by id`);
    this.#next = database.prepare(`select ${POST} from post where id > ? order by id limit ${UPDATED_ROWS}`);
    this.#insert = database.prepare(`${insert} (?, ?, ?, ?, ?)`);
    this.#insertMany = database.prepare(`${insert} ${repeated("(?, ?, ?, ?, ?)", AT_ONCE)}`);
    this.#changeMany = database.prepare(
      `update post set title = given.column2 from (values ${repeated("(?, ?)", CHANGED_AT_ONCE)}) given where post.id = given.column1`,
    );
    this.#begin = database.prepare("begin immediate");
    this.#commit = database.prepare("commit");
  }

  get(id: number): Post {
    return post(this.#get.get(id)!);
  }

  list(after: number): Post[] {
    return posts(this.#list.all(after));
  }

  byAuthor(id: number): Post[] {
    return posts(this.#byAuthor.all(id));
  }

  insert({ authorId, title, body, published, createdAt }: NewPost): Post {
    const { lastInsertRowid } = this.#insert.run(authorId, title, body, published ? 1 : 0, writeInstant(createdAt));
    return { id: Number(lastInsertRowid), authorId, title, body, published, createdAt };
  }

  insertInTransaction(given: NewPost): Post {
    this.#begin.run();
    const stored = this.insert(given);
    this.#commit.run();
    return stored;
  }

  insertAll(given: readonly NewPost[]): Post[] {
    this.#begin.run();
    const stored = this.#insertPosts(given);
    this.#commit.run();
    return stored;
  }

  insertFamily(newParents: readonly NewPost[], newChildren: readonly NewPost[]): StoredFamily {
    this.#begin.run();
    const parents = this.#insertPosts(newParents);
    const children = this.#insertPosts(withAuthors(newChildren, parents));
    this.#commit.run();
    return { parents, children };
  }

  #insertPosts(given: readonly NewPost[]): Post[] {
    return insertInPortions(given, this.#insertMany, ({ authorId, title, body, published, createdAt }) => [
      authorId,
      title,
      body,
      published ? 1 : 0,
      writeInstant(createdAt),
    ]);
  }

  update(after: number, title: string): void {
    const changed = posts(this.#next.all(after));
    for (const one of changed) one.title = newTitle(title, one);
    this.#begin.run();
    for (let start = 0; start < changed.length; start += CHANGED_AT_ONCE) {
      this.#changeMany.run(...changed.slice(start, start + CHANGED_AT_ONCE).flatMap((one) => [one.id, one.title]));
    }
    this.#commit.run();
  }

  close(): void {
    this.#database.close();
  }
}

/** The database `auth` with better-sqlite3 alone. */
export class SqliteAuth {
  readonly #database: Sqlite.Database;
  readonly #get: Sqlite.Statement<[number], UserRow>;
  readonly #insertOne: Sqlite.Statement<unknown[]>;
  readonly #insertMany: Sqlite.Statement<unknown[]>;
  readonly #begin: Sqlite.Statement<[]>;
  readonly #commit: Sqlite.Statement<[]>;

  constructor({ name }: Database) {
    const database = new Sqlite(name);
    this.#database = database;
    this.#get = database.prepare('select id, name, email, admin, "createdAt" from "user" where id = ?');
    this.#insertMany = database.prepare(
      `insert into "user" (name, email, admin, "createdAt") values ${repeated("(?, ?, ?, ?)", AT_ONCE)}`,
    );
    this.#insertOne = database.prepare('insert into "user" (name, email, admin, "createdAt") values (?, ?, ?, ?)');
    this.#begin = database.prepare("begin immediate");
    this.#commit = database.prepare("commit");
  }

  get(id: number): User {
    const row = this.#get.get(id)!;
    row.admin = row.admin === 1;
    row.createdAt = readInstant(row.createdAt as string);
    return row as User;
  }

  insertAll(given: readonly NewUser[]): User[] {
    this.#begin.run();
    const statement = given.length === 1 ? this.#insertOne : this.#insertMany;
    const stored = insertInPortions(given, statement, ({ name, email, admin, createdAt }) => [
      name,
      email,
      admin ? 1 : 0,
      writeInstant(createdAt),
    ]);
    this.#commit.run();
    return stored;
  }

  close(): void {
    this.#database.close();
  }
}

/** The keys of one statement's rows follow one another, and the last is told. */
function insertInPortions<R extends object>(
  rows: readonly R[],
  statement: Sqlite.Statement<unknown[]>,
  values: (row: R) => unknown[],
): (R & { id: number })[] {
  const stored: (R & { id: number })[] = [];
  for (let start = 0; start < rows.length; start += AT_ONCE) {
    const portion = rows.slice(start, start + AT_ONCE);
    // Parameters one by one are bound faster than a list of them.
    const { lastInsertRowid } = statement.run(...portion.flatMap(values));
    const before = Number(lastInsertRowid) - portion.length;
    for (const [place, row] of portion.entries()) stored.push({ id: before + place + 1, ...row });
  }
  return stored;
}

/** Converts a row where it stands. */
function post(row: PostRow): Post {
  row.published = row.published === 1;
  row.createdAt = readInstant(row.createdAt as string);
  return row as Post;
}

function posts(rows: PostRow[]): Post[] {
  for (const row of rows) post(row);
  return rows as Post[];
}

function repeated(values: string, times: number): string {
  return Array.from({ length: times }, () => values).join(", ");
}
