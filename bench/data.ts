/** A row of `post`, in the database `main`. */
export interface Post {
  id: number;
  authorId: number;
  title: string;
  body: string;
  published: boolean;
  createdAt: Date;
}

/** A row of `user`, in the database `auth`. */
export interface User {
  id: number;
  name: string;
  email: string;
  admin: boolean;
  createdAt: Date;
}

export type NewPost = Omit<Post, "id">;
export type NewUser = Omit<User, "id">;

/** A user and his posts. */
export interface Page {
  readonly user: User;
  readonly posts: readonly Post[];
}

export const POST_COLUMNS = ["id", "authorId", "title", "body", "published", "createdAt"] as const;
export const USER_COLUMNS = ["id", "name", "email", "admin", "createdAt"] as const;

/** How many rows each table has before a scenario, under the keys from 1 up. */
export const ROWS = 10_000;
/** Every author has this many posts. */
export const POSTS_OF_AUTHOR = 20;
export const AUTHORS = ROWS / POSTS_OF_AUTHOR;

const FIRST_INSTANT = Date.UTC(2020, 0, 1);

/** The values of the post with a number, the same in every database. */
export function newPost(number: number): NewPost {
  return {
    authorId: (number % AUTHORS) + 1,
    title: `Post ${number}: an "even" title`,
    body: `Paragraph ${number}. ${"Lorem ipsum dolor sit amet. ".repeat(4)}`,
    published: number % 3 !== 0,
    createdAt: new Date(FIRST_INSTANT + number * 3_607_031),
  };
}

/** The values of the user with a number, the same in every database. */
export function newUser(number: number): NewUser {
  return {
    name: `User ${number}`,
    email: `user.${number}@example.org`,
    admin: number % 7 === 0,
    createdAt: new Date(FIRST_INSTANT + number * 5_011_003),
  };
}
