import pg from "pg";
import type { NewPost, NewUser, Post, User } from "../../data.ts";
import { type Database, LIST_ROWS, newTitle, POOL_SIZE, UPDATED_ROWS } from "../contender.ts";
import { readInstant, writeInstant } from "../instants.ts";
import { type AuthSide, type MainSide, withAuthors } from "../sides.ts";
import { ConnectionStack } from "./connection-stack.ts";

const TIMESTAMPTZ = 1184;
const POST = 'id, "authorId", title, body, published, "createdAt"';

const GET_POST = `select ${POST} from post where id = $1`;
const LIST_POSTS = `select ${POST} from post where published = true and id > $1 order by id limit ${LIST_ROWS}`;
const POSTS_OF_AUTHOR = `select ${POST} from post where "authorId" = $1 order by id`;
const NEXT_POSTS = `select ${POST} from post where id > $1 order by id limit ${UPDATED_ROWS}`;
const INSERT_POST =
  'insert into post ("authorId", title, body, published, "createdAt") values ($1, $2, $3, $4, $5) returning id';
const INSERT_POSTS =
  'insert into post ("authorId", title, body, published, "createdAt") select * from unnest($1::int[], $2::text[], $3::text[], $4::bool[], $5::timestamptz[]) returning id';
const UPDATE_POSTS =
  "update post set title = given.title from unnest($1::int[], $2::text[]) as given(id, title) where post.id = given.id";
const GET_USER = 'select id, name, email, admin, "createdAt" from "user" where id = $1';
const INSERT_USERS =
  'insert into "user" (name, email, admin, "createdAt") select * from unnest($1::text[], $2::text[], $3::bool[], $4::timestamptz[]) returning id';

/** Named statements on connections of pg's. */
class Statements {
  readonly #connections: ConnectionStack<pg.Client>;

  constructor({ host, port, user, name }: Database) {
    const types: pg.CustomTypesConfig = {
      getTypeParser: (oid, format) =>
        oid === TIMESTAMPTZ ? readInstant : pg.types.getTypeParser(oid, format as "text"),
    };
    this.#connections = new ConnectionStack(POOL_SIZE, async () => {
      const client = new pg.Client({ host, port, user, database: name, types });
      await client.connect();
      return client;
    });
  }

  async rows<R>(name: string, text: string, values: unknown[]): Promise<R[]> {
    const client = await this.#connections.take();
    try {
      return (await named<R>(client, name, text, values)).rows;
    } finally {
      this.#connections.give(client);
    }
  }

  /** Runs a statement in a transaction, and one more with its rows, if there is one. */
  async inTransaction<R>(
    name: string,
    text: string,
    values: unknown[],
    next?: (rows: R[]) => unknown[],
  ): Promise<[R[], R[]]> {
    const client = await this.#connections.take();
    try {
      await client.query("begin");
      const { rows } = await named<R>(client, name, text, values);
      const more = next === undefined ? [] : (await named<R>(client, name, text, next(rows))).rows;
      await client.query("commit");
      return [rows, more];
    } finally {
      this.#connections.give(client);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#connections.all.map((client) => client.end()));
  }
}

/** Runs a named statement. pg would copy an object with all its descriptors, which takes longer than to make the query. */
function named<R>(client: pg.Client, name: string, text: string, values: unknown[]): Promise<{ readonly rows: R[] }> {
  return new Promise((resolve, reject) => {
    const query = new pg.Query(text, values, (error, result) => {
      if (error) reject(error);
      else resolve(result as unknown as { readonly rows: R[] });
    });
    client.query(Object.assign(query, { name }));
  });
}

/** The database `main` with pg alone. */
export function postgresMain(database: Database): MainSide {
  const statements = new Statements(database);
  return {
    get: async (id) => (await statements.rows<Post>("get", GET_POST, [id]))[0],
    list: (after) => statements.rows("list", LIST_POSTS, [after]),
    byAuthor: (id) => statements.rows("by author", POSTS_OF_AUTHOR, [id]),
    async insert({ authorId, title, body, published, createdAt }: NewPost) {
      const values = [authorId, title, body, published, `${writeInstant(createdAt)}Z`];
      const [row] = await statements.rows<{ id: number }>("insert", INSERT_POST, values);
      return { id: row!.id, authorId, title, body, published, createdAt };
    },
    async insertInTransaction({ authorId, title, body, published, createdAt }) {
      const values = [authorId, title, body, published, `${writeInstant(createdAt)}Z`];
      const [[row]] = await statements.inTransaction<{ id: number }>("insert", INSERT_POST, values);
      return { id: row!.id, authorId, title, body, published, createdAt };
    },
    async insertAll(posts) {
      const [keys] = await statements.inTransaction<{ id: number }>("insert all", INSERT_POSTS, columnsOf(posts));
      return withKeys(posts, keys);
    },
    async insertFamily(newParents, newChildren) {
      let children: readonly NewPost[] = [];
      const [first, second] = await statements.inTransaction<{ id: number }>(
        "insert all",
        INSERT_POSTS,
        columnsOf(newParents),
        (keys) => {
          children = withAuthors(newChildren, keys);
          return columnsOf(children);
        },
      );
      return { parents: withKeys(newParents, first), children: withKeys(children, second) };
    },
    async update(after, title) {
      const posts = await statements.rows<Post>("next", NEXT_POSTS, [after]);
      for (const post of posts) post.title = newTitle(title, post);
      await statements.inTransaction("update", UPDATE_POSTS, [
        posts.map(({ id }) => id),
        posts.map((post) => post.title),
      ]);
    },
    close: () => statements.close(),
  };
}

/** A list of values for each column. */
function columnsOf(posts: readonly NewPost[]): unknown[] {
  return [
    posts.map(({ authorId }) => authorId),
    posts.map(({ title }) => title),
    posts.map(({ body }) => body),
    posts.map(({ published }) => published),
    posts.map(({ createdAt }) => `${writeInstant(createdAt)}Z`),
  ];
}

/** The database `auth` with pg alone. */
export function postgresAuth(database: Database): AuthSide {
  const statements = new Statements(database);
  return {
    get: async (id) => (await statements.rows<User>("get", GET_USER, [id]))[0]!,
    async insertAll(users: readonly NewUser[]) {
      const values = [
        users.map(({ name }) => name),
        users.map(({ email }) => email),
        users.map(({ admin }) => admin),
        users.map(({ createdAt }) => `${writeInstant(createdAt)}Z`),
      ];
      const [keys] = await statements.inTransaction<{ id: number }>("insert all", INSERT_USERS, values);
      return withKeys(users, keys);
    },
    close: () => statements.close(),
  };
}

/** `unnest` keeps the order of its arrays, and keys are given out in that order. */
function withKeys<R extends object>(
  rows: readonly R[],
  keys: readonly { readonly id: number }[],
): (R & { id: number })[] {
  return rows.map((row, place) => ({ id: keys[place]!.id, ...row }));
}
