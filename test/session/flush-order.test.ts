import assert from "node:assert/strict";
import { test } from "node:test";
import {
  foreignKey,
  InvalidValueError,
  integer,
  keyOf,
  Multibind,
  SessionError,
  stateOf,
  text,
  UniqueViolationError,
  unique,
  varchar,
} from "../../src/index.ts";
import { onEachFamily, record, sessionOf, start, threeUrls, verbs } from "../fixtures/matrix.ts";

function library() {
  const db = new Multibind();
  // Children are defined first, so that nothing works by the order of definition.
  class Page extends db.model("page", {
    id: integer().primaryKey(),
    bookId: integer().references("book.id"),
    number: integer(),
  }) {}
  class Book extends db.model("book", {
    id: integer().primaryKey(),
    shelfId: integer().nullable().references("shelf.id"),
    title: varchar(40).unique(),
  }) {}
  class Shelf extends db.model("shelf", { id: integer().primaryKey(), name: text() }) {}
  return { db, Page, Book, Shelf };
}

onEachFamily("parents are inserted before children, and deleted after them", async (t, url) => {
  const { db, Page, Book, Shelf } = library();
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const shelf = new Shelf({ name: "top" });
  const book = new Book({ shelfId: keyOf(shelf), title: "one" });
  const page = new Page({ bookId: keyOf(book), number: 1 });
  session.addAll([page, book, shelf]);
  await session.commit();
  assert.deepEqual([page.bookId, book.shelfId], [book.id, shelf.id]);

  for (const entity of [shelf, book, page]) session.delete(entity);
  await session.commit();
  assert.deepEqual([shelf, book, page].map(stateOf), ["detached", "detached", "detached"]);
});

onEachFamily("keys that are given tell the order too", async (t, url) => {
  const { db, Page, Book, Shelf } = library();
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  session.addAll([
    new Page({ bookId: 5, number: 1 }),
    new Book({ id: 5, shelfId: 7, title: "one" }),
    new Shelf({ id: 7, name: "top" }),
  ]);
  await session.commit();

  assert.equal((await session.getOne(Book, 5)).shelfId, 7);
});

onEachFamily("many children are stored by few statements", async (t, url, family) => {
  const { db, Page, Book } = library();
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const sent = record(app);
  for (let b = 0; b < 3; b++) {
    const book = new Book({ title: `book ${b}` });
    session.add(book);
    for (let p = 0; p < 50; p++) session.add(new Page({ bookId: keyOf(book), number: p }));
  }
  await session.commit();

  const inserts = sent.filter(({ sql }) => sql.startsWith("insert"));
  // On SQLite 50 rows at a time.
  assert.equal(inserts.length, family === "sqlite" ? 4 : 2);
  assert.ok(sent.length < 12, `${sent.length} statements`);
});

onEachFamily("each of 1,000 rows of one flush gets its own generated key", async (t, url) => {
  const { db, Page, Book } = library();
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const books = Array.from({ length: 1000 }, (_, index) => new Book({ title: `book ${index}` }));
  // Some know their keys, high and low, in between.
  books[3]!.id = 5000;
  books[500]!.id = 4000;
  const pages = books.map((book, number) => new Page({ bookId: keyOf(book), number }));
  session.addAll(pages);
  session.addAll(books);
  await session.commit();

  const titles = new Map((await sessionOf(app).select(Book).all()).map(({ id, title }) => [id, title]));
  assert.equal(titles.size, 1000);
  for (const [index, { id }] of books.entries()) assert.equal(titles.get(id), `book ${index}`);
  const numbers = await sessionOf(app).select(Page).all();
  for (const { bookId, number } of numbers) assert.equal(titles.get(bookId), `book ${number}`);
  assert.equal(await session.get(Book, 5000), books[3]);
});

function tree() {
  const db = new Multibind();
  class Node extends db.model("node", {
    id: integer().primaryKey(),
    parentId: integer().nullable().references("node.id"),
    name: text(),
  }) {}
  return { db, Node };
}

onEachFamily("rows of one table that refer to each other are stored parents first", async (t, url) => {
  const { db, Node } = tree();
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const nodes = [new Node({ name: "0" })];
  for (let n = 1; n < 60; n++) nodes.push(new Node({ name: String(n), parentId: keyOf(nodes[(n - 1) >> 1]!) }));
  session.addAll([...nodes].reverse());
  await session.commit();
  for (let n = 1; n < 60; n++) assert.equal(nodes[n]!.parentId, nodes[(n - 1) >> 1]!.id);

  for (const node of nodes) session.delete(node);
  await session.commit();
  assert.equal(await session.select(Node).count(), 0);
});

