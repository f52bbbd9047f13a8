import assert from "node:assert/strict";
import { integer, Multibind, text } from "../../src/index.ts";
import { onEachFamily, sessionOf, start } from "../fixtures/matrix.ts";

const db = new Multibind();
class Note extends db.model("note", { id: integer().primaryKey(), title: text(), body: text() }) {}
class Tag extends db.model("tag", { id: integer().primaryKey(), noteId: integer(), label: text() }) {}

onEachFamily("an entity that was stale is still so when one of its columns was stored", async (t, url) => {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const note = new Note({ id: 1, title: "old", body: "old" });
  session.add(note);
  await session.commit();
  const other = sessionOf(app);
  await other.select(Note).update({ body: "theirs" });
  await other.commit();

  note.title = "mine";
  await session.flush();
  assert.equal(note.body, "old", "nothing was read");
  assert.equal(await session.get(Note, 1), note);
  assert.deepEqual([note.title, note.body], ["mine", "theirs"]);
});

onEachFamily("a rollback gives back what several entities of a row were before the transaction", async (t, url) => {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const note = new Note({ id: 1, title: "old", body: "old" });
  const tag = new Tag({ id: 1, noteId: 1, label: "old" });
  session.addAll([note, tag]);
  await session.commit();

  await session.select(Note).update({ title: "new" });
  await session.select(Tag).update({ label: "new" });
  assert.deepEqual(await session.select(Note).joinAndSelect(Tag, "tag.noteId", "note.id").one(), [note, tag]);
  assert.deepEqual([note.title, tag.label], ["new", "new"]);
  await session.rollback();
  assert.deepEqual([note.title, tag.label], ["old", "old"]);
  assert.deepEqual(await session.select(Note).joinAndSelect(Tag, "tag.noteId", "note.id").one(), [note, tag]);
});
