import { test } from "node:test";
import {
  boolean,
  integer,
  isLoaded,
  type Loaded,
  Multibind,
  type ReadOnlyMany,
  select,
  type ToMany,
  type ToOne,
  toPlain,
  varchar,
} from "../../src/index.ts";

const db = new Multibind<"auth" | "meta">();

class User extends db.model("user", { id: integer().primaryKey(), name: varchar(40) }, { bindKey: "auth" }) {
  declare readonly posts: ToMany<Post>;
  declare readonly published: ReadOnlyMany<Post>;
  declare readonly profile: ToOne<Profile | null>;
  declare readonly tags: ToMany<Tag>;
}
class Profile extends db.model("profile", { id: integer().primaryKey(), userId: integer().unique() }) {}
class Tag extends db.model("tag", { name: varchar(40).primaryKey() }) {}
class Post extends db.model("post", {
  id: integer().primaryKey(),
  authorId: integer(),
  editorId: integer().nullable(),
  title: varchar(40),
  published: boolean(),
}) {
  declare readonly author: ToOne<User>;
  declare readonly editor: ToOne<User | null>;
}
class Report extends Post.extend("report", { id: integer().primaryKey().references("post.id"), bossId: integer() }) {
  declare readonly boss: ToOne<User>;
}
const link = db.table("link", { userId: integer().primaryKey(), tag: varchar(40).primaryKey() });

/** Never run: the compiler alone reads it. */
export async function relations(user: User, post: Post): Promise<void> {
  db.relate(Post, (r) => ({
    author: r.belongsTo(() => User, "authorId"),
    editor: r.belongsTo(() => User, "editorId"),
  }));
  db.relate(User, (r) => ({
    posts: r.hasMany(() => Post, "authorId", { orderBy: "-title" }),
    published: r.view(
      () => Post,
      "authorId",
      () => select(Post).where("published", "=", true),
    ),
    profile: r.hasOne(() => Profile, "userId"),
    tags: r.manyToMany(
      () => Tag,
      () => link,
      { from: "userId", to: "tag" },
    ),
  }));

  // @ts-expect-error a relation that is declared must be described
  db.relate(Post, (r) => ({ author: r.belongsTo(() => User, "authorId") }));
  db.relate(Post, (r) => ({
    // @ts-expect-error there is no such column
    author: r.belongsTo(() => User, "authorid"),
    editor: r.belongsTo(() => User, "editorId"),
  }));
  db.relate(Post, (r) => ({
    // @ts-expect-error a text is not the key of a user
    author: r.belongsTo(() => User, "title"),
    editor: r.belongsTo(() => User, "editorId"),
  }));
  db.relate(Post, (r) => ({
    author: r.belongsTo(() => User, "authorId"),
    // @ts-expect-error the column leads to a user, and the class declares one
    editor: r.belongsTo(() => Profile, "editorId"),
  }));
  db.relate(Post, (r) => ({
    // @ts-expect-error the column may be null, and the class declares a user in any case
    author: r.belongsTo(() => User, "editorId"),
    editor: r.belongsTo(() => User, "editorId"),
  }));
  db.relate(User, (r) => ({
    // @ts-expect-error there is no such column to order by
    posts: r.hasMany(() => Post, "authorId", { orderBy: "titel" }),
    published: r.view(
      () => Post,
      "authorId",
      // @ts-expect-error the statement is of another model
      () => select(Tag),
    ),
    // @ts-expect-error a relation to many is not one to one
    profile: r.hasMany(() => Profile, "userId"),
    tags: r.manyToMany(
      () => Tag,
      () => link,
      // @ts-expect-error the table between has no such column
      { from: "userId", to: "tagName" },
    ),
  }));

  db.relate(Report, Post, (r) => ({ boss: r.belongsTo(() => User, "bossId") }));
  // @ts-expect-error what the parent does not have must be described
  db.relate(Report, Post, () => ({}));
  db.relate(User, (r) => ({
    posts: r.hasMany(() => Post, "authorId"),
    published: r.view(
      () => Post,
      "authorId",
      () => select(Post),
    ),
    // @ts-expect-error unique or not is yes or no
    profile: r.hasOne(() => Profile, "userId", { unique: "no" }),
    tags: r.manyToMany(
      () => Tag,
      () => link,
      { from: "userId", to: "tag" },
    ),
  }));

  // @ts-expect-error before it is loaded, a relation to one cannot be read
  void post.author.name;
  // @ts-expect-error nor one to many
  void user.posts.length;
  // @ts-expect-error nor walked through
  for (const one of user.posts) void one;

  const loaded = await db
    .select(User)
    .include({ posts: { author: true, editor: true }, profile: true })
    .one();
  const titles: string[] = loaded.posts.map((one) => one.title);
  void titles;
  const title: string = loaded.posts.at(0)!.author.name;
  void title;
  // @ts-expect-error there may be no editor
  void loaded.posts.at(0)!.editor.name;
  void loaded.profile?.userId;
  // @ts-expect-error tags were not included
  void loaded.tags.length;

  // @ts-expect-error there is no such relation
  void db.select(User).include({ pots: true });
  // @ts-expect-error nor one that is a column
  void db.select(User).include({ name: true });
  // @ts-expect-error nor further down, beside one that there is
  void db.select(User).include({ posts: { author: true, title: true } });
  // @ts-expect-error nothing but true, or relations
  void db.select(User).include({ posts: 1 });

  void db.select(User).whereHas("posts", select(Post).where("title", "=", "x"), { maxKeys: 10 });
  // @ts-expect-error posts are in another bind, so the keys must be bounded
  void db.select(User).whereHas("posts", select(Post).where("title", "=", "x"));
  // @ts-expect-error the statement is of another model
  void db.select(User).whereHas("posts", select(Tag), { maxKeys: 10 });
  // @ts-expect-error there is no such relation
  void db.select(User).whereHasNot("name");

  const summary = (one: Loaded<User, { posts: true }>) => one.posts.length;
  summary(loaded);
  // @ts-expect-error its posts are not loaded
  summary(user);
  if (isLoaded(post, { editor: true })) {
    const name: string | undefined = post.editor?.name;
    void name;
    // @ts-expect-error its author is not
    void post.author.name;
  }
  const plain = toPlain(loaded, { posts: { author: true } });
  const names: string[] = plain.posts.map((one) => one.author.name);
  void names;
  // @ts-expect-error what is not named is left out
  void plain.posts[0]!.editor?.name;
  // @ts-expect-error methods of entities are left out
  void plain.toJSON();
  // @ts-expect-error there is no such relation
  void toPlain(loaded, { pots: true });
  // @ts-expect-error nor is a column one
  void isLoaded(post, { title: true });
  const deep = await db
    .select(User)
    .include({ posts: { author: { posts: { editor: { profile: true } } } } })
    .one();
  const userId: number | undefined = deep.posts.at(0)!.author.posts.at(0)!.editor?.profile?.userId;
  void userId;
  // @ts-expect-error at that depth the profile is not loaded
  void deep.posts.at(0)!.author.profile?.userId;

  const both = await db.session.load([user], { tags: true });
  void both[0]!.tags.map(({ name }) => name);
  // @ts-expect-error there is no such relation
  void db.session.load(user, { tag: true });
}

test("relations are typed", () => {});
