import assert from "node:assert/strict";
import {
  bigint,
  enumeration,
  FailedTransactionError,
  integer,
  Multibind,
  StaleDataError,
  stateOf,
  text,
  varchar,
} from "../../src/index.ts";
import { onEachFamily, record, sessionOf, start } from "../fixtures/matrix.ts";

const db = new Multibind();
class Note extends db.model("note", { id: integer().primaryKey(), name: varchar(20) }) {}
class Page extends db.model("page", { id: integer().primaryKey(), body: text(), revision: integer().version() }) {}
class Large extends db.model("large", { id: integer().primaryKey(), body: text(), revision: bigint().version() }) {}
class Vehicle extends db.model(
  "vehicle",
  { id: integer().primaryKey(), kind: enumeration(["truck"]), name: text(), revision: integer().version() },
  { discriminator: "kind" },
) {}
class Truck extends Vehicle.extend(
  "truck",
  { id: integer().primaryKey().references("vehicle.id"), load: integer() },
  { identity: "truck" },
) {
  static {
    db.register(Truck);
  }
}

async function threeNotes(t: Parameters<typeof start>[0], url: string) {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  session.addAll(["a", "b", "c", "d"].map((name) => new Note({ name })));
  await session.commit();
  const notes = await session.select(Note).orderBy("id").all();
  const gone = (...names: string[]) => app.engine.kysely.deleteFrom(Note.table).where("name", "in", names).execute();
  return { app, session, notes: notes as [Note, Note, Note, Note], gone };
}

onEachFamily("an update of rows that are gone names them all", async (t, url) => {
  const { session, notes, gone } = await threeNotes(t, url);
  const [a, b, c] = notes;
  await gone("a", "c");
  for (const note of notes) note.name += "!";

  await assert.rejects(session.flush(), (error) => {
    assert.ok(error instanceof StaleDataError);
    assert.deepEqual(error.entities, [a, c]);
    assert.equal(error.bindKey, null);
    assert.match(error.message, /2 rows of note/);
    return true;
  });
  await assert.rejects(session.select(Note).all(), FailedTransactionError);
  await session.rollback();
  assert.deepEqual(
    notes.map(({ name }) => name),
    ["a", "b", "c", "d"],
  );
  assert.deepEqual(
    (await session.select(Note).orderBy("id").all()).map(({ name }) => name),
    ["b", "d"],
  );
  assert.equal(await session.get(Note, a.id), null);
  b.name = "b!";
  await session.commit();
});

onEachFamily("a delete of rows that are gone names them all", async (t, url) => {
  const { session, notes, gone } = await threeNotes(t, url);
  const [, b, c] = notes;
  await gone("b", "c");
  for (const note of notes) session.delete(note);

  await assert.rejects(session.commit(), (error) => {
    assert.ok(error instanceof StaleDataError);
    assert.deepEqual(error.entities, [b, c]);
    return true;
  });
  await session.rollback();
  assert.deepEqual(notes.map(stateOf), ["persistent", "persistent", "persistent", "persistent"]);
  assert.equal(await session.select(Note).count(), 2);
});

onEachFamily("one row that is gone, updated or deleted", async (t, url) => {
  const { session, notes, gone } = await threeNotes(t, url);
  const [a, b] = notes;
  await gone("a", "b");
  a.name = "x";
  await assert.rejects(session.flush(), (error) => error instanceof StaleDataError && error.entities[0] === a);
  await session.rollback();
  session.delete(b);
  await assert.rejects(session.flush(), (error) => error instanceof StaleDataError && error.entities[0] === b);
  await session.rollback();
});

onEachFamily("an update that changes nothing in the database is not a stale update", async (t, url) => {
  const { app, session, notes } = await threeNotes(t, url);
  await app.engine.kysely.updateTable(Note.table).set({ name: "same" }).where("id", "=", notes[0].id).execute();
  notes[0].name = "same";
  await session.commit();

  assert.equal(notes[0].name, "same");
});

for (const [what, Model, first, second] of [
  ["an integer", Page, 1, 2],
  ["a bigint", Large, 1n, 2n],
] as const) {
  onEachFamily(`a version counts updates in ${what}`, async (t, url) => {
    const app = await start(t, db, { databaseUri: url });
    const session = sessionOf(app);
    // The two models differ in their versions only.
    const page = new Model({ body: "one" }) as Page;
    session.add(page);
    await session.commit();
    assert.equal(page.revision, first);

    page.body = "two";
    await session.commit();
    assert.equal(page.revision, second);
    assert.equal(session.dirty.size, 0);
    await session.commit();
    assert.equal((await sessionOf(app).select(Model).one()).revision, second, "only updates count");
  });
}

