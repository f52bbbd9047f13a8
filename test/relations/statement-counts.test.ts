import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type FamilyName,
  integer,
  Multibind,
  type Session,
  type ToMany,
  type ToOne,
  varchar,
} from "../../src/index.ts";
import { onEachFamily, sessionOf, sharedDatabase, start } from "../fixtures/matrix.ts";

const db = new Multibind<"other">();

class Author extends db.model("author", {
  id: integer().primaryKey(),
  pen: varchar(20, { mysqlCollation: "utf8mb4_general_ci" }),
}) {
  declare readonly books: ToMany<Book>;
  declare readonly letters: ToMany<Letter>;
  declare readonly tags: ToMany<Tag>;
  declare readonly places: ToMany<Place>;

  static {
    db.relate(Author, (r) => ({
      books: r.hasMany(() => Book, "authorId"),
      letters: r.hasMany(() => Letter, { pen: "pen" }),
      tags: r.manyToMany(
        () => Tag,
        () => tagging,
        { from: "authorId", to: "tagId" },
      ),
      places: r.manyToMany(
        () => Place,
        () => visit,
        { from: "authorId", to: "placeId" },
      ),
    }));
  }
}
class Book extends db.model("book", {
  id: integer().primaryKey(),
  authorId: integer().index(),
  editorId: integer(),
  title: varchar(20),
}) {
  declare readonly author: ToOne<Author>;
  declare readonly editor: ToOne<Author>;

  static {
    db.relate(Book, (r) => ({
      author: r.belongsTo(() => Author, "authorId"),
      editor: r.belongsTo(() => Author, "editorId"),
    }));
  }
}
class Letter extends db.model("letter", {
  id: integer().primaryKey(),
  pen: varchar(20, { mysqlCollation: "utf8mb4_general_ci" }),
}) {}
class Tag extends db.model("tag", { id: integer().primaryKey(), label: varchar(20) }) {}
class Place extends db.model("place", { id: integer().primaryKey(), name: varchar(20) }, { bindKey: "other" }) {}
const tagging = db.table("tagging", { authorId: integer().primaryKey(), tagId: integer().primaryKey() });
const visit = db.table("visit", { authorId: integer().primaryKey(), placeId: integer().primaryKey() });

const CHUNKS: Readonly<Record<FamilyName, number>> = { sqlite: 500, postgres: 10_000, mysql: 1024 };

async function open(t: Parameters<typeof start>[0], databaseUrl: string) {
  const other = (await sharedDatabase("sqlite")).replace("test.db", "other.db");
  const app = await start(t, db, {
    databaseUrl,
    binds: { other },
    recordQueries: true,
  });
  return { app, session: sessionOf(app), writing: sessionOf(app) };
}

async function counted<T>(session: Session<"other">, run: () => Promise<T>): Promise<readonly [T, number]> {
  const before = session.recordedQueries.length;
  return [await run(), session.recordedQueries.length - before];
}

onEachFamily("many to many within a bind is one statement, across binds two", async (t, url) => {
  const { session, writing } = await open(t, url);
  writing.addAll([1, 2, 3].map((id) => new Author({ id, pen: `pen ${id}` })));
  writing.addAll([1, 2, 3].map((id) => new Tag({ id, label: `tag ${id}` })));
  writing.addAll([1, 2, 3].map((id) => new Place({ id, name: `place ${id}` })));
  await writing.flush();
  const pairs = [
    [1, 3],
    [1, 1],
    [2, 3],
    [2, 9],
  ] as const;
  await writing
    .insertInto(tagging)
    .values(pairs.map(([authorId, tagId]) => ({ authorId, tagId })))
    .execute();
  await writing
    .insertInto(visit)
    .values(pairs.map(([authorId, placeId]) => ({ authorId, placeId })))
    .execute();
  await writing.commit();
  const authors = await session.select(Author).orderBy("id").all();
  const [tagged, ofTags] = await counted(session, () => session.load(authors, { tags: true }));
  assert.deepEqual(
    tagged.map(({ tags }) => tags.map(({ id }) => id)),
    [[1, 3], [3], []],
  );
  assert.equal(tagged[0]!.tags.at(1), tagged[1]!.tags.at(0));
  assert.equal(ofTags, 1);
  const [placed, ofPlaces] = await counted(session, () => session.load(authors, { places: true }));
  assert.deepEqual(
    placed.map(({ places }) => places.map(({ id }) => id)),
    [[1, 3], [3], []],
  );
  assert.equal(ofPlaces, 2);
});

