import { type Generated, Kysely, MysqlDialect, PostgresDialect, SqliteDialect } from "kysely";
import type { NewPost, NewUser, Post, User } from "../data.ts";
import { type Contender, type Database, LIST_ROWS, newTitle, POOL_SIZE, UPDATED_ROWS } from "./contender.ts";
import { readInstant, writeInstant } from "./instants.ts";
import { type AuthSide, type MainSide, storeOf, withAuthors } from "./sides.ts";

type Stored<T> = {
  [P in keyof T]: P extends "id"
    ? Generated<number>
    : T[P] extends boolean
      ? boolean | number
      : T[P] extends Date
        ? Date | string
        : T[P];
};

interface Tables {
  post: Stored<Post>;
  user: Stored<User>;
}

/** A row as the driver gives it. */
type Row<T> = { [P in keyof T]: T[P] extends boolean ? boolean | number : T[P] extends Date ? Date | string : T[P] };

/** Kysely with its usual dialects. It converts no values, so that is done by hand where the driver does not either. */
export const kysely: Contender = {
  name: "kysely",
  label: "Kysely",
  sqliteInstants: "text",
  drivers: { sqlite: "better-sqlite3", postgres: "pg", mysql: "mysql2" },
  packages: ["kysely"],
  open: async (binds) => storeOf(binds, await mainSide(binds.main), await authSide(binds.auth)),
};

const POST = ["id", "authorId", "title", "body", "published", "createdAt"] as const;

async function mainSide(database: Database): Promise<MainSide> {
  const db = await connect(database);
  const { read, write } = conversion(database, "published");
  const posts = (rows: Row<Post>[]) => rows.map(read) as Post[];
  const truth = database.family === "postgres" ? true : 1;
  const insertOne = async (on: Kysely<Tables>, post: NewPost): Promise<Post> => {
    const insert = on.insertInto("post").values(write(post));
    if (database.family === "mysql") return { id: Number((await insert.executeTakeFirst()).insertId), ...post };
    return { ...(await insert.returning("id").executeTakeFirstOrThrow()), ...post };
  };
  const insertMany = async (on: Kysely<Tables>, given: readonly NewPost[]): Promise<Post[]> => {
    const insert = on.insertInto("post").values(given.map(write));
    return withKeys(
      given,
      database.family === "mysql" ? await insert.executeTakeFirst() : await insert.returning("id").execute(),
    );
  };
  return {
    async get(id) {
      const row = await db.selectFrom("post").select(POST).where("id", "=", id).executeTakeFirst();
      return row === undefined ? undefined : (read(row) as Post);
    },
    list: async (after) =>
      posts(
        await db
          .selectFrom("post")
          .select(POST)
          .where("published", "=", truth)
          .where("id", ">", after)
          .orderBy("id")
          .limit(LIST_ROWS)
          .execute(),
      ),
    byAuthor: async (id) =>
      posts(await db.selectFrom("post").select(POST).where("authorId", "=", id).orderBy("id").execute()),
    insert: (post) => insertOne(db, post),
    insertInTransaction: (post) => db.transaction().execute((transaction) => insertOne(transaction, post)),
    insertAll: (given) => db.transaction().execute((transaction) => insertMany(transaction, given)),
    insertFamily: (newParents, newChildren) =>
      db.transaction().execute(async (transaction) => {
        const parents = await insertMany(transaction, newParents);
        return { parents, children: await insertMany(transaction, withAuthors(newChildren, parents)) };
      }),
    async update(after, title) {
      const changed = posts(
        await db.selectFrom("post").select(POST).where("id", ">", after).orderBy("id").limit(UPDATED_ROWS).execute(),
      );
      for (const post of changed) post.title = newTitle(title, post);
      await db.transaction().execute(async (transaction) => {
        for (const post of changed)
          await transaction.updateTable("post").set({ title: post.title }).where("id", "=", post.id).execute();
      });
    },
    close: () => db.destroy(),
  };
}

async function authSide(database: Database): Promise<AuthSide> {
  const db = await connect(database);
  const { read, write } = conversion(database, "admin");
  return {
    async get(id) {
      return read(
        await db
          .selectFrom("user")
          .select(["id", "name", "email", "admin", "createdAt"])
          .where("id", "=", id)
          .executeTakeFirstOrThrow(),
      ) as User;
    },
    insertAll: (given: readonly NewUser[]) =>
      db.transaction().execute(async (transaction) => {
        const insert = transaction.insertInto("user").values(given.map(write));
        return withKeys(
          given,
          database.family === "mysql" ? await insert.executeTakeFirst() : await insert.returning("id").execute(),
        );
      }),
    close: () => db.destroy(),
  };
}

/** An application loads the driver of its own database only. */
async function connect({ family, name, host, port, user, password }: Database): Promise<Kysely<Tables>> {
  if (family === "sqlite") {
    const { default: Sqlite } = await import("better-sqlite3");
    return new Kysely({ dialect: new SqliteDialect({ database: new Sqlite(name) }) });
  }
  if (family === "postgres") {
    const { default: pg } = await import("pg");
    return new Kysely({
      dialect: new PostgresDialect({ pool: new pg.Pool({ host, port, user, database: name, max: POOL_SIZE }) }),
    });
  }
  const { createPool } = await import("mysql2");
  const pool = createPool({ host, port, user, password, database: name, connectionLimit: POOL_SIZE, timezone: "Z" });
  return new Kysely({ dialect: new MysqlDialect({ pool }) });
}

/** How a row's truth value and instant are converted. */
function conversion({ family }: Database, truth: "published" | "admin") {
  type Values = Record<string, unknown>;
  const asIs = { read: (row: object) => row, write: <T>(row: T) => row };
  if (family === "postgres") return asIs;
  if (family === "mysql") {
    return {
      read: (row: object) => ({ ...row, [truth]: (row as Values)[truth] === 1 }),
      write: asIs.write,
    };
  }
  return {
    read: (row: object) => ({
      ...row,
      [truth]: (row as Values)[truth] === 1,
      createdAt: readInstant((row as Values)["createdAt"] as string),
    }),
    write: <T>(row: T): T => ({
      ...row,
      [truth]: (row as Values)[truth] ? 1 : 0,
      createdAt: writeInstant((row as Values)["createdAt"] as Date),
    }),
  };
}

/** MySQL tells the first key only; the others follow it. */
function withKeys<R extends object>(
  rows: readonly R[],
  keys: readonly { readonly id: number }[] | { readonly insertId?: bigint | undefined },
): (R & { id: number })[] {
  if (Array.isArray(keys)) return rows.map((row, place) => ({ id: keys[place]!.id, ...row }));
  const first = Number((keys as { readonly insertId?: bigint }).insertId);
  return rows.map((row, place) => ({ id: first + place, ...row }));
}
