import assert from "node:assert/strict";
import { InvalidValueError, integer, Multibind, select, varchar } from "../../src/index.ts";
import { onEachFamily, record, sessionOf, start } from "../fixtures/matrix.ts";

const db = new Multibind();
class Author extends db.model(
  "author",
  { id: integer().primaryKey(), kind: varchar(10) },
  { discriminator: "kind", identity: "author" },
) {}
class Editor extends Author.extend({ desk: varchar(10).nullable() }, { identity: "editor" }) {
  static {
    db.register(Editor);
  }
}
class Book extends db.model("book", { id: integer().primaryKey(), authorId: integer() }) {}

/** What TypeScript refuses. */
// biome-ignore lint/suspicious/noExplicitAny: the calls that are tested do not compile
type Untyped = any;

const none = (join: unknown) => join;

/** Joins without a condition, in each form. */
const JOINS: Record<string, (session: ReturnType<typeof sessionOf>, kysely: Untyped) => unknown> = {
  innerJoin: (session) => (session.select(Book) as Untyped).innerJoin(Author).all(),
  leftJoin: (session) => (session.select(Book) as Untyped).leftJoin(Author, none).all(),
  joinAndSelect: (session) => (session.select(Book) as Untyped).joinAndSelect(Author).all(),
  leftJoinAndSelect: (session) => (session.select(Book) as Untyped).leftJoinAndSelect(Author, none).all(),
  "joinAndSelect with a child": (session) => (session.select(Book) as Untyped).joinAndSelect(Editor, none).all(),
  "a detached select": (session) => session.select((select(Book) as Untyped).innerJoin(Editor, none) as Untyped),
  selectFrom: (session) => (session.selectFrom(Book) as Untyped).innerJoin(Author).selectAll().execute(),
  "selectFrom with a callback": (session) =>
    (session.selectFrom(Book) as Untyped).leftJoin(Author, none).selectAll().execute(),
  subquery: (session) =>
    (session.selectFrom(Book) as Untyped)
      .innerJoin((eb: Untyped) => eb.selectFrom("author").selectAll().as("a"), none)
      .select("book.id")
      .execute(),
  "within a subquery": (session) =>
    (session.selectFrom(Book) as Untyped)
      .where("id", "in", (eb: Untyped) => eb.selectFrom("book").innerJoin("author", none).select("book.id"))
      .selectAll()
      .execute(),
  "engine.kysely": (_, kysely) => kysely.selectFrom(Book.table).innerJoin(Author.table, none).selectAll().execute(),
  "a prepared select": (session) =>
    (db.prepare(() => (select(Book) as Untyped).innerJoin(Author, none)) as Untyped).on(session).all(),
};

onEachFamily("a join without a condition is refused before anything is sent", async (t, url) => {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  session.addAll([new Author({}), new Editor({}), new Book({ authorId: 1 })]);
  await session.commit();
  const sent = record(app);
  for (const [form, run] of Object.entries(JOINS)) {
    await assert.rejects(
      async () => await run(session, app.engine.kysely),
      (error) => {
        assert.ok(error instanceof InvalidValueError, `${form}: ${error}`);
        assert.match(error.message, /^The join of (".*"|a subquery) has no condition\. /);
        return true;
      },
      form,
    );
  }
  assert.deepEqual(sent, []);
});

onEachFamily("every pair of rows is read where that is what is asked for", async (t, url) => {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  session.addAll([new Author({}), new Editor({}), new Book({ authorId: 1 })]);
  await session.commit();
  const crossed = await session.selectFrom(Book).crossJoin(Author).select("author.id").execute();
  const always = await session
    .selectFrom(Book)
    .innerJoin(Author, (join) => join.onTrue())
    .select("author.id")
    .execute();
  assert.deepEqual([crossed.length, always.length], [2, 2]);
  assert.equal((await session.select(Book).joinAndSelect(Author, "author.id", "book.authorId").all()).length, 1);
});
