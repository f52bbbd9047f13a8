import { type Connection, createConnection } from "mariadb";
import type { NewPost, NewUser, Post, User } from "../../data.ts";
import { type Database, LIST_ROWS, newTitle, POOL_SIZE, UPDATED_ROWS } from "../contender.ts";
import { readInstant, writeInstant } from "../instants.ts";
import { type AuthSide, type MainSide, withAuthors } from "../sides.ts";
import { ConnectionStack } from "./connection-stack.ts";

interface Outcome {
  readonly insertId: number;
}

type Row<T> = Omit<T, "published" | "admin" | "createdAt"> & {
  published?: unknown;
  admin?: unknown;
  createdAt: unknown;
};

const POST = "id, authorId, title, body, published, createdAt";
const GET_POST = `select ${POST} from post where id = ?`;
const LIST_POSTS = `select ${POST} from post where published = 1 and id > ? order by id limit ${LIST_ROWS}`;
const POSTS_OF_AUTHOR = `select ${POST} from post where authorId = ? order by id`;
const NEXT_POSTS = `select ${POST} from post where id > ? order by id limit ${UPDATED_ROWS}`;
const INSERT_POST = "insert into post (authorId, title, body, published, createdAt) values";
const GET_USER = "select id, name, email, admin, createdAt from `user` where id = ?";
const INSERT_USER = "insert into `user` (name, email, admin, createdAt) values";

/** Prepared statements on connections of the MariaDB connector. */
class Statements {
  readonly #connections: ConnectionStack<Connection>;

  constructor({ host, port, user, password, name }: Database) {
    this.#connections = new ConnectionStack(POOL_SIZE, () =>
      createConnection({
        host,
        port,
        user,
        password,
        database: name,
        timezone: "Z",
        dateStrings: true,
        insertIdAsNumber: true,
      }),
    );
  }

  async run<R>(sql: string, values: unknown[]): Promise<R> {
    const connection = await this.#connections.take();
    try {
      return await connection.execute<R>(sql, values);
    } finally {
      this.#connections.give(connection);
    }
  }

  inTransaction<R>(sql: string, values: unknown[]): Promise<R> {
    return this.transaction((connection) => connection.execute<R>(sql, values));
  }

  async transaction<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = await this.#connections.take();
    try {
      await connection.query("start transaction");
      const result = await work(connection);
      await connection.query("commit");
      return result;
    } finally {
      this.#connections.give(connection);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#connections.all.map((connection) => connection.end()));
  }
}

/** The database `main` with the MariaDB connector alone. */
export function mysqlMain(database: Database): MainSide {
  const statements = new Statements(database);
  return {
    get: async (id) => post((await statements.run<Row<Post>[]>(GET_POST, [id]))[0]!),
    list: async (after) => (await statements.run<Row<Post>[]>(LIST_POSTS, [after])).map(post),
    byAuthor: async (id) => (await statements.run<Row<Post>[]>(POSTS_OF_AUTHOR, [id])).map(post),
    async insert({ authorId, title, body, published, createdAt }) {
      const values = [authorId, title, body, published ? 1 : 0, writeInstant(createdAt)];
      const { insertId } = await statements.run<Outcome>(`${INSERT_POST} (?, ?, ?, ?, ?)`, values);
      return { id: insertId, authorId, title, body, published, createdAt };
    },
    async insertInTransaction({ authorId, title, body, published, createdAt }) {
      const values = [authorId, title, body, published ? 1 : 0, writeInstant(createdAt)];
      const { insertId } = await statements.inTransaction<Outcome>(`${INSERT_POST} (?, ?, ?, ?, ?)`, values);
      return { id: insertId, authorId, title, body, published, createdAt };
    },
    insertAll: (posts: readonly NewPost[]) => statements.transaction((connection) => insertPosts(connection, posts)),
    insertFamily: (newParents, newChildren) =>
      statements.transaction(async (connection) => {
        const parents = await insertPosts(connection, newParents);
        return { parents, children: await insertPosts(connection, withAuthors(newChildren, parents)) };
      }),
    async update(after, title) {
      const posts = (await statements.run<Row<Post>[]>(NEXT_POSTS, [after])).map(post);
      for (const one of posts) one.title = newTitle(title, one);
      const cases = Array.from(posts, () => "when ? then ?").join(" ");
      const sql = `update post set title = case id ${cases} end where id in (${repeated("?", posts.length)})`;
      await statements.inTransaction(sql, [
        ...posts.flatMap((one) => [one.id, one.title]),
        ...posts.map(({ id }) => id),
      ]);
    },
    close: () => statements.close(),
  };
}

async function insertPosts(connection: Connection, posts: readonly NewPost[]): Promise<Post[]> {
  const values = posts.flatMap(({ authorId, title, body, published, createdAt }) => [
    authorId,
    title,
    body,
    published ? 1 : 0,
    writeInstant(createdAt),
  ]);
  const sql = `${INSERT_POST} ${repeated("(?, ?, ?, ?, ?)", posts.length)}`;
  return withKeys(posts, await connection.execute<Outcome>(sql, values));
}

/** The database `auth` with the MariaDB connector alone. */
export function mysqlAuth(database: Database): AuthSide {
  const statements = new Statements(database);
  return {
    async get(id) {
      const row = (await statements.run<Row<User>[]>(GET_USER, [id]))[0]!;
      row.admin = row.admin === 1;
      row.createdAt = readInstant(row.createdAt as string);
      return row as User;
    },
    async insertAll(users: readonly NewUser[]) {
      const values = users.flatMap(({ name, email, admin, createdAt }) => [
        name,
        email,
        admin ? 1 : 0,
        writeInstant(createdAt),
      ]);
      return withKeys(
        users,
        await statements.inTransaction(`${INSERT_USER} ${repeated("(?, ?, ?, ?)", users.length)}`, values),
      );
    },
    close: () => statements.close(),
  };
}

/** Converts a row where it stands. */
function post(row: Row<Post>): Post {
  row.published = row.published === 1;
  row.createdAt = readInstant(row.createdAt as string);
  return row as Post;
}

/** The keys of one statement's rows follow one another, and the first is told. */
function withKeys<R extends object>(rows: readonly R[], { insertId }: Outcome): (R & { id: number })[] {
  return rows.map((row, place) => ({ id: insertId + place, ...row }));
}

function repeated(values: string, times: number): string {
  return Array.from({ length: times }, () => values).join(", ");
}