onEachFamily("a row can refer to itself", async (t, url) => {
  const { db, Node } = tree();
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const root = new Node({ name: "root" });
  root.parentId = keyOf(root);
  const given = new Node({ id: 50, parentId: 50, name: "given" });
  session.addAll([root, given]);
  await session.commit();

  assert.equal(root.parentId, root.id);
  assert.equal(session.dirty.size, 0);
  assert.deepEqual({ ...(await sessionOf(app).getOne(Node, root.id)) }, { ...root });
  session.delete(root);
  session.delete(given);
  await session.commit();
  assert.equal(await session.select(Node).count(), 0);
});

onEachFamily("a row can refer to its own changed key", async (t, url) => {
  const { db, Node } = tree();
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const node = new Node({ name: "node" });
  node.parentId = keyOf(node);
  session.add(node);
  await session.commit();
  node.id = 70;
  node.parentId = keyOf(node);
  await session.commit();
  assert.deepEqual({ ...(await sessionOf(app).getOne(Node, 70)) }, { id: 70, parentId: 70, name: "node" });
  node.id = 71;
  node.parentId = 71;
  await session.commit();
  assert.equal((await sessionOf(app).getOne(Node, 71)).parentId, 71);
});

onEachFamily("a reference that was set after the insert is taken back by a rollback", async (t, url) => {
  const { db, Node } = tree();
  const session = sessionOf(await start(t, db, { databaseUri: url }));
  const node = new Node({ name: "root" });
  session.add(node);
  await session.flush();
  const itself = keyOf(node);
  node.parentId = itself;
  await session.flush();
  assert.equal(node.parentId, node.id);
  await session.rollback();
  assert.deepEqual([node.id, node.parentId], [undefined, itself]);
});

onEachFamily("rows that refer to each other in a circle are stored with a null in between", async (t, url) => {
  const { db, Node } = tree();
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const [a, b, c] = ["a", "b", "c"].map((name) => new Node({ name })) as [
    InstanceType<typeof Node>,
    InstanceType<typeof Node>,
    InstanceType<typeof Node>,
  ];
  a.parentId = keyOf(b);
  b.parentId = keyOf(c);
  c.parentId = keyOf(a);
  const outside = new Node({ name: "outside", parentId: keyOf(a) });
  session.addAll([outside, a, b, c]);
  await session.commit();

  assert.deepEqual([a.parentId, b.parentId, c.parentId, outside.parentId], [b.id, c.id, a.id, a.id]);
  assert.equal(session.dirty.size, 0);
  const read = await sessionOf(app).select(Node).orderBy("id").all();
  assert.deepEqual(
    new Set(read.map(({ id, parentId }) => `${id}>${parentId}`)),
    new Set([a, b, c, outside].map(({ id, parentId }) => `${id}>${parentId}`)),
  );

  for (const node of [a, outside, b, c]) session.delete(node);
  await session.commit();
  assert.equal(await session.select(Node).count(), 0);
});

onEachFamily("a circle that was rolled back can be stored again", async (t, url) => {
  const { db, Node } = tree();
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const a = new Node({ name: "a" });
  const b = new Node({ name: "b", parentId: keyOf(a) });
  a.parentId = keyOf(b);
  session.addAll([a, b]);
  await session.flush();
  await session.rollback();
  assert.deepEqual([a.id, b.id], [undefined, undefined]);

  session.addAll([a, b]);
  await session.commit();
  assert.deepEqual([a.parentId, b.parentId], [b.id, a.id]);
  assert.deepEqual({ ...(await sessionOf(app).getOne(Node, a.id)) }, { ...a });
});

onEachFamily("a row with two columns that wait for one row in a circle", async (t, url) => {
  const db = new Multibind();
  class Team extends db.model("team", {
    id: integer().primaryKey(),
    leadId: integer().nullable().references("person.id"),
    deputyId: integer().nullable().references("person.id"),
  }) {}
  class Person extends db.model("person", { id: integer().primaryKey(), teamId: integer().references("team.id") }) {}
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const team = new Team();
  const ada = new Person({ teamId: keyOf(team) });
  const eve = new Person({ teamId: keyOf(team) });
  team.leadId = keyOf(ada);
  team.deputyId = keyOf(ada);
  const other = new Team({ leadId: keyOf(eve), deputyId: keyOf(ada) });
  session.addAll([ada, eve, team, other]);
  await session.commit();

  assert.deepEqual([team.leadId, team.deputyId, ada.teamId], [ada.id, ada.id, team.id]);
  assert.deepEqual([other.leadId, other.deputyId], [eve.id, ada.id]);
  assert.deepEqual({ ...(await sessionOf(app).getOne(Team, team.id)) }, { ...team });

  for (const entity of [team, ada, eve, other]) session.delete(entity);
  await session.commit();
  assert.equal(await session.select(Person).count(), 0);
});

