import { and, asc, eq, gt } from "drizzle-orm";
import { type Contender, type Database, LIST_ROWS, newTitle, UPDATED_ROWS } from "../contender.ts";
import { type AuthSide, type MainSide, storeOf } from "../sides.ts";
import { connect } from "./connection.ts";
import { insertAll, keysOf, updateTitles } from "./writes.ts";

export const drizzleShared = {
  sqliteInstants: "milliseconds",
  drivers: { sqlite: "better-sqlite3", postgres: "pg", mysql: "mysql2" },
  packages: ["drizzle-orm"],
} as const;

/** Drizzle, each statement built anew. */
export const drizzle: Contender = {
  ...drizzleShared,
  name: "drizzle",
  label: "Drizzle",
  open: async (binds) => storeOf(binds, await mainSide(binds.main), await authSide(binds.auth)),
};

async function mainSide(database: Database): Promise<MainSide> {
  const connection = await connect(database);
  const { family, db, tables } = connection;
  const { post } = tables;
  return {
    get: async (id) => (await db.select().from(post).where(eq(post.id, id)))[0],
    list: async (after) =>
      db
        .select()
        .from(post)
        .where(and(eq(post.published, true), gt(post.id, after)))
        .orderBy(asc(post.id))
        .limit(LIST_ROWS),
    byAuthor: async (id) => db.select().from(post).where(eq(post.authorId, id)).orderBy(asc(post.id)),
    async insert(values) {
      const [key] = await keysOf(family, db.insert(post).values(values), post);
      return { id: key!.id, ...values };
    },
    insertAll: (posts) => insertAll(connection, post, posts),
    async update(after, title) {
      const posts = await db.select().from(post).where(gt(post.id, after)).orderBy(asc(post.id)).limit(UPDATED_ROWS);
      for (const one of posts) one.title = newTitle(title, one);
      await updateTitles(connection, posts);
    },
    close: () => connection.close(),
  };
}

async function authSide(database: Database): Promise<AuthSide> {
  const connection = await connect(database);
  const { user } = connection.tables;
  return {
    get: async (id) => (await connection.db.select().from(user).where(eq(user.id, id)))[0]!,
    insertAll: (users) => insertAll(connection, user, users),
    close: () => connection.close(),
  };
}
