import type { NewPost, NewUser, Post, User } from "../data.ts";
import type { Binds, Store, StoredFamily } from "./contender.ts";

/** The work on the database `main`. */
export interface MainSide {
  get(id: number): Promise<Post | null | undefined>;
  list(after: number): Promise<Post[]>;
  byAuthor(id: number): Promise<Post[]>;
  insert(post: NewPost): Promise<Post>;
  insertAll(posts: readonly NewPost[]): Promise<Post[]>;
  update(after: number, title: string): Promise<void>;
  insertInTransaction?(post: NewPost): Promise<Post>;
  insertFamily?(parents: readonly NewPost[], children: readonly NewPost[]): Promise<StoredFamily>;
  close(): unknown;
}

/** The work on the database `auth`. */
export interface AuthSide {
  get(id: number): Promise<User>;
  insertAll(users: readonly NewUser[]): Promise<User[]>;
  close(): unknown;
}

/** SQLite takes 32,766 parameters, six for a row. */
const ROWS_OF_ONE_STATEMENT = 5_000;

/** Joins the work on two databases for those who know no sessions. */
export function storeOf(binds: Binds, main: MainSide, auth: AuthSide): Store {
  const both = pairing(binds);
  const flush: NonNullable<Store["flushInside"]> = async (newUsers, newPosts) => {
    const [users, posts] = await both(
      () => auth.insertAll(newUsers),
      () => main.insertAll(newPosts),
    );
    return { users, posts };
  };
  return {
    enter: () => undefined,
    leave: () => undefined,
    get: (_, id) => main.get(id),
    list: (_, after) => main.list(after),
    page: async (_, id) => {
      const [user, posts] = await both(
        () => auth.get(id),
        () => main.byAuthor(id),
      );
      return { user, posts };
    },
    insert: (_, post) => main.insert(post),
    flush: (_, newUsers, newPosts) => flush(newUsers, newPosts),
    update: (_, after, title) => main.update(after, title),
    flushInside: flush,
    mostRows: ROWS_OF_ONE_STATEMENT,
    flushWithKeys: async (newUsers, newPosts) => {
      const users = await auth.insertAll(newUsers);
      return { users, posts: await main.insertAll(withAuthors(newPosts, users)) };
    },
    ...(main.insertInTransaction && { insertInTransaction: main.insertInTransaction }),
    ...(main.insertFamily && { flushWithinBind: main.insertFamily }),
    close: async () => {
      await main.close();
      await auth.close();
    },
  };
}

/** Posts whose authors are these in turn. */
export function withAuthors(posts: readonly NewPost[], authors: readonly { readonly id: number }[]): NewPost[] {
  return posts.map(({ title, body, published, createdAt }, place) => {
    const authorId = authors[place % authors.length]!.id;
    return { authorId, title, body, published, createdAt };
  });
}

/** Runs two pieces of work: side by side on servers, one after the other where the databases are in the process anyway. */
export type Pairing = <A, B>(first: () => Promise<A>, second: () => Promise<B>) => Promise<[A, B]>;

/** The better way for two databases. */
export function pairing({ main, auth }: Binds): Pairing {
  return main.family === "sqlite" && auth.family === "sqlite" ? sequential : parallel;
}

const parallel: Pairing = (first, second) => Promise.all([first(), second()]);
const sequential: Pairing = async (first, second) => [await first(), await second()];
