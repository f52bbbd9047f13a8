import {
  defineEntity,
  EntityCaseNamingStrategy,
  type EntityManager,
  type MikroORM,
  type Options,
  p,
  RequestContext,
} from "@mikro-orm/core";
import type { NewPost, NewUser } from "../data.ts";
import {
  type Contender,
  type Database,
  LIST_ROWS,
  newTitle,
  POOL_SIZE,
  type Store,
  UPDATED_ROWS,
} from "./contender.ts";
import { pairing, withAuthors } from "./sides.ts";

const PostEntity = defineEntity({
  name: "Post",
  tableName: "post",
  properties: {
    id: p.integer().primary(),
    authorId: p.integer(),
    title: p.string(),
    body: p.text(),
    published: p.boolean(),
    createdAt: p.datetime(3),
  },
});

const UserEntity = defineEntity({
  name: "User",
  tableName: "user",
  properties: {
    id: p.integer().primary(),
    name: p.string(),
    email: p.string(),
    admin: p.boolean(),
    createdAt: p.datetime(3),
  },
});

/** The entity managers of one piece of work: one for each database. */
interface Managers {
  readonly main: EntityManager;
  readonly auth: EntityManager;
}

/** MikroORM: an ORM for each database, a fork of its entity manager for each piece of work. */
export const mikroOrm: Contender = {
  name: "mikro-orm",
  label: "MikroORM",
  sqliteInstants: "milliseconds",
  drivers: { sqlite: "better-sqlite3", postgres: "pg", mysql: "mariadb" },
  packages: ["@mikro-orm/core"],
  async open(binds) {
    const main = await connect("main", binds.main, [PostEntity]);
    const auth = await connect("auth", binds.auth, [UserEntity]);
    const both = pairing(binds);
    const flush = async (managers: Managers, newUsers: readonly NewUser[], newPosts: readonly NewPost[]) => {
      const users = newUsers.map((values) => managers.auth.create(UserEntity, values));
      const posts = newPosts.map((values) => managers.main.create(PostEntity, values));
      await both(
        () => managers.auth.flush(),
        () => managers.main.flush(),
      );
      return { users, posts };
    };
    const store: Store<Managers> = {
      enter: () => ({ main: main.em.fork(), auth: auth.em.fork() }),
      leave: (managers) => {
        managers.main.clear();
        managers.auth.clear();
      },
      get: ({ main: em }, id) => em.findOne(PostEntity, id),
      list: ({ main: em }, after) =>
        em.find(PostEntity, { published: true, id: { $gt: after } }, { orderBy: { id: "asc" }, limit: LIST_ROWS }),
      async page(managers, id) {
        const [user, posts] = await both(
          () => managers.auth.findOneOrFail(UserEntity, id),
          () => managers.main.find(PostEntity, { authorId: id }, { orderBy: { id: "asc" } }),
        );
        return { user, posts };
      },
      async insert({ main: em }, values) {
        const post = em.create(PostEntity, values);
        await em.flush();
        return post;
      },
      flush,
      async update({ main: em }, after, title) {
        const posts = await em.find(
          PostEntity,
          { id: { $gt: after } },
          { orderBy: { id: "asc" }, limit: UPDATED_ROWS },
        );
        for (const post of posts) post.title = newTitle(title, post);
        await em.flush();
      },
      getInContext: (id) => RequestContext.create([main.em, auth.em], () => main.em.findOne(PostEntity, id)),
      insertInTransaction: (values) =>
        main.em.fork().transactional(async (em) => {
          const post = em.create(PostEntity, values);
          await em.flush();
          return post;
        }),
      flushInside: (users, posts) => flush({ main: main.em.fork(), auth: auth.em.fork() }, users, posts),
      // There are no relations between databases: the keys are read from the users that were stored.
      async flushWithKeys(newUsers, newPosts) {
        const [users, posts] = [auth.em.fork(), main.em.fork()];
        const storedUsers = newUsers.map((values) => users.create(UserEntity, values));
        await users.flush();
        const storedPosts = withAuthors(newPosts, storedUsers).map((values) => posts.create(PostEntity, values));
        await posts.flush();
        return { users: storedUsers, posts: storedPosts };
      },
      async close() {
        await main.close();
        await auth.close();
      },
    };
    return store as Store;
  },
};

async function connect(
  contextName: string,
  { family, name, host, port, user, password }: Database,
  entities: Options["entities"],
): Promise<MikroORM> {
  const shared = {
    contextName,
    entities: entities!,
    dbName: name,
    namingStrategy: EntityCaseNamingStrategy,
    forceUtcTimezone: true,
    debug: false,
  };
  if (family === "sqlite")
    return (await (await import("@mikro-orm/sqlite")).MikroORM.init(shared)) as unknown as MikroORM;
  const server = { ...shared, host, port, user, password, pool: { max: POOL_SIZE } };
  if (family === "postgres")
    return (await (await import("@mikro-orm/postgresql")).MikroORM.init(server)) as unknown as MikroORM;
  return (await (await import("@mikro-orm/mariadb")).MikroORM.init(server)) as unknown as MikroORM;
}