onEachFamily("relations of one level that look for the same columns share a statement", async (t, url) => {
  const { session, writing } = await open(t, url);
  writing.addAll([1, 2, 3].map((id) => new Author({ id, pen: `pen ${id}` })));
  writing.addAll([
    new Book({ id: 1, authorId: 1, editorId: 2, title: "a" }),
    new Book({ id: 2, authorId: 2, editorId: 3, title: "b" }),
  ]);
  await writing.commit();
  const [books, statements] = await counted(session, () =>
    session.select(Book).include({ author: true, editor: true }).orderBy("id").all(),
  );
  assert.deepEqual(
    books.map(({ author, editor }) => [author.id, editor.id]),
    [
      [1, 2],
      [2, 3],
    ],
  );
  assert.equal(statements, 2);
  const [, again] = await counted(session, () => session.select(Book).include({ author: true, editor: true }).all());
  assert.equal(again, 1);
  await session.commit();
  const [, stale] = await counted(session, () => session.select(Book).include({ author: true }).all());
  assert.equal(stale, 2);
});

onEachFamily("rows belong to every key that the database takes for theirs", async (t, url, family) => {
  const { session, writing } = await open(t, url);
  writing.addAll([
    new Author({ id: 1, pen: "Ada" }),
    new Author({ id: 2, pen: "ADA" }),
    new Author({ id: 3, pen: "eve" }),
  ]);
  writing.addAll([new Letter({ id: 1, pen: "ada" }), new Letter({ id: 2, pen: "Ada" })]);
  await writing.commit();
  const [authors, statements] = await counted(session, () =>
    session.select(Author).include({ letters: true }).orderBy("id").all(),
  );
  assert.deepEqual(
    authors.map(({ letters }) => letters.map(({ id }) => id)),
    family === "mysql" ? [[1, 2], [1, 2], []] : [[2], [], []],
  );
  assert.equal(statements, 2);
});

onEachFamily("the number of statements grows with chunks of keys, not with keys", async (t, url, family) => {
  const { app, writing } = await open(t, url);
  const chunk = CHUNKS[family];
  writing.addAll(Array.from({ length: chunk + 1 }, (_, index) => new Author({ id: index + 1, pen: `pen ${index}` })));
  writing.addAll([1, chunk + 1].map((authorId) => new Book({ authorId, editorId: chunk, title: "b" })));
  await writing.commit();
  for (const [keys, statements] of [
    [0, 0],
    [1, 1],
    [chunk, 1],
    [chunk + 1, 2],
  ] as const) {
    const session = sessionOf(app);
    const authors = await session.select(Author).where("id", "<=", keys).all();
    for (const include of [{ books: true }, { letters: true }, { tags: true }] as const)
      assert.equal(
        (await counted(session, () => session.load(authors, include)))[1],
        statements,
        `${keys} ${Object.keys(include)}`,
      );
    const [, across] = await counted(session, () => session.load(authors, { places: true }));
    assert.equal(across, statements, "a link without rows leads nowhere");
  }
});

test("an include of a class that leads to itself ends", async (t) => {
  const { session, writing } = await open(t, await sharedDatabase("sqlite"));
  writing.addAll([new Author({ id: 1, pen: "a" }), new Book({ id: 1, authorId: 1, editorId: 1, title: "a" })]);
  await writing.commit();
  const [[author], statements] = await counted(session, () =>
    session
      .select(Author)
      .include({ books: { author: { books: { editor: true } } } })
      .all(),
  );
  assert.equal(author!.books.at(0)!.author, author);
  assert.equal(author!.books.at(0)!.author.books.at(0)!.editor, author);
  // The books are read on both levels.
  assert.equal(statements, 3);
});
