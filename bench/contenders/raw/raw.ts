import type { Binds, Contender, Database, Store } from "../contender.ts";
import { type AuthSide, type MainSide, storeOf, withAuthors } from "../sides.ts";

/** The driver alone, in the best form that can be written by hand: what everybody is compared with. */
export const raw: Contender = {
  name: "raw",
  label: "raw driver",
  sqliteInstants: "text",
  drivers: { sqlite: "better-sqlite3", postgres: "pg", mysql: "mariadb" },
  packages: [],
  async open(binds) {
    const { main, auth } = binds;
    if (main.family === "sqlite" && auth.family === "sqlite") return sqliteStore(binds);
    const posts = await mainSide(main);
    const store = storeOf(binds, posts, await authSide(auth));
    return { ...store, getInContext: (id) => posts.get(id), mostRows: Number.POSITIVE_INFINITY };
  },
};

/** Inside, everything is synchronous; an application sees promises. */
async function sqliteStore(binds: Binds): Promise<Store> {
  const { SqliteAuth, SqliteMain } = await import("./sqlite.ts");
  const main = new SqliteMain(binds.main);
  const auth = new SqliteAuth(binds.auth);
  return {
    enter: () => undefined,
    leave: () => undefined,
    get: async (_, id) => main.get(id),
    getInContext: async (id) => main.get(id),
    list: async (_, after) => main.list(after),
    page: async (_, id) => ({ user: auth.get(id), posts: main.byAuthor(id) }),
    insert: async (_, post) => main.insert(post),
    flush: async (_, users, posts) => ({ users: auth.insertAll(users), posts: main.insertAll(posts) }),
    update: async (_, after, title) => main.update(after, title),
    insertInTransaction: async (post) => main.insertInTransaction(post),
    flushInside: async (users, posts) => ({ users: auth.insertAll(users), posts: main.insertAll(posts) }),
    flushWithKeys: async (newUsers, newPosts) => {
      const users = auth.insertAll(newUsers);
      return { users, posts: main.insertAll(withAuthors(newPosts, users)) };
    },
    flushWithinBind: async (parents, children) => main.insertFamily(parents, children),
    async close() {
      main.close();
      auth.close();
    },
  };
}

async function mainSide(database: Database): Promise<MainSide> {
  if (database.family === "postgres") return (await import("./postgres.ts")).postgresMain(database);
  if (database.family === "mysql") return (await import("./mysql.ts")).mysqlMain(database);
  const { SqliteMain } = await import("./sqlite.ts");
  const main = new SqliteMain(database);
  return {
    get: async (id) => main.get(id),
    list: async (after) => main.list(after),
    byAuthor: async (id) => main.byAuthor(id),
    insert: async (post) => main.insert(post),
    insertAll: async (posts) => main.insertAll(posts),
    update: async (after, title) => main.update(after, title),
    insertInTransaction: async (post) => main.insertInTransaction(post),
    insertFamily: async (parents, children) => main.insertFamily(parents, children),
    close: () => main.close(),
  };
}

async function authSide(database: Database): Promise<AuthSide> {
  if (database.family === "postgres") return (await import("./postgres.ts")).postgresAuth(database);
  if (database.family === "mysql") return (await import("./mysql.ts")).mysqlAuth(database);
  const { SqliteAuth } = await import("./sqlite.ts");
  const auth = new SqliteAuth(database);
  return {
    get: async (id) => auth.get(id),
    insertAll: async (users) => auth.insertAll(users),
    close: () => auth.close(),
  };
}