onEachFamily("a circle in which nothing may be null is refused, naming the models", async (t, url) => {
  const db = new Multibind();
  class Hen extends db.model("hen", { id: integer().primaryKey(), eggId: integer().references("egg.id") }) {}
  class Egg extends db.model("egg", { id: integer().primaryKey(), henId: integer().references("hen.id") }) {}
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const hen = new Hen({ eggId: 1 });
  const egg = new Egg({ id: 1, henId: keyOf(hen) });
  session.addAll([hen, egg]);
  const sent = record(app);

  await assert.rejects(session.flush(), (error) => {
    assert.ok(error instanceof SessionError);
    assert.match(error.message, /hen.*egg|egg.*hen/);
    return true;
  });
  assert.deepEqual(sent, []);
  assert.equal(session.new.size, 2, "it is as it was");
  const own = new Hen({ eggId: 1 });
  own.eggId = keyOf(own);
  session.expungeAll();
  session.add(own);
  await assert.rejects(session.flush(), SessionError);
});

onEachFamily("a key with several parts leads from child to parent", async (t, url) => {
  const db = new Multibind();
  class Seat extends db.model(
    "seat",
    { id: integer().primaryKey(), row: integer().nullable(), col: integer().nullable() },
    { constraints: [foreignKey(["row", "col"], "place", ["row", "col"])] },
  ) {}
  class Place extends db.model("place", {
    row: integer().primaryKey(),
    col: integer().primaryKey(),
    seatId: integer().nullable().references("seat.id"),
  }) {}
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const seat = new Seat({ row: 1, col: 2 });
  const place = new Place({ row: 1, col: 2, seatId: keyOf(seat) });
  session.addAll([seat, place]);
  await session.commit();
  assert.equal(place.seatId, seat.id);

  seat.row = 3;
  session.add(new Place({ row: 3, col: 2 }));
  session.delete(place);
  await session.commit();
  assert.equal((await session.getOne(Seat, seat.id)).row, 3);
});

onEachFamily("the same key deleted and added is an update", async (t, url) => {
  const { db, Book, Page } = library();
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const old = new Book({ id: 1, title: "old" });
  session.addAll([old, new Page({ bookId: 1, number: 1 })]);
  await session.commit();
  const sent = record(app);

  session.delete(old);
  const next = new Book({ id: 1, title: "new" });
  session.add(next);
  await session.flush();
  assert.deepEqual(verbs(sent), ["begin", "update"]);
  assert.deepEqual([stateOf(old), stateOf(next)], ["deleted", "persistent"]);
  assert.equal(await session.get(Book, 1), next);
  await session.rollback();
  assert.deepEqual([stateOf(old), stateOf(next)], ["persistent", "transient"]);
  assert.equal(await session.get(Book, 1), old);

  session.delete(old);
  session.add(next);
  await session.commit();
  assert.deepEqual([stateOf(old), stateOf(next)], ["detached", "persistent"]);
  assert.equal((await sessionOf(app).getOne(Book, 1)).title, "new");
});

onEachFamily("the new entity's values are stored, also where others have changed the row meanwhile", async (t, url) => {
  const { db, Book } = library();
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const old = new Book({ id: 1, title: "title" });
  session.add(old);
  await session.commit();
  await app.engine.kysely.updateTable(Book).set({ title: "theirs" }).where("id", "=", 1).execute();

  session.delete(old);
  session.add(new Book({ id: 1, title: "title" }));
  await session.commit();
  assert.equal((await sessionOf(app).getOne(Book, 1)).title, "title");
});

