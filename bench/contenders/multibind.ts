import { boolean, integer, Multibind, type Session, text, timestamp, varchar } from "../../src/index.ts";
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

export const db = new Multibind<"main" | "auth">({ engineOptions: { poolSize: POOL_SIZE } });

export class Post extends db.model(
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

export class User extends db.model(
  "user",
  { id: integer().primaryKey(), name: varchar(80), email: varchar(120), admin: boolean(), createdAt: timestamp() },
  { bindKey: "auth" },
) {}

/** multibind in its plain form: a session for each piece of work. */
export const multibind: Contender = {
  name: "multibind",
  label: "multibind",
  sqliteInstants: "text",
  drivers: { sqlite: "better-sqlite3", postgres: "pg", mysql: "mariadb" },
  packages: ["multibind"],
  async open(binds) {
    const app = db.init({ binds: { main: urlOf(binds.main), auth: urlOf(binds.auth) } });
    const both = pairing(binds);
    const store: Store<Session<"main" | "auth">> = {
      enter: () => app.session(),
      leave: (session) => session.close(),
      get: (session, id) => session.get(Post, id),
      list: (session, after) =>
        session.select(Post).where("published", "=", true).where("id", ">", after).orderBy("id").limit(LIST_ROWS).all(),
      async page(session, id) {
        const [user, posts] = await both(
          () => session.get(User, id),
          () => session.select(Post).where("authorId", "=", id).orderBy("id").all(),
        );
        return { user: user!, posts };
      },
      async insert(session, values) {
        const post = new Post(values);
        session.add(post);
        await session.commit();
        return post;
      },
      async flush(session, newUsers, newPosts) {
        const users = newUsers.map((values) => new User(values));
        const posts = newPosts.map((values) => new Post(values));
        session.addAll(users);
        session.addAll(posts);
        await session.commit();
        return { users, posts };
      },
      async update(session, after, title) {
        const posts = await session.select(Post).where("id", ">", after).orderBy("id").limit(UPDATED_ROWS).all();
        for (const post of posts) post.title = newTitle(title, post);
        await session.commit();
      },
      getInContext: (id) => app.run(() => db.session.get(Post, id)),
      close: () => app.dispose(),
    };
    return store as Store;
  },
};

/** A database's URL as multibind reads it. */
export function urlOf({ family, name, host, port, user }: Database): string {
  if (family === "sqlite") return `sqlite:///${name}`;
  return `${family === "postgres" ? "postgresql" : "mysql"}://${user}@${host}:${port}/${name}`;
}