onEachFamily("an update does not overwrite that of another session", async (t, url) => {
  const app = await start(t, db, { databaseUri: url });
  const first = sessionOf(app);
  const second = sessionOf(app);
  first.add(new Page({ body: "one" }));
  await first.commit();
  const [mine, theirs] = [await first.getOne(Page, 1), await second.getOne(Page, 1)];
  theirs.body = "theirs";
  await second.commit();

  mine.body = "mine";
  await assert.rejects(first.commit(), (error) => error instanceof StaleDataError && error.entities[0] === mine);
  await first.rollback();
  assert.equal(await first.get(Page, 1), mine);
  assert.deepEqual({ ...mine }, { id: 1, body: "theirs", revision: 2 });
  mine.body = "mine";
  await first.commit();
  assert.equal(mine.revision, 3);

  first.delete(mine);
  theirs.body = "again";
  await assert.rejects(second.commit(), StaleDataError);
  await second.rollback();
  await second.refresh(theirs);
  theirs.body = "again";
  await second.commit();
  await assert.rejects(
    first.commit(),
    (error) => error instanceof StaleDataError && error.entities[0] === mine,
    "a delete too",
  );
});

onEachFamily("many rows of which some have other versions", async (t, url) => {
  const app = await start(t, db, { databaseUri: url });
  const first = sessionOf(app);
  const pages = Array.from({ length: 20 }, (_, n) => new Page({ body: `page ${n}` }));
  first.addAll(pages);
  await first.commit();
  await sessionOf(app).transaction(async (tx) => {
    for (const page of await tx.select(Page).where("id", "in", [pages[3]!.id, pages[7]!.id]).all())
      page.body = "theirs";
  });

  for (const page of pages) page.body += "!";
  await assert.rejects(first.commit(), (error) => {
    assert.ok(error instanceof StaleDataError);
    assert.deepEqual(error.entities, [pages[3], pages[7]]);
    return true;
  });
});

onEachFamily("a version is taken back by a rollback, also through a savepoint", async (t, url) => {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const page = new Page({ body: "one" });
  session.add(page);
  await session.flush();
  const nested = await session.beginNested();
  page.body = "two";
  await session.flush();
  assert.equal(page.revision, 2);
  await nested.rollback();
  assert.deepEqual([page.revision, page.body], [1, "one"]);

  const kept = await session.beginNested();
  page.body = "three";
  await kept.commit();
  assert.equal(page.revision, 2);
  await session.rollback();
  assert.deepEqual([page.id, page.revision, page.body], [undefined, undefined, "three"]);
  session.add(page);
  await session.commit();
  assert.equal(page.revision, 1);
});

onEachFamily("a row that a new entity takes over goes on counting", async (t, url) => {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const old = new Page({ id: 1, body: "one" });
  session.add(old);
  await session.commit();
  const sleeper = sessionOf(app);
  const theirs = await sleeper.getOne(Page, 1);

  session.delete(old);
  const next = new Page({ id: 1, body: "next" });
  session.add(next);
  await session.commit();
  assert.equal(next.revision, 2);
  theirs.body = "late";
  await assert.rejects(sleeper.commit(), StaleDataError);
});

onEachFamily("merge refuses an entity that is older than the row", async (t, url) => {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const page = new Page({ body: "one" });
  session.add(page);
  await session.commit();
  const form = new Page({ ...page });
  page.body = "two";
  await session.commit();

  await assert.rejects(session.merge(form), (error) => error instanceof StaleDataError && error.entities[0] === form);
  assert.equal(page.body, "two");
  const merged = await session.merge(new Page({ ...page, body: "three" }));
  assert.equal(merged, page);
  await session.commit();
  assert.equal(page.revision, 3);
});

onEachFamily("a joined child's version is its parent's, whichever table changed", async (t, url) => {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const truck = new Truck({ name: "lorry", load: 1 });
  session.add(truck);
  await session.commit();
  const other = sessionOf(app);
  const theirs = await other.getOne(Truck, truck.id);

  truck.load = 2;
  await session.commit();
  assert.equal(truck.revision, 2);
  theirs.load = 3;
  await assert.rejects(other.commit(), StaleDataError);
  await other.rollback();
  assert.equal((await sessionOf(app).getOne(Truck, truck.id)).load, 2);
});

onEachFamily("a version is not the application's to set", async (t, url) => {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const page = new Page({ body: "one" });
  session.add(page);
  await session.commit();
  const sent = record(app);
  page.revision = 50;
  assert.equal(session.dirty.size, 0);
  await session.commit();
  assert.deepEqual(sent, []);
});
