import type { TestContext } from "node:test";
import {
  type Application,
  boolean,
  type FamilyName,
  integer,
  keyOf,
  Multibind,
  type ReadOnlyMany,
  type Session,
  select,
  type ToMany,
  type ToOne,
  varchar,
} from "../../src/index.ts";
import { sessionOf, sharedDatabase, start } from "../fixtures/matrix.ts";

/** A blog over three binds: users in `auth`, posts in the default bind, comments and who likes what in `meta`. */
export const db = new Multibind<"auth" | "meta">();

export class User extends db.model(
  "user",
  { id: integer().primaryKey(), name: varchar(40), managerId: integer().nullable() },
  { bindKey: "auth" },
) {
  declare readonly posts: ToMany<Post>;
  declare readonly published: ReadOnlyMany<Post>;
  declare readonly profile: ToOne<Profile | null>;
  declare readonly manager: ToOne<User | null>;
  declare readonly reports: ToMany<User>;
  declare readonly liked: ToMany<Post>;

  static {
    db.relate(User, (r) => ({
      posts: r.hasMany(() => Post, "authorId"),
      published: r.view(
        () => Post,
        "authorId",
        () => select(Post).where("published", "=", true).orderBy("title", "desc"),
      ),
      profile: r.hasOne(() => Profile, "userId"),
      manager: r.belongsTo(() => User, "managerId"),
      reports: r.hasMany(() => User, "managerId", { orderBy: "-name" }),
      liked: r.manyToMany(
        () => Post,
        () => likes,
        { from: "userId", to: "postId" },
      ),
    }));
  }
}

export class Profile extends db.model(
  "profile",
  { id: integer().primaryKey(), userId: integer().unique(), bio: varchar(80) },
  { bindKey: "auth" },
) {
  declare readonly user: ToOne<User>;

  static {
    db.relate(Profile, (r) => ({ user: r.belongsTo(() => User, "userId") }));
  }
}

export class Post extends db.model("post", {
  id: integer().primaryKey(),
  authorId: integer().index(),
  editorId: integer().nullable(),
  title: varchar(40),
  published: boolean().default(false),
}) {
  declare readonly author: ToOne<User>;
  declare readonly editor: ToOne<User | null>;
  declare readonly comments: ToMany<Comment>;
  declare readonly likedBy: ToMany<User>;

  static {
    db.relate(Post, (r) => ({
      author: r.belongsTo(() => User, "authorId"),
      editor: r.belongsTo(() => User, "editorId", { missing: "null" }),
      comments: r.hasMany(() => Comment, "postId"),
      likedBy: r.manyToMany(
        () => User,
        () => likes,
        { from: "postId", to: "userId" },
      ),
    }));
  }
}

export class Comment extends db.model(
  "comment",
  { id: integer().primaryKey(), postId: integer().index(), text: varchar(40) },
  { bindKey: "meta" },
) {
  declare readonly post: ToOne<Post>;

  static {
    db.relate(Comment, (r) => ({ post: r.belongsTo(() => Post, "postId") }));
  }
}

export const likes = db.table(
  "likes",
  { userId: integer().primaryKey(), postId: integer().primaryKey() },
  { bindKey: "meta" },
);

/** The family of each bind: the default one, `auth` and `meta`. */
export const PLACES: readonly (readonly [FamilyName, FamilyName, FamilyName])[] = [
  ["postgres", "mysql", "sqlite"],
  ["mysql", "sqlite", "postgres"],
  ["sqlite", "postgres", "mysql"],
];

/** An application of the blog with two users, three posts of the first, and comments. */
export async function blog(
  t: TestContext,
  [main, auth, meta]: (typeof PLACES)[number],
): Promise<{ readonly app: Application<"auth" | "meta">; session(): Session<"auth" | "meta"> }> {
  const app = await start(t, db, {
    databaseUrl: await sharedDatabase(main),
    binds: { auth: await sharedDatabase(auth), meta: await sharedDatabase(meta) },
    recordQueries: true,
  });
  const session = app.session();
  const ada = new User({ id: 1, name: "ada" });
  const bob = new User({ id: 2, name: "bob", managerId: 1 });
  const cleo = new User({ id: 3, name: "cleo", managerId: 1 });
  session.addAll([ada, bob, cleo, new Profile({ userId: keyOf(ada), bio: "counts" })]);
  for (let id = 1; id <= 3; id++) {
    session.add(new Post({ id, authorId: 1, editorId: id === 2 ? 2 : null, title: `post ${id}`, published: id !== 2 }));
    for (let n = 1; n <= id; n++) session.add(new Comment({ postId: id, text: `comment ${n} of ${id}` }));
  }
  await session.flush();
  await session
    .insertInto(likes)
    .values([
      { userId: 1, postId: 3 },
      { userId: 2, postId: 3 },
      { userId: 2, postId: 1 },
      { userId: 2, postId: 99 },
    ])
    .execute();
  await session.commit();
  await session.close();
  return { app, session: () => sessionOf(app) };
}
