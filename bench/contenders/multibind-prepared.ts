import { type Params, type Session, select } from "../../src/index.ts";
import { type Contender, LIST_ROWS, newTitle, type Store, UPDATED_ROWS } from "./contender.ts";
import { db, multibind, Post, User } from "./multibind.ts";
import { pairing } from "./sides.ts";

const list = db.prepare((p: Params<{ after: number }>) =>
  select(Post).where("published", "=", true).where("id", ">", p("after")).orderBy("id").limit(LIST_ROWS),
);
const byAuthor = db.prepare((p: Params<{ id: number }>) => select(Post).where("authorId", "=", p("id")).orderBy("id"));
const next = db.prepare((p: Params<{ after: number }>) =>
  select(Post).where("id", ">", p("after")).orderBy("id").limit(UPDATED_ROWS),
);

/** multibind with its selects prepared. */
export const multibindPrepared: Contender = {
  ...multibind,
  name: "multibind-prepared",
  label: "multibind prepared",
  async open(binds) {
    // The plain contender's units of work are sessions.
    const plain = (await multibind.open(binds)) as Store<Session<"main" | "auth">>;
    const both = pairing(binds);
    const store: Store<Session<"main" | "auth">> = {
      ...plain,
      list: (session, after) => list.on(session).all({ after }),
      async page(session, id) {
        const [user, posts] = await both(
          () => session.get(User, id),
          () => byAuthor.on(session).all({ id }),
        );
        return { user: user!, posts };
      },
      async update(session, after, title) {
        const posts = await next.on(session).all({ after });
        for (const post of posts) post.title = newTitle(title, post);
        await session.commit();
      },
    };
    return store as Store;
  },
};
