import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Session } from "../../src/index.ts";
import * as source from "../../src/index.ts";
import type { NewPost } from "../data.ts";
import {
  type Contender,
  type Database,
  LIST_ROWS,
  newTitle,
  POOL_SIZE,
  type Store,
  UPDATED_ROWS,
} from "./contender.ts";
import { pairing } from "./sides.ts";

/** multibind's module: the source, or another build of it. */
type Library = typeof source;

/** The models of the scenarios. */
function modelsOf({ Multibind, boolean, integer, text, timestamp, varchar }: Library) {
  const db = new Multibind<"main" | "auth">({ engineOptions: { poolSize: POOL_SIZE } });

  class Post extends db.model(
    "post",
    {
      id: integer().primaryKey(),
      authorId: integer().index(),
      title: varchar(200),
      body: text(),
      published: boolean(),
      createdAt: timestamp(),
    },
    { bindKey: "main" },
  ) {}

  class User extends db.model(
    "user",
    { id: integer().primaryKey(), name: varchar(80), email: varchar(120), admin: boolean(), createdAt: timestamp() },
    { bindKey: "auth" },
  ) {}

  return { db, Post, User };
}

type Models = ReturnType<typeof modelsOf>;

const models = modelsOf(source);

export const { db, Post, User } = models;

/** multibind in its plain form: a session for each piece of work. */
export const multibind: Contender = {
  name: "multibind",
  label: "multibind",
  sqliteInstants: "text",
  drivers: { sqlite: "better-sqlite3", postgres: "pg", mysql: "mariadb" },
  packages: ["multibind"],
  open: async (binds) => storeOf(source, models, binds),
};

/** The same of another build, such as that of before a change. */
export function multibindBuild(name: string, folder: string): Contender {
  return {
    ...multibind,
    name,
    label: name,
    async open(binds) {
      const { href } = pathToFileURL(resolve(folder, "index.js"));
      const library = (await import(href)) as Library;
      return storeOf(library, modelsOf(library), binds);
    },
  };
}

function storeOf(
  { keyOf }: Library,
  { db: own, Post: OwnPost, User: OwnUser }: Models,
  binds: Parameters<Contender["open"]>[0],
): Store {
  const app = own.init({ binds: { main: urlOf(binds.main), auth: urlOf(binds.auth) } });
  const both = pairing(binds);
  /** Runs work in a session of its own, which is closed after it. */
  const inSession = async <T>(work: (session: Session<"main" | "auth">) => Promise<T>): Promise<T> => {
    const session = app.session();
    const done = await work(session);
    await session.close();
    return done;
  };
  /** New posts whose authors are new rows, in turn. */
  const postsOf = (authors: readonly InstanceType<typeof OwnUser | typeof OwnPost>[], posts: readonly NewPost[]) =>
    posts.map(({ title, body, published, createdAt }, place) => {
      const authorId = keyOf(authors[place % authors.length]!);
      return new OwnPost({ authorId, title, body, published, createdAt });
    });
  const store: Store<Session<"main" | "auth">> = {
    enter: () => app.session(),
    leave: (session) => session.close(),
    get: (session, id) => session.get(OwnPost, id),
    list: (session, after) =>
      session
        .select(OwnPost)
        .where("published", "=", true)
        .where("id", ">", after)
        .orderBy("id")
        .limit(LIST_ROWS)
        .all(),
    async page(session, id) {
      const [user, posts] = await both(
        () => session.get(OwnUser, id),
        () => session.select(OwnPost).where("authorId", "=", id).orderBy("id").all(),
      );
      return { user: user!, posts };
    },
    async insert(session, values) {
      const post = new OwnPost(values);
      session.add(post);
      await session.commit();
      return post;
    },
    async flush(session, newUsers, newPosts) {
      const users = newUsers.map((values) => new OwnUser(values));
      const posts = newPosts.map((values) => new OwnPost(values));
      session.addAll(users);
      session.addAll(posts);
      await session.commit();
      return { users, posts };
    },
    async update(session, after, title) {
      const posts = await session.select(OwnPost).where("id", ">", after).orderBy("id").limit(UPDATED_ROWS).all();
      for (const post of posts) post.title = newTitle(title, post);
      await session.commit();
    },
    getInContext: (id) => app.run(() => own.session.get(OwnPost, id)),
    insertInTransaction: (values) =>
      inSession((session) =>
        session.transaction(async (tx) => {
          const post = new OwnPost(values);
          tx.add(post);
          await tx.flush();
          return post;
        }),
      ),
    flushInside: (newUsers, newPosts) => inSession((session) => store.flush(session, newUsers, newPosts)),
    flushWithKeys: (newUsers, newPosts) =>
      inSession(async (session) => {
        const users = newUsers.map((values) => new OwnUser(values));
        const posts = postsOf(users, newPosts);
        session.addAll(users);
        session.addAll(posts);
        await session.commit();
        return { users, posts };
      }),
    flushWithinBind: (newParents, newChildren) =>
      inSession(async (session) => {
        const parents = newParents.map((values) => new OwnPost(values));
        const children = postsOf(parents, newChildren);
        session.addAll(parents);
        session.addAll(children);
        await session.commit();
        return { parents, children };
      }),
    close: () => app.dispose(),
  };
  return store as Store;
}

/** A database's URL as multibind reads it. */
export function urlOf({ family, name, host, port, user }: Database): string {
  if (family === "sqlite") return `sqlite:///${name}`;
  return `${family === "postgres" ? "postgresql" : "mysql"}://${user}@${host}:${port}/${name}`;
}
