import { and, asc, eq, gt, sql } from "drizzle-orm";
import type { NewPost, NewUser, Post, User } from "../../data.ts";
import { type Contender, type Database, LIST_ROWS, newTitle, UPDATED_ROWS } from "../contender.ts";
import { type AuthSide, type MainSide, storeOf } from "../sides.ts";
import { connect, type Prepared, prepare } from "./connection.ts";
import { drizzleShared } from "./plain.ts";
import { insertAll, keysOf, titleUpdate } from "./writes.ts";

/** Drizzle with its statements prepared, wherever a statement is the same each time. */
export const drizzlePrepared: Contender = {
  ...drizzleShared,
  name: "drizzle-prepared",
  label: "Drizzle prepared",
  open: async (binds) => storeOf(binds, await mainSide(binds.main), await authSide(binds.auth)),
};

async function mainSide(database: Database): Promise<MainSide> {
  const connection = await connect(database);
  const { family, db, tables } = connection;
  const { post } = tables;
  const id = sql.placeholder("id");
  const get = prepare<Post[]>("get", db.select().from(post).where(eq(post.id, id)));
  const isNext = and(eq(post.published, true), gt(post.id, id));
  const list = prepare<Post[]>("list", db.select().from(post).where(isNext).orderBy(asc(post.id)).limit(LIST_ROWS));
  const byAuthor = prepare<Post[]>(
    "by_author",
    db.select().from(post).where(eq(post.authorId, id)).orderBy(asc(post.id)),
  );
  const next = prepare<Post[]>(
    "next",
    db.select().from(post).where(gt(post.id, id)).orderBy(asc(post.id)).limit(UPDATED_ROWS),
  );
  const insert = prepare<{ id: number }[]>(
    "insert",
    keysOf(
      family,
      db.insert(post).values(placeholders<NewPost>(["authorId", "title", "body", "published", "createdAt"])),
      post,
    ),
  );
  const update = prepare<unknown>("update", titleUpdate(db, tables));
  return {
    get: async (value) => (await get.execute({ id: value }))[0],
    list: async (after) => list.execute({ id: after }),
    byAuthor: async (value) => byAuthor.execute({ id: value }),
    async insert(values) {
      const [key] = await insert.execute({ ...values });
      return { id: key!.id, ...values };
    },
    async insertAll(posts) {
      if (family !== "sqlite") return insertAll(connection, post, posts);
      return db.transaction(() => posts.map((values) => ({ id: keyOf(insert, values), ...values })));
    },
    async update(after, title) {
      const posts = await next.execute({ id: after });
      for (const one of posts) one.title = newTitle(title, one);
      if (family === "sqlite") {
        db.transaction(() => {
          for (const one of posts) (update as unknown as SyncPrepared<unknown>).run({ id: one.id, title: one.title });
        });
        return;
      }
      // A prepared statement belongs to the connection that it was prepared on, so a transaction needs its own.
      await connection.transaction(async (inner) => {
        const own = prepare<unknown>("update", titleUpdate(inner, tables));
        for (const one of posts) await own.execute({ id: one.id, title: one.title });
      });
    },
    close: () => connection.close(),
  };
}

async function authSide(database: Database): Promise<AuthSide> {
  const connection = await connect(database);
  const { family, db, tables } = connection;
  const { user } = tables;
  const get = prepare<User[]>(
    "get_user",
    db
      .select()
      .from(user)
      .where(eq(user.id, sql.placeholder("id"))),
  );
  const insert = prepare<{ id: number }[]>(
    "insert_user",
    keysOf(family, db.insert(user).values(placeholders<NewUser>(["name", "email", "admin", "createdAt"])), user),
  );
  return {
    get: async (id) => (await get.execute({ id }))[0]!,
    async insertAll(users) {
      if (family !== "sqlite") return insertAll(connection, user, users);
      return db.transaction(() => users.map((values) => ({ id: keyOf(insert, values), ...values })));
    },
    close: () => connection.close(),
  };
}

/** Statements of better-sqlite3 run at once. */
interface SyncPrepared<R> {
  all(values: Record<string, unknown>): R;
  run(values: Record<string, unknown>): unknown;
}

function keyOf(insert: Prepared<{ id: number }[]>, values: object): number {
  return (insert as unknown as SyncPrepared<{ id: number }[]>).all({ ...values })[0]!.id;
}

/** A placeholder for each column, where the types want the values. */
function placeholders<R>(columns: readonly (keyof R & string)[]): R {
  return Object.fromEntries(columns.map((column) => [column, sql.placeholder(column)])) as R;
}