onEachFamily(
  "a row that takes over a deleted one's key can be referred to, also by itself and in a circle",
  async (t, url) => {
    const { db, Node } = tree();
    const app = await start(t, db, { databaseUri: url });
    const session = sessionOf(app);
    const make = (id: number) => new Node({ id, name: "node" });
    const old = [make(91), make(92), make(93)];
    session.addAll(old);
    await session.commit();

    for (const node of old) session.delete(node);
    const [first, second, itself] = [make(91), make(92), make(93)];
    const child = new Node({ name: "child", parentId: keyOf(first) });
    first.parentId = keyOf(second);
    second.parentId = keyOf(first);
    itself.parentId = keyOf(itself);
    session.addAll([child, first, second, itself]);
    await session.commit();

    const stored = await sessionOf(app).select(Node).orderBy("name").orderBy("id").all();
    assert.deepEqual(
      stored.map(({ parentId }) => parentId),
      [91, 92, 91, 93],
    );
  },
);

onEachFamily("a deleted row makes room for a new one with its unique value", async (t, url) => {
  const { db, Book, Page } = library();
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const old = new Book({ title: "the title" });
  const oldPage = new Page({ bookId: keyOf(old), number: 1 });
  const other = new Book({ title: "other" });
  session.addAll([old, oldPage, other]);
  await session.commit();

  session.delete(oldPage);
  session.delete(old);
  const next = new Book({ title: "the title" });
  session.addAll([new Page({ bookId: keyOf(next), number: 2 }), next]);
  await session.commit();
  assert.equal(await session.select(Book).where({ title: "the title" }).one(), next);

  for (const page of await session.select(Page).all()) session.delete(page);
  session.delete(next);
  other.title = "the title";
  await session.commit();
  assert.deepEqual(
    (await session.select(Book).all()).map(({ id }) => id),
    [other.id],
    "an update too",
  );
});

onEachFamily("a unique value over several columns counts with those that did not change", async (t, url) => {
  const db = new Multibind();
  class Item extends db.model(
    "item",
    { id: integer().primaryKey(), groupId: integer(), name: varchar(20) },
    { constraints: [unique(["groupId", "name"])] },
  ) {}
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const [a, b] = [new Item({ groupId: 1, name: "a" }), new Item({ groupId: 1, name: "b" })];
  session.addAll([a, b]);
  await session.commit();

  session.delete(a);
  b.name = "a";
  await session.commit();
  assert.deepEqual(
    (await session.select(Item).all()).map(({ name }) => name),
    ["a"],
  );
});

onEachFamily("two new rows with one unique value are the database's to refuse", async (t, url) => {
  const { db, Book } = library();
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  session.addAll([new Book({ title: "same" }), new Book({ title: "same" })]);

  await assert.rejects(session.flush(), UniqueViolationError);
});

// Keys across binds

function acrossBinds() {
  const db = new Multibind<"auth" | "meta">();
  class Post extends db.model("post", {
    id: integer().primaryKey(),
    authorId: integer(),
    parentId: integer().nullable().references("post.id"),
  }) {}
  class User extends db.model(
    "user",
    { id: integer().primaryKey(), name: text(), pinnedId: integer().nullable() },
    { bindKey: "auth" },
  ) {}
  class Event extends db.model(
    "event",
    { id: integer().primaryKey(), userId: integer(), postId: integer().nullable() },
    { bindKey: "meta" },
  ) {}
  return { db, Post, User, Event };
}

test("a key is known in another bind before the row that needs it is stored", async (t) => {
  const { db, Post, User, Event } = acrossBinds();
  const app = await start(t, db, await threeUrls());
  const session = sessionOf(app);
  const user = new User({ name: "ada" });
  const post = new Post({ authorId: keyOf(user) });
  const event = new Event({ userId: keyOf(user), postId: keyOf(post) });
  session.addAll([event, post, user]);
  await session.commit();

  assert.deepEqual([post.authorId, event.userId, event.postId], [user.id, user.id, post.id]);
  assert.equal((await sessionOf(app).getOne(Event, event.id)).postId, post.id);
});

test("binds that wait for each other in turn do not wait for ever", async (t) => {
  const { db, Post, User, Event } = acrossBinds();
  const app = await start(t, db, await threeUrls());
  const session = sessionOf(app);
  const entities: (InstanceType<typeof User> | InstanceType<typeof Post> | InstanceType<typeof Event>)[] = [];
  let last: InstanceType<typeof Post> | undefined;
  // A chain that goes from bind to bind and back.
  for (let n = 0; n < 10; n++) {
    const user: InstanceType<typeof User> = new User({
      name: `user ${n}`,
      ...(last === undefined ? {} : { pinnedId: keyOf(last) }),
    });
    const post = new Post({ authorId: keyOf(user) });
    entities.push(user, post, new Event({ userId: keyOf(user), postId: keyOf(post) }));
    last = post;
  }
  session.addAll(entities.toSorted((a, b) => a.constructor.name.localeCompare(b.constructor.name)));
  await session.commit();

  const users = entities.filter((entity) => entity instanceof User);
  const posts = entities.filter((entity) => entity instanceof Post);
  assert.deepEqual(
    users.slice(1).map(({ pinnedId }) => pinnedId),
    posts.slice(0, -1).map(({ id }) => id),
  );
});

