import assert from "node:assert/strict";
import { copyFileSync, existsSync, renameSync, rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import Database from "better-sqlite3";
import {
  type Application,
  integer,
  Multibind,
  OperationalError,
  ProgrammingError,
  type Session,
  sql,
  stateOf,
  varchar,
} from "../../../src/index.ts";

const db = new Multibind();
class Note extends db.model("note", { id: integer().primaryKey(), text: varchar(20) }) {}

interface Place {
  readonly app: Application<string>;
  readonly session: Session<string>;
  readonly path: string;
  readonly backup: string;
}

/** An application whose file holds an old note, and another file beside it with a new one. */
async function setUp(t: TestContext, engineOptions: object = {}): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), "multibind-"));
  const [path, backup] = [join(folder, "app.db"), join(folder, "backup.db")];
  const app = db.init({ databaseUri: `sqlite:///${path}`, engineOptions });
  const session = app.session();
  t.after(async () => {
    await session.close().catch(() => {});
    await app.dispose();
    await rm(folder, { recursive: true, force: true });
  });
  await app.createAll();
  session.add(new Note({ id: 1, text: "old" }));
  await session.commit();
  const other = new Database(join(folder, "new.db"));
  other.exec("create table note (id integer primary key, text text not null); insert into note values (1, 'new')");
  other.close();
  return { app, session, path, backup };
}

const MOVES: Readonly<Record<string, (place: Place) => void>> = {
  "replaced by a rename": ({ path }) => renameSync(path.replace("app.db", "new.db"), path),
  "moved away, and another copied to its place": ({ path, backup }) => {
    renameSync(path, backup);
    copyFileSync(path.replace("app.db", "new.db"), path);
  },
  deleted: ({ path }) => rmSync(path),
  "deleted with its log": ({ path }) => {
    for (const suffix of ["", "-wal", "-shm"]) rmSync(path + suffix, { force: true });
  },
};

const WRITES: Readonly<Record<string, (place: Place) => Promise<unknown>>> = {
  "the commit of a new row": ({ session }) => {
    session.add(new Note({ text: "in vain" }));
    return session.commit();
  },
  "a flush": ({ session }) => {
    session.addAll([new Note({ text: "in vain" }), new Note({ text: "in vain" })]);
    return session.flush();
  },
  "a bulk update": ({ session }) => session.select(Note).update({ text: "in vain" }),
  "Kysely's form": ({ session }) => session.deleteFrom(Note).execute(),
  "SQL text": ({ session }) => session.execute(sql`delete from note`),
  "a statement of the engine": ({ app }) => sql`delete from note`.execute(app.engine.kysely),
  "a transaction of the engine": ({ app }) =>
    app.engine.kysely.transaction().execute((trx) => sql`delete from note`.execute(trx)),
};

for (const [what, move] of Object.entries(MOVES)) {
  for (const [how, write] of Object.entries(WRITES)) {
    test(`${how} on a file that was ${what} is refused, and the next one finds what is there`, async (t) => {
      const place = await setUp(t);
      const { session, path, backup } = place;
      move(place);
      await assert.rejects(write(place), (error: unknown) => {
        assert.ok(error instanceof OperationalError, String(error));
        assert.match(
          error.message,
          /The file of the default bind \(.*app\.db\) was (replaced|deleted) while it was open/,
        );
        assert.equal(error.retryable, false);
        return true;
      });
      await session.rollback();
      if (what.startsWith("deleted")) {
        await assert.rejects(session.select(Note).all(), ProgrammingError, "an empty file");
      } else {
        session.add(new Note({ id: 2, text: "next" }));
        await session.commit();
        const stored = new Database(path, { readonly: true });
        assert.deepEqual(stored.prepare("select text from note order by id").pluck().all(), ["new", "next"]);
        assert.equal(stored.pragma("integrity_check", { simple: true }), "ok");
        stored.close();
      }
      if (!existsSync(backup)) return;
      const old = new Database(backup);
      assert.deepEqual(old.prepare("select text from note").pluck().all(), ["old"], "its log is not lost");
      old.close();
    });
  }

  test(`a transaction on a file that is ${what} meanwhile is not said to be committed`, async (t) => {
    const place = await setUp(t);
    const { session, app } = place;
    const note = new Note({ id: 7, text: "in vain" });
    session.add(note);
    await session.flush();
    const nested = await session.beginNested();
    move(place);
    await nested.commit();
    // Another one does not open the new file beside the old one's transaction.
    await using other = app.session();
    other.add(new Note({ id: 8, text: "waits" }));
    await assert.rejects(other.commit(), OperationalError);
    await other.rollback();
    await assert.rejects(session.commit(), OperationalError);
    assert.equal(stateOf(note), "transient");
    other.add(new Note({ id: 8, text: "next" }));
    if (what.startsWith("deleted")) await assert.rejects(other.commit(), ProgrammingError);
    else await other.commit();
    assert.equal(app.engine.status().inUse, 0);
  });

  test(`reads of a file that was ${what} end soon`, async (t) => {
    const place = await setUp(t);
    const { app } = place;
    const read = async () => {
      await using session = app.session();
      return (await session.get(Note, 1))?.text;
    };
    assert.equal(await read(), "old");
    move(place);
    let failure: unknown;
    while (failure === undefined) {
      await read().catch((error: unknown) => {
        failure = error;
      });
      await delay(10);
    }
    assert.ok(failure instanceof OperationalError, String(failure));
    if (what.startsWith("deleted")) await assert.rejects(read(), ProgrammingError);
    else assert.equal(await read(), "new");
  });
}

test("a file that is not managed is watched as well", async (t) => {
  const place = await setUp(t, { managed: true });
  const app = db.init({ databaseUri: `sqlite:///${place.path}`, engineOptions: { managed: false } });
  t.after(() => app.dispose());
  await sql`insert into note (id, text) values (5, 'x')`.execute(app.engine.kysely);
  rmSync(place.path);
  await assert.rejects(sql`insert into note (id, text) values (6, 'x')`.execute(app.engine.kysely), OperationalError);
});

test("a link that leads to another file is another file", async (t) => {
  const { symlinkSync, unlinkSync } = await import("node:fs");
  const place = await setUp(t);
  const link = place.path.replace("app.db", "link.db");
  symlinkSync(place.path, link);
  const app = db.init({ databaseUri: `sqlite:///${link}` });
  t.after(() => app.dispose());
  await sql`insert into note (id, text) values (5, 'x')`.execute(app.engine.kysely);
  unlinkSync(link);
  symlinkSync(place.path.replace("app.db", "new.db"), link);
  await assert.rejects(sql`insert into note (id, text) values (6, 'x')`.execute(app.engine.kysely), OperationalError);
  await sql`insert into note (id, text) values (6, 'x')`.execute(app.engine.kysely);
});