test("a circle over two binds is stored with a null in between", async (t) => {
  const { db, Post, User } = acrossBinds();
  const app = await start(t, db, await threeUrls());
  const session = sessionOf(app);
  const user = new User({ name: "ada" });
  const post = new Post({ authorId: keyOf(user) });
  user.pinnedId = keyOf(post);
  session.addAll([user, post]);
  await session.commit();

  assert.deepEqual([user.pinnedId, post.authorId], [post.id, user.id]);
  assert.equal((await sessionOf(app).getOne(User, user.id)).pinnedId, post.id);
});

test("a stored row can be given the key of a new one in another bind", async (t) => {
  const { db, Post, User } = acrossBinds();
  const app = await start(t, db, await threeUrls());
  const session = sessionOf(app);
  const post = new Post({ authorId: 999 });
  session.add(post);
  await session.commit();

  const user = new User({ name: "ada" });
  session.add(user);
  post.authorId = keyOf(user);
  assert.deepEqual(await session.select(Post).where({ authorId: 999 }).all(), [], "the autoflush stores both");
  assert.equal(post.authorId, user.id);
  await session.commit();
  assert.equal((await sessionOf(app).getOne(Post, post.id)).authorId, user.id);
});

test("a key of a row that fails is not waited for", async (t) => {
  const { db, Post, User } = acrossBinds();
  const app = await start(t, db, await threeUrls());
  const session = sessionOf(app);
  session.add(new User({ id: 1, name: "first" }));
  await session.commit();
  session.expungeAll();
  const user = new User({ id: 1, name: "second" });
  const post = new Post({ authorId: keyOf(user) });
  session.addAll([user, post]);

  await assert.rejects(session.commit(), UniqueViolationError);
  await session.rollback();
  assert.equal(await session.select(Post).count(), 0);
  user.id = undefined as never;
  session.addAll([user, post]);
  await session.commit();
  assert.equal(post.authorId, user.id);
});

test("a flush refuses the key of an entity that was never added", async (t) => {
  const { db, Post, User } = acrossBinds();
  const app = await start(t, db, await threeUrls());
  const session = sessionOf(app);
  session.add(new Post({ authorId: keyOf(new User({ name: "ada" })) }));
  const sent = record(app);

  await assert.rejects(session.flush(), SessionError);
  assert.deepEqual(sent, []);
});

test("the key of an entity that was deleted is missing too", async (t) => {
  const { db, Post, User } = acrossBinds();
  const app = await start(t, db, await threeUrls());
  const session = sessionOf(app);
  const user = new User({ name: "ada" });
  session.add(user);
  await session.commit();
  session.delete(user);
  await session.commit();
  session.add(new Post({ authorId: keyOf(user) }));
  const sent = record(app);

  await assert.rejects(session.flush(), SessionError);
  assert.deepEqual(sent, []);
});

test("an autoflush stores what its rows wait for in the place of what is deleted there", async (t) => {
  const { db, Post, User } = acrossBinds();
  const app = await start(t, db, await threeUrls());
  const session = sessionOf(app);
  const old = new User({ id: 1, name: "old" });
  session.add(old);
  await session.commit();
  session.delete(old);
  const next = new User({ id: 1, name: "new" });
  session.addAll([next, new Post({ authorId: keyOf(next) })]);

  assert.deepEqual(
    (await session.select(Post).all()).map(({ authorId }) => authorId),
    [1],
  );
  await session.commit();
  assert.equal((await sessionOf(app).getOne(User, 1)).name, "new");
});

test("keyOf takes any property that the row has, and refuses others", () => {
  const { User } = acrossBinds();
  const db = new Multibind();
  class Coded extends db.model("coded", { code: varchar(10).primaryKey() }) {}

  assert.ok(keyOf(new User({ name: "ada" })) !== undefined);
  assert.ok(keyOf(new Coded({ code: "x" }), "code") !== undefined);
  // @ts-expect-error There is no such property.
  assert.throws(() => keyOf(new User({ name: "ada" }), "nope"), InvalidValueError);
  // @ts-expect-error The key is not called id.
  assert.throws(() => keyOf(new Coded({ code: "x" })), InvalidValueError);
});
